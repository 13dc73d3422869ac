package remedies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"tandem/approvals"
)

// entryWork is what is to be done so that one declared entry is stored: create
// it, or update the stored one that can only be meant.
type entryWork struct {
	declared Entry
	wanted   *types.Entry
	stored   *types.Entry // nil: there is none
}

// proto is the declared entry as the server stores it. Its id follows from what
// it is, so that a second one is never made.
func (e Entry) proto() (*types.Entry, error) {
	id, err := spiffeid.FromString(e.SPIFFEID)
	if err != nil {
		return nil, fmt.Errorf("spiffe_id: %w", err)
	}
	parent, err := spiffeid.FromString(e.ParentID)
	if err != nil {
		return nil, fmt.Errorf("parent_id: %w", err)
	}
	made := &types.Entry{
		SpiffeId:   &types.SPIFFEID{TrustDomain: id.TrustDomain().Name(), Path: id.Path()},
		ParentId:   &types.SPIFFEID{TrustDomain: parent.TrustDomain().Name(), Path: parent.Path()},
		JwtSvidTtl: int32(e.JWTTTL / time.Second), X509SvidTtl: int32(e.X509TTL / time.Second), //nolint:gosec // hours at most
		DnsNames: e.DNSNames, Hint: e.Hint,
	}
	for _, text := range slices.Sorted(slices.Values(e.Selectors)) {
		kind, value, ok := strings.Cut(text, ":")
		if !ok || kind == "" || value == "" {
			return nil, fmt.Errorf("selectors: %q is not type:value", text)
		}
		made.Selectors = append(made.Selectors, &types.Selector{Type: kind, Value: value})
	}
	sum := sha256.Sum256([]byte(strings.Join(append([]string{e.SPIFFEID, e.ParentID}, texts(made.Selectors)...), "\n")))
	made.Id = "tandem-" + hex.EncodeToString(sum[:8])
	return made, nil
}

// texts are selectors as people write them, sorted.
func texts(selectors []*types.Selector) []string {
	all := make([]string, 0, len(selectors))
	for _, s := range selectors {
		all = append(all, s.GetType()+":"+s.GetValue())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func idText(id *types.SPIFFEID) string { return "spiffe://" + id.GetTrustDomain() + id.GetPath() }

// compare says what is to be done. An entry that is stored and not declared stays
// as it is, but for one that only lacks the selectors of the only declared one.
func compare(declared []Entry, stored []*types.Entry) ([]entryWork, error) {
	all := make([]entryWork, 0, len(declared))
	left := slices.Clone(stored)
	for _, e := range declared {
		wanted, err := e.proto()
		if err != nil {
			return nil, refuse(approvals.WhyParameters, "the declared entry of "+e.SPIFFEID+": "+err.Error())
		}
		w := entryWork{declared: e, wanted: wanted}
		if i := slices.IndexFunc(left, func(s *types.Entry) bool {
			return w.sameParent(s) && slices.Equal(texts(s.Selectors), texts(wanted.Selectors))
		}); i >= 0 {
			w.stored = left[i]
			left = slices.Delete(left, i, i+1)
		}
		all = append(all, w)
	}
	for i := range all {
		all[i].meant(all, left)
	}
	return slices.DeleteFunc(all, func(w entryWork) bool { return w.stored != nil && len(w.differs()) == 0 }), nil
}

// meant finds the stored entry with other selectors that can only be meant.
func (w *entryWork) meant(all []entryWork, left []*types.Entry) {
	rivals := slices.DeleteFunc(slices.Clone(all), func(o entryWork) bool { return o.stored != nil || !w.sameParent(o.wanted) })
	found := slices.DeleteFunc(slices.Clone(left), func(s *types.Entry) bool { return !w.sameParent(s) })
	if w.stored == nil && len(rivals) == 1 && len(found) == 1 {
		w.stored = found[0]
	}
}

// sameParent says whether an entry is for the same identity below the same parent.
func (w *entryWork) sameParent(o *types.Entry) bool {
	return idText(o.SpiffeId) == idText(w.wanted.SpiffeId) && idText(o.ParentId) == idText(w.wanted.ParentId)
}

// differs are the fields of the stored entry that are not as declared.
func (w entryWork) differs() []string {
	var fields []string
	for field, same := range map[string]bool{
		"selectors":     slices.Equal(texts(w.stored.Selectors), texts(w.wanted.Selectors)),
		"jwt_svid_ttl":  w.stored.JwtSvidTtl == w.wanted.JwtSvidTtl,
		"x509_svid_ttl": w.stored.X509SvidTtl == w.wanted.X509SvidTtl,
		"dns_names":     slices.Equal(w.stored.DnsNames, w.wanted.DnsNames),
		"hint":          w.stored.Hint == w.wanted.Hint,
		"expires_at":    w.stored.ExpiresAt == w.wanted.ExpiresAt,
	} {
		if !same {
			fields = append(fields, field)
		}
	}
	slices.Sort(fields)
	return fields
}

// id is that of the entry, stored or to be.
func (w entryWork) id() string {
	if w.stored != nil {
		return w.stored.Id
	}
	return w.wanted.Id
}

// basis is what the work rests on.
func (w entryWork) basis() approvals.Fact {
	value := "absent"
	if w.stored != nil {
		value = "revision " + strconv.FormatInt(w.stored.RevisionNumber, 10)
	}
	return approvals.Fact{Name: "entry " + w.id(), Value: value}
}

// call is the exact call.
func (w entryWork) call(s SPIRE) approvals.Call {
	body := map[string]any{
		"id": w.id(), "selectors": texts(w.wanted.Selectors), "jwt_svid_ttl": w.wanted.JwtSvidTtl, "x509_svid_ttl": w.wanted.X509SvidTtl,
		"dns_names": append([]string{}, w.wanted.DnsNames...), "hint": w.wanted.Hint, "expires_at": w.wanted.ExpiresAt,
	}
	verb := "update"
	if w.stored == nil {
		verb = "create"
		body["spiffe_id"], body["parent_id"] = idText(w.wanted.SpiffeId), idText(w.wanted.ParentId)
	}
	raw, err := json.Marshal(body)
	if err != nil { // strings and numbers only
		panic(fmt.Sprintf("marshal an entry: %v", err))
	}
	method := map[string]string{"update": "BatchUpdateEntry", "create": "BatchCreateEntry"}[verb]
	return approvals.Call{System: "spire", What: method + " " + string(raw), ByHand: s.command("entry", verb, w.id(), w.becomes())}
}

// becomes is the entry as it will be.
func (w entryWork) becomes() *types.Entry {
	e := &types.Entry{
		SpiffeId: w.wanted.SpiffeId, ParentId: w.wanted.ParentId, Selectors: w.wanted.Selectors, JwtSvidTtl: w.wanted.JwtSvidTtl,
		X509SvidTtl: w.wanted.X509SvidTtl, DnsNames: w.wanted.DnsNames, Hint: w.wanted.Hint, ExpiresAt: w.wanted.ExpiresAt,
	}
	if w.stored != nil {
		e.FederatesWith, e.StoreSvid = w.stored.FederatesWith, w.stored.StoreSvid
	}
	return e
}

// wayBack is the command that undoes the work.
func (w entryWork) wayBack(s SPIRE) string {
	if w.stored == nil {
		return s.command("entry", "delete", w.id(), &types.Entry{})
	}
	return s.command("entry", "update", w.id(), w.stored)
}

// command is a command of spire-server. It has every field of the entry, since an
// update by hand puts what it does not name back to its default.
func (s SPIRE) command(noun, verb, id string, e *types.Entry) string {
	words := []string{"spire-server", noun, verb}
	if path, ok := strings.CutPrefix(s.Admin, "unix:"); ok {
		words = append(words, "-socketPath", "/"+strings.TrimLeft(path, "/"))
	}
	words = append(words, "-entryID", id)
	if e.SpiffeId != nil {
		words = append(words, "-spiffeID", idText(e.SpiffeId), "-parentID", idText(e.ParentId))
	}
	for _, text := range texts(e.Selectors) {
		words = append(words, "-selector", text)
	}
	for _, f := range []struct {
		flag  string
		value int64
	}{{"-jwtSVIDTTL", int64(e.JwtSvidTtl)}, {"-x509SVIDTTL", int64(e.X509SvidTtl)}, {"-entryExpiry", e.ExpiresAt}} {
		if f.value != 0 {
			words = append(words, f.flag, strconv.FormatInt(f.value, 10))
		}
	}
	for _, name := range e.DnsNames {
		words = append(words, "-dns", name)
	}
	for _, domain := range e.FederatesWith {
		words = append(words, "-federatesWith", domain)
	}
	if e.Hint != "" {
		words = append(words, "-hint", e.Hint)
	}
	if e.StoreSvid {
		words = append(words, "-storeSVID")
	}
	return shell(words...)
}

// storedEntries are those of the identities that are declared.
func storedEntries(ctx context.Context, conn grpc.ClientConnInterface, declared []Entry) ([]*types.Entry, error) {
	var all []*types.Entry
	asked := map[string]bool{}
	for _, e := range declared {
		id, err := spiffeid.FromString(e.SPIFFEID)
		if err != nil || asked[e.SPIFFEID] {
			continue // compare says what is wrong with it
		}
		asked[e.SPIFFEID] = true
		answer, err := entryv1.NewEntryClient(conn).ListEntries(ctx, &entryv1.ListEntriesRequest{Filter: &entryv1.ListEntriesRequest_Filter{
			BySpiffeId: &types.SPIFFEID{TrustDomain: id.TrustDomain().Name(), Path: id.Path()},
		}})
		if err != nil {
			return nil, err
		}
		all = append(all, answer.Entries...)
	}
	return all, nil
}

// identity is who changes entries, for the audit.
func (s SPIRE) identity() string {
	if s.AdminCredentials == nil {
		return "the bot, at the SPIRE server's socket"
	}
	return "the bot, by its X509-SVID of a SPIRE admin"
}

// change connects to the address that may change entries, while use runs.
func (s SPIRE) change(ctx context.Context, use func(entryv1.EntryClient, grpc.ClientConnInterface) error) error {
	var with credentials.TransportCredentials
	if s.AdminCredentials != nil {
		var err error
		if with, err = s.AdminCredentials(ctx); err != nil {
			return &approvals.Trouble{Text: "nothing was changed: the bot has no X509-SVID with which the SPIRE server would know it", Err: err}
		}
	}
	return connected(s.Admin, with, func(conn grpc.ClientConnInterface) error { return use(entryv1.NewEntryClient(conn), conn) })
}

// ofSPIRE is the why of an attempt at the SPIRE server.
func ofSPIRE(err error) (reason string, declined bool) {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated, codes.NotFound, codes.AlreadyExists:
		declined = true
	}
	return spireReason(err), declined
}

// send makes the call of the work.
func (w entryWork) send(ctx context.Context, api entryv1.EntryClient) (string, error) {
	if w.stored == nil {
		answer, err := api.BatchCreateEntry(ctx, &entryv1.BatchCreateEntryRequest{Entries: []*types.Entry{w.wanted}})
		return "the entry is created", batchError(err, answer)
	}
	update := w.becomes()
	update.Id = w.stored.Id
	answer, err := api.BatchUpdateEntry(ctx, &entryv1.BatchUpdateEntryRequest{
		Entries:   []*types.Entry{update},
		InputMask: &types.EntryMask{Selectors: true, JwtSvidTtl: true, X509SvidTtl: true, DnsNames: true, Hint: true, ExpiresAt: true},
	})
	return "the entry is updated", batchError(err, answer)
}

// batchError is the error of a batch of one.
func batchError[R interface{ GetStatus() *types.Status }, A interface{ GetResults() []R }](err error, answer A) error {
	if err != nil {
		return err
	}
	if len(answer.GetResults()) != 1 {
		return errors.New("the answer has another shape than SPIRE's")
	}
	s := answer.GetResults()[0].GetStatus()
	return status.Error(codes.Code(s.GetCode()), s.GetMessage()) //nolint:gosec // a gRPC code
}

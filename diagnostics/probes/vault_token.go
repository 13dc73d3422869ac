package probes

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"tandem/diagnostics"
)

// TokenArgs say whose token to look up.
type TokenArgs struct {
	Service      string `cel:"service"`
	AccessorFile string `cel:"accessor_file"` // empty: the newest accessor in the service's logs
}

// Token is the state of the Vault token of a service. All but Found,
// AccessorFrom and AccessorAt is zero when it was not found.
type Token struct {
	Found          bool          `cel:"found"`         // false: Vault does not know the accessor any more
	Tokens         int64         `cel:"tokens"`        // looked up: one for each pod that is known, or each login in the logs
	Dead           int64         `cel:"dead"`          // of those, unknown to Vault
	AccessorFrom   string        `cel:"accessor_from"` // file or logs
	AccessorAt     time.Time     `cel:"accessor_at"`   // when the file was written or the event logged
	TTL            time.Duration `cel:"ttl"`
	ExplicitMaxTTL time.Duration `cel:"explicit_max_ttl"`
	HasMaxTTL      bool          `cel:"has_max_ttl"`  // whether ExplicitMaxTTL is set
	MaxTTLLeft     time.Duration `cel:"max_ttl_left"` // 0 without HasMaxTTL
	Renewable      bool          `cel:"renewable"`
	Type           string        `cel:"type"` // service or batch
	Policies       []string      `cel:"policies"`
	Orphan         bool          `cel:"orphan"`
	IssuedAt       time.Time     `cel:"issued_at"`
	Period         time.Duration `cel:"period"`
	CanRenewSelf   bool          `cel:"can_renew_self"`
}

// AccessArgs say whose token to ask about, and the paths.
type AccessArgs struct {
	Service      string   `cel:"service"`
	AccessorFile string   `cel:"accessor_file"`
	Paths        []string `cel:"paths"` // without a leading slash
}

// Access is what a token may do. Paths is empty when the token was not found.
type Access struct {
	Found  bool         `cel:"found"`
	Tokens int64        `cel:"tokens"` // asked about, like those of vault.token
	Dead   int64        `cel:"dead"`   // of those, unknown to Vault
	Paths  []PathAccess `cel:"paths"`
}

// PathAccess is what a token may do on one path.
type PathAccess struct {
	Path         string   `cel:"path"`
	Capabilities []string `cel:"capabilities"`
	CanRead      bool     `cel:"can_read"`
	CanUpdate    bool     `cel:"can_update"`
}

func tokenGrants(TokenArgs) []diagnostics.Grant {
	return []diagnostics.Grant{updates("auth/token/lookup-accessor"), updates("sys/capabilities-accessor")}
}

func accessGrants(AccessArgs) []diagnostics.Grant {
	return []diagnostics.Grant{updates("sys/capabilities-accessor")}
}

func updates(path string) diagnostics.Grant {
	return diagnostics.Grant{Path: path, Capabilities: []string{"update"}}
}

const renewSelf = "auth/token/renew-self"

func (v vaultProbes) token(ctx context.Context, args TokenArgs) (Token, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	t := v.trail()
	acc, err := v.accessor(ctx, t, args.Service, args.AccessorFile)
	if err != nil {
		return Token{}, t.list, err
	}
	facts, err := v.lookupAccessor(ctx, t, acc)
	if err != nil || !facts.Found {
		return facts, t.list, err
	}
	has, err := v.accessorCapabilities(ctx, t, acc, []string{renewSelf})
	if err != nil {
		return facts, t.list, err
	}
	facts.Found = has != nil // it can die between the two questions
	facts.CanRenewSelf = may(has[renewSelf], "update")
	return facts, t.list, nil
}

func (v vaultProbes) access(ctx context.Context, args AccessArgs) (Access, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	t := v.trail()
	acc, err := v.accessor(ctx, t, args.Service, args.AccessorFile)
	if err != nil || len(args.Paths) == 0 {
		return Access{}, t.list, err
	}
	has, err := v.accessorCapabilities(ctx, t, acc, args.Paths)
	if err != nil || has == nil {
		return Access{}, t.list, err
	}
	facts := Access{Found: true}
	for _, path := range args.Paths {
		facts.Paths = append(facts.Paths, PathAccess{
			Path:         path,
			Capabilities: has[path],
			CanRead:      may(has[path], "read"),
			CanUpdate:    may(has[path], "update"),
		})
	}
	return facts, t.list, nil
}

// tokenData is what Vault tells of a token.
type tokenData struct {
	TTL            seconds  `json:"ttl"`
	ExplicitMaxTTL seconds  `json:"explicit_max_ttl"`
	Period         seconds  `json:"period"`
	IssueTime      string   `json:"issue_time"`
	Renewable      bool     `json:"renewable"`
	Orphan         bool     `json:"orphan"`
	Type           string   `json:"type"`
	Policies       []string `json:"policies"`
}

func (v vaultProbes) lookupAccessor(ctx context.Context, t *trail, acc accessor) (Token, error) {
	q := vaultQuestion{
		method: http.MethodPost,
		path:   "auth/token/lookup-accessor",
		body:   map[string]string{"accessor": acc.value},
		right:  "update",
		show:   v.command("token", "lookup", "-accessor") + " " + acc.show,
	}
	facts := Token{AccessorFrom: acc.from, AccessorAt: acc.at}
	a, err := v.ask(ctx, q)
	switch {
	case err != nil:
		return facts, t.fail(q.show, blindNetwork(q.doing(), "", err))
	case deadAccessor(a):
		t.add(q.show, "%s: the token is dead", a.words())
		return facts, nil
	case !a.ok():
		return facts, t.fail(q.show, v.refused(q, a))
	}
	var data tokenData
	if err := json.Unmarshal(a.data, &data); err != nil {
		return facts, t.fail(q.show, blindGarbage(q.doing(), "Vault", "its data have another shape"))
	}
	facts.fill(data, v.now())
	t.add(q.show, "ttl %s, renewable %t, type %s, policies %s", facts.TTL, facts.Renewable, facts.Type, list(facts.Policies))
	return facts, nil
}

// deadAccessor tells an accessor that Vault does not know from a right that the
// bot lacks; the status differs between versions.
func deadAccessor(a vaultAnswer) bool { return a.status >= 400 && a.says("invalid accessor") }

func (f *Token) fill(data tokenData, now time.Time) {
	f.Found = true
	f.TTL, f.Period = data.TTL.duration(), data.Period.duration()
	f.Renewable, f.Orphan, f.Type, f.Policies = data.Renewable, data.Orphan, clean(data.Type, maxDetail), cleanAll(data.Policies)
	if at, err := time.Parse(time.RFC3339Nano, data.IssueTime); err == nil {
		f.IssuedAt = at
	}
	f.ExplicitMaxTTL = data.ExplicitMaxTTL.duration()
	if f.HasMaxTTL = f.ExplicitMaxTTL > 0; f.HasMaxTTL {
		f.MaxTTLLeft = f.IssuedAt.Add(f.ExplicitMaxTTL).Sub(now)
	}
}

// accessorCapabilities are what the token behind an accessor may do; nil when
// the token is dead.
func (v vaultProbes) accessorCapabilities(ctx context.Context, t *trail, acc accessor, paths []string) (map[string][]string, error) {
	q := vaultQuestion{
		method: http.MethodPost,
		path:   "sys/capabilities-accessor",
		body:   map[string]any{"accessor": acc.value, "paths": paths},
		right:  "update",
		show:   v.command(append([]string{"write", "sys/capabilities-accessor"}, pathWords(paths)...)...) + " accessor=" + acc.show,
	}
	has, a, err := v.capabilities(ctx, t, q, paths)
	switch {
	case err != nil:
		return nil, err
	case deadAccessor(a):
		t.add(q.show, "%s: the token is dead", a.words())
		return nil, nil
	case has == nil:
		return nil, t.fail(q.show, v.refused(q, a))
	}
	lines := make([]string, len(paths))
	for i, path := range paths {
		lines[i] = path + ": " + list(has[path])
	}
	t.add(q.show, "%s", strings.Join(lines, "\n"))
	return has, nil
}

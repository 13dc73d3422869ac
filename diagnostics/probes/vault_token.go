package probes

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
)

// TokenArgs say whose token to look up.
type TokenArgs struct {
	Service      string `cel:"service"`
	AccessorFile string `cel:"accessor_file"` // empty: the accessors in the service's logs
}

// Token is the state of the newest Vault token of a service, with the number of
// all. Each pod has its own: the newest of each pod counts, without pods that
// were replaced; where the logs do not name pods, each login does. All but
// Found, the numbers, AccessorFrom and AccessorAt is zero when the newest was
// not found.
type Token struct {
	Found            bool          `cel:"found"`             // false: Vault does not know the accessor any more
	Tokens           int64         `cel:"tokens"`            // looked up: one for each pod that is known, or each login in the logs
	Dead             int64         `cel:"dead"`              // of those, unknown to Vault
	DeadUnattributed int64         `cel:"dead_unattributed"` // of the dead, those whose pod the logs do not name: perhaps earlier logins of a pod that lives, or of one that is gone
	Accessor         string        `cel:"accessor"`          // of the newest; it names a token to those who may act on it, and is none
	AccessorFrom     string        `cel:"accessor_from"`     // file or logs
	AccessorAt       time.Time     `cel:"accessor_at"`       // when the file was written or the event logged
	TTL              time.Duration `cel:"ttl"`
	CreationTTL      time.Duration `cel:"creation_ttl"` // that the login gave it
	ExplicitMaxTTL   time.Duration `cel:"explicit_max_ttl"`
	HasMaxTTL        bool          `cel:"has_max_ttl"`  // whether ExplicitMaxTTL is set
	MaxTTLLeft       time.Duration `cel:"max_ttl_left"` // 0 without HasMaxTTL
	Renewable        bool          `cel:"renewable"`
	Type             string        `cel:"type"` // service or batch
	Policies         []string      `cel:"policies"`
	Orphan           bool          `cel:"orphan"`
	IssuedAt         time.Time     `cel:"issued_at"`
	Period           time.Duration `cel:"period"`
	CanRenewSelf     bool          `cel:"can_renew_self"`
}

// AccessArgs say whose token to ask about, and the paths.
type AccessArgs struct {
	Service      string   `cel:"service"`
	AccessorFile string   `cel:"accessor_file"`
	Paths        []string `cel:"paths"` // without a leading slash
}

// Access is what the tokens of a service may do, each that is not dead. Paths is
// empty when all are.
type Access struct {
	Found  bool         `cel:"found"`
	Tokens int64        `cel:"tokens"` // asked about, like those of vault.token
	Dead   int64        `cel:"dead"`   // of those, unknown to Vault
	Paths  []PathAccess `cel:"paths"`
}

// PathAccess is what every token that lives may do on one path.
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
	found, err := v.accessors(ctx, t, args.Service, args.AccessorFile)
	if err != nil {
		return Token{}, t.list, err
	}
	tokens, err := everyAccessor(t, found, func(t *trail, acc accessor) (Token, error) { return v.lookupAccessor(ctx, t, acc) })
	if err != nil {
		return Token{}, t.list, err
	}
	facts := countTokens(found, tokens)
	if !facts.Found {
		return facts, t.list, nil
	}
	has, err := v.accessorCapabilities(ctx, t, found[0], []string{renewSelf})
	if err != nil {
		return facts, t.list, err
	}
	if has == nil { // it can die between the two questions
		facts.Found = false
		facts.countDead(found[0])
	}
	facts.CanRenewSelf = may(has[renewSelf], "update")
	return facts, t.list, nil
}

// everyAccessor asks about each accessor, some at a time. It is blind when one
// question was not answered.
func everyAccessor[A any](t *trail, found []accessor, ask func(*trail, accessor) (A, error)) ([]A, error) {
	answers := make([]A, len(found))
	trails := make([]*trail, len(found))
	errs := make([]error, len(found))
	parallel(len(found), func(i int) {
		trails[i] = &trail{source: t.source, now: t.now}
		answers[i], errs[i] = ask(trails[i], found[i])
	})
	t.list = append(t.list, joined(trails)...)
	return answers, cmp.Or(errs...)
}

// countTokens is the newest token, with the number of all.
func countTokens(found []accessor, tokens []Token) Token {
	facts := tokens[0]
	facts.Tokens = int64(len(tokens))
	for i, token := range tokens {
		if !token.Found {
			facts.countDead(found[i])
		}
	}
	return facts
}

func (f *Token) countDead(acc accessor) {
	f.Dead++
	if acc.from == fromLogs && acc.pod == "" {
		f.DeadUnattributed++
	}
}

func (v vaultProbes) access(ctx context.Context, args AccessArgs) (Access, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	t := v.trail()
	found, err := v.accessors(ctx, t, args.Service, args.AccessorFile)
	if err != nil || len(args.Paths) == 0 {
		return Access{}, t.list, err
	}
	each, err := everyAccessor(t, found, func(t *trail, acc accessor) (map[string][]string, error) {
		return v.accessorCapabilities(ctx, t, acc, args.Paths)
	})
	if err != nil {
		return Access{}, t.list, err
	}
	facts := Access{Found: each[0] != nil, Tokens: int64(len(each))}
	live := slices.DeleteFunc(each, func(has map[string][]string) bool { return has == nil })
	facts.Dead = facts.Tokens - int64(len(live))
	if len(live) == 0 {
		return facts, t.list, nil
	}
	for _, path := range args.Paths {
		facts.Paths = append(facts.Paths, accessTo(path, live))
	}
	return facts, t.list, nil
}

// accessTo is what all of the tokens may do on a path.
func accessTo(path string, live []map[string][]string) PathAccess {
	access := PathAccess{Path: path, Capabilities: live[0][path], CanRead: true, CanUpdate: true}
	for _, has := range live {
		access.Capabilities = common(access.Capabilities, has[path])
		access.CanRead = access.CanRead && may(has[path], "read")
		access.CanUpdate = access.CanUpdate && may(has[path], "update")
	}
	return access
}

// common are the capabilities that two tokens have, as Vault writes them: root
// may everything, and who may nothing has deny.
func common(a, b []string) []string {
	switch {
	case slices.Contains(a, "root"):
		return b
	case slices.Contains(b, "root"):
		return a
	}
	both := slices.DeleteFunc(slices.Clone(a), func(one string) bool { return !slices.Contains(b, one) })
	if len(both) == 0 {
		return []string{"deny"}
	}
	return both
}

// tokenData is what Vault tells of a token.
type tokenData struct {
	TTL            seconds  `json:"ttl"`
	CreationTTL    seconds  `json:"creation_ttl"`
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
	facts := Token{Accessor: acc.value, AccessorFrom: acc.from, AccessorAt: acc.at}
	a, err := v.ask(ctx, q)
	switch {
	case err != nil:
		return facts, t.fail(q.show, blindNetwork(q.doing(), diagnostics.Text{}, err))
	case deadAccessor(a):
		t.add(q.show, "%s%s: the token is dead", acc.of(), a.words())
		return facts, nil
	case !a.ok():
		return facts, t.fail(q.show, v.refused(q, a))
	}
	var data tokenData
	if err := json.Unmarshal(a.data, &data); err != nil {
		return facts, t.fail(q.show, blindGarbage(q.doing(), "Vault", "its data have another shape"))
	}
	facts.fill(data, v.now())
	t.add(q.show, "%sttl %s, renewable %t, type %s, policies %s", acc.of(), facts.TTL, facts.Renewable, facts.Type, list(facts.Policies))
	return facts, nil
}

// deadAccessor tells an accessor that Vault does not know from a right that the
// bot lacks; the status differs between versions.
func deadAccessor(a vaultAnswer) bool { return a.status >= 400 && a.says("invalid accessor") }

func (f *Token) fill(data tokenData, now time.Time) {
	f.Found = true
	f.TTL, f.CreationTTL, f.Period = data.TTL.duration(), data.CreationTTL.duration(), data.Period.duration()
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
		t.add(q.show, "%s%s: the token is dead", acc.of(), a.words())
		return nil, nil
	case has == nil:
		return nil, t.fail(q.show, v.refused(q, a))
	}
	lines := make([]string, len(paths))
	for i, path := range paths {
		lines[i] = path + ": " + list(has[path])
	}
	t.add(q.show, "%s%s", acc.of(), strings.Join(lines, "\n"))
	return has, nil
}

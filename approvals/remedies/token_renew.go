package remedies

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"tandem/approvals"
)

const (
	lookUpAccessor = "auth/token/lookup-accessor"
	renewAccessor  = "auth/token/renew-accessor"
)

// The facts that a plan for a token rests on.
const (
	factAccessor  = "accessor"
	factEnd       = "its end"
	factIncrement = "its whole TTL"
)

// tokenRenew renews a token of a service by its accessor, which is none itself.
func tokenRenew(d Deps) vaultRemedy {
	r := vaultRemedy{uses: 1, Remedy: approvals.Remedy{
		Name: "token-renew", Risk: approvals.Low, Repeatable: true,
		Params: []approvals.Param{{Name: "accessor", About: both("accessor of the service's token; the finding gives it", "accessor do token do serviço; o achado o informa")}},
		Title:  both("Renew a service's token", "Renovar o token de um serviço"),
		About: both("Renews the Vault token of a service that missed its renewal. It mends no policy, and cannot pass the maximum TTL.",
			"Renova o token do Vault de um serviço que perdeu a renovação. Não conserta política, nem passa do TTL máximo."),
		Plan: d.planRenew, Execute: d.renew,
	}}
	if len(d.policies()) > 0 {
		r.rights = []Right{{Path: renewAccessor, Capabilities: []string{"update"}, Allowed: map[string][]any{"accessor": nil, "increment": nil}}}
		r.looks = []Right{{Path: lookUpAccessor, Capabilities: []string{"update"}}}
	}
	return r
}

// policies are those of all services.
func (d Deps) policies() []string {
	var all []string
	for _, s := range d.Services {
		all = append(all, s.Policies...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// token is what Vault tells of a token, but its id.
type token struct {
	TTL        int64     `json:"ttl"` // seconds
	Creation   int64     `json:"creation_ttl"`
	Period     int64     `json:"period"`
	Max        int64     `json:"explicit_max_ttl"` // 0: none of its own
	Issued     time.Time `json:"issue_time"`
	End        time.Time `json:"expire_time"` // zero: none
	Renewable  bool      `json:"renewable"`
	Policies   []string  `json:"policies"`
	OfIdentity []string  `json:"identity_policies"`
}

func (v Vault) token(ctx context.Context, accessor string) (t token, known bool, err error) {
	known, err = v.lookUp(ctx, lookUpAccessor, "accessor", accessor, &t)
	return t, known, err
}

func (t token) left() time.Duration { return time.Duration(t.TTL) * time.Second }

// limit is the end that no renewal can pass, as far as the token itself tells.
func (t token) limit() (at time.Time, limited bool) {
	return t.Issued.Add(time.Duration(t.Max) * time.Second), t.Max > 0
}

// whole is the TTL in seconds that a renewal is to give. It is asked for, since
// some tokens keep what the renewal before asked for.
func (t token) whole() int64 {
	if t.Period > 0 {
		return t.Period
	}
	return t.Creation
}

// fresh says that a renewal could hardly move the end: more than nine tenths are
// left.
func (t token) fresh() bool { return t.whole() > 0 && t.TTL*10 > t.whole()*9 }

// foreign are the policies that a token of the service should not have, or
// lacks. Every token may have default.
func (t token) foreign(s Service) []string {
	has := slices.Concat(t.Policies, t.OfIdentity)
	odd := append(without(has, append([]string{"default"}, s.Policies...)), without(s.Policies, has)...)
	slices.Sort(odd)
	return slices.Compact(odd)
}

// without are the names of one list that are not in another.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(other, name) })
}

var accessorForm = regexp.MustCompile(`^[A-Za-z0-9._-]{8,128}$`)

// wantedToken is the token that is wanted: only one that is the service's, by its
// policies.
func (d Deps) wantedToken(ctx context.Context, want approvals.Want) (token, error) {
	s, err := d.service(want.Service)
	accessor := want.Params["accessor"]
	switch {
	case err != nil:
		return token{}, err
	case len(s.Policies) == 0:
		return token{}, refuse(approvals.WhyParameters, "the configuration names no policies of "+s.Name+", by which its token could be told: set login.policies")
	case !accessorForm.MatchString(accessor):
		return token{}, refuse(approvals.WhyParameters, "expected in accessor the accessor of a token of "+s.Name+", never the token itself: the check TOK-003 looks for it")
	}
	if err := d.Vault.ready(); err != nil {
		return token{}, err
	}
	t, known, err := d.Vault.token(ctx, accessor)
	switch {
	case err != nil:
		return token{}, err
	case !known:
		return token{}, refuse(approvals.WhyPrecondition, "Vault does not know the token any more: restart the pod, so that it logs in again")
	case len(t.foreign(s)) > 0:
		return token{}, refuse(approvals.WhyParameters, fmt.Sprintf("that is no token of %s: its policies differ in %s", s.Name, strings.Join(t.foreign(s), ", ")))
	case t.fresh():
		return token{}, refuse(approvals.WhyHealthy, "the token has "+t.left().String()+" left, almost all of its TTL")
	}
	return t, nil
}

func (d Deps) planRenew(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	t, err := d.wantedToken(ctx, want)
	if err != nil {
		return approvals.Plan{}, err
	}
	accessor, increment := want.Params["accessor"], fmt.Sprintf("%ds", t.whole())
	looked := shell("vault", "token", "lookup", "-accessor", accessor)
	return approvals.Plan{
		Remedy: "token-renew", Service: want.Service, Target: tokenTarget(accessor), Risk: approvals.Low, Params: want.Params,
		Does:          both("Renew the token of "+want.Service+" with the accessor "+accessor+".", "Renovar o token de "+want.Service+" com o accessor "+accessor+"."),
		Calls:         []approvals.Call{renewCall(accessor, increment)},
		Why:           append(d.saw(want), d.seen(looked, fmt.Sprintf("ttl %s, renewable %t, policies %s", t.left(), t.Renewable, strings.Join(t.Policies, ", ")))),
		Basis:         []approvals.Fact{{Name: factAccessor, Value: accessor}, {Name: factEnd, Value: moment(t.End)}, {Name: factIncrement, Value: increment}},
		Preconditions: d.renewable(t),
		Blast:         both("This token alone: it lives longer.", "Só este token: ele vive mais."),
		WayBack: both("Nobody can take a renewal back. The token still ends by itself, or by: "+shell("vault", "token", "revoke", "-accessor", accessor),
			"Ninguém desfaz uma renovação. O token ainda acaba sozinho, ou com: "+shell("vault", "token", "revoke", "-accessor", accessor)),
		Proof: proof(want, "TOK-001"),
	}, nil
}

func tokenTarget(accessor string) string { return "vault:auth/token/" + accessor }

// moment is a time as a fact: the same for the same time.
func moment(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func (d Deps) renewable(t token) []approvals.Precondition {
	limit, limited := t.limit()
	observed := "it has none of its own"
	if limited {
		observed = "its end is " + moment(t.End) + ", its maximum " + moment(limit)
	}
	return []approvals.Precondition{
		{
			Text:  both("The token is alive and renewable.", "O token está vivo e é renovável."),
			Holds: t.TTL > 0 && t.Renewable, Observed: fmt.Sprintf("renewable is %t", t.Renewable),
		},
		{
			Text:  both("It is below its maximum TTL.", "Está abaixo do TTL máximo."),
			Holds: !limited || t.End.Add(time.Second).Before(limit), Observed: observed,
		},
	}
}

func renewCall(accessor, increment string) approvals.Call {
	return approvals.Call{
		System: "vault", What: "PUT /v1/" + renewAccessor + " " + jsonOf(renewal(accessor, increment)),
		ByHand: shell("vault", "token", "renew", "-accessor", "-increment="+increment, accessor),
	}
}

func renewal(accessor, increment string) map[string]any {
	return map[string]any{"accessor": accessor, "increment": increment}
}

func (d Deps) renew(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	accessor, increment := fact(p, factAccessor), fact(p, factIncrement)
	end, err := time.Parse(time.RFC3339Nano, fact(p, factEnd))
	if err != nil || p.Target != tokenTarget(accessor) {
		return strange(p)
	}
	later := func(ctx context.Context) (bool, error) {
		t, known, err := d.Vault.token(ctx, accessor)
		return err == nil && known && t.End.Sub(end) >= time.Second, err
	}
	return d.Vault.Elevator.lend(ctx, p.Remedy, act, func(ctx context.Context, own privilege) error {
		err := change{
			call: renewCall(accessor, increment),
			do: func(ctx context.Context) (string, error) {
				_, err := own.client.Logical().WriteWithContext(ctx, renewAccessor, renewal(accessor, increment))
				return "the token is renewed", err
			},
			done: later,
		}.make(ctx, act, own.identity)
		if err != nil {
			return err
		}
		switch moved, err := later(ctx); {
		case err != nil:
			return trouble(err, "the token was renewed, and nobody could look how long it lives now: %s", reason(err))
		case !moved:
			return trouble(nil, "the token was renewed, and its end did not move: it is at its maximum TTL: restart the pod, so that it logs in again")
		}
		return nil
	})
}

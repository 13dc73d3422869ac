package approvals

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// person is an account as the workspace told it a moment ago.
type person struct {
	id    string
	name  string   // of the person, if the configuration has it
	mails []string // of the account, and of those that the configuration says are the same person's
}

// voter is how a request remembers a person. The hash of the address differs
// from request to request, so that nobody is found by it.
func (p person) voter(request string) Voter {
	v := Voter{ID: p.id}
	if p.name != "" {
		v.Keys = append(v.Keys, "person:"+p.name)
	}
	for _, mail := range p.mails {
		sum := hmac.New(sha256.New, []byte(request))
		sum.Write([]byte(mail))
		v.Keys = append(v.Keys, "mail:"+hex.EncodeToString(sum.Sum(nil)[:16]))
	}
	return v
}

// known says whether it can be told which person it is.
func (p person) known() error {
	if p.name == "" && len(p.mails) == 0 {
		return &Refusal{Why: WhyCannotTell, Detail: both("the account has no e-mail address and is not in the map of people",
			"a conta não tem endereço de e-mail e não está no mapa de pessoas")}
	}
	return nil
}

// mailbox is an address as its owner means it: ana+admin@ is ana@.
func mailbox(address string) string {
	local, domain, ok := strings.Cut(strings.ToLower(strings.TrimSpace(address)), "@")
	local, _, _ = strings.Cut(local, "+")
	if !ok || local == "" || domain == "" {
		return ""
	}
	return local + "@" + domain
}

// member tells who an account is, and refuses all that may do nothing here.
func (s *Service) member(ctx context.Context, id string) (person, error) {
	if s.opts.Directory == nil || s.opts.Policy.Team == "" {
		return person{}, &Refusal{Why: WhyCannotTell, Detail: both("the workspace is not known yet", "o workspace ainda não é conhecido")}
	}
	a, err := s.opts.Directory.Account(ctx, id)
	switch {
	case err != nil:
		return person{}, &Refusal{Why: WhyCannotTell, Detail: both("the workspace does not answer who the account is", "o workspace não responde de quem é a conta")}
	case a.Team != s.opts.Policy.Team:
		return person{}, &Refusal{Why: WhyElsewhere}
	case a.Standing != Member:
		return person{}, &Refusal{Why: WhyNotMember, Detail: same(a.Standing)}
	}
	return s.identify(ctx, a, id)
}

// identify finds the person behind an account. Two accounts may be known as one
// person's by different means, so all that the map names are looked at.
func (s *Service) identify(ctx context.Context, a Account, id string) (person, error) {
	p := person{id: id, name: s.opts.Policy.People[id]}
	p.add(a)
	if p.name == "" {
		return p, nil
	}
	for _, other := range slices.Sorted(maps.Keys(s.opts.Policy.People)) {
		if other == id || s.opts.Policy.People[other] != p.name {
			continue
		}
		a, err := s.opts.Directory.Account(ctx, other)
		if err != nil {
			return p, &Refusal{Why: WhyCannotTell, Detail: both("the workspace does not answer who the person's other accounts are",
				"o workspace não responde quais são as outras contas da pessoa")}
		}
		p.add(a)
	}
	return p, nil
}

func (p *person) add(a Account) {
	if mail := mailbox(a.Email); mail != "" && !slices.Contains(p.mails, mail) {
		p.mails = append(p.mails, mail)
	}
}

// among refuses an account that is not one of who.
func (s *Service) among(ctx context.Context, who Who, id string) error {
	in, err := who.Has(ctx, s.opts.Directory, id)
	switch {
	case err != nil:
		return &Refusal{Why: WhyCannotTell, Who: who, Detail: both("the workspace does not answer who is in the group", "o workspace não responde quem está no grupo")}
	case !in:
		return &Refusal{Why: WhyNotEntitled, Who: who}
	}
	return nil
}

// mayAsk refuses who may not ask for this risk.
func (s *Service) mayAsk(ctx context.Context, id string, risk Risk) error {
	rule, ok := s.opts.Policy.Risks[risk]
	if !ok || rule.Approve.Nobody() {
		return &Refusal{Why: WhyNotEntitled, Detail: both("the policy allows no remedies of risk "+string(risk),
			"a política não permite remédios desse risco")}
	}
	if rule.Ask.Nobody() {
		return nil
	}
	return s.among(ctx, rule.Ask, id)
}

// mayApprove refuses who may not approve a request, by what its card says and
// by what the policy says today.
func (s *Service) mayApprove(ctx context.Context, r Request, id string) error {
	if err := s.among(ctx, r.Terms.Approvers, id); err != nil {
		return err
	}
	if today := s.opts.Policy.Risks[r.Plan.Risk].Approve; !reflect.DeepEqual(today, r.Terms.Approvers) {
		return s.among(ctx, today, id)
	}
	return nil
}

// judgeVoter tells who votes, and refuses who may not.
func (s *Service) judgeVoter(ctx context.Context, r Request, id string, c Choice) (Voter, error) {
	p, err := s.member(ctx, id)
	if err != nil {
		return Voter{}, err
	}
	v := p.voter(r.ID)
	if r.Requester.Same(v) { // told first: it is the plainest of all reasons
		return v, &Refusal{Why: WhyOwnRequest, Who: r.Terms.Approvers}
	}
	if err := s.mayApprove(ctx, r, id); err != nil {
		return v, err
	}
	if c == Approve { // a no does no harm, whoever says it
		return v, p.known()
	}
	return v, nil
}

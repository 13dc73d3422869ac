package approvals

import (
	"context"
	"errors"
	"maps"
	"slices"

	"tandem/i18n"
)

// draft is what an ask comes to, at this moment.
type draft struct {
	remedy Remedy
	plan   Plan
	check  string // code of the finding that offers it; empty: none does
}

// draft finds the remedy, looks at the finding again and plans.
func (s *Service) draft(ctx context.Context, a Ask) (draft, error) {
	seen, fix, err := s.finding(ctx, a)
	if err != nil {
		return draft{}, err
	}
	remedy, ok := s.remedy(fix.Remedy)
	if !ok {
		return draft{}, &Refusal{Why: WhyNoRemedy, Detail: same(tidy(fix.Remedy))}
	}
	params, err := merge(fix.Params, a.Params)
	if err != nil {
		return draft{}, err
	}
	if err := remedy.takes(params); err != nil {
		return draft{}, err
	}
	d := draft{remedy: remedy}
	if len(seen) > 0 {
		d.check = seen[0].Code
	}
	d.plan, err = s.plan(ctx, remedy, Want{Service: a.Service, Params: params, Seen: seen})
	return d, err
}

// plan has a remedy plan, and says of the plan what the remedy does not decide.
func (s *Service) plan(ctx context.Context, remedy Remedy, w Want) (Plan, error) {
	p, err := remedy.Plan(ctx, w)
	if err != nil {
		return Plan{}, planError(err)
	}
	p.Remedy, p.Service, p.Params = remedy.Name, w.Service, w.Params
	p.Risk = s.opts.Policy.risk(remedy, p)
	return p, nil
}

// planError is the remedy's own refusal or trouble. Of any other error nothing
// is repeated: nobody knows what it quotes.
func planError(err error) error {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return &Refusal{Why: WhyBlind, Detail: i18n.Text{EN: words(err)}}
}

// finding looks again at what an ask rests on, and says which remedy it means.
func (s *Service) finding(ctx context.Context, a Ask) ([]Observation, Fix, error) {
	if a.Check != "" {
		return s.offered(ctx, a)
	}
	remedy, ok := s.remedy(a.Remedy)
	if !ok {
		return nil, Fix{}, &Refusal{Why: WhyNoRemedy, Detail: same(tidy(a.Remedy))}
	}
	if remedy.Procedure {
		return nil, Fix{Remedy: a.Remedy}, nil
	}
	// Without an answer the remedy looks for itself.
	now, _ := s.opts.Examine(ctx, a.Service, nil)
	for _, o := range now.Checks {
		if fix, ok := o.offers(a.Remedy); ok && !o.passes() {
			return []Observation{o}, fix, nil
		}
	}
	return nil, Fix{Remedy: a.Remedy}, nil
}

// offered is the remedy that a named finding offers now.
func (s *Service) offered(ctx context.Context, a Ask) ([]Observation, Fix, error) {
	now, err := s.opts.Examine(ctx, a.Service, []string{a.Check})
	if err != nil {
		return nil, Fix{}, &Refusal{Why: WhyBlind, Detail: both("the checks could not be run", "não foi possível rodar as verificações")}
	}
	i := slices.IndexFunc(now.Checks, func(o Observation) bool { return o.Code == a.Check })
	if i < 0 {
		return nil, Fix{}, &Refusal{Why: WhyNoRemedy, Detail: both("there is no check "+tidy(a.Check), "não existe a verificação "+tidy(a.Check))}
	}
	o := now.Checks[i]
	switch fix, ok := o.offers(a.Remedy); {
	case o.passes():
		return nil, Fix{}, &Refusal{Why: WhyHealthy, Detail: same(o.Code)}
	case o.Status == "unknown" || o.Status == "skipped":
		return nil, Fix{}, &Refusal{Why: WhyBlind, Detail: both(o.Code+" is "+o.Status, o.Code+" não deu resultado")}
	case !ok:
		return nil, Fix{}, &Refusal{Why: WhyNoRemedy, Detail: same(o.Code)}
	default:
		return []Observation{o}, fix, nil
	}
}

// passes says whether the check is content. Unknown is not.
func (o Observation) passes() bool { return o.Status == "pass" }

// offers is the remedy of a name that a finding offers; without a name the first.
func (o Observation) offers(remedy string) (Fix, bool) {
	for _, f := range o.Fixes {
		if remedy == "" || f.Remedy == remedy {
			return f, true
		}
	}
	return Fix{}, false
}

// merge adds what somebody said to what the finding says, which nobody overrules.
func merge(found, said map[string]string) (map[string]string, error) {
	all := maps.Clone(found)
	if all == nil {
		all = map[string]string{}
	}
	for name, value := range said {
		if old, ok := all[name]; ok && old != value {
			return nil, &Refusal{Why: WhyParameters, Detail: both(tidy(name)+" is given by the finding", "o achado já diz "+tidy(name))}
		}
		all[name] = value
	}
	return all, nil
}

// takes refuses parameters that the remedy does not know, and missing ones.
func (r Remedy) takes(params map[string]string) error {
	known := map[string]bool{}
	for _, p := range r.Params {
		known[p.Name] = true
		if p.Required && params[p.Name] == "" {
			return &Refusal{Why: WhyParameters, Detail: both(p.Name+" is missing", "falta "+p.Name)}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !known[name] {
			return &Refusal{Why: WhyParameters, Detail: both("there is no parameter "+tidy(name), "não existe o parâmetro "+tidy(name))}
		}
	}
	return nil
}

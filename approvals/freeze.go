package approvals

import (
	"context"
	"slices"
	"strings"

	"tandem/i18n"
)

// Everything is the target of a freeze that stops all.
const Everything = "*"

// terminal begins the name of somebody at a terminal of the machine itself, who
// has the database anyway.
const terminal = "terminal:"

const byConfiguration = "configuration"

// Freeze pulls the kill switch for a service, a target or *. by is an account or
// terminal:NAME. Anybody who may ask may freeze: stopping is never refused to a
// member. Unfreeze needs somebody who may approve the highest risk.
func (s *Service) Freeze(ctx context.Context, target, by, reason string) error {
	target, reason = anything(target), tidy(reason)
	if err := s.mayFreeze(ctx, by); err != nil {
		return s.refuse(ctx, err, refused{what: "freeze", by: by, detail: map[string]string{KeyTarget: target}})
	}
	f := Freeze{Target: target, By: by, Reason: reason, At: s.now()}
	return s.commit(ctx, Change{Freeze: &f, Notes: []Note{s.switched(DeedFroze, target, by, reason)}})
}

// Unfreeze lets go of it. One that does not hold is no error; one of the
// configuration is let go of there only.
func (s *Service) Unfreeze(ctx context.Context, target, by, reason string) error {
	target, reason = anything(target), tidy(reason)
	if err := s.mayUnfreeze(ctx, target, by); err != nil {
		return s.refuse(ctx, err, refused{what: "unfreeze", by: by, detail: map[string]string{KeyTarget: target}})
	}
	return s.commit(ctx, Change{Unfreeze: target, Notes: []Note{s.switched(DeedUnfroze, target, by, reason)}})
}

func (s *Service) mayFreeze(ctx context.Context, by string) error {
	if strings.HasPrefix(by, terminal) {
		return nil
	}
	_, err := s.member(ctx, by)
	return err
}

func (s *Service) mayUnfreeze(ctx context.Context, target, by string) error {
	if slices.Contains(s.opts.Policy.Frozen, target) {
		return &Refusal{Why: WhyFrozen, Detail: Freeze{Target: target, By: byConfiguration}.said()}
	}
	if err := s.mayFreeze(ctx, by); err != nil || strings.HasPrefix(by, terminal) {
		return err
	}
	return s.among(ctx, s.opts.Policy.highest().Approve, by)
}

func (s *Service) switched(d Deed, target, by, reason string) Note {
	return s.note(Request{}, d, map[string]string{KeyTarget: target, KeyReason: reason}).by(by, ByCommand, "")
}

func anything(target string) string {
	if target = tidy(target); target == "" {
		return Everything
	}
	return target
}

// Freezes lists the freezes that hold, those of the configuration too.
func (s *Service) Freezes(ctx context.Context) ([]Freeze, error) {
	held, err := s.opts.Store.Freezes(ctx)
	if err != nil {
		return nil, err
	}
	return append(append(held, s.configured()...), s.windows()...), nil
}

func (s *Service) configured() []Freeze {
	var held []Freeze
	for _, target := range s.opts.Policy.Frozen {
		held = append(held, Freeze{Target: target, By: byConfiguration})
	}
	return held
}

func (s *Service) windows() []Freeze {
	var held []Freeze
	for _, w := range s.opts.Policy.Windows {
		if w.Holds(s.now()) {
			held = append(held, Freeze{Target: Everything, By: byConfiguration, Reason: w.Reason})
		}
	}
	return held
}

// frozen refuses when a kill switch, or unless it is too late or the glass was
// broken a window, holds for what a plan touches.
func (s *Service) frozen(ctx context.Context, p Plan, pastWindows bool) error {
	held, err := s.opts.Store.Freezes(ctx)
	if err != nil {
		return err
	}
	held = append(held, s.configured()...)
	if !pastWindows {
		held = append(held, s.windows()...)
	}
	for _, f := range held {
		if f.Target == Everything || f.Target == p.Service || f.Target == p.Target {
			return &Refusal{Why: WhyFrozen, Who: s.opts.Policy.highest().Approve, Detail: f.said()}
		}
	}
	return nil
}

// said is what is frozen, by whom and why.
func (f Freeze) said() i18n.Text {
	target, by := same(f.Target), both(" by "+f.By, " por "+f.By)
	if f.Target == Everything {
		target = both("everything", "tudo")
	}
	if f.By == byConfiguration {
		by = both(" by configuration", " pela configuração")
	}
	reason := ""
	if f.Reason != "" {
		reason = ": " + f.Reason
	}
	return i18n.Text{EN: target.EN + by.EN + reason, PT: target.PT + by.PT + reason}
}

package commands

import (
	"fmt"
	"slices"
	"strings"

	"tandem/approvals"
)

// UnknownTargetError says that nothing is called so that could be frozen, or
// that is frozen. A kill switch with a slip of the pen in it would stop nothing.
type UnknownTargetError struct {
	Name  string
	Held  bool     // one that is frozen was asked for
	Known []string // services, or what is frozen
}

func (e *UnknownTargetError) Error() string {
	return fmt.Sprintf("unknown target %q; known are %s", e.Name, strings.Join(e.Known, ", "))
}

// FreezeTarget is what somebody means to freeze: everything, a service in any
// case, or a target of remedies, which has a colon, like vault:secret/worker.
// Errors are an *UnknownTargetError.
func FreezeTarget(typed string, services []string) (string, error) {
	typed = strings.TrimSpace(typed)
	if everything(typed) {
		return approvals.Everything, nil
	}
	at := slices.IndexFunc(services, func(s string) bool { return strings.EqualFold(s, typed) })
	switch {
	case at >= 0:
		return services[at], nil
	case strings.Contains(typed, ":"):
		return typed, nil
	}
	return "", &UnknownTargetError{Name: typed, Known: services}
}

// UnfreezeTarget is which of the freezes that hold somebody means to let go of.
// Errors are an *UnknownTargetError.
func UnfreezeTarget(typed string, held []approvals.Freeze) (string, error) {
	if typed = strings.TrimSpace(typed); everything(typed) {
		typed = approvals.Everything
	}
	known := make([]string, 0, len(held))
	for _, f := range held {
		if strings.EqualFold(f.Target, typed) {
			return f.Target, nil
		}
		known = append(known, f.Target)
	}
	return "", &UnknownTargetError{Name: typed, Held: true, Known: known}
}

func everything(typed string) bool {
	return slices.Contains([]string{"", approvals.Everything, "all", "everything", "tudo"}, strings.ToLower(typed))
}

// Froze says what is frozen now, and how to go on.
func (w Words) Froze(f approvals.Freeze) string {
	text := w.Say("froze", "Target", w.FrozenTarget(f.Target))
	if f.Reason != "" {
		text += " " + quoteWords(f.Reason)
	}
	return lines(text, w.Say("froze_next", "Unfreeze", w.unfreezing(f.Target)))
}

// Unfroze says what is let go of, and what is frozen still.
func (w Words) Unfroze(target string, left []approvals.Freeze) string {
	text := w.Say("unfroze", "Target", w.FrozenTarget(target))
	var names []string
	for _, f := range left {
		names = append(names, w.FrozenTarget(f.Target))
	}
	if len(names) == 0 {
		return text
	}
	return lines(text, w.Say("unfroze_left", "Targets", strings.Join(names, ", ")))
}

// unfreezing is the command that lets go of a freeze.
func (w Words) unfreezing(target string) string {
	if target == approvals.Everything {
		return w.Prog + " unfreeze"
	}
	return w.Prog + " unfreeze " + target
}

func (w Words) unknownTarget(e *UnknownTargetError) string {
	name := w.FrozenTarget(e.Name)
	switch {
	case e.Held && len(e.Known) == 0:
		return w.Say("frozen_nothing")
	case e.Held:
		var held []string
		for _, target := range e.Known {
			held = append(held, w.FrozenTarget(target))
		}
		return lines(w.Say("not_frozen", "Target", name), w.Say("frozen_are", "Targets", strings.Join(held, ", ")))
	}
	nearest := Nearest(e.Name, e.Known)
	return lines(
		w.Say("unknown_target", "Target", name),
		w.guess(w.Prog+" freeze "+nearest, nearest),
		w.Say("targets_are", "Services", strings.Join(e.Known, ", ")),
	)
}

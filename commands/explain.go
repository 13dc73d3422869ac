package commands

import (
	"cmp"
	"context"
	"errors"
	"strings"
)

// Explain says an error and the next step in the reader's language. Known is
// false for an error that is none of this package's: then the face logs the
// error with a reference of its choice and says Internal(ref).
func (w Words) Explain(err error) (text string, known bool) {
	var (
		usage   *UsageError
		service *UnknownServiceError
		which   *WhichServiceError
		check   *UnknownCheckError
		notFor  *CheckNotForError
		target  *UnknownTargetError
		run     *NoRunError
	)
	switch {
	case errors.As(err, &usage):
		return w.usage(usage), true
	case errors.As(err, &service):
		return w.unknownService(service), true
	case errors.As(err, &which):
		return w.whichService(which), true
	case errors.As(err, &check):
		return w.unknownCheck(check), true
	case errors.As(err, &notFor):
		return lines(w.Say("check_not_for", "Code", notFor.Code, "Service", notFor.Service), w.Say("see_checks")), true
	case errors.As(err, &target):
		return w.unknownTarget(target), true
	case errors.As(err, &run):
		return w.noRun(run), true
	case errors.Is(err, context.Canceled):
		return w.Say("canceled"), true
	default:
		return "", false
	}
}

// Internal says that the bot itself broke, with the reference under which the
// log has the error.
func (w Words) Internal(ref string) string { return w.Say("internal", "Ref", ref) }

func (w Words) unknownService(e *UnknownServiceError) string {
	if len(e.Known) == 0 {
		return w.Say("no_services", "Service", e.Name)
	}
	return lines(
		w.Say("unknown_service", "Service", e.Name),
		w.guess(w.Prog+" "+cmp.Or(e.Command, "diagnose")+" "+Nearest(e.Name, e.Known), Nearest(e.Name, e.Known)),
		w.Say("known_services", "Services", strings.Join(e.Known, ", ")),
	)
}

func (w Words) whichService(e *WhichServiceError) string {
	if len(e.Known) == 0 {
		return w.Say("no_services_yet")
	}
	among := e.Known
	if len(e.Named) > 0 {
		among = e.Named
	}
	return lines(
		w.Say("which_service", "Example", among[0]),
		w.Say("known_services", "Services", strings.Join(e.Known, ", ")),
	)
}

func (w Words) unknownCheck(e *UnknownCheckError) string {
	return lines(
		w.Say("unknown_check", "Code", e.Code),
		w.guess(Nearest(e.Code, e.Known), Nearest(e.Code, e.Known)),
		w.Say("see_checks"),
	)
}

// guess asks whether something was meant, when there is a guess.
func (w Words) guess(meant, nearest string) string {
	if nearest == "" {
		return ""
	}
	return w.Say("did_you_mean", "Meant", meant)
}

// meant asks whether a whole command was meant, or else what is nearest.
func (w Words) meant(e *UsageError, nearest string) string {
	if e.Meant != "" {
		return w.guess(w.Prog+" "+e.Meant, e.Meant)
	}
	return w.guess(nearest, e.Nearest)
}

func (w Words) usage(e *UsageError) string {
	path := strings.Join(append([]string{w.Prog}, e.Path...), " ")
	help := w.Say("see_help", "Command", strings.TrimSpace(w.Prog+" help "+strings.Join(e.Path, " ")))
	choices := strings.Join(e.Choices, ", ")
	switch e.Kind {
	case UnknownCommand:
		return lines(w.Say("unknown_command", "Word", e.Word), w.meant(e, path+" "+e.Nearest),
			w.Say("known_commands", "Commands", choices), help)
	case MissingCommand:
		return lines(w.Say("missing_command", "Path", path, "Commands", choices), help)
	case UnknownFlag:
		return lines(w.Say("unknown_flag", "Path", path, "Flag", e.Flag), w.guess(e.Nearest, e.Nearest), help)
	case MissingArgument:
		return lines(w.Say("missing_argument", "Path", path, "Word", w.Say(argID(e.Word))), help)
	case ExtraArgument:
		return lines(w.Say("extra_argument", "Path", path, "Word", e.Word), w.meant(e, ""), help)
	case MissingValue:
		return lines(w.Say("missing_value", "Flag", e.Flag), help)
	case BadDuration:
		return lines(w.Say("bad_duration", "Flag", e.Flag, "Word", e.Word), help)
	case BadInterval:
		return lines(w.Say("bad_interval", "Word", e.Word), help)
	case BadSpan:
		return lines(w.Say("bad_span", "Word", e.Word), help)
	case BadChoice:
		return lines(w.Say("bad_choice", "Word", e.Word, "Choices", choices), w.guess(e.Nearest, e.Nearest), help)
	case BadParam:
		return lines(w.Say("bad_param", "Word", e.Word), help)
	case BadQuotes:
		return lines(w.Say("bad_quotes"), help)
	case BadCharacter:
		return lines(w.Say("bad_character", "Word", e.Word), help)
	case TooLong:
		return lines(w.Say("too_long"), help)
	default:
		return lines(w.Say("unwanted_value", "Path", path), help)
	}
}

// lines joins the texts that are not empty.
func lines(texts ...string) string {
	kept := texts[:0]
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return strings.Join(kept, "\n")
}

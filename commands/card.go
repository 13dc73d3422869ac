package commands

import (
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
)

// Card is a report as a person reads it, in one language: what it says and in
// which order. Faces draw it and leave nothing out without saying so.
type Card struct {
	Target   string
	Status   diagnostics.Status
	Label    string // of the status
	Headline string
	At       time.Time
	Counts   string // of checks by status
	Timing   string // how long it took, how far back it read
	Kept     string // under which id it is kept, in the reader's words; empty: it is not

	Causes       []CardCause
	Consequences []CardCheck // failing because of others
	Warnings     []CardCheck // that are no cause
	Unseen       []CardBlind
	Checks       []CardCheck // all of them, in the order of the chain
	Rows         []CardCheck // those of them that are worth a row each
	Folded       []CardFold  // the others
	Words        CardWords
}

// CardWords are the headings of a card.
type CardWords struct {
	Causes, Consequences, Warnings, Unseen, Checks, Evidence, Remedy, NextStep string
}

// CardCause is a cause with what was seen and what would mend it.
type CardCause struct {
	Code, Title, Summary, Remedy string
	Fixes                        []diagnostics.Fix // remedies that can be asked for
	Evidence                     []diagnostics.EvidenceView
}

// CardCheck is the result of one check.
type CardCheck struct {
	Code, Title string
	Status      diagnostics.Status
	Label       string // of the status
	Summary     string
	Remedy      string
	Because     string // like "because of VLT-001"; empty for none
	Took        time.Duration
	Evidence    []diagnostics.EvidenceView
}

// CardBlind is a check whose probe could not look.
type CardBlind struct {
	Code, Title string
	Why         string // reason and, in English, the detail; then the other checks that it hides
	Next        string // what the operator can do; may be empty
	Because     string // like "because of VLT-001"; empty for none
}

// NewCard arranges a report. Since is how far back it read.
func NewCard(report diagnostics.Report, since time.Duration, w Words) Card {
	view := visibleView(report.In(w.Lang))
	card := Card{
		Target:   view.Target,
		Status:   view.Verdict.Status,
		Label:    w.Status(view.Verdict.Status),
		Headline: view.Verdict.Headline,
		At:       view.At,
		Counts:   counts(view, w),
		Timing:   timing(report.Took, since, w),
		Words:    cardWords(len(view.Verdict.Causes), w),
	}
	results := map[string]diagnostics.ResultView{}
	var unseen blinds
	isCause := func(code string) bool {
		return slices.ContainsFunc(view.Verdict.Causes, func(c diagnostics.CauseView) bool { return c.Code == code })
	}
	for i, r := range view.Checks {
		check := cardCheck(r, report.Checks[i], w)
		results[r.Code] = r
		card.Checks = append(card.Checks, check)
		switch {
		case isCause(r.Code):
		case r.Status == diagnostics.Fail:
			card.Consequences = append(card.Consequences, check)
		case r.Status == diagnostics.Warn:
			card.Warnings = append(card.Warnings, check)
		case r.Status == diagnostics.Unknown:
			unseen.add(check, report.Checks[i].Blind, w)
		}
	}
	card.Unseen = unseen.say(w)
	for _, c := range view.Verdict.Causes {
		r := results[c.Code]
		card.Causes = append(card.Causes, CardCause{
			Code: c.Code, Title: c.Title, Summary: r.Summary, Remedy: c.Remedy, Fixes: c.Fixes, Evidence: r.Evidence,
		})
	}
	card.Rows, card.Folded = fold(card, w)
	return card
}

func cardCheck(r diagnostics.ResultView, result diagnostics.Result, w Words) CardCheck {
	check := CardCheck{
		Code: r.Code, Title: r.Title, Status: r.Status, Label: w.Status(r.Status), Summary: r.Summary, Remedy: r.Remedy,
		Because: w.BecauseOf(r.BecauseOf), Took: result.Took, Evidence: r.Evidence,
	}
	switch {
	case result.Blind != nil:
		check.Summary = w.Reason(result.Blind.Reason)
	case check.Summary == "":
		check.Summary = check.Because
	}
	return check
}

// cardWords are the headings over so many causes.
func cardWords(causes int, w Words) CardWords {
	return CardWords{
		Causes: w.Count("heading_causes", max(causes, 1)), Consequences: w.Count("heading_consequences", max(causes, 1)),
		Warnings: w.Say("heading_warnings"), Unseen: w.Say("heading_unseen"),
		Checks: w.Say("heading_checks"), Evidence: w.Say("heading_evidence"),
		Remedy: w.Say("label_remedy"), NextStep: w.Say("label_next_step"),
	}
}

// Footer says how the report came to be.
func (c Card) Footer() string {
	footer := c.Counts + " · " + c.Timing
	if c.Kept != "" {
		footer += " · " + c.Kept
	}
	return footer
}

// Kept says under which id a diagnosis is kept.
func (w Words) Kept(id string) string {
	if id == "" {
		return ""
	}
	return w.Say("run_kept", "Run", id)
}

// counts has each status that occurs.
func counts(v diagnostics.View, w Words) string {
	counts := map[diagnostics.Status]int{}
	for _, c := range v.Checks {
		counts[c.Status]++
	}
	parts := []string{w.Count("count_checks", len(v.Checks))}
	for _, s := range []diagnostics.Status{diagnostics.Fail, diagnostics.Warn, diagnostics.Unknown, diagnostics.Pass, diagnostics.Skipped} {
		if counts[s] > 0 {
			parts = append(parts, w.Say("count_status", "N", counts[s], "Status", w.Status(s)))
		}
	}
	return strings.Join(parts, " · ")
}

func timing(took, since time.Duration, w Words) string {
	if since <= 0 {
		return w.Took(took)
	}
	return w.Took(took) + " · " + w.Say("window", "Since", Short(since))
}

package diagnostics

import (
	"fmt"
	"strings"
	"time"
)

// Difference is what changed between two diagnoses of a service. Numbers in a
// summary move all the time: a check whose status stays is no change, and is
// only counted.
type Difference struct {
	Target        string
	Before, After Moment
	Came          []Change // causes of After that were none before
	Went          []Change // causes of Before that are none any more, for whatever reason: Change.After has it
	Checks        []Change // that have another answer, the causes among them, in the order of the chain
	Alone         []Change // checks that only one of the two looked at
	Unjudged      int      // checks that were skipped in one of the two, and judged in the other
	Moved         int      // checks of the same status with another summary
}

// Moment is one of the two diagnoses.
type Moment struct {
	At       time.Time
	Status   Status
	Headline Text
}

// Change is what one check came to in each diagnosis. A side without a status
// did not look at it.
type Change struct {
	Code          string
	Title         Text
	Before, After Side
}

// Side is what a check came to in one diagnosis; zero when it was not part of it.
type Side struct {
	Status    Status
	Summary   Text
	BecauseOf []string // as Result.BecauseOf
}

// Kind says what a Change is.
type Kind string

// The kinds. What was unknown in one of the two is neither better nor worse.
const (
	Worse   Kind = "worse"   // passed, now warns or fails; or warned, now fails
	Better  Kind = "better"  // the other way round
	Unseen  Kind = "unseen"  // had an answer, now nobody could look
	Seen    Kind = "seen"    // nobody could look, now it has an answer
	Added   Kind = "added"   // only the later diagnosis looked at it
	Removed Kind = "removed" // only the earlier one did
	Same    Kind = "same"    // the status stays, or one of the two skipped it
)

// weight orders the answers.
var weight = map[Status]int{Pass: 1, Warn: 2, Fail: 3}

// Kind says what the change is.
func (c Change) Kind() Kind {
	before, after := c.Before.Status, c.After.Status
	switch {
	case before == after, before == Skipped && after != "", after == Skipped && before != "":
		return Same
	case before == "":
		return Added
	case after == "":
		return Removed
	case after == Unknown:
		return Unseen
	case before == Unknown:
		return Seen
	case weight[after] > weight[before]:
		return Worse
	}
	return Better
}

// cause says whether the check fails or warns, and nothing explains it. Which
// causes a verdict names depends on how bad the worst is; this does not, so
// that a warning does not seem gone because something fails.
func (s Side) cause() bool {
	return (s.Status == Fail || s.Status == Warn) && len(s.BecauseOf) == 0
}

// Compare says what changed from one diagnosis of a service to a later one.
// Compare(b, a) is the mirror image.
func Compare(before, after Report) Difference {
	d := Difference{Target: after.Target, Before: before.moment(), After: after.moment()}
	was := map[string]Result{}
	for _, r := range before.Checks {
		was[r.Code] = r
	}
	now := map[string]bool{}
	for _, r := range after.Checks {
		now[r.Code] = true
		d.add(Change{Code: r.Code, Title: r.Title, Before: was[r.Code].side(), After: r.side()})
	}
	for _, r := range before.Checks {
		if !now[r.Code] {
			d.add(Change{Code: r.Code, Title: r.Title, Before: r.side()})
		}
	}
	return d
}

func (r Report) moment() Moment {
	return Moment{At: r.At, Status: r.Verdict.Status, Headline: r.Verdict.Headline}
}

func (r Result) side() Side {
	return Side{Status: r.Status, Summary: r.Summary, BecauseOf: r.BecauseOf}
}

func (d *Difference) add(c Change) {
	switch was, is := c.Before.cause(), c.After.cause(); {
	case is && !was:
		d.Came = append(d.Came, c)
	case was && !is:
		d.Went = append(d.Went, c)
	}
	switch c.Kind() {
	case Added, Removed:
		d.Alone = append(d.Alone, c)
	case Same:
		if c.Before.Status != c.After.Status {
			d.Unjudged++
		} else if c.Before.Summary != c.After.Summary {
			d.Moved++
		}
	default:
		d.Checks = append(d.Checks, c)
	}
}

// Empty says whether nothing changed that is worth telling. Checks that only
// one of the two looked at count when they are a cause, or change the verdict.
func (d Difference) Empty() bool {
	return d.Before.Status == d.After.Status && len(d.Came) == 0 && len(d.Went) == 0 && len(d.Checks) == 0
}

// Headline is the change in one sentence, without its times.
func (d Difference) Headline() Text {
	before, after := statusWords(d.Before.Status), statusWords(d.After.Status)
	t := Text{EN: d.Target + ": still " + after.EN, PT: d.Target + ": ainda " + after.PT}
	if d.Before.Status != d.After.Status {
		t = Text{EN: d.Target + ": " + before.EN + " → " + after.EN, PT: d.Target + ": " + before.PT + " → " + after.PT}
	}
	var en, pt []string
	for _, f := range d.fates() {
		en, pt = append(en, f.EN), append(pt, f.PT)
	}
	if len(en) == 0 && d.Empty() {
		return Text{EN: t.EN + ", nothing changed", PT: t.PT + ", nada mudou"}
	}
	if len(en) == 0 {
		return t
	}
	return Text{EN: t.EN + ": " + strings.Join(en, ", "), PT: t.PT + ": " + strings.Join(pt, ", ")}
}

// maxFates is how many causes a headline names.
const maxFates = 6

// fates says what became of the causes; of the checks only how many changed,
// when no cause did.
func (d Difference) fates() []Text {
	var fates []Text
	for _, c := range d.Came {
		fates = append(fates, c.arrival())
	}
	for _, c := range d.Went {
		fates = append(fates, c.departure())
	}
	if hidden := len(fates) - maxFates; hidden > 0 {
		fates = append(fates[:maxFates], Both(fmt.Sprintf("and %d more", hidden), fmt.Sprintf("e mais %d", hidden)))
	}
	if n := len(d.Checks); n > 0 && len(fates) == 0 {
		fates = append(fates, Text{
			EN: plural(n, "check has another answer", "checks have another answer"),
			PT: plural(n, "verificação tem outra resposta", "verificações têm outra resposta"),
		})
	}
	return fates
}

// arrival says how a check became a cause.
func (c Change) arrival() Text {
	switch c.Before.Status {
	case Fail, Warn:
		return Both(c.Code+" is a cause of its own now", c.Code+" agora é uma causa por si só")
	case Unknown:
		return Both(c.Code+" came to light", c.Code+" veio à tona")
	}
	return Both(c.Code+" came", c.Code+" surgiu")
}

// departure says how a check stopped being a cause. Only one that passes is
// over.
func (c Change) departure() Text {
	switch c.After.Status {
	case Pass:
		return Both(c.Code+" went", c.Code+" se resolveu")
	case Fail, Warn:
		because := strings.Join(c.After.BecauseOf, ", ")
		return Both(c.Code+" follows from "+because+" now", c.Code+" agora decorre de "+because)
	case Unknown:
		return Both(c.Code+" cannot be seen any more", c.Code+" não pode mais ser vista")
	}
	return Both(c.Code+" was not judged this time", c.Code+" não foi julgada desta vez")
}

func statusWords(s Status) Text {
	switch s {
	case Pass:
		return Both("healthy", "saudável")
	case Warn:
		return Both("working with a warning", "funcionando com um aviso")
	case Fail:
		return Both("failing", "falhando")
	}
	return Both("unknown", "sem resposta")
}

// DifferenceView is a difference in one language. Its JSON and YAML form is a
// stable contract, like a View's.
type DifferenceView struct {
	Target   string       `json:"target" yaml:"target"`
	Changed  bool         `json:"changed" yaml:"changed"`
	Headline string       `json:"headline" yaml:"headline"`
	Before   MomentView   `json:"before" yaml:"before"`
	After    MomentView   `json:"after" yaml:"after"`
	Came     []ChangeView `json:"came" yaml:"came"`
	Went     []ChangeView `json:"went" yaml:"went"`
	Checks   []ChangeView `json:"checks" yaml:"checks"`
	Alone    []ChangeView `json:"alone" yaml:"alone"`
	Unjudged int          `json:"unjudged" yaml:"unjudged"`
	Moved    int          `json:"moved" yaml:"moved"`
}

// MomentView is one of the diagnoses of a DifferenceView.
type MomentView struct {
	Run      string    `json:"run,omitempty" yaml:"run,omitempty"` // as it is kept; the one who keeps it knows
	At       time.Time `json:"at" yaml:"at"`
	Status   Status    `json:"status" yaml:"status"`
	Headline string    `json:"headline" yaml:"headline"`
}

// ChangeView is a change of a DifferenceView.
type ChangeView struct {
	Code   string   `json:"code" yaml:"code"`
	Title  string   `json:"title" yaml:"title"`
	Kind   Kind     `json:"kind" yaml:"kind"`
	Before SideView `json:"before" yaml:"before"`
	After  SideView `json:"after" yaml:"after"`
}

// SideView is a side of a ChangeView; its status is empty when that diagnosis
// did not look.
type SideView struct {
	Status    Status   `json:"status" yaml:"status"`
	Summary   string   `json:"summary" yaml:"summary"`
	BecauseOf []string `json:"because_of" yaml:"because_of"`
}

// In returns the difference in one language. Lists are never nil.
func (d Difference) In(lang Lang) DifferenceView {
	return DifferenceView{
		Target: d.Target, Changed: !d.Empty(), Headline: d.Headline().In(lang),
		Before: d.Before.in(lang), After: d.After.in(lang),
		Came: changeViews(d.Came, lang), Went: changeViews(d.Went, lang),
		Checks: changeViews(d.Checks, lang), Alone: changeViews(d.Alone, lang),
		Unjudged: d.Unjudged, Moved: d.Moved,
	}
}

func (m Moment) in(lang Lang) MomentView {
	return MomentView{At: m.At, Status: m.Status, Headline: m.Headline.In(lang)}
}

func changeViews(changes []Change, lang Lang) []ChangeView {
	views := make([]ChangeView, 0, len(changes))
	for _, c := range changes {
		views = append(views, ChangeView{Code: c.Code, Title: c.Title.In(lang), Kind: c.Kind(), Before: c.Before.in(lang), After: c.After.in(lang)})
	}
	return views
}

func (s Side) in(lang Lang) SideView {
	return SideView{Status: s.Status, Summary: s.Summary.In(lang), BecauseOf: append([]string{}, s.BecauseOf...)}
}

package diagnostics

import "time"

// Status is the outcome of a check or of a whole diagnosis.
type Status string

// Statuses. Unknown means that nobody could look; Skipped that a failing check
// before this one left nothing to look at.
const (
	Pass    Status = "pass"
	Warn    Status = "warn"
	Fail    Status = "fail"
	Unknown Status = "unknown"
	Skipped Status = "skipped"
)

// Report is what a diagnosis found. Texts are in every language; In gives the
// report in one of them.
type Report struct {
	Target  string
	At      time.Time
	Took    time.Duration
	Verdict Verdict
	Checks  []Result // in the order of the chain: a check comes after those that it needs
}

// Verdict is the whole in one sentence, with the causes.
type Verdict struct {
	Status   Status
	Headline Text
	Causes   []Cause
}

// Cause is a failing check that no other failing check explains.
type Cause struct {
	Code   string
	Title  Text
	Remedy Text  // zero when there is none
	Fixes  []Fix // remedies that the bot knows, the likeliest first
}

// Result is the outcome of one check.
type Result struct {
	Code      string
	Title     Text
	Status    Status
	Summary   Text
	Remedy    Text     // zero when there is none
	Fixes     []Fix    // remedies that the bot knows, the likeliest first
	BecauseOf []string // codes of the failing checks that explain this one
	Blind     *BlindError
	Took      time.Duration
	Evidence  []Evidence
}

// View is a report in one language. Its JSON and YAML form is a stable
// contract: fields are added, never renamed or removed.
type View struct {
	Run     string       `json:"run,omitempty" yaml:"run,omitempty"` // under which it is kept; the one who keeps it knows
	Target  string       `json:"target" yaml:"target"`
	At      time.Time    `json:"at" yaml:"at"`
	TookMS  int64        `json:"took_ms" yaml:"took_ms"`
	Verdict VerdictView  `json:"verdict" yaml:"verdict"`
	Checks  []ResultView `json:"checks" yaml:"checks"`
}

// VerdictView is the verdict of a View.
type VerdictView struct {
	Status   Status      `json:"status" yaml:"status"`
	Headline string      `json:"headline" yaml:"headline"`
	Causes   []CauseView `json:"causes" yaml:"causes"`
}

// CauseView is a cause of a View.
type CauseView struct {
	Code   string `json:"code" yaml:"code"`
	Title  string `json:"title" yaml:"title"`
	Remedy string `json:"remedy,omitempty" yaml:"remedy,omitempty"`
	Fixes  []Fix  `json:"fixes,omitempty" yaml:"fixes,omitempty"`
}

// ResultView is a check's result of a View.
type ResultView struct {
	Code      string         `json:"code" yaml:"code"`
	Title     string         `json:"title" yaml:"title"`
	Status    Status         `json:"status" yaml:"status"`
	Summary   string         `json:"summary" yaml:"summary"`
	Remedy    string         `json:"remedy,omitempty" yaml:"remedy,omitempty"`
	Fixes     []Fix          `json:"fixes,omitempty" yaml:"fixes,omitempty"`
	BecauseOf []string       `json:"because_of" yaml:"because_of"`
	TookMS    int64          `json:"took_ms" yaml:"took_ms"`
	Evidence  []EvidenceView `json:"evidence" yaml:"evidence"`
}

// EvidenceView is one piece of evidence of a View.
type EvidenceView struct {
	Source     string    `json:"source" yaml:"source"`
	Invocation string    `json:"invocation" yaml:"invocation"`
	Observed   string    `json:"observed" yaml:"observed"`
	At         time.Time `json:"at" yaml:"at"`
}

// In returns the report in one language. Lists are never nil, so that JSON
// shows them as [].
func (r Report) In(lang Lang) View {
	v := View{
		Target: r.Target,
		At:     r.At,
		TookMS: r.Took.Milliseconds(),
		Verdict: VerdictView{
			Status:   r.Verdict.Status,
			Headline: r.Verdict.Headline.In(lang),
			Causes:   make([]CauseView, 0, len(r.Verdict.Causes)),
		},
		Checks: make([]ResultView, 0, len(r.Checks)),
	}
	for _, c := range r.Verdict.Causes {
		v.Verdict.Causes = append(v.Verdict.Causes, CauseView{Code: c.Code, Title: c.Title.In(lang), Remedy: c.Remedy.In(lang), Fixes: c.Fixes})
	}
	for _, res := range r.Checks {
		v.Checks = append(v.Checks, res.in(lang))
	}
	return v
}

func (r Result) in(lang Lang) ResultView {
	v := ResultView{
		Code:      r.Code,
		Title:     r.Title.In(lang),
		Status:    r.Status,
		Summary:   r.Summary.In(lang),
		Remedy:    r.Remedy.In(lang),
		Fixes:     r.Fixes,
		BecauseOf: append([]string{}, r.BecauseOf...),
		TookMS:    r.Took.Milliseconds(),
		Evidence:  make([]EvidenceView, 0, len(r.Evidence)),
	}
	for _, e := range r.Evidence {
		v.Evidence = append(v.Evidence, EvidenceView(e))
	}
	return v
}

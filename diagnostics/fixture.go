package diagnostics

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// fixtureSuffix marks the files of a folder that try checks rather than hold
// one.
const fixtureSuffix = ".test.yaml"

// fixtureNow is when a fixture happens that does not say when.
var fixtureNow = time.Date(2026, 1, 2, 15, 0, 0, 0, time.UTC)

// Trial is one case of a fixture file, tried.
type Trial struct {
	Code    string // of the check
	Name    string // of the case
	File    string
	Line    int
	Service Target
	Outcome int // that decided, from 1 in the order of the check; 0: it was blind
	Got     Result
	Diff    []string // how Got differs from what the case wants; empty: it does not
}

// Untried is an outcome of a check that no trial came to.
type Untried struct {
	Code    string
	Outcome int // from 1
	Status  Status
}

// TryFixtures judges the cases of the folder's fixture files: the facts are
// given, and no system is asked. An error says what is wrong with the files, as
// those of LoadCatalog do; that a case did not come out as it wants is no error.
func (c *Catalog) TryFixtures(src CatalogSource) ([]Trial, error) {
	var trials []Trial
	var errs []error
	err := fs.WalkDir(src.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, fixtureSuffix) {
			return err
		}
		data, err := fs.ReadFile(src.FS, name)
		if err != nil {
			return err
		}
		tried, err := c.tryFile(path.Join(src.Name, name), data)
		trials, errs = append(trials, tried...), append(errs, err)
		return nil
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("read fixtures of %s: %w", src.Name, err))
	}
	return trials, errors.Join(errs...)
}

// Untried lists the outcomes of a folder's checks that no trial came to.
func (c *Catalog) Untried(folder string, trials []Trial) []Untried {
	var all []Untried
	for _, check := range c.checks {
		if !strings.HasPrefix(check.File, folder+"/") {
			continue
		}
		for i, o := range check.Outcomes {
			reached := func(t Trial) bool { return t.Code == check.Code && t.Outcome == i+1 }
			if !slices.ContainsFunc(trials, reached) {
				all = append(all, Untried{Code: check.Code, Outcome: i + 1, Status: o.Status})
			}
		}
	}
	return all
}

// The shape of a fixture file. What a case says of the service, the facts and
// what is blind is laid over what the file says.
type fixtureFile struct {
	Check   source     `yaml:"check"`
	Now     yaml.Node  `yaml:"now"`
	Since   yaml.Node  `yaml:"since"`
	Service yaml.Node  `yaml:"service"`
	Facts   yaml.Node  `yaml:"facts"`
	Cases   []caseFile `yaml:"cases"`
}

type caseFile struct {
	Name    source            `yaml:"name"`
	Service yaml.Node         `yaml:"service"`
	Facts   yaml.Node         `yaml:"facts"`
	Blind   map[string]source `yaml:"blind"` // by fact: the reason
	Want    wantFile          `yaml:"want"`
}

type wantFile struct {
	Status  source `yaml:"status"`
	Summary string `yaml:"summary"` // in en; empty: whatever it says
	Fixes   []Fix  `yaml:"fixes"`   // all that are offered
}

func (c *Catalog) tryFile(name string, data []byte) ([]Trial, error) {
	file := newFileErrors(name, data)
	var raw fixtureFile
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&raw); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("empty file: expected the fixtures of a check")
		}
		file.yaml(err)
		return nil, file.err()
	}
	check, known := c.byCode[raw.Check.text]
	if !known {
		file.add(raw.Check, "check %q: expected the code of a check", raw.Check.text)
		return nil, file.err()
	}
	if len(raw.Cases) == 0 {
		file.add(raw.Check, "cases: expected at least one")
	}
	var trials []Trial
	for i := range raw.Cases {
		in := raw.inputs(check, &raw.Cases[i], file)
		if file.err() == nil {
			trials = append(trials, check.try(raw.Cases[i], in, file))
		}
	}
	if err := file.err(); err != nil {
		return nil, err
	}
	return trials, nil
}

// inputs are what a case gives the check to judge.
func (f *fixtureFile) inputs(check *Check, one *caseFile, file *fileErrors) inputs {
	in := inputs{since: DefaultSince, now: fixtureNow, facts: map[string]any{}, blind: map[string]*BlindError{}}
	d := factDecoder{file: file, now: fixtureNow}
	d.into(&f.Now, &in.now)
	d.now = in.now
	d.into(&f.Since, &in.since)
	d.into(&f.Service, &in.service)
	d.into(&one.Service, &in.service)
	for _, name := range slices.Sorted(maps.Keys(one.Blind)) {
		reason := one.Blind[name]
		if check.fact(name) == nil {
			file.add(reason, "blind: check %s has no fact %q: expected one of %s", check.Code, name, check.factNames())
		}
		in.blind[name] = blindFixture(name, reason, file)
	}
	d.facts(&f.Facts, check, in)
	d.facts(&one.Facts, check, in)
	for _, fact := range check.program.facts {
		if _, given := in.facts[fact.name]; !given && in.blind[fact.name] == nil {
			file.add(one.Name, "fact %q is not given: expected it among facts or, with a reason, under blind", fact.name)
		}
	}
	return in
}

func blindFixture(name string, reason source, file *fileErrors) *BlindError {
	if !slices.Contains(reasons, Reason(reason.text)) {
		file.add(reason, "blind: reason %q: expected one of %s", reason.text, joinReasons())
	}
	return &BlindError{Reason: Reason(reason.text), Detail: name + ": " + reason.text}
}

// reasons are all that a fixture may give.
var reasons = []Reason{
	ReasonTimeout, ReasonUnreachable, ReasonDenied, ReasonThrottled, ReasonUnavailable, ReasonGarbage,
	ReasonNoData, ReasonWarning, ReasonNotConfigured, ReasonGate, ReasonPanic, ReasonError,
}

func joinReasons() string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		words[i] = string(r)
	}
	return strings.Join(words, ", ")
}

// try judges a case.
func (c *Check) try(one caseFile, in inputs, file *fileErrors) Trial {
	t := Trial{Code: c.Code, Name: one.Name.text, File: file.name, Line: max(one.Name.line, 1), Service: in.service}
	if one.Name.text == "" {
		file.add(one.Want.Status, "a case without a name: expected a few words that say what it is about")
	}
	if !slices.Contains(outcomeStatuses, Status(one.Want.Status.text)) {
		file.add(one.Want.Status, "status %q: expected pass, warn, fail or unknown", one.Want.Status.text)
	}
	applies, err := c.applies(in.service, in.since)
	if err != nil || !applies {
		file.add(one.Name, "check %s does not apply to this service: expected one for which %s", c.Code, c.Applies)
		return t
	}
	j := c.judge(in)
	t.Outcome = j.outcome
	t.Got = Result{Code: c.Code, Title: c.Title, Status: j.status, Summary: j.summary, Remedy: j.remedy, Fixes: j.fixes, Blind: j.blind}
	t.Diff = one.Want.differences(t.Got)
	return t
}

func (w wantFile) differences(got Result) []string {
	var diff []string
	differ := func(what, want, got string) {
		if want != got {
			diff = append(diff, what, "  - "+want, "  + "+got)
		}
	}
	differ("status", w.Status.text, string(got.Status))
	if want := strings.TrimSpace(w.Summary); want != "" {
		differ("summary", want, got.Summary.EN)
	}
	differ("fixes", fixWords(w.Fixes), fixWords(got.Fixes))
	return diff
}

func fixWords(fixes []Fix) string {
	if len(fixes) == 0 {
		return "none"
	}
	words := make([]string, len(fixes))
	for i, fix := range fixes {
		words[i] = fix.words()
	}
	return strings.Join(words, "; ")
}

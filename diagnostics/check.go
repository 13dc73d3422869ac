package diagnostics

import (
	"fmt"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Check is one line of the runbook: the facts it gathers, the checks it depends
// on, and how it judges. It comes from a YAML file; LoadCatalog makes it.
type Check struct {
	Code     string // stable, like VLT-001
	Row      int    // row of the troubleshooting matrix, from 1; 0: a gate before all rows
	Title    Text
	Gate     string // system whose probes are pointless while this check does not pass; usually empty
	Needs    []string
	Applies  string // CEL over service; empty: to every service
	Facts    []FactSpec
	Outcomes []OutcomeSpec
	Doc      Doc
	Command  string // what a person could run instead; a template over service
	File     string // where it was read

	program program
}

// FactSpec says which probe gathers the fact that expressions call Name.
type FactSpec struct {
	Name  string
	Probe string
	Args  map[string]string // templates over service and since
}

// OutcomeSpec is one possible outcome. The first of a check's outcomes whose
// When is true decides; the last has no When.
type OutcomeSpec struct {
	When    string
	Status  Status
	Summary Text // templates over service, since and the facts
	Remedy  Text // as Summary; zero: none
	Fixes   []FixSpec
}

// Doc explains a check to the person on call.
type Doc struct {
	Meaning    Text `yaml:"meaning"`
	Impact     Text `yaml:"impact"`
	Diagnosis  Text `yaml:"diagnosis"`
	Mitigation Text `yaml:"mitigation"`
}

// source is a scalar of a catalogue file with its place in it.
type source struct {
	text string
	line int // 1-based line of the first character
	col  int // 1-based column of the first character
}

// UnmarshalYAML keeps the place of the scalar beside its text.
func (s *source) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: expected text, found a list or mapping", node.Line)}}
	}
	*s = source{text: node.Value, line: node.Line, col: node.Column}
	switch node.Style {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		s.line, s.col = node.Line+1, 1
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		s.col++
	}
	return nil
}

// The shape of a catalogue file.
type checkFile struct {
	Code     source        `yaml:"code"`
	Row      int           `yaml:"row"`
	Title    textFile      `yaml:"title"`
	Gate     source        `yaml:"gate"`
	Needs    []source      `yaml:"needs"`
	Applies  source        `yaml:"applies"`
	Facts    yaml.Node     `yaml:"facts"` // a mapping whose order is kept
	Outcomes []outcomeFile `yaml:"outcomes"`
	Doc      Doc           `yaml:"doc"`
	Command  source        `yaml:"command"`
}

type textFile struct {
	EN source `yaml:"en"`
	PT source `yaml:"pt-BR"`
}

func (t textFile) text() Text { return Text{EN: t.EN.text, PT: t.PT.text} }

type factFile struct {
	Probe source            `yaml:"probe"`
	Args  map[string]source `yaml:"args"`
}

type outcomeFile struct {
	When    source    `yaml:"when"`
	Status  source    `yaml:"status"`
	Summary textFile  `yaml:"summary"`
	Remedy  textFile  `yaml:"remedy"`
	Fix     []fixFile `yaml:"fix"`
}

type namedFact struct {
	name source
	factFile
}

var (
	codePattern = regexp.MustCompile(`^[A-Z]{3}-[0-9]{3}$`)
	namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

	outcomeStatuses = []Status{Pass, Warn, Fail, Unknown}
)

// check validates what needs no type information and returns the Check.
func (f *checkFile) check(file *fileErrors) (*Check, []namedFact) {
	c := &Check{
		Code: f.Code.text, Row: f.Row, Title: f.Title.text(), Gate: f.Gate.text,
		Applies: f.Applies.text, Doc: f.Doc, Command: f.Command.text, File: file.name,
	}
	if !codePattern.MatchString(c.Code) {
		file.add(f.Code, "code %q: expected three capitals, a dash and three digits, like VLT-001", c.Code)
	}
	if f.Row < 0 || f.Row > 5 {
		file.add(f.Code, "row %d: expected a row of the matrix, 1 to 5, or 0 for a gate", f.Row)
	}
	file.bilingual(f.Title, f.Code, "title")
	for _, need := range f.Needs {
		c.Needs = append(c.Needs, need.text)
	}
	facts := f.facts(file)
	for _, fact := range facts {
		spec := FactSpec{Name: fact.name.text, Probe: fact.Probe.text, Args: map[string]string{}}
		for name, arg := range fact.Args {
			spec.Args[name] = arg.text
		}
		c.Facts = append(c.Facts, spec)
	}
	f.outcomes(file, c)
	return c, facts
}

func (f *checkFile) outcomes(file *fileErrors, c *Check) {
	if len(f.Outcomes) == 0 {
		file.add(f.Code, "outcomes: expected at least one")
	}
	for i, o := range f.Outcomes {
		last := i == len(f.Outcomes)-1
		switch {
		case last && o.When.text != "":
			file.add(o.When, "the last outcome has a when: expected none, so that every case is judged")
		case !last && o.When.text == "":
			file.add(o.Status, "an outcome without a when: expected only as the last one")
		}
		if !slices.Contains(outcomeStatuses, Status(o.Status.text)) {
			file.add(o.Status, "status %q: expected pass, warn, fail or unknown", o.Status.text)
		}
		file.bilingual(o.Summary, o.Status, "summary")
		if o.Remedy.EN.text != "" || o.Remedy.PT.text != "" {
			file.bilingual(o.Remedy, o.Status, "remedy")
		}
		spec := OutcomeSpec{When: o.When.text, Status: Status(o.Status.text), Summary: o.Summary.text(), Remedy: o.Remedy.text()}
		for _, fix := range o.Fix {
			spec.Fixes = append(spec.Fixes, fix.spec())
		}
		c.Outcomes = append(c.Outcomes, spec)
	}
}

// facts reads the mapping of facts in the order of the file.
func (f *checkFile) facts(file *fileErrors) []namedFact {
	var facts []namedFact
	if f.Facts.Kind == 0 {
		file.add(f.Code, "facts: expected a mapping of a name to a probe and its arguments")
		return nil
	}
	if f.Facts.Kind != yaml.MappingNode {
		file.add(source{line: f.Facts.Line, col: f.Facts.Column}, "facts: expected a mapping of a name to a probe and its arguments")
		return nil
	}
	for i := 0; i+1 < len(f.Facts.Content); i += 2 {
		key, value := f.Facts.Content[i], f.Facts.Content[i+1]
		fact := namedFact{name: source{text: key.Value, line: key.Line, col: key.Column}}
		if !namePattern.MatchString(key.Value) || key.Value == "service" || key.Value == "since" {
			file.add(fact.name, "fact name %q: expected lower case letters, digits and _, and neither service nor since", key.Value)
		}
		if err := strictDecode(value, &fact.factFile); err != nil {
			file.yaml(err)
		}
		facts = append(facts, fact)
	}
	return facts
}

// strictDecode decodes a node and refuses keys that factFile does not have.
func strictDecode(node *yaml.Node, fact *factFile) error {
	if node.Kind == yaml.MappingNode {
		for i := 0; i < len(node.Content); i += 2 {
			if key := node.Content[i]; key.Value != "probe" && key.Value != "args" {
				return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: field %s not found in type diagnostics.factFile", key.Line, key.Value)}}
			}
		}
	}
	return node.Decode(fact)
}

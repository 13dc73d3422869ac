package diagnostics

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Fix is a remedy that a result offers, with what the remedy must be told. It
// is a name and words: what they do is known elsewhere.
type Fix struct {
	Remedy string            `json:"remedy" yaml:"remedy"`
	Params map[string]string `json:"params,omitempty" yaml:"params,omitempty"`
}

// words are the fix in one line, with its parameters by name.
func (f Fix) words() string {
	words := []string{f.Remedy}
	for _, name := range slices.Sorted(maps.Keys(f.Params)) {
		words = append(words, name+"="+f.Params[name])
	}
	return strings.Join(words, " ")
}

// FixSpec is a remedy that an outcome offers.
type FixSpec struct {
	When   string // CEL; empty: always
	Remedy string
	Params map[string]string // templates over service, since and the facts
}

// CatalogOption changes how a catalogue is loaded.
type CatalogOption func(*compiler)

// WithRemedies makes every remedy that is not among the names, and every
// parameter that is not one of the remedy's, an error of the catalogue. Without
// it only their form is judged.
func WithRemedies(params map[string][]string) CatalogOption {
	return func(c *compiler) { c.remedies = params }
}

// fixFile is the shape of a fix in a catalogue file.
type fixFile struct {
	When   source            `yaml:"when"`
	Remedy source            `yaml:"remedy"`
	Params map[string]source `yaml:"params"`
}

func (f fixFile) spec() FixSpec {
	spec := FixSpec{When: f.When.text, Remedy: f.Remedy.text, Params: map[string]string{}}
	for name, value := range f.Params {
		spec.Params[name] = value.text
	}
	return spec
}

var remedyPattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// judge says what is wrong with the names of a fix.
func (f fixFile) judge(near source, remedies map[string][]string, file *fileErrors) {
	at := f.Remedy
	if at.line == 0 {
		at = near
	}
	params, known := remedies[f.Remedy.text]
	switch {
	case !remedyPattern.MatchString(f.Remedy.text):
		file.add(at, "fix: remedy %q: expected a name like kv-undelete", f.Remedy.text)
	case remedies == nil:
	case !known:
		file.add(at, "fix: unknown remedy %q: expected one of %s", f.Remedy.text, strings.Join(slices.Sorted(maps.Keys(remedies)), ", "))
	default:
		for _, name := range slices.Sorted(maps.Keys(f.Params)) {
			if !slices.Contains(params, name) {
				file.add(f.Params[name], "fix: remedy %s has no parameter %q", f.Remedy.text, name)
			}
		}
	}
}

// fixProgram is a compiled fix.
type fixProgram struct {
	when   cel.Program // nil: always
	remedy string
	params map[string]template
}

func (c *compiler) fixes(env *cel.Env, o outcomeFile, file *fileErrors) []fixProgram {
	var programs []fixProgram
	for _, f := range o.Fix {
		f.judge(o.Status, c.remedies, file)
		p := fixProgram{remedy: f.Remedy.text, params: map[string]template{}}
		if f.When.text != "" {
			p.when = compileExpr(env, f.When, cel.BoolType, file)
		}
		for _, name := range slices.Sorted(maps.Keys(f.Params)) {
			p.params[name] = compileTemplate(env, f.Params[name], file)
		}
		programs = append(programs, p)
	}
	return programs
}

// offers are the remedies that an outcome offers now. One whose parameters
// cannot be told, because a fact is blind, is not offered.
func (o outcomeProgram) offers(vars any) []Fix {
	var all []Fix
	for _, p := range o.fixes {
		if fix, err := p.render(vars); err == nil {
			all = append(all, fix)
		}
	}
	return all
}

func (p fixProgram) render(vars any) (Fix, error) {
	if p.when != nil {
		value, _, err := p.when.Eval(vars)
		if err != nil || value != types.True {
			return Fix{}, fmt.Errorf("fix %s does not apply", p.remedy)
		}
	}
	fix := Fix{Remedy: p.remedy}
	for name, t := range p.params {
		value, err := t.value(vars)
		if err != nil || types.IsUnknown(value) {
			return Fix{}, fmt.Errorf("fix %s: parameter %s is not known", p.remedy, name)
		}
		if fix.Params == nil {
			fix.Params = map[string]string{}
		}
		fix.Params[name] = strings.TrimSpace(display(value))
	}
	return fix, nil
}

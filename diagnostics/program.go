package diagnostics

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// costLimit bounds the work of one expression, so that no catalogue of a user
// can hold the bot up.
const costLimit = 1_000_000

// program is a compiled check.
type program struct {
	applies  cel.Program // nil: to every service
	facts    []factProgram
	outcomes []outcomeProgram
	command  template
}

type factProgram struct {
	name  string
	probe Probe
	args  []argProgram
}

// argProgram fills one field of a probe's arguments.
type argProgram struct {
	field int
	value template
}

type outcomeProgram struct {
	when    cel.Program // nil: always
	status  Status
	summary textProgram
	remedy  textProgram
	fixes   []fixProgram
}

type textProgram struct{ en, pt template }

// template is a compiled text with expressions.
type template []piece

type piece struct {
	text string
	expr cel.Program // nil: text
}

// compiler compiles the expressions of the checks against the types of the
// probes' facts.
type compiler struct {
	base   *cel.Env // service and since
	probes map[string]Probe
	// remedies are the parameters of each remedy; nil: nobody told
	remedies map[string][]string
}

func newCompiler(probes []Probe) (*compiler, error) {
	c := &compiler{probes: make(map[string]Probe, len(probes))}
	native := []any{ext.ParseStructTags(true), reflect.TypeFor[Target]()}
	for _, p := range probes {
		if _, twice := c.probes[p.Name]; twice {
			return nil, fmt.Errorf("probe %s is listed twice", p.Name)
		}
		c.probes[p.Name] = p
		native = append(native, p.args, p.facts)
	}
	base, err := cel.NewEnv(
		ext.NativeTypes(native...), ext.Strings(), ext.Lists(), ext.Sets(), ext.Math(),
		cel.Variable("service", cel.ObjectType(celName(reflect.TypeFor[Target]()))),
		cel.Variable("since", cel.DurationType),
		cel.Function("scale", cel.Overload("scale_duration_double",
			[]*cel.Type{cel.DurationType, cel.DoubleType}, cel.DurationType, cel.BinaryBinding(scale))),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare the expression language: %w", err)
	}
	c.base = base
	return c, nil
}

// scale is CEL's missing duration times double.
func scale(d, factor ref.Val) ref.Val {
	duration, okD := d.Value().(time.Duration)
	by, okF := factor.Value().(float64)
	if !okD || !okF {
		return types.NewErr("scale: expected a duration and a double")
	}
	return types.Duration{Duration: time.Duration(float64(duration) * by).Round(time.Second)}
}

// celName is the name that CEL knows a Go struct type by.
func celName(t reflect.Type) string { return t.String() }

// compile makes the check's program. Errors go to file, and the program is
// complete only if there are none.
func (c *compiler) compile(f *checkFile, facts []namedFact, file *fileErrors) program {
	var p program
	if f.Applies.text != "" {
		p.applies = compileExpr(c.base, f.Applies, cel.BoolType, file)
	}
	judge := []cel.EnvOption{cel.Variable("now", cel.TimestampType)}
	for _, fact := range facts {
		probe, known := c.probes[fact.Probe.text]
		if !known {
			file.add(fact.Probe, "unknown probe %q: expected one of %s", fact.Probe.text, c.probeNames())
			continue
		}
		p.facts = append(p.facts, factProgram{name: fact.name.text, probe: probe, args: c.args(fact, probe, file)})
		judge = append(judge, cel.Variable(fact.name.text, cel.ObjectType(celName(probe.facts))))
	}
	env, err := c.base.Extend(judge...)
	if err != nil {
		file.add(f.Code, "facts: %v", err)
		return p
	}
	for _, o := range f.Outcomes {
		outcome := outcomeProgram{status: Status(o.Status.text)}
		if o.When.text != "" {
			outcome.when = compileExpr(env, o.When, cel.BoolType, file)
		}
		outcome.summary = compileText(env, o.Summary, file)
		outcome.remedy = compileText(env, o.Remedy, file)
		outcome.fixes = c.fixes(env, o, file)
		p.outcomes = append(p.outcomes, outcome)
	}
	p.command = compileTemplate(c.base, f.Command, file)
	return p
}

// args compiles the arguments of a fact, one for each field of the probe's
// arguments; a field tagged optional may be left out.
func (c *compiler) args(fact namedFact, probe Probe, file *fileErrors) []argProgram {
	var programs []argProgram
	known := map[string]bool{}
	for i := range probe.args.NumField() {
		name, options, _ := strings.Cut(probe.args.Field(i).Tag.Get("cel"), ",")
		known[name] = true
		arg, given := fact.Args[name]
		if !given {
			if options != "optional" {
				file.add(fact.Probe, "probe %s: expected an argument %q", probe.Name, name)
			}
			continue
		}
		field, _ := c.base.CELTypeProvider().FindStructFieldType(celName(probe.args), name)
		programs = append(programs, argProgram{field: i, value: c.arg(arg, field, file)})
	}
	for name, arg := range fact.Args {
		if !known[name] {
			file.add(arg, "probe %s has no argument %q", probe.Name, name)
		}
	}
	return programs
}

// arg compiles one argument. A single ${...} keeps its type; everything else
// is text.
func (c *compiler) arg(arg source, field *types.FieldType, file *fileErrors) template {
	value := compileTemplate(c.base, arg, file)
	if field == nil {
		file.add(arg, "the argument has a type that expressions do not know")
		return value
	}
	given := types.StringType
	if segments, err := splitTemplate(arg.text); err == nil && len(segments) == 1 && segments[0].expr {
		if ast, issues := c.base.Compile(segments[0].text); issues.Err() == nil {
			given = ast.OutputType()
		}
	}
	// The second direction admits what has no type of its own, like [].
	if !field.Type.IsAssignableType(given) && !given.IsAssignableType(field.Type) {
		file.add(arg, "expected %s, found %s", field.Type, given)
	}
	return value
}

func (c *compiler) probeNames() string {
	names := make([]string, 0, len(c.probes))
	for name := range c.probes {
		names = append(names, name)
	}
	return strings.Join(sorted(names), ", ")
}

func compileText(env *cel.Env, t textFile, file *fileErrors) textProgram {
	return textProgram{en: compileTemplate(env, t.EN, file), pt: compileTemplate(env, t.PT, file)}
}

func compileTemplate(env *cel.Env, s source, file *fileErrors) template {
	segments, err := splitTemplate(s.text)
	if err != nil {
		file.add(s, "%v: expected ${expression}", err)
		return nil
	}
	var t template
	for _, seg := range segments {
		p := piece{text: seg.text}
		if seg.expr {
			p.expr = compileExpr(env, at(s, seg), nil, file)
		}
		t = append(t, p)
	}
	return t
}

// at is the place of a segment inside a scalar.
func at(s source, seg segment) source {
	before := s.text[:seg.offset]
	if lines := strings.Count(before, "\n"); lines > 0 {
		return source{text: seg.text, line: s.line + lines, col: seg.offset - strings.LastIndex(before, "\n")}
	}
	return source{text: seg.text, line: s.line, col: s.col + seg.offset}
}

// compileExpr compiles and type-checks an expression; want nil admits any type.
func compileExpr(env *cel.Env, s source, want *cel.Type, file *fileErrors) cel.Program {
	ast, issues := env.Compile(s.text)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			at := source{line: s.line + e.Location.Line() - 1, col: e.Location.Column() + 1}
			if e.Location.Line() == 1 {
				at.col = s.col + e.Location.Column()
			}
			file.add(at, "%s", e.Message)
		}
		return nil
	}
	if want != nil && !want.IsAssignableType(ast.OutputType()) {
		file.add(s, "expected an expression of type %s, found %s", want, ast.OutputType())
		return nil
	}
	prog, err := env.Program(ast, cel.EvalOptions(cel.OptPartialEval), cel.CostLimit(costLimit))
	if err != nil {
		file.add(s, "%v", err)
		return nil
	}
	return prog
}

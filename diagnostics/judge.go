package diagnostics

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// inputs are what a check is judged by.
type inputs struct {
	service Target
	since   time.Duration
	now     time.Time
	facts   map[string]any         // of the probes that could look
	blind   map[string]*BlindError // of those that could not
}

func (in inputs) vars() map[string]any {
	return map[string]any{"service": in.service, "since": in.since}
}

// judgement is the outcome of one check before it is set among the others.
type judgement struct {
	status  Status
	summary Text
	remedy  Text
	fixes   []Fix
	blind   *BlindError // set when the status is Unknown because of it
	outcome int         // of the check that decided, from 1; 0: none did
}

// judge decides a check. An outcome that can be decided without a fact that
// nobody could gather is decided; otherwise the check is unknown.
func (c *Check) judge(in inputs) judgement {
	vars, err := in.partial(c.Facts)
	if err != nil {
		return unknown(&BlindError{Reason: ReasonError, Detail: c.Code + ": " + err.Error(), Err: err})
	}
	for i, o := range c.program.outcomes {
		if o.when == nil {
			if blind := in.firstBlind(c.Facts); blind != nil {
				return unknown(blind)
			}
			return o.judgement(i+1, vars)
		}
		value, _, err := o.when.Eval(vars)
		switch {
		case err != nil:
			return unknown(&BlindError{Reason: ReasonError, Detail: c.Code + ": " + err.Error(), Err: err})
		case types.IsUnknown(value):
			return unknown(in.firstBlind(c.Facts))
		case value == types.True:
			return o.judgement(i+1, vars)
		}
	}
	return unknown(&BlindError{Reason: ReasonError, Detail: c.Code + ": no outcome applies"})
}

func unknown(blind *BlindError) judgement {
	return judgement{status: Unknown, summary: blind.summary(), blind: blind}
}

func (o outcomeProgram) judgement(place int, vars any) judgement {
	return judgement{status: o.status, summary: o.summary.render(vars), remedy: o.remedy.render(vars), fixes: o.offers(vars), outcome: place}
}

// partial makes the variables of an evaluation, in which blind facts are
// unknown values rather than missing ones.
func (in inputs) partial(specs []FactSpec) (cel.PartialActivation, error) {
	vars := in.vars()
	vars["now"] = in.now
	var missing []*cel.AttributePatternType
	for _, spec := range specs {
		if fact, ok := in.facts[spec.Name]; ok {
			vars[spec.Name] = fact
			continue
		}
		missing = append(missing, cel.AttributePattern(spec.Name))
	}
	return cel.PartialVars(vars, missing...)
}

func (in inputs) firstBlind(specs []FactSpec) *BlindError {
	for _, spec := range specs {
		if blind := in.blind[spec.Name]; blind != nil {
			return blind
		}
	}
	return nil
}

// applies says whether the check is for this service.
func (c *Check) applies(service Target, since time.Duration) (bool, error) {
	if c.program.applies == nil {
		return true, nil
	}
	value, _, err := c.program.applies.Eval(inputs{service: service, since: since}.vars())
	if err != nil {
		return false, fmt.Errorf("check %s: applies: %w", c.Code, err)
	}
	return value == types.True, nil
}

// arguments evaluates the probe's arguments for a service.
func (f factProgram) arguments(service Target, since time.Duration) (any, error) {
	args := reflect.New(f.probe.args).Elem()
	vars := inputs{service: service, since: since}.vars()
	for _, arg := range f.args {
		value, err := arg.value.value(vars)
		if err != nil {
			return nil, fmt.Errorf("argument %s of probe %s: %w", f.probe.args.Field(arg.field).Name, f.probe.Name, err)
		}
		native, err := value.ConvertToNative(f.probe.args.Field(arg.field).Type)
		if err != nil {
			return nil, fmt.Errorf("argument %s of probe %s: %w", f.probe.args.Field(arg.field).Name, f.probe.Name, err)
		}
		args.Field(arg.field).Set(reflect.ValueOf(native))
	}
	return args.Interface(), nil
}

// value is the template's value: that of its single expression with its type,
// or the text.
func (t template) value(vars any) (ref.Val, error) {
	if len(t) == 1 && t[0].expr != nil {
		value, _, err := t[0].expr.Eval(vars)
		return value, err
	}
	var b strings.Builder
	for _, p := range t {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		value, _, err := p.expr.Eval(vars)
		if err != nil {
			return nil, err
		}
		b.WriteString(display(value))
	}
	return types.String(b.String()), nil
}

// render writes the template for people. What cannot be said, because a fact
// is blind, is shown as a question mark.
func (t template) render(vars any) string {
	var b strings.Builder
	for _, p := range t {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		value, _, err := p.expr.Eval(vars)
		if err != nil || types.IsUnknown(value) {
			b.WriteString("?")
			continue
		}
		b.WriteString(display(value))
	}
	return strings.TrimSpace(b.String())
}

func (t textProgram) render(vars any) Text {
	return Text{EN: t.en.render(vars), PT: t.pt.render(vars)}
}

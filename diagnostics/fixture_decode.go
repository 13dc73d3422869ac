package diagnostics

import (
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// factDecoder fills the types that expressions see, by their cel names, from a
// fixture file. It is as strict as the catalogue: a field that a fact does not
// have, or a value of another type, is an error with its place.
type factDecoder struct {
	file *fileErrors
	now  time.Time // what a time that is an offset, like -5m, counts from
}

// into decodes a node over what a pointer points to; an absent node changes
// nothing.
func (d factDecoder) into(node *yaml.Node, pointer any) {
	if node.Kind != 0 {
		d.decode(node, reflect.ValueOf(pointer).Elem())
	}
}

// facts decodes a mapping of facts over those that are there. A fact that is
// blind is left out.
func (d factDecoder) facts(node *yaml.Node, check *Check, in inputs) {
	for key, value := range d.pairs(node, "a mapping of the names of facts") {
		fact := check.fact(key.Value)
		if fact == nil {
			d.fail(key, "check %s has no fact %q: expected one of %s", check.Code, key.Value, check.factNames())
			continue
		}
		facts := reflect.New(fact.probe.facts).Elem()
		if given, ok := in.facts[fact.name]; ok {
			facts.Set(reflect.ValueOf(given))
		}
		d.decode(value, facts)
		if in.blind[fact.name] == nil {
			in.facts[fact.name] = facts.Interface()
		}
	}
}

func (d factDecoder) fail(at *yaml.Node, format string, args ...any) {
	d.file.add(source{line: at.Line, col: at.Column}, format, args...)
}

// pairs goes through a mapping; anything else, and a key that comes twice, is
// an error.
func (d factDecoder) pairs(node *yaml.Node, what string) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		node = resolved(node)
		if node.Kind == 0 {
			return
		}
		if node.Kind != yaml.MappingNode {
			d.fail(node, "expected %s", what)
			return
		}
		seen := map[string]bool{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], node.Content[i+1]
			if seen[key.Value] {
				d.fail(key, "%q comes twice", key.Value)
			}
			seen[key.Value] = true
			if !yield(key, value) {
				return
			}
		}
	}
}

func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func (d factDecoder) decode(node *yaml.Node, to reflect.Value) {
	node = resolved(node)
	switch {
	case to.Type() == reflect.TypeFor[time.Time]():
		d.time(node, to)
	case to.Type() == reflect.TypeFor[time.Duration]():
		d.duration(node, to)
	case to.Kind() == reflect.Struct:
		d.fields(node, to)
	case to.Kind() == reflect.Slice:
		d.list(node, to)
	case to.Kind() == reflect.Map:
		d.byName(node, to)
	case node.Kind != yaml.ScalarNode || node.Decode(to.Addr().Interface()) != nil:
		d.fail(node, "expected %s", kindWords(to.Type()))
	}
}

func (d factDecoder) fields(node *yaml.Node, to reflect.Value) {
	for key, value := range d.pairs(node, "a mapping of fields: "+strings.Join(celFields(to.Type()), ", ")) {
		field := celField(to, key.Value)
		if !field.IsValid() {
			d.fail(key, "unknown field %q: expected one of %s", key.Value, strings.Join(celFields(to.Type()), ", "))
			continue
		}
		d.decode(value, field)
	}
}

func (d factDecoder) list(node *yaml.Node, to reflect.Value) {
	if node.Kind != yaml.SequenceNode {
		d.fail(node, "expected a list")
		return
	}
	list := reflect.MakeSlice(to.Type(), len(node.Content), len(node.Content))
	for i, element := range node.Content {
		d.decode(element, list.Index(i))
	}
	to.Set(list)
}

func (d factDecoder) byName(node *yaml.Node, to reflect.Value) {
	named := reflect.MakeMap(to.Type())
	for key, value := range d.pairs(node, "a mapping") {
		element := reflect.New(to.Type().Elem()).Elem()
		d.decode(value, element)
		named.SetMapIndex(reflect.ValueOf(key.Value), element)
	}
	to.Set(named)
}

// time is RFC 3339, or how far it is from the fixture's now.
func (d factDecoder) time(node *yaml.Node, to reflect.Value) {
	at, err := time.Parse(time.RFC3339, node.Value)
	if err != nil {
		var offset time.Duration
		if offset, err = time.ParseDuration(node.Value); err == nil {
			at = d.now.Add(offset)
		}
	}
	if err != nil || node.Kind != yaml.ScalarNode {
		d.fail(node, "expected a time like 2026-01-02T15:04:05Z, or from now like -5m or 1h")
		return
	}
	to.Set(reflect.ValueOf(at))
}

func (d factDecoder) duration(node *yaml.Node, to reflect.Value) {
	value, err := time.ParseDuration(node.Value)
	if err != nil || node.Kind != yaml.ScalarNode {
		d.fail(node, "expected a duration like 90s or 1h")
		return
	}
	to.SetInt(int64(value))
}

func kindWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Float64, reflect.Float32:
		return "a number"
	default:
		return "a whole number"
	}
}

// celField is the field that expressions know by a name; not valid when there
// is none.
func celField(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if celTag(v.Type().Field(i)) == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

func celFields(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name := celTag(t.Field(i)); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func celTag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("cel"), ",")
	return name
}

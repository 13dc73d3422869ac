package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// decoder puts a YAML tree into a Config and collects every error, with the
// path that encoding packages do not tell.
type decoder struct {
	*findings

	dir    string // which paths are relative to
	budget int    // nodes that may still be visited: aliases can make a small file huge
}

// maxNodes is far more than a true configuration has.
const maxNodes = 200_000

// errBudget ends the work on a file whose aliases multiply.
const tooMany = "the file unfolds to more than 200000 values: use fewer aliases"

func (d *decoder) into(node *yaml.Node, into reflect.Value, path string) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if d.budget--; d.budget <= 0 {
		if d.budget == 0 {
			d.add(node, "", tooMany)
		}
		return
	}
	switch into.Interface().(type) {
	case Ref:
		d.ref(node, into, path)
		return
	case time.Duration:
		d.duration(node, into, path)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		d.pointer(node, into, path)
	case reflect.Struct:
		d.structure(node, into, path)
	case reflect.Map:
		d.mapping(node, into, path)
	case reflect.Slice:
		d.list(node, into, path)
	default:
		d.scalar(node, into, path)
	}
}

// isNull says whether a node is `key:` without a value.
func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func (d *decoder) pointer(node *yaml.Node, into reflect.Value, path string) {
	value := reflect.New(into.Type().Elem())
	into.Set(value)
	d.into(node, value.Elem(), path)
}

func (d *decoder) structure(node *yaml.Node, into reflect.Value, path string) {
	fields := fieldsOf(into.Type())
	seen := d.pairs(node, path, func(key, value *yaml.Node, at string) {
		index, known := fields.index[key.Value]
		if !known {
			d.add(key, at, "unknown key: expected one of %s", strings.Join(fields.names, ", "))
			return
		}
		if isNull(value) {
			d.add(value, at, "no value: give one or leave the key out")
			return
		}
		before := len(d.all)
		d.into(value, into.Field(index), at)
		if len(d.all) == before { // one error for a value is enough
			d.rules(value, into.Field(index), into.Type().Field(index), at)
		}
	})
	if seen == nil {
		return
	}
	for name, index := range fields.index {
		if !seen[name] && hasRule(into.Type().Field(index), "required") {
			d.add(node, join(path, name), "missing: expected a value")
		}
	}
}

func (d *decoder) mapping(node *yaml.Node, into reflect.Value, path string) {
	into.Set(reflect.MakeMap(into.Type()))
	d.pairs(node, path, func(key, value *yaml.Node, at string) {
		if problem := judgeKey(into.Type().Key(), key.Value); problem != "" {
			d.add(key, path, "%s", problem)
			return
		}
		element := reflect.New(into.Type().Elem()).Elem()
		if isNull(value) && element.Kind() == reflect.Pointer {
			element.Set(reflect.New(element.Type().Elem())) // a service with nothing but its name
		} else {
			d.into(value, element, at)
		}
		into.SetMapIndex(reflect.ValueOf(key.Value).Convert(into.Type().Key()), element)
	})
}

// judgeKey returns what is wrong with the key of a mapping, or "".
func judgeKey(kind reflect.Type, key string) string {
	switch {
	case kind == reflect.TypeFor[ChannelID]():
		return judgeSlackID(key, []string{"C", "G"})
	case kind == reflect.TypeFor[VaultName]():
		return judge("vault", reflect.ValueOf(key))
	case kind == reflect.TypeFor[AlertName]():
		if !alertName.MatchString(key) {
			return "not the name of an alert: expected letters, digits, _, : and -"
		}
		return ""
	case kind == reflect.TypeFor[EnvName]():
		if !envName.MatchString(key) {
			return "not the name of an environment variable: expected letters, digits and _"
		}
		return ""
	case !serviceName.MatchString(key):
		return "not a name: expected lower case letters, digits and dashes"
	default:
		return ""
	}
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// serviceName is what a service, a person or a remedy may be called: it appears in commands.
var serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// pairs visits the keys of a mapping and returns those that it has, or nil when
// the node is no mapping.
func (d *decoder) pairs(node *yaml.Node, path string, visit func(key, value *yaml.Node, at string)) map[string]bool {
	if node.Kind != yaml.MappingNode {
		d.add(node, path, "expected a mapping of keys to values, found %s", kindOf(node))
		return nil
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			d.add(key, path, "expected a name as key, found %s", kindOf(key))
		case key.Tag == "!!merge":
			d.add(key, path, "merge keys (<<) are not supported: repeat the keys or use an alias for a whole value")
		case seen[key.Value]:
			d.add(key, join(path, key.Value), "the key is there twice")
		default:
			seen[key.Value] = true
			visit(key, value, join(path, key.Value))
		}
	}
	return seen
}

func (d *decoder) list(node *yaml.Node, into reflect.Value, path string) {
	if node.Kind != yaml.SequenceNode {
		d.add(node, path, "expected a list, found %s", kindOf(node))
		return
	}
	for i, item := range node.Content {
		element := reflect.New(into.Type().Elem()).Elem()
		d.into(item, element, fmt.Sprintf("%s[%d]", path, i))
		into.Set(reflect.Append(into, element))
	}
}

func (d *decoder) scalar(node *yaml.Node, into reflect.Value, path string) {
	if node.Kind != yaml.ScalarNode || isNull(node) {
		d.add(node, path, "expected %s, found %s", nameOf(into), kindOf(node))
		return
	}
	if into.Kind() == reflect.Float64 {
		x, err := strconv.ParseFloat(node.Value, 64)
		if err != nil {
			d.add(node, path, "expected a number")
		}
		into.SetFloat(x)
		return
	}
	if into.Kind() == reflect.Bool {
		if node.Tag != "!!bool" {
			d.add(node, path, "expected true or false")
			return
		}
		into.SetBool(strings.EqualFold(node.Value, "true"))
		return
	}
	if into.Kind() == reflect.Int {
		n, err := strconv.Atoi(node.Value)
		if err != nil {
			d.add(node, path, "expected a number")
		}
		into.SetInt(int64(n))
		return
	}
	switch value := into.Addr().Interface().(type) {
	case *Path:
		*value = Path(node.Value).in(d.dir)
	case *Endpoint:
		*value = Endpoint(node.Value).in(d.dir)
	default:
		into.SetString(node.Value)
	}
}

func (d *decoder) duration(node *yaml.Node, into reflect.Value, path string) {
	value, err := time.ParseDuration(node.Value)
	if err != nil || value <= 0 {
		d.add(node, path, "expected a duration above zero, like 30s, 5m or 1h")
		return
	}
	into.SetInt(int64(value))
}

func (d *decoder) ref(node *yaml.Node, into reflect.Value, path string) {
	if node.Kind != yaml.MappingNode {
		d.add(node, path, "expected {file: PATH} or {env: NAME}: a secret itself never stands in the configuration. "+
			"If one stood here, put it into a file of its own and replace it, because it may have been seen")
		return
	}
	d.structure(node, into, path)
	ref := into.Addr().Interface().(*Ref)
	ref.path = path
	if (ref.File == "") == (ref.Env == "") {
		d.add(node, path, "expected either file or env")
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func kindOf(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(node):
		return "nothing"
	default:
		return "a single value"
	}
}

func nameOf(v reflect.Value) string {
	if v.Kind() == reflect.Int || v.Kind() == reflect.Float64 {
		return "a number"
	}
	if v.Kind() == reflect.Bool {
		return "true or false"
	}
	return "a text"
}

// fields are the keys that a struct has.
type fields struct {
	names []string
	index map[string]int
}

func fieldsOf(t reflect.Type) fields {
	f := fields{index: map[string]int{}}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" {
			f.names = append(f.names, name)
			f.index[name] = i
		}
	}
	return f
}

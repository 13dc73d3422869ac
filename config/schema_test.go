package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
)

var update = flag.Bool("update", false, "rewrite the generated files")

// TestSchemaIsCurrent holds that schema.json, which editors read, describes the
// structs of this package.
func TestSchemaIsCurrent(t *testing.T) {
	want := schema(t)
	if *update {
		if err := os.WriteFile("schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("schema.json is not current; go test ./config -update rewrites it (-want +got):\n%s", diff)
	}
}

func schema(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true, // what is required is in the check tags
		Mapper:                     mapped,
	}
	if err := r.AddGoComments("tandem/config", "./"); err != nil {
		t.Fatal(err)
	}
	s := r.Reflect(&Config{})
	s.ID = ""
	s.Title = "Configuration of Tandem"
	for name, def := range s.Definitions {
		def.Required = requiredKeys(name)
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.TrimSpace(data), '\n')
}

// mapped gives the schemas of types that are written otherwise than they are
// kept.
func mapped(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
	case reflect.TypeFor[Ref]():
		one := func(key, what string) *jsonschema.Schema {
			props := jsonschema.NewProperties()
			props.Set(key, &jsonschema.Schema{Type: "string", Description: what})
			return &jsonschema.Schema{
				Type: "object", Properties: props, Required: []string{key}, AdditionalProperties: jsonschema.FalseSchema,
			}
		}
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			one("file", "a file that holds nothing but the secret"), one("env", "an environment variable"),
		}}
	default:
		return nil
	}
}

// requiredKeys are those that the check tags of a struct require.
func requiredKeys(name string) []string {
	for _, s := range structs(reflect.TypeFor[Config]()) {
		if s.Name() != name {
			continue
		}
		var keys []string
		for i := range s.NumField() {
			if hasRule(s.Field(i), "required") {
				keys = append(keys, s.Field(i).Tag.Get("yaml"))
			}
		}
		return keys
	}
	return nil
}

// structs lists the struct types of a configuration.
func structs(t reflect.Type) []reflect.Type {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return structs(t.Elem())
	case reflect.Struct:
		all := []reflect.Type{t}
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				all = append(all, structs(f.Type)...)
			}
		}
		return all
	default:
		return nil
	}
}

// TestEveryFieldIsDocumented holds that each field has a key, and each key a
// description in the schema.
func TestEveryFieldIsDocumented(t *testing.T) {
	var s struct {
		Defs map[string]struct {
			Properties map[string]struct {
				Description string `json:"description"`
			} `json:"properties"`
		} `json:"$defs"`
	}
	data, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	for _, st := range structs(reflect.TypeFor[Config]()) {
		if st == reflect.TypeFor[Ref]() {
			continue
		}
		for i := range st.NumField() {
			key := st.Field(i).Tag.Get("yaml")
			if s.Defs[st.Name()].Properties[key].Description == "" {
				t.Errorf("%s.%s has no description in the schema", st.Name(), st.Field(i).Name)
			}
		}
	}
}

// TestExampleHasEveryKey holds that example.yaml loads and shows every key.
func TestExampleHasEveryKey(t *testing.T) {
	c, err := Load("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Services["worker"].Peer.Job != "service-registry" {
		t.Error("the example's worker lost its peer")
	}
	data, err := os.ReadFile("example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range structs(reflect.TypeFor[Config]()) {
		for i := range st.NumField() {
			if key := st.Field(i).Tag.Get("yaml"); key != "" && !strings.Contains(string(data), key+":") {
				t.Errorf("example.yaml does not show the key %s of %s", key, st.Name())
			}
		}
	}
}

package probes

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unsafe"

	"tandem/diagnostics"
)

// typeOf reads a type that a probe keeps to itself.
func typeOf(t *testing.T, p diagnostics.Probe, field string) reflect.Type {
	t.Helper()
	f := reflect.ValueOf(&p).Elem().FieldByName(field)
	typ, ok := reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem().Interface().(reflect.Type)
	if !ok || typ.Kind() != reflect.Struct {
		t.Fatalf("%s: %s is not a struct type", p.Name, field)
	}
	return typ
}

// checkType reports each field that CEL could not read, or that could hold
// anything at all.
func checkType(t *testing.T, path string, typ reflect.Type) {
	t.Helper()
	switch {
	case typ == reflect.TypeFor[time.Time](), typ == reflect.TypeFor[time.Duration]():
		return
	case typ == reflect.TypeFor[map[string]int64](), path == "Query.Samples[].Labels":
		return
	}
	switch typ.Kind() {
	case reflect.Bool, reflect.Int64, reflect.Float64, reflect.String:
	case reflect.Slice:
		checkType(t, path+"[]", typ.Elem())
	case reflect.Struct:
		for field := range typ.Fields() {
			tag := field.Tag.Get("cel")
			if !field.IsExported() || tag == "" || tag != strings.ToLower(tag) || strings.ContainsFunc(tag, unicode.IsSpace) {
				t.Errorf("%s.%s: not exported, or its cel tag %q is not snake_case", path, field.Name, tag)
			}
			isNamed := path == "Token" && field.Name == "Accessor" // by which a finding offers to renew the token
			if secretName(field.Name) && field.Type.Kind() != reflect.Int64 && !isNamed {
				t.Errorf("%s.%s: named as if it held a secret", path, field.Name)
			}
			checkType(t, path+"."+field.Name, field.Type)
		}
	default:
		t.Errorf("%s is a %s: it could hold a secret value", path, typ)
	}
}

// secretName finds names of what has no place in facts.
func secretName(name string) bool {
	bad := []string{"Password", "Value", "URI", "DSN", "ConnectionURL", "Token", "Secret", "Accessor", "Text", "Data"}
	return slices.Contains(bad, strings.TrimSuffix(name, "s")) && name != "Secrets" && name != "Value"
}

func TestFactsHaveNoPlaceForSecrets(t *testing.T) {
	for _, p := range All(Deps{}) {
		facts := typeOf(t, p, "facts")
		checkType(t, facts.Name(), facts)
		checkType(t, p.Name+" arguments", typeOf(t, p, "args"))
	}
}

// A probe's name and sentence are shown to people, and names are keys.
func TestProbesAreDistinctAndDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range All(Deps{}) {
		if seen[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		seen[p.Name] = true
		if !strings.Contains(p.Name, ".") {
			t.Errorf("%s is not a system with a subject", p.Name)
		}
		if !strings.HasSuffix(p.Doc.EN, ".") || !strings.HasSuffix(p.Doc.PT, ".") || p.Doc.EN == p.Doc.PT {
			t.Errorf("%s: %+v is not a sentence in each language", p.Name, p.Doc)
		}
	}
}

// Grants are computed while the catalogue loads, before anything is configured.
func TestGrantsOfEveryProbeComeFromItsArguments(t *testing.T) {
	for _, p := range All(Deps{}) {
		if p.Grants == nil {
			continue
		}
		for _, g := range p.Grants(reflect.New(typeOf(t, p, "args")).Elem().Interface()) {
			if strings.HasPrefix(g.Path, "/") || len(g.Capabilities) == 0 {
				t.Errorf("%s: grant %+v", p.Name, g)
			}
		}
	}
}

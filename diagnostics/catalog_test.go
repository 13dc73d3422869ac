package diagnostics

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestLoadCatalogErrors holds that a mistake is shown where it is, with what is
// expected instead.
func TestLoadCatalogErrors(t *testing.T) {
	good := check("AAA-001", "a")
	tests := []struct{ name, file, want string }{
		{"wrong field", strings.Replace(good, "!lamp.on", "!lamp.onn", 1), `test/c00.yaml:7:17: undefined field 'onn'
 |   - when: "!lamp.onn"
 | ................^`},
		{"wrong type", strings.Replace(good, "!lamp.on", "lamp.name", 1), "test/c00.yaml:7:12: expected an expression of type bool, found string"},
		{"syntax", strings.Replace(good, "!lamp.on", "lamp.on &&", 1), "test/c00.yaml:7:"},
		{"unknown variable in a text", strings.Replace(good, "${lamp.name} is", "${lump.name} is", 1), "test/c00.yaml:9:27: undeclared reference to 'lump'"},
		{"unclosed expression", strings.Replace(good, "${lamp.name} is", "${lamp.name is", 1), "${ without its }"},
		{"unknown key", strings.Replace(good, "remedy:", "remdy:", 1), `test/c00.yaml:10:5: unknown key "remdy": expected one of when, status, summary, remedy, fix`},
		{"unknown probe", strings.Replace(good, "lamp.look", "lamp.luk", 1), `test/c00.yaml:5:17: unknown probe "lamp.luk": expected one of lamp.look`},
		{"unknown argument", strings.Replace(good, "{name: a}", "{nam: a}", 1), `probe lamp.look has no argument "nam"`},
		{"missing argument", strings.Replace(good, "{name: a}", "{}", 1), `probe lamp.look: expected an argument "name"`},
		{"argument of a wrong type", strings.Replace(good, "{name: a}", `{name: "${service.selectors}"}`, 1), "expected string, found list(string)"},
		{"fix of no name", offering("{params: {a: b}}"), `test/c00.yaml:8:13: fix: remedy "": expected a name like kv-undelete`},
		{"fix with capitals", offering("{remedy: Switch-On}"), `fix: remedy "Switch-On": expected a name like kv-undelete`},
		{"unknown remedy", offering("{remedy: switch-of}"), `test/c00.yaml:12:18: fix: unknown remedy "switch-of": expected one of replace, switch-on`},
		{"unknown parameter", offering("{remedy: switch-on, params: {lump: a}}"), `test/c00.yaml:12:44: fix: remedy switch-on has no parameter "lump"`},
		{"wrong field in a parameter", offering(`{remedy: switch-on, params: {lamp: "${lamp.nam}"}}`), `test/c00.yaml:12:51: undefined field 'nam'`},
		{"when of a fix", offering("{when: lamp.name, remedy: switch-on}"), "expected an expression of type bool, found string"},
		{"unknown key of a fix", offering("{remdy: switch-on}"), `unknown key "remdy": expected one of when, remedy, params`},
		{"status", strings.Replace(good, "status: fail", "status: bad", 1), `status "bad": expected pass, warn, fail or unknown`},
		{"code", strings.Replace(good, "AAA-001\n", "A1\n", 1), `code "A1": expected three capitals`},
		{"no Portuguese", strings.Replace(good, ", pt-BR: acesa", "", 1), "summary: expected a text in pt-BR"},
		{"last outcome has a when", strings.Replace(good, "  - status: pass", "  - when: lamp.on\n    status: pass", 1), "the last outcome has a when"},
		{"when left out", strings.Replace(good, "  - when: \"!lamp.on\"\n    status", "  - status", 1), "an outcome without a when"},
		{"need of nothing", check("AAA-001", "a", "needs: [AAA-002]"), "check AAA-001 needs AAA-002: expected the code of a check"},
		{"circle", check("AAA-001", "a", "needs: [AAA-001]"), "needs go in a circle: AAA-001 -> AAA-001"},
		{"empty", "", "empty file"},
		{"list", "- a\n- b\n", "test/c00.yaml:1:1:"},
		{"not yaml", "code: [", "test/c00.yaml:1:1: "},
		{"two documents", good + "---\n" + good, "more than one document"},
		{"facts as a list", strings.Replace(good, "facts:\n  lamp: {", "facts:\n  - {", 1), "facts: expected a mapping"},
		{"fact called service", strings.Replace(good, "  lamp: {", "  service: {", 1), `fact name "service"`},
	}
	l := &lamps{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := LoadCatalog([]CatalogSource{{Name: "test", FS: folder(tt.file)}}, []Probe{l.probe("lamp.look")}, WithRemedies(lampRemedies))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestLoadCatalogReportsEveryErrorAtOnce(t *testing.T) {
	l := &lamps{}
	_, err := LoadCatalog([]CatalogSource{{Name: "test", FS: folder(
		strings.Replace(check("AAA-001", "a"), "!lamp.on", "!lamp.onn", 1),
		strings.Replace(check("AAA-002", "a"), "status: fail", "status: bad", 1),
		check("AAA-002", "b"),
	)}}, []Probe{l.probe("lamp.look")})
	for _, want := range []string{"c00.yaml:7:17", `status "bad"`, "code AAA-002 is taken by test/c01.yaml"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

func FuzzLoadCatalog(f *testing.F) {
	f.Add(check("AAA-001", "a"))
	f.Add(either)
	f.Add("facts: {a: {probe: b, args: {c: \"${\"}}}")
	l := &lamps{}
	probes := []Probe{l.probe("lamp.look")}
	f.Fuzz(func(t *testing.T, data string) {
		c, err := LoadCatalog([]CatalogSource{{FS: fstest.MapFS{"c.yaml": {Data: []byte(data)}}}}, probes)
		if err == nil && len(c.Checks()) != 1 {
			t.Errorf("one file gave %d checks", len(c.Checks()))
		}
	})
}

func FuzzSplitTemplate(f *testing.F) {
	f.Add("a ${b} c ${'}'} ${ {'a': 1}.a }")
	f.Fuzz(func(t *testing.T, text string) {
		segments, err := splitTemplate(text)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, s := range segments {
			if s.expr {
				b.WriteString("${" + s.text + "}")
				continue
			}
			b.WriteString(s.text)
		}
		if b.String() != text {
			t.Errorf("%q came back as %q", text, b.String())
		}
	})
}

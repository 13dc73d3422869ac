package diagnostics

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// lampCatalog is a catalogue of one check, in a folder that also has fixtures.
func lampCatalog(t testing.TB, fixtures string) (*Catalog, CatalogSource) {
	t.Helper()
	src := CatalogSource{Name: "lamps", FS: fstest.MapFS{
		"lmp-001.yaml":            {Data: []byte(check("LMP-001", "kitchen"))},
		"below/lmp-001.test.yaml": {Data: []byte(fixtures)},
	}}
	c, err := LoadCatalog([]CatalogSource{src}, []Probe{(&lamps{}).probe("lamp.look")})
	if err != nil {
		t.Fatal(err)
	}
	return c, src
}

// What a case says is laid over what the file says, field by field, and what is
// blind in one case is not in the next.
func TestFixturesLayCasesOverTheFile(t *testing.T) {
	c, src := lampCatalog(t, `check: LMP-001
now: 2026-03-01T12:00:00Z
facts:
  lamp: {name: kitchen, on: true, watts: [40, 60], age: 90s}
cases:
  - name: as the file says
    want: {status: pass}
  - name: off
    facts: {lamp: {on: false}}
    want: {status: fail, summary: lamp kitchen is off}
  - name: nobody looks
    blind: {lamp: timeout}
    want: {status: unknown}
  - name: on again
    want: {status: fail}
`)
	trials, err := c.TryFixtures(src)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, trial := range trials {
		got = append(got, string(trial.Got.Status))
	}
	if want := []string{"pass", "fail", "unknown", "pass"}; !slices.Equal(got, want) {
		t.Fatalf("the cases came to %q, want %q", got, want)
	}
	if diff := strings.Join(trials[3].Diff, "|"); diff != "status|  - fail|  + pass" {
		t.Errorf("the difference is %q", diff)
	}
	if untried := c.Untried(src.Name, trials[:1]); len(untried) != 1 || untried[0].Outcome != 1 {
		t.Errorf("untried are %+v, want outcome 1", untried)
	}
}

// A fixture file may hold anything: it is judged or refused, and never more.
func FuzzFixtures(f *testing.F) {
	f.Add("check: LMP-001\nfacts: &a {lamp: {name: a, on: true, watts: [1], age: 1s}}\ncases: [{name: x, facts: *a, blind: {lamp: error}, want: {status: pass}}]")
	f.Add("check: LMP-001\ncases: [{name: x, facts: {lamp: {watts: 4, on: {}}}, want: {status: pass}}]")
	f.Add("check: LMP-002")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, fixtures string) {
		c, src := lampCatalog(t, fixtures)
		trials, err := c.TryFixtures(src)
		if err == nil && len(trials) == 0 {
			t.Error("a file without a case and without an error")
		}
	})
}

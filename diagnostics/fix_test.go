package diagnostics

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lampRemedies are what can be done about lamps.
var lampRemedies = map[string][]string{"switch-on": {"lamp", "watts"}, "replace": nil}

// offering is a check whose failure offers fixes.
func offering(fixes ...string) string {
	var list strings.Builder
	for _, f := range fixes {
		list.WriteString("      - " + f + "\n")
	}
	return strings.Replace(check("AAA-001", "a"), "pt-BR: acenda}\n", "pt-BR: acenda}\n    fix:\n"+list.String(), 1)
}

func TestFixesAreOfferedByTheCause(t *testing.T) {
	l := &lamps{on: map[string]bool{"a": false}}
	c, err := LoadCatalog([]CatalogSource{{Name: "test", FS: folder(offering(
		`{remedy: switch-on, params: {lamp: "${lamp.name} ${service.name}", watts: "${lamp.watts}"}}`,
		`{remedy: replace, when: lamp.watts.size() > 9}`,
		`{remedy: replace}`,
	))}}, []Probe{l.probe("lamp.look")}, WithRemedies(lampRemedies))
	if err != nil {
		t.Fatal(err)
	}
	report := diagnose(t, c, RunOptions{})
	want := []Fix{
		{Remedy: "switch-on", Params: map[string]string{"lamp": "a worker", "watts": "40, 60"}},
		{Remedy: "replace"},
	}
	if diff := cmp.Diff(want, report.Checks[0].Fixes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, report.Verdict.Causes[0].Fixes); diff != "" {
		t.Error(diff)
	}
	raw, err := json.Marshal(report.In(English).Verdict.Causes[0])
	if err != nil {
		t.Fatal(err)
	}
	wantJSON := `{"code":"AAA-001","title":"AAA-001 en","remedy":"switch it on",` +
		`"fixes":[{"remedy":"switch-on","params":{"lamp":"a worker","watts":"40, 60"}},{"remedy":"replace"}]}`
	if string(raw) != wantJSON {
		t.Errorf("got  %s\nwant %s", raw, wantJSON)
	}
}

// TestNoFixOnWhatNobodySaw holds that a remedy is never offered with a parameter
// that nobody knows.
func TestNoFixOnWhatNobodySaw(t *testing.T) {
	l := &lamps{on: map[string]bool{"b": true}, err: map[string]error{"a": errors.New("dark")}}
	c := load(t, []Probe{l.probe("lamp.look")}, strings.Replace(either, "pt-BR: x}\n",
		"pt-BR: x}\n    fix: [{remedy: one, params: {lamp: \"${one.name}\"}}, {remedy: two, params: {lamp: \"${two.name}\"}}]\n", 1))
	got := diagnose(t, c, RunOptions{}).Checks[0]
	if diff := cmp.Diff([]Fix{{Remedy: "two", Params: map[string]string{"lamp": "b"}}}, got.Fixes); got.Status != Fail || diff != "" {
		t.Errorf("%s %s", got.Status, diff)
	}
}

package catalog_test

import (
	"strings"
	"testing"

	"tandem/diagnostics"
	"tandem/diagnostics/catalog"
)

// TestFixtures holds what each check says of the facts that its fixtures give,
// and that every outcome has one.
func TestFixtures(t *testing.T) {
	c := load(t)
	trials, err := c.TryFixtures(diagnostics.CatalogSource{Name: "catalog", FS: catalog.FS})
	if err != nil {
		t.Fatal(err)
	}
	blind := map[string]bool{}
	for _, trial := range trials {
		if len(trial.Diff) > 0 {
			t.Errorf("%s:%d: %s: %s\n  %s", trial.File, trial.Line, trial.Code, trial.Name, strings.Join(trial.Diff, "\n  "))
		}
		if !strings.HasSuffix(trial.File, "/"+trial.Code+".test.yaml") {
			t.Errorf("%s tries %s", trial.File, trial.Code)
		}
		blind[trial.Code] = blind[trial.Code] || trial.Got.Blind != nil
		sayable(t, trial)
	}
	for _, u := range c.Untried("catalog", trials) {
		t.Errorf("no fixture comes to outcome %d (%s) of %s", u.Outcome, u.Status, u.Code)
	}
	for _, check := range c.Checks() {
		if !blind[check.Code] {
			t.Errorf("no fixture says what %s is when nobody can look", check.Code)
		}
	}
}

// sayable holds that every expression of the texts has a value: one that has
// none, like the first of an empty list, is shown as a question mark.
func sayable(t *testing.T, trial diagnostics.Trial) {
	t.Helper()
	if trial.Got.Blind != nil {
		if trial.Got.Blind.Reason == diagnostics.ReasonError {
			t.Errorf("%s:%d: %s: %s: %s", trial.File, trial.Line, trial.Code, trial.Name, trial.Got.Blind.Detail)
		}
		return
	}
	for _, text := range []string{trial.Got.Summary.EN, trial.Got.Summary.PT, trial.Got.Remedy.EN, trial.Got.Remedy.PT} {
		if strings.Contains(text, "?") {
			t.Errorf("%s:%d: %s: %s: %s", trial.File, trial.Line, trial.Code, trial.Name, text)
		}
	}
}

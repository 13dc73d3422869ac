package catalog_test

import (
	"io/fs"
	"strings"
	"testing"

	"tandem/diagnostics"
	"tandem/diagnostics/catalog"
	"tandem/diagnostics/probes"
)

func load(t *testing.T) *diagnostics.Catalog {
	t.Helper()
	c, err := diagnostics.LoadCatalog([]diagnostics.CatalogSource{{Name: "catalog", FS: catalog.FS}}, probes.All(probes.Deps{}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCatalogLoads(t *testing.T) {
	c := load(t)
	files, err := fs.Glob(catalog.FS, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Checks()) != len(files) || len(files) < 25 {
		t.Errorf("%d checks from %d files", len(c.Checks()), len(files))
	}
	for _, check := range c.Checks() {
		name := strings.TrimPrefix(check.File, "catalog/")
		if !strings.HasPrefix(name, check.Code+"-") {
			t.Errorf("check %s is in %s", check.Code, name)
		}
	}
}

// TestEveryFailureNamesTheNextStep holds that nobody is left with a verdict and
// no idea what to do.
func TestEveryFailureNamesTheNextStep(t *testing.T) {
	for _, check := range load(t).Checks() {
		for i, o := range check.Outcomes {
			if (o.Status == diagnostics.Fail || o.Status == diagnostics.Warn) && (o.Remedy.EN == "" || o.Remedy.PT == "") {
				t.Errorf("%s: outcome %d (%s) has no remedy", check.Code, i+1, o.Status)
			}
		}
	}
}

// TestEveryCheckIsARunbook holds that whoever is on call finds what it means,
// what it breaks, how to look by hand and what to do.
func TestEveryCheckIsARunbook(t *testing.T) {
	for _, check := range load(t).Checks() {
		for name, text := range map[string]diagnostics.Text{
			"meaning": check.Doc.Meaning, "impact": check.Doc.Impact, "diagnosis": check.Doc.Diagnosis, "mitigation": check.Doc.Mitigation,
		} {
			if text.EN == "" || text.PT == "" {
				t.Errorf("%s: no %s", check.Code, name)
			}
		}
		if check.Command == "" {
			t.Errorf("%s: no command", check.Code)
		}
	}
}

// TestEveryRowOfTheMatrixHasChecks holds that each row is split into the checks
// that tell its causes apart.
func TestEveryRowOfTheMatrixHasChecks(t *testing.T) {
	rows := map[int]int{}
	for _, check := range load(t).Checks() {
		rows[check.Row]++
	}
	for row := 1; row <= 5; row++ {
		if rows[row] < 4 {
			t.Errorf("row %d has %d checks", row, rows[row])
		}
	}
}

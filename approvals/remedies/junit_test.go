package remedies

import (
	"errors"
	"strings"
	"testing"

	"tandem/approvals"
)

func TestJUnitIsJudged(t *testing.T) {
	for name, tt := range map[string]struct{ report, want string }{
		"all pass":             {`<testsuite tests="2"><testcase name="a"/><testcase name="b"></testcase></testsuite>`, ""},
		"nested":               {`<?xml version="1.0" encoding="UTF-8"?><testsuites><testsuite tests="1"><testcase name="a"/></testsuite><testsuite><testcase name="b"/></testsuite></testsuites> and more`, ""},
		"output of a test":     {`<testsuite><testcase name="a"><system-out>&lt;failure/&gt; <![CDATA[<failure/>]]></system-out></testcase></testsuite>`, ""},
		"a failure":            {`<testsuite><testcase classname="login" name="works"><failure>boom</failure></testcase><testcase name="b"/></testsuite>`, "1 of 2 tests failed: login.works"},
		"an error":             {`<testsuite><testcase name="a"><error message="x"/></testcase></testsuite>`, "1 of 1 tests failed: a"},
		"skipped, and failed":  {`<testsuite><testcase name="a"><skipped/><failure/></testcase></testsuite>`, "1 of 1 tests failed: a"},
		"skipped":              {`<testsuite><testcase name="a"><skipped/></testcase><testcase name="b"/></testsuite>`, "unknown: 1 of 2 tests were skipped"},
		"not run":              {`<testsuite><testcase name="a" status="notrun"/></testsuite>`, "unknown: 1 of 1 tests were skipped"},
		"empty":                {`<testsuites/>`, "unknown: no test ran"},
		"a failure not shown":  {`<testsuite tests="1" failures="1"><testcase name="a"/></testsuite>`, "unknown: the report says that it has 1 tests or failures more than it shows"},
		"a test not shown":     {`<testsuites tests="3"><testsuite tests="1"><testcase name="a"/></testsuite></testsuites>`, "unknown: the report says that it has 2 tests or failures more than it shows"},
		"a secret in a name":   {`<testsuite><testcase name="token=hvs.CAESICanaryCanary"><failure/></testcase></testsuite>`, "1 of 1 tests failed: token=[redacted]"},
		"lines in a name":      {`<testsuite><testcase name="a&#10;*approved* &#x202e;b"><failure/></testcase></testsuite>`, "1 of 1 tests failed: a *approved* b"},
		"a failure of a suite": {`<testsuite name="setup"><failure/><testcase name="a"/></testsuite>`, "1 of 2 tests failed: setup"},
	} {
		got := ""
		report, err := readJUnit(strings.NewReader(tt.report))
		if err == nil {
			err = report.judge()
		}
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestJUnitNamesAreBounded(t *testing.T) {
	one := `<testcase name="` + strings.Repeat("long ", 100) + `"><failure/></testcase>`
	report := must[junit](t)(readJUnit(strings.NewReader(`<testsuite>` + strings.Repeat(one, 50) + `</testsuite>`)))
	text := report.judge().Error()
	if len(text) > 2000 || !strings.HasPrefix(text, "50 of 50 tests failed") || !strings.HasSuffix(text, " and 40 more") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

func TestJUnitRefusesWhatIsNone(t *testing.T) {
	for name, report := range map[string]string{
		"nothing":      "",
		"HTML":         `<html><body/></html>`,
		"cut off":      `<testsuite><testcase name="a"/>`,
		"no XML":       `<testsuite><testcase name="a"></testsuite>`,
		"an entity":    `<!DOCTYPE x [<!ENTITY e "x">]><testsuite><testcase name="&e;"/></testsuite>`,
		"of a file":    `<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>`,
		"no such one":  `<testsuite><testcase name="&e;"/></testsuite>`,
		"deep":         `<testsuite>` + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + `</testsuite>`,
		"long":         `<testsuite><testcase name="a"/>` + strings.Repeat(" ", maxReport) + `</testsuite>`,
		"another code": `<?xml version="1.0" encoding="utf-7"?><testsuite/>`,
	} {
		if _, err := readJUnit(strings.NewReader(report)); !errors.Is(err, errReport) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzJUnit(f *testing.F) {
	f.Add(`<testsuite tests="1"><testcase name="a"><failure/></testcase></testsuite>`)
	f.Add(`<testsuites><testsuite><testcase status="notrun"/></testsuite></testsuites>`)
	f.Fuzz(func(t *testing.T, report string) {
		j, err := readJUnit(strings.NewReader(report))
		if err != nil {
			return
		}
		judged := j.judge()
		var trouble *approvals.Trouble
		if judged != nil && !errors.As(judged, &trouble) {
			t.Errorf("not a trouble: %v", judged)
		}
		if judged == nil && (j.tests == 0 || j.failed+j.skipped > 0) {
			t.Errorf("healthy: %+v", j)
		}
	})
}

// Package endtoend is the end-to-end check of the lab's world, as the runbook
// ends with one: an identity from SPIFFE opens Vault, Vault's credentials open
// the database, and a service accepts another one's calls. It is what a Job of
// the lab's cluster runs. It prints a line a test and, at its end, a JUnit report.
package endtoend

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"tandem/lab/world"
)

// testTimeout is what each test may take: some wait for the services' next move.
const testTimeout = 30 * time.Second

// Failed says how many tests did.
type Failed int

func (f Failed) Error() string { return fmt.Sprintf("%d tests failed", int(f)) }

// test is one thing that must work.
type test struct {
	name string
	run  func(context.Context) error
}

// Run tries everything in a world that runs. The error is Failed, or that of
// writing.
func Run(ctx context.Context, state world.State, out io.Writer) error {
	report := suite{Name: "vault_spiffe_integration"}
	for _, t := range tests(state) {
		report.Cases = append(report.Cases, try(ctx, t, out))
	}
	for _, c := range report.Cases {
		report.Tests++
		if c.Failure != nil {
			report.Failures++
		}
	}
	data, err := xml.MarshalIndent(report, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(out, "%s%s\n", xml.Header, data)
	}
	if err == nil && report.Failures > 0 {
		return Failed(report.Failures)
	}
	return err
}

// try runs one test and tells how it went.
func try(ctx context.Context, t test, out io.Writer) testcase {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	err := t.run(ctx)
	c := testcase{Name: t.name, Time: time.Since(began).Seconds()}
	if err == nil {
		_, _ = fmt.Fprintf(out, "%s PASSED (%.1fs)\n", t.name, c.Time)
		return c
	}
	c.Failure = &failure{Message: err.Error()}
	_, _ = fmt.Fprintf(out, "%s FAILED (%.1fs): %v\n", t.name, c.Time, err)
	return c
}

// The report, as JUnit has it.
type (
	suite struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	testcase struct {
		Name    string   `xml:"name,attr"`
		Time    float64  `xml:"time,attr"`
		Failure *failure `xml:"failure"`
	}
	failure struct {
		Message string `xml:"message,attr"`
	}
)

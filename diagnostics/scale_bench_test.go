package diagnostics

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// The size of the largest estate that the bot is meant for.
const (
	scaleServices = 1000
	scaleChecks   = 25
	scaleAtOnce   = 8 // diagnoses at once, as a person would schedule them
	scaleRounds   = 5
)

// BenchmarkScale diagnoses many services by probes that answer at once: what is
// left is the bot's own work. The goals are a time that is linear in services
// (ratio about 1), and a peak memory of the process under 150 MB, even when
// every report is kept until the end.
func BenchmarkScale(b *testing.B) {
	runner := &Runner{Catalog: scaleCatalog(b), Now: time.Now}
	for b.Loop() {
		resetPeak(b)
		var few, many []time.Duration
		for range scaleRounds {
			few = append(few, took(func() { diagnoseAll(b, runner, scaleServices/10) }))
			many = append(many, took(func() { diagnoseAll(b, runner, scaleServices) }))
		}
		ratio := float64(median(many)) / (10 * float64(median(few)))
		peak := peakMB(b)
		b.ReportMetric(ratio, "x-linear")
		b.ReportMetric(peak, "peak-MB")
		b.ReportMetric(0, "ns/op") // many rounds: no figure of its own
		b.Logf("%d services x %d checks %s, %d services %s, ratio to linear %.3f; %.0f checks/s; peak memory %.0f MB; goals: about 1, under 150 MB",
			scaleServices, scaleChecks, ms(median(many)), scaleServices/10, ms(median(few)), ratio,
			scaleServices*scaleChecks/median(many).Seconds(), peak)
	}
}

// scaleCatalog is five rows of five checks, each needing the one before it,
// that ask something else of each service.
func scaleCatalog(b *testing.B) *Catalog {
	b.Helper()
	instant := NewProbe("lamp.look", Text{EN: "looks at a lamp"}, func(_ context.Context, a lampArgs) (lampFacts, []Evidence, error) {
		evidence := []Evidence{{Source: "lamp", Invocation: "look " + a.Name, Observed: "on", At: time.Now()}}
		return lampFacts{Name: a.Name, On: true, Watts: []int{40, 60}, Age: time.Minute}, evidence, nil
	})
	files := make([]string, scaleChecks)
	for i := range files {
		var needs []string
		if i%5 > 0 {
			needs = append(needs, benchCode(i-1))
		}
		files[i] = check(benchCode(i), fmt.Sprintf(`"${service.name}-%d"`, i), "needs: ["+strings.Join(needs, ", ")+"]")
	}
	return benchCatalog(b, []Probe{instant}, files)
}

// diagnoseAll diagnoses the services, a few at once, and writes every report
// when all are done.
func diagnoseAll(b *testing.B, runner *Runner, services int) {
	b.Helper()
	reports := make([]Report, services)
	turns := make(chan int)
	var wg sync.WaitGroup
	for range scaleAtOnce {
		wg.Go(func() {
			for i := range turns {
				report, err := runner.Run(b.Context(), Target{Name: fmt.Sprintf("service-%d", i)}, RunOptions{})
				if err != nil || report.Verdict.Status != Pass {
					b.Errorf("service %d: verdict %s, %v", i, report.Verdict.Status, err)
				}
				reports[i] = report
			}
		})
	}
	for i := range services {
		turns <- i
	}
	close(turns)
	wg.Wait()
	encoder := json.NewEncoder(io.Discard)
	for _, report := range reports {
		if err := encoder.Encode(report.In(English)); err != nil {
			b.Fatal(err)
		}
	}
}

// resetPeak makes the kernel forget the most memory that this process has had.
func resetPeak(b *testing.B) {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Fatal(err)
	}
}

// peakMB is the most memory that this process has had since resetPeak.
func peakMB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if field, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kB float64
			if _, err := fmt.Sscan(field, &kB); err != nil {
				b.Fatal(err)
			}
			return kB / 1024
		}
	}
	b.Fatal("the kernel tells no VmHWM")
	return 0
}

package bench

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// duelRounds is how often bot and baseline send their volleys in turn.
const duelRounds = 15

// volley is commands that were sent at full speed, each as soon as the one
// before it on its connection was acknowledged.
type volley struct {
	took time.Duration
	cpu  time.Duration   // of the process, with who sends
	each []time.Duration // until the acknowledgement
}

func (v volley) perSecond() float64 { return float64(len(v.each)) / v.took.Seconds() }

func (v volley) p99() time.Duration { return p99(v.each) }

func p99(each []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(each))
	return sorted[len(sorted)*99/100]
}

// shoot sends a volley of fresh commands.
type shoot func() volley

// duel lets bot and baseline send their volleys in turn, so that both see the
// same machine, and reports the medians of the rounds' ratios. Before each of
// the two the garbage of the other is swept.
func duel(b *testing.B, goals string, bare, bot shoot) {
	b.Helper()
	load := loadAverage(b)
	bare()
	bot() // the first of each warms it up
	for b.Loop() {
		var throughput, tail, cpu, bareRate, botRate []float64
		for range duelRounds {
			runtime.GC()
			x := bare()
			runtime.GC()
			y := bot()
			cpu = append(cpu, float64(y.cpu)/float64(x.cpu))
			bareRate, botRate = append(bareRate, x.perSecond()), append(botRate, y.perSecond())
			throughput = append(throughput, y.perSecond()/x.perSecond())
			tail = append(tail, float64(y.p99())/float64(x.p99()))
		}
		b.ReportMetric(middle(throughput), "x-throughput")
		b.ReportMetric(middle(tail), "x-p99")
		b.ReportMetric(middle(cpu), "x-cpu")
		b.ReportMetric(0, "ns/op") // many rounds: no figure of its own
		b.Logf("bare %.0f/s, bot %.0f/s: %s of its throughput, %s of its p99, %s of the CPU time with the client's; load average before %s; %s",
			middle(bareRate), middle(botRate), span(throughput), span(tail), span(cpu), load, goals)
	}
}

func middle(list []float64) float64 { return slices.Sorted(slices.Values(list))[len(list)/2] }

// span shows the median, and the least and the most around it.
func span(list []float64) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", middle(list), slices.Min(list), slices.Max(list))
}

// loadAverage is how much others ask of the machine.
func loadAverage(b *testing.B) string {
	b.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		b.Fatal(err)
	}
	return strings.Fields(string(text))[0]
}

// abreast calls send for each lane at once and gathers how long each command
// took.
func abreast(b *testing.B, lanes, count int, send func(lane int) ([]time.Duration, error)) volley {
	b.Helper()
	each := make([][]time.Duration, lanes)
	errs := make([]error, lanes)
	var wg sync.WaitGroup
	start, used := time.Now(), cpuTime(b)
	for i := range lanes {
		wg.Go(func() { each[i], errs[i] = send(i) })
	}
	wg.Wait()
	v := volley{took: time.Since(start), cpu: cpuTime(b) - used, each: slices.Concat(each...)}
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	if len(v.each) != count {
		b.Fatalf("%d of %d commands were acknowledged", len(v.each), count)
	}
	return v
}

// cpuTime is what this process has used of the cores: unlike a throughput it
// hardly feels what else the machine does.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/commands/slack"
)

const (
	atOnce     = 50 // diagnoses
	busyRounds = 3
	busyTime   = 8 * time.Second // less than a diagnosis takes
	busyLanes  = 8               // connections that ask
	askEvery   = 80 * time.Millisecond
	restTime   = 2 * time.Second // without a call, until the bot counts as idle
)

// botJobVariable holds what a process of this test is to be, when it is a bot.
const botJobVariable = "TANDEM_BENCH_BOT"

// botJob is a bot with a process of its own, so that its memory can be told
// from that of who measures.
type botJob struct {
	APIURL string `json:"api_url"`
}

// listening is what the process says when it can be asked.
const listening = "listening "

// runBot is the main function of such a process.
func runBot(job string) int {
	if err := serveBot(job); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serveBot(job string) error {
	var what botJob
	if err := json.Unmarshal([]byte(job), &what); err != nil {
		return err
	}
	patient, err := makePatient()
	if err != nil {
		return err
	}
	bot, err := slack.New(slack.Options{
		BotToken: botToken, APIURL: what.APIURL, Command: slashCommand, Diagnoser: patient,
		HTTP:    slack.HTTP{Listen: "127.0.0.1:0", Secrets: []string{signingSecret}},
		Metrics: prometheus.NewRegistry(), Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for bot.HTTPAddress() == "" {
		select {
		case err := <-ended:
			return errors.Join(err, errors.New("the bot ended before it listened"))
		case <-ticker.C:
		}
	}
	fmt.Println(listening + bot.HTTPAddress())
	return <-ended
}

// BenchmarkBusy takes the acknowledgements of a bot at work on 50 diagnoses,
// which edit their progress and then post what they found, against those of the
// same bot at rest, at the same rate of questions, each of which it answers.
// The goals are less than 3 times the p99, and less than 150 MB at the peak.
func BenchmarkBusy(b *testing.B) {
	s := newStandIn(b)
	bot := startBotProcess(b, s)
	wires := newRange(b, bot.address, busyLanes)
	questions := &asks{people: crowdSize, text: "help", address: s.URL}
	load := loadAverage(b)
	wires.atPace(b, questions, time.Second) // warms up
	for b.Loop() {
		var ratios []float64
		var idle, busy []time.Duration
		for round := range busyRounds {
			s.quiet(b, restTime)
			atRest := wires.atPace(b, questions, busyTime)
			s.quiet(b, restTime)
			s.occupy(b, wires, round*atOnce)
			atWork := wires.atPace(b, questions, busyTime)
			idle, busy = append(idle, atRest...), append(busy, atWork...)
			ratios = append(ratios, float64(p99(atWork))/float64(p99(atRest)))
		}
		s.quiet(b, restTime)
		now, peak := bot.memory(b)
		b.ReportMetric(middle(ratios), "x-p99-idle")
		b.ReportMetric(peak, "peak-MB")
		b.ReportMetric(0, "ns/op") // many rounds: no figure of its own
		b.Logf("p99 at rest %s, with %d diagnoses at work %s (medians %s and %s), %s times; %d progress edits; load average before %s; goal under 3",
			us(p99(idle)), atOnce, us(p99(busy)), us(median(idle)), us(median(busy)), span(ratios), s.counter("chat.update").Load(), load)
		b.Logf("memory of the bot's process: peak %.1f MB, %.1f MB in the end; goal under 150 MB", peak, now)
	}
}

// occupy asks for diagnoses of so many services from one on, each by somebody
// else, and returns when all are at work. Other services are new ones: a
// question that was just answered is not asked of the systems again.
func (s *standIn) occupy(b *testing.B, r *firingRange, from int) {
	b.Helper()
	posts := s.counter("chat.postMessage")
	before := posts.Load()
	for i := from; i < from+atOnce; i++ {
		one := &asks{people: crowdSize, text: fmt.Sprintf("diagnose service-%03d", i), address: s.URL}
		one.made.Store(int64(i) + 1_000_000) // no command is like one that was sent before
		if err := r.wires[0].do(one.request(r.address)); err != nil {
			b.Fatal(err)
		}
	}
	await(b, "every diagnosis has its message", func() bool { return posts.Load()-before >= atOnce })
}

// atPace asks at a steady rate, the connections in turn, and returns how long
// each acknowledgement took.
func (r *firingRange) atPace(b *testing.B, a *asks, d time.Duration) []time.Duration {
	b.Helper()
	count := len(r.wires) * int(d/askEvery)
	return abreast(b, len(r.wires), count, func(i int) ([]time.Duration, error) {
		each := make([]time.Duration, 0, count/len(r.wires))
		time.Sleep(time.Duration(i) * askEvery / time.Duration(len(r.wires)))
		ticker := time.NewTicker(askEvery)
		defer ticker.Stop()
		for range count / len(r.wires) {
			<-ticker.C
			took, err := r.wires[i].send([][]byte{a.request(r.address)})
			if err != nil {
				return nil, err
			}
			each = append(each, took...)
		}
		return each, nil
	}).each
}

// botProcess is a bot with a process of its own.
type botProcess struct {
	*running
	address string
}

func startBotProcess(b *testing.B, s *standIn) *botProcess {
	b.Helper()
	job, err := json.Marshal(botJob{APIURL: s.URL + "/api"})
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), botJobVariable+"="+string(job))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	p := &botProcess{running: &running{cmd: cmd, log: bufio.NewReader(out)}}
	b.Cleanup(func() { p.stop(b) })
	line, err := p.log.ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), listening)
	if !found {
		b.Fatalf("the bot's process says %q, %v", line, err)
	}
	p.address = address
	return p
}

func us(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/commands/slack"
)

// traffic is what people send to the bot while its acknowledgements are
// measured.
type traffic struct {
	name     string
	people   int
	volley   int
	answered bool // every one of them
}

// kinds are both measured at full speed.
//
// In a flood, a few people send as fast as they can. Soon each is over the
// bound of one person's asks, which the acknowledgement itself says: what is
// measured is the way from the socket to the acknowledgement, which the goals
// are about.
//
// When all are answered, many people ask less than that bound, so that the bot
// also composes and posts each answer, while it acknowledges, on the cores that
// it shares with who asks. The baseline answers nothing: the figure tells what
// answering costs, and has no goal.
//
// The client is as lean as it can be and its commands are made and signed before
// the clock runs, but it shares the cores with both sides. Throughputs and times
// of a machine that others use say little; the ratio of the CPU times says more.
func kinds() []traffic {
	return []traffic{
		{name: "flood", people: 8, volley: 4000},
		{name: "all-answered", people: crowdSize, volley: 1000, answered: true},
	}
}

// BenchmarkAck takes the time from a slash command to its acknowledgement.
func BenchmarkAck(b *testing.B) {
	for _, t := range kinds() {
		for _, width := range []int{8, 32} {
			b.Run(fmt.Sprintf("http/%s/%d", t.name, width), func(b *testing.B) { t.overHTTP(b, width) })
			b.Run(fmt.Sprintf("socket/%s/%d", t.name, width), func(b *testing.B) { t.overSocket(b, width) })
		}
	}
}

func (t traffic) goals() string {
	if t.answered {
		return "no goal, since the baseline answers nothing"
	}
	return "goals at least 0.9, at most 2"
}

func (t traffic) asks(s *standIn) *asks {
	return &asks{people: t.people, text: "help", address: s.URL}
}

// startBot runs the bot with what it has in life too: metrics, and a log that
// is written, though to nowhere.
func (t traffic) startBot(b *testing.B, s *standIn, change func(*slack.Options)) *slack.Bot {
	b.Helper()
	opts := slack.Options{
		BotToken: botToken, AppToken: appToken, APIURL: s.URL + "/api", Command: slashCommand,
		Diagnoser: newPatient(b), Metrics: prometheus.NewRegistry(), Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	}
	if t.answered {
		opts.Queue, opts.Patience = t.volley, soon // of a volley nobody is sent away
	}
	if change != nil {
		change(&opts)
	}
	bot, err := slack.New(opts)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Errorf("the bot ended: %v", err)
		}
	})
	return bot
}

// settled returns the volley when all its answers have come, so that nothing of
// it disturbs the next one.
func (t traffic) settled(b *testing.B, s *standIn, v volley) volley {
	b.Helper()
	if !t.answered {
		s.quiet(b, 50*time.Millisecond)
		return v
	}
	await(b, "every command is answered", func() bool { return s.answers.Load() >= int64(len(v.each)) })
	if n := s.answers.Swap(0); n != int64(len(v.each)) {
		b.Fatalf("%d commands, %d answers", len(v.each), n)
	}
	return v
}

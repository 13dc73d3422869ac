package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/commands/slack"
	"tandem/i18n"
	workspace "tandem/lab/slack"
	"tandem/store"
)

const (
	clickers    = 50 // people, each with a request of their own to approve
	clickRounds = 3
	clickRoom   = "C0INCIDENT"
	benchRemedy = "bench-remedy"
	longStep    = 50 * time.Millisecond // between two calls of the remedy that runs meanwhile
)

// BenchmarkClick takes the time from a click on Approve to the answer that the
// voter reads: judged by what the workspace says at that moment, durable in
// SQLite, and told over Slack's own ways. 50 people click in the same instant,
// each for another request, while a remedy that was approved before is carried
// out; and one person alone, without any of that, in the same run. There is no
// goal but that the figure is there.
func BenchmarkClick(b *testing.B) {
	for b.Loop() {
		var alone, together []time.Duration
		for range clickRounds {
			o := openOffice(b)
			alone = append(alone, o.click(b, o.request(b, 0), 0))
			cards := make([]string, clickers)
			var asking sync.WaitGroup
			for i := range cards {
				asking.Go(func() { cards[i] = o.request(b, i) })
			}
			asking.Wait()
			o.keepBusy(b)
			together = append(together, o.clickAll(b, cards)...)
			o.close()
		}
		b.ReportMetric(float64(p99(together).Microseconds())/1000, "p99-ms-50-at-once")
		b.ReportMetric(float64(median(together))/float64(median(alone)), "x-alone")
		b.ReportMetric(0, "ns/op")
		b.Logf("click to answer: alone %s; %d at once with a remedy at work: median %s, p99 %s",
			figures(alone), clickers, ms(median(together)), ms(p99(together)))
	}
}

// office is a bot with approvals in a workspace, in this process.
type office struct {
	workspace *workspace.Server
	service   *approvals.Service
	answers   []<-chan time.Time // by clicker
	stop      func()
	running   chan struct{} // closed when the long remedy has begun
	begun     sync.Once
}

func clicker(i int) string { return fmt.Sprintf("U0CLICK%03d", i) }

func openOffice(b *testing.B) *office {
	b.Helper()
	o := &office{running: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	manifest, err := slack.NewManifest(slashCommand, "")
	if err != nil {
		b.Fatal(err)
	}
	installed, err := json.Marshal(manifest)
	if err != nil {
		b.Fatal(err)
	}
	if o.workspace, err = workspace.Start(ctx, workspace.Config{
		Addr: "127.0.0.1:0", BotToken: botToken, AppToken: appToken, Log: slog.New(slog.DiscardHandler), Manifest: installed,
		People: clickingCrowd(), UserGroups: []workspace.UserGroup{{ID: "S0CROWD001", Handle: "crowd", Name: "Crowd", Users: crowdIDs()}},
		Channels: []workspace.Channel{{ID: clickRoom, Name: "incidents", Members: append(crowdIDs(), "U0TANDEM01", "U0ASKER001")}},
	}); err != nil {
		b.Fatal(err)
	}
	kept, err := store.Open(ctx, store.Options{SQLite: filepath.Join(b.TempDir(), "approvals.db")})
	if err != nil {
		b.Fatal(err)
	}
	o.service, err = approvals.New(approvals.Options{
		Policy: approvals.Policy{
			Risks:   map[approvals.Risk]approvals.Rule{approvals.Low: {Approve: approvals.Who{Groups: []string{"S0CROWD001"}}, Reactions: true}},
			PerHour: 1000,
		},
		Remedies: []approvals.Remedy{o.remedy()}, Store: kept, Leases: kept, Examine: nothingSeen, Replica: "bench",
	})
	if err != nil {
		b.Fatal(err)
	}
	bot, err := slack.New(slack.Options{
		BotToken: botToken, AppToken: appToken, APIURL: o.workspace.URL() + "/api", Command: slashCommand, Diagnoser: newPatient(b),
		Approvals: o.service, Work: func(ctx context.Context) error { return kept.Run(ctx, store.Work{Requests: o.service}) },
		Every: time.Millisecond, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	o.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			b.Errorf("the bot ended: %v", err)
		}
		if err := kept.Close(); err != nil {
			b.Error(err)
		}
		_ = o.workspace.Close()
	}
	await(b, "the bot is connected", func() bool { return bot.Ready() == nil })
	for i := range clickers {
		o.answers = append(o.answers, o.listen(b, clicker(i)))
	}
	return o
}

func (o *office) close() { o.stop() }

func crowdIDs() []string {
	var ids []string
	for i := range clickers {
		ids = append(ids, clicker(i))
	}
	return ids
}

func clickingCrowd() []workspace.Person {
	people := []workspace.Person{{ID: "U0ASKER001", Name: "asker", RealName: "Asker", Email: "asker@example.org", Locale: "en-US"}}
	for _, id := range crowdIDs() {
		name := strings.ToLower(id)
		people = append(people, workspace.Person{ID: id, Name: name, RealName: name, Email: name + "@example.org", Locale: "en-US"})
	}
	return people
}

// remedy makes calls for as long as it is let, when its target is the long one,
// and one call otherwise.
func (o *office) remedy() approvals.Remedy {
	text := i18n.Text{EN: "Turn it off and on", PT: "Desligar e ligar"}
	return approvals.Remedy{
		Name: benchRemedy, Title: text, About: text, Risk: approvals.Low, Repeatable: true, Procedure: true, Settle: time.Second,
		Params: []approvals.Param{{Name: "target", About: text, Required: true}},
		Plan: func(_ context.Context, w approvals.Want) (approvals.Plan, error) {
			return approvals.Plan{
				Target: "bench:" + w.Params["target"], Risk: approvals.Low, Does: text, Blast: text, WayBack: text,
				Calls: []approvals.Call{{System: "bench", What: "POST /off-and-on/" + w.Params["target"]}},
				Basis: []approvals.Fact{{Name: "state", Value: "off"}},
			}, nil
		},
		Execute: func(ctx context.Context, p approvals.Plan, act approvals.Act) error {
			for p.Params["target"] == "long" {
				o.begun.Do(func() { close(o.running) })
				if err := act.Call(ctx, p.Calls[0].What, "bench", paced); err != nil {
					return err
				}
			}
			return act.Call(ctx, p.Calls[0].What, "bench", func(context.Context) (string, error) { return "done", nil })
		},
	}
}

func paced(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(longStep):
		return "done", nil
	}
}

func nothingSeen(context.Context, string, []string) (approvals.Examination, error) {
	return approvals.Examination{}, nil
}

// request asks for a remedy and returns the ts of its card, when the card can be
// voted on.
func (o *office) request(b *testing.B, i int) string {
	b.Helper()
	return o.ask(b, fmt.Sprintf("%d-%d", i, time.Now().UnixNano()))
}

func (o *office) ask(b *testing.B, target string) string {
	b.Helper()
	r, _, err := o.service.Ask(b.Context(), approvals.Ask{
		Remedy: benchRemedy, Service: "service-000", Params: map[string]string{"target": target}, By: "U0ASKER001",
		Via: approvals.ByCommand, Place: approvals.Place{Channel: clickRoom}, Lang: string(i18n.English),
	})
	if err != nil {
		b.Errorf("ask: %v", err)
		return ""
	}
	await(b, "the request has its card", func() bool {
		r, err = o.service.Find(b.Context(), r.ID)
		return err == nil && r.Card.TS != ""
	})
	return r.Card.TS
}

// keepBusy has a remedy at work that does not end by itself.
func (o *office) keepBusy(b *testing.B) {
	b.Helper()
	card := o.ask(b, "long")
	o.click(b, card, 0)
	select {
	case <-o.running:
	case <-time.After(patience):
		b.Fatal("the long remedy does not begin")
	}
}

// click approves as one person, and returns the time to the answer.
func (o *office) click(b *testing.B, card string, i int) time.Duration {
	b.Helper()
	for len(o.answers[i]) > 0 { // of what was said before
		<-o.answers[i]
	}
	began := time.Now()
	outcome := o.workspace.Click(workspace.Click{User: clicker(i), Channel: clickRoom, TS: card, ActionID: "approve"})
	if outcome.Error != "" {
		b.Errorf("click: %s", outcome.Error)
		return 0
	}
	select {
	case at := <-o.answers[i]:
		return at.Sub(began)
	case <-time.After(patience):
		b.Error("a click is not answered")
		return patience
	}
}

func (o *office) clickAll(b *testing.B, cards []string) []time.Duration {
	b.Helper()
	took := make([]time.Duration, len(cards))
	var wg sync.WaitGroup
	for i, card := range cards {
		wg.Go(func() { took[i] = o.click(b, card, i) })
	}
	wg.Wait()
	return took
}

// listen tells when somebody alone is told something.
func (o *office) listen(b *testing.B, user string) <-chan time.Time {
	b.Helper()
	response, err := http.Get(o.workspace.URL() + "/lab/stream?user=" + user)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { response.Body.Close() })
	answers := make(chan time.Time, 64)
	go func() {
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			if text := lines.Text(); strings.Contains(text, `"kind":"message"`) && strings.Contains(text, `"is_ephemeral":true`) {
				select {
				case answers <- time.Now():
				default:
				}
			}
		}
	}()
	return answers
}

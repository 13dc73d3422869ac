package slack

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
)

// outage is a Slack that cannot be reached for a while.
type outage struct {
	from, until time.Time

	mu    sync.Mutex
	tries []time.Time // in vain
	heard []heardCall
}

// heardCall is a call that reached Slack.
type heardCall struct {
	method string
	at     time.Time
	body   string
}

func (o *outage) RoundTrip(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if !now.Before(o.from) && now.Before(o.until) {
		o.tries = append(o.tries, now)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	method := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	o.heard = append(o.heard, heardCall{method, now, string(body)})
	answer := `{"ok":true,"ts":"1.2","channel":"` + incidents + `","user":{"id":"` + bruno + `","team_id":"T1","locale":"en-US"}}`
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}

// after are the calls that reached Slack when it was back.
func (o *outage) after() []heardCall {
	o.mu.Lock()
	defer o.mu.Unlock()
	var calls []heardCall
	for _, c := range o.heard {
		if !c.at.Before(o.until) {
			calls = append(calls, c)
		}
	}
	return calls
}

// askThrough asks for a diagnosis of a minute, of which Slack is away for a time
// from the middle on, and returns how long the bot was at work.
func askThrough(t *testing.T, away time.Duration) (*outage, time.Duration) {
	t.Helper()
	b, err := New(Options{BotToken: botToken, APIURL: "http://slack.test/api", Every: time.Hour, Diagnoser: &fake{
		diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) {
			<-time.After(time.Minute)
			return failReport(), nil
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b.me = identity{name: "tandem", user: "U0TANDEM01", team: "T1"}
	b.people.me = b.me
	began := time.Now()
	o := &outage{from: began.Add(30 * time.Second), until: began.Add(30*time.Second + away)}
	b.web.http.Transport = o
	b.answer(t.Context(), ask{
		origin: bySlash, command: "/vault", text: "diagnose worker", team: "T1", user: bruno, channel: incidents,
		address: "http://slack.test/hooks/1", at: began, ref: "REF",
	})
	took := time.Since(began)
	b.desk.Wait()
	b.tasks.Wait()
	return o, took
}

func TestAVerdictOutlastsTenMinutesWithoutSlack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := askThrough(t, 10*time.Minute)
		after := o.after()
		if len(after) == 0 || after[0].method != methodUpdate || !strings.Contains(after[0].body, "worker") {
			t.Fatalf("when Slack is back it hears %+v, want the verdict first", after)
		}
		if late := after[0].at.Sub(o.until); late > longPause {
			t.Errorf("the verdict comes %s after Slack does", late)
		}
		verdicts := 0
		for _, c := range after {
			if c.method == methodUpdate {
				verdicts++
			}
		}
		if verdicts != 1 || len(o.tries) > 60 {
			t.Errorf("%d verdicts after %d attempts in vain", verdicts, len(o.tries))
		}
	})
}

func TestNothingIsAnsweredAfterHalfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, took := askThrough(t, 40*time.Minute)
		time.Sleep(time.Hour) // Slack is back meanwhile
		synctest.Wait()
		if after := o.after(); len(after) > 0 {
			t.Errorf("it is answered all the same: %+v", after)
		}
		if limit := time.Minute + usefulFor + respondTimeout; took > limit {
			t.Errorf("the bot was at work for %s, want at most %s", took, limit)
		}
	})
}

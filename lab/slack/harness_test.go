package slack

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"go.uber.org/goleak"
)

const (
	testBotToken = "xoxb-test-bot"
	testAppToken = "xapp-test-app"
	incidents    = "C0INCIDENT"
	general      = "C0GENERAL1"
	ana          = "U0ANA00001"
	bruno        = "U0BRUNO001"
	botUser      = "U0TANDEM01"
	// patience is how long a test waits for something that must come.
	patience = 15 * time.Second
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open starts a workspace on a free port; change, when given, alters its configuration first.
func open(t *testing.T, change ...func(*Config)) *Server {
	t.Helper()
	cfg := Config{
		Addr: "127.0.0.1:0", BotToken: testBotToken, AppToken: testAppToken,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// httpClient is a client whose idle connections end with the test.
func httpClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// client is the official client, unmodified.
func client(t *testing.T, s *Server, options ...slackgo.Option) *slackgo.Client {
	t.Helper()
	options = append([]slackgo.Option{
		slackgo.OptionAPIURL(s.URL() + "/api/"), slackgo.OptionHTTPClient(httpClient(t)),
		slackgo.OptionAppLevelToken(testAppToken),
	}, options...)
	return slackgo.New(testBotToken, options...)
}

// app is the official Socket Mode client with a handler, run until the test ends.
type app struct {
	api    *slackgo.Client
	events chan socketmode.Event
}

// connect runs an app that answers every envelope with handle, and waits until the workspace greets it.
func connect(t *testing.T, s *Server, handle func(*socketmode.Client, socketmode.Event)) *app {
	t.Helper()
	a := &app{api: client(t, s), events: make(chan socketmode.Event, 100)}
	sm := socketmode.New(a.api, socketmode.OptionLog(log.New(io.Discard, "", 0)))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	greeted := make(chan struct{}, 10)
	running.Go(func() { _ = sm.RunContext(ctx) })
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-sm.Events:
				if e.Type == socketmode.EventTypeHello {
					greeted <- struct{}{}
				}
				if e.Request != nil && e.Request.EnvelopeID != "" {
					handle(sm, e)
					a.events <- e
				}
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	receive(t, greeted)
	return a
}

// acknowledge is the handler of an app that acknowledges everything with nothing.
func acknowledge(sm *socketmode.Client, e socketmode.Event) {
	_ = sm.Ack(*e.Request)
}

// ignore is the handler of an app that hangs.
func ignore(*socketmode.Client, socketmode.Event) {}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %T came", *new(T))
	}
	panic("unreachable")
}

// eventually waits until what is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !ok(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("never happened: %s", what)
		}
	}
}

// messages are what user sees in the channel; everything when user is empty.
func messages(s *Server, channel, user string) []Message {
	for _, c := range s.State(user).Channels {
		if c.ID == channel {
			return c.Messages
		}
	}
	return nil
}

func last(t *testing.T, s *Server, channel, user string) Message {
	t.Helper()
	all := messages(s, channel, user)
	if len(all) == 0 {
		t.Fatalf("no message in %s for %q", channel, user)
	}
	return all[len(all)-1]
}

func get[T any](t *testing.T, s *Server, path string) T {
	t.Helper()
	resp, err := httpClient(t).Get(s.URL() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var v T
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

package slack

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
)

const testSecret = "8f742231b10e8888abcd99yyyzzz85a5"

// webApp is an app that listens on HTTP and verifies every request with the official verifier.
type webApp struct {
	*httptest.Server
	got    chan received
	answer func(http.ResponseWriter, received)
}

type received struct {
	path   string
	header http.Header
	body   []byte
}

func (r received) form() url.Values {
	v, _ := url.ParseQuery(string(r.body))
	return v
}

// listen starts an app that answers with answer, or with an empty 200 when there is none. Challenges it always echoes.
func listen(t *testing.T, answer func(http.ResponseWriter, received)) *webApp {
	t.Helper()
	a := &webApp{got: make(chan received, 100), answer: answer}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verifier, err := slackgo.NewSecretsVerifier(r.Header, testSecret)
		if err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		body, _ := io.ReadAll(io.TeeReader(r.Body, &verifier))
		if err := verifier.Ensure(); err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		var probe struct{ Type, Challenge string }
		if json.Unmarshal(body, &probe) == nil && probe.Type == "url_verification" {
			_, _ = io.WriteString(w, probe.Challenge)
			return
		}
		rec := received{path: r.URL.Path, header: r.Header.Clone(), body: body}
		if a.answer != nil {
			a.answer(w, rec)
		}
		a.got <- rec
	}))
	t.Cleanup(a.Close)
	return a
}

// overHTTP makes the workspace deliver to a.
func overHTTP(a *webApp) func(*Config) {
	return func(c *Config) {
		c.SigningSecret = testSecret
		c.HTTP = HTTP{CommandsURL: a.URL + "/commands", InteractiveURL: a.URL + "/actions", EventsURL: a.URL + "/events"}
	}
}

func TestCommandOverHTTP(t *testing.T) {
	a := listen(t, nil)
	s := open(t, overHTTP(a))
	if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault diagnose worker & more"}); out.Error != "" {
		t.Fatal(out)
	}
	r := receive(t, a.got)
	req := httptest.NewRequest(http.MethodPost, "/commands", strings.NewReader(string(r.body)))
	req.Header = r.header
	cmd, err := slackgo.SlashCommandParse(req)
	if err != nil || cmd.Command != "/vault" || cmd.Text != "diagnose worker &amp; more" || cmd.UserID != ana || cmd.ResponseURL == "" || cmd.TriggerID == "" {
		t.Errorf("got %+v, %v", cmd, err)
	}
	if got := messages(s, incidents, ""); len(got) != 0 {
		t.Errorf("an empty answer made messages: %+v", got)
	}
	if d := s.State("").Deliveries; len(d) != 1 || d[0].Via != "http" || d[0].Status != 200 || d[0].Type != "/vault" {
		t.Errorf("deliveries %+v", d)
	}
}

func TestImmediateAnswersOverHTTP(t *testing.T) {
	for _, tt := range []struct {
		name, kind, body string
		status           int
		reads, failure   string
		all              bool
	}{
		{"plain text", "text/plain", "hello", 200, "hello", "", false},
		{"json", "application/json; charset=utf-8", `{"text":"hi"}`, 200, "hi", "", false},
		{"in channel", "application/json", `{"text":"hi","response_type":"in_channel"}`, 200, "hi", "", true},
		{"not json", "application/json", `{`, 200, `/vault failed with the error "invalid_payload"`, "invalid_payload", false},
		{"4xx", "text/plain", "no", 404, `/vault failed with the error "http_client_error"`, "http_client_error", false},
		{"5xx", "text/plain", "no", 503, `/vault failed with the error "http_service_error"`, "http_service_error", false},
		{"202", "text/plain", "no", 202, `/vault failed with the error "http_client_error"`, "http_client_error", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := listen(t, func(w http.ResponseWriter, _ received) {
				w.Header().Set("Content-Type", tt.kind)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			s := open(t, overHTTP(a))
			if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}); out.Error != tt.failure {
				t.Errorf("outcome %+v", out)
			}
			if m := last(t, s, incidents, ana); m.Text != tt.reads {
				t.Errorf("Ana reads %q", m.Text)
			}
			if n := len(messages(s, incidents, bruno)); (n == 1) != tt.all {
				t.Errorf("Bruno sees %d messages", n)
			}
		})
	}
}

func TestAnAppThatIsSlowOrGoneOverHTTP(t *testing.T) {
	release := make(chan struct{})
	a := listen(t, func(http.ResponseWriter, received) { <-release })
	s := open(t, overHTTP(a), ackWithin("50ms"))
	say := Said{User: "ana", Channel: "incidents", Text: "/vault help"}
	if out := s.Say(say); out.Error != "operation_timeout" {
		t.Errorf("slow: %+v", out)
	}
	close(release)
	a.Close()
	if out := s.Say(say); out.Error != "dispatch_failed" {
		t.Errorf("gone: %+v", out)
	}
}

func TestEventsOverHTTPAreRedelivered(t *testing.T) {
	var seen atomic.Int32
	a := listen(t, func(w http.ResponseWriter, _ received) {
		if seen.Add(1) < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	s := open(t, overHTTP(a), func(c *Config) { c.EventRetries = []string{"0s", "1ms", "1ms"} })
	if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem hello"}); out.Error != "http_service_error" {
		t.Errorf("the first delivery: %+v", out)
	}
	var ids []string
	for attempt := range 3 {
		r := receive(t, a.got)
		num, reason := r.header.Get("X-Slack-Retry-Num"), r.header.Get("X-Slack-Retry-Reason")
		if want := []string{"", "1", "2"}[attempt]; num != want || (attempt > 0) != (reason == "http_error") {
			t.Errorf("delivery %d: %q because of %q", attempt, num, reason)
		}
		e, err := slackevents.ParseEvent(r.body, slackevents.OptionNoVerifyToken())
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.Data.(*slackevents.EventsAPICallbackEvent).EventID)
	}
	if len(slices.Compact(ids)) != 1 {
		t.Errorf("event ids %q", ids)
	}
}

func TestNoRetryIsHonoured(t *testing.T) {
	a := listen(t, func(w http.ResponseWriter, r received) {
		if strings.Contains(string(r.body), "first") {
			w.Header().Set("X-Slack-No-Retry", "1")
			w.WriteHeader(http.StatusNotFound)
		}
	})
	s := open(t, overHTTP(a), func(c *Config) { c.EventRetries = []string{"0s"} })
	s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem first"})
	s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem second"})
	receive(t, a.got)
	if r := receive(t, a.got); !strings.Contains(string(r.body), "second") {
		t.Errorf("redelivered: %s", r.body)
	}
}

// TestChallenge checks that no event reaches an address that has not proved itself.
func TestChallenge(t *testing.T) {
	var honest atomic.Bool
	var events, challenges atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Type, Challenge string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.Type != "url_verification" {
			events.Add(1)
			return
		}
		challenges.Add(1)
		if honest.Load() {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]string{"challenge": body.Challenge})
		}
	}))
	t.Cleanup(srv.Close)
	s := open(t, func(c *Config) { c.SigningSecret, c.EventRetries = testSecret, []string{} })
	to := Delivery{Mode: "http", HTTP: HTTP{EventsURL: srv.URL}}
	if out := s.Rewire(to); out.Error != "url_verification_failed" {
		t.Errorf("rewire: %+v", out)
	}
	mention := Said{User: "ana", Channel: "incidents", Text: "@tandem hello"}
	if out := s.Say(mention); out.Error != "url_verification_failed" || events.Load() != 0 {
		t.Errorf("unproved: %+v, %d events", out, events.Load())
	}
	honest.Store(true)
	for range 2 {
		if out := s.Say(mention); out.Error != "" {
			t.Errorf("proved: %+v", out)
		}
	}
	if events.Load() != 2 || challenges.Load() != 3 {
		t.Errorf("%d events, %d challenges", events.Load(), challenges.Load())
	}
}

func TestRewire(t *testing.T) {
	a := listen(t, nil)
	s := open(t, func(c *Config) { c.SigningSecret = testSecret })
	say := Said{User: "ana", Channel: "incidents", Text: "/vault help"}
	if out := s.Say(say); out.Error != "dispatch_failed" {
		t.Errorf("before: %+v", out)
	}
	status, out := request(t, s, http.MethodPut, "/lab/app", `{"delivery":"http","commands_url":"`+a.URL+`"}`)
	if status != http.StatusOK || out.Error != "" {
		t.Fatal(status, out)
	}
	if out := s.Say(say); out.Error != "" {
		t.Errorf("after: %+v", out)
	}
	if d := s.State("").Delivery; d.Mode != "http" || d.CommandsURL != a.URL {
		t.Errorf("state says %+v", d)
	}
	for body, want := range map[string]string{
		`{"delivery":"pigeon"}`: "neither", `{"events_url":"ftp://x"}`: "not an http",
	} {
		if _, out := request(t, s, http.MethodPut, "/lab/app", body); !strings.Contains(out.Error, want) {
			t.Errorf("%s: %+v", body, out)
		}
	}
}

func TestHTTPNeedsASecret(t *testing.T) {
	if out := open(t).Rewire(Delivery{Mode: "http"}); !strings.Contains(out.Error, "signing_secret") {
		t.Errorf("got %+v", out)
	}
}

// TestInteractionsOverHTTP follows a click that opens a modal, and its submission, which the app answers at once.
func TestInteractionsOverHTTP(t *testing.T) {
	a := listen(t, func(w http.ResponseWriter, r received) {
		if strings.Contains(r.form().Get("payload"), `"view_submission"`) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(slackgo.NewErrorsViewSubmissionResponse(map[string]string{"text": "Not this one."}))
		}
	})
	s := open(t, overHTTP(a))
	api := client(t, s)
	_, ts, err := api.PostMessage(incidents, slackgo.MsgOptionBlocks(card()...))
	if err != nil {
		t.Fatal(err)
	}
	if out := s.Click(Click{User: "bruno", Channel: "incidents", TS: ts, ActionID: "fix"}); out.Error != "" {
		t.Fatal(out)
	}
	cb := interaction(t, a)
	if cb.Type != slackgo.InteractionTypeBlockActions || cb.User.ID != bruno || cb.Message.Timestamp != ts {
		t.Errorf("got %+v", cb)
	}
	v, err := s.viewsOpen(call{args: args{"trigger_id": quoted(cb.TriggerID), "view": json.RawMessage(form)}})
	if err != nil {
		t.Fatal(err)
	}
	out := s.Submit(Submit{
		User: "bruno", ViewID: v["view"].(View).ID, Values: map[string]map[string]any{"menu": {"menu": "1"}},
	})
	if out.Errors["text"] != "Not this one." {
		t.Errorf("got %+v", out)
	}
	if cb := interaction(t, a); cb.View.State.Values["menu"]["menu"].SelectedOption.Value != "1" {
		t.Errorf("got %+v", cb.View.State)
	}
}

// interaction is the next interaction that the app got, parsed as the official client does.
func interaction(t *testing.T, a *webApp) slackgo.InteractionCallback {
	t.Helper()
	r := receive(t, a.got)
	req := httptest.NewRequest(http.MethodPost, "/actions", strings.NewReader(string(r.body)))
	req.Header = r.header
	cb, err := slackgo.InteractionCallbackParse(req)
	if err != nil {
		t.Fatal(err)
	}
	return cb
}

// TestRetryReasons checks Slack's words for each way in which an app fails an event.
func TestRetryReasons(t *testing.T) {
	s := open(t, func(c *Config) { c.SigningSecret, c.Delivery = testSecret, "http" })
	for want, err := range map[string]error{
		"http_timeout": errNoAck, "connection_failed": errNotConnected, "http_error": &httpError{status: 500},
	} {
		if got := s.retryReason(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	a := listen(t, func(w http.ResponseWriter, r received) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	s := open(t, overHTTP(a))
	if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}); out.Error != "http_client_error" {
		t.Errorf("got %+v", out)
	}
	if r := receive(t, a.got); r.path != "/commands" || len(a.got) != 0 {
		t.Errorf("it went to %s", r.path)
	}
}

package slack

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
)

// set makes the weather of one JSON text.
func set(t *testing.T, s *Server, faults string) {
	t.Helper()
	if status, out := post(t, s, "/lab/faults", faults); status != http.StatusOK || out.Error != "" {
		t.Fatalf("%s: %d %+v", faults, status, out)
	}
}

func TestMethodFaults(t *testing.T) {
	s := open(t)
	api := client(t, s)
	say := func() error {
		_, _, err := api.PostMessage(incidents, text("hello"))
		return err
	}
	var limited *slackgo.RateLimitedError
	var status slackgo.StatusCodeError
	for _, tt := range []struct {
		name, fault string
		ok          func(error) bool
		posted      int
	}{
		{"429 with Retry-After", `"status":429,"retry_after":2`, func(err error) bool { return errors.As(err, &limited) && limited.RetryAfter.Seconds() == 2 }, 0},
		{"429 without", `"status":429`, func(err error) bool { return errors.As(err, &status) && status.Code == 429 }, 0},
		{"200 ratelimited", `"error":"ratelimited"`, func(err error) bool { return refusal(t, err) == "ratelimited" }, 0},
		{"500", `"status":500`, func(err error) bool { return errors.As(err, &status) && status.Code == 500 }, 0},
		{"lost answer", `"error":"internal_error","after_effect":true`, func(err error) bool { return refusal(t, err) == "internal_error" }, 1},
		{"dropped", `"drop":true`, func(err error) bool { return err != nil && strings.Contains(err.Error(), "EOF") }, 0},
		{"dropped afterwards", `"drop":true,"after_effect":true`, func(err error) bool { return err != nil }, 1},
		{"only late", `"delay":"1ms"`, func(err error) bool { return err == nil }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(messages(s, incidents, ""))
			set(t, s, `{"methods":[{"method":"chat.postMessage","times":1,`+tt.fault+`}]}`)
			if err := say(); !tt.ok(err) {
				t.Errorf("got %v", err)
			}
			if n := len(messages(s, incidents, "")) - before; n != tt.posted {
				t.Errorf("%d messages were posted", n)
			}
			if err := say(); err != nil {
				t.Errorf("the fault stayed: %v", err)
			}
		})
	}
}

func TestFaultsAreShownCountedAndCleared(t *testing.T) {
	s := open(t)
	api := client(t, s)
	set(t, s, `{"methods":[{"method":"*","status":503,"times":2}],"events":{"lose":3}}`)
	_, _ = api.AuthTest()
	if f := get[Faults](t, s, "/lab/faults"); f.Methods[0].Times != 1 || f.Events.Lose != 3 {
		t.Errorf("left: %+v", f)
	}
	if _, out := request(t, s, http.MethodDelete, "/lab/faults", ""); out.Error != "" {
		t.Fatal(out)
	}
	if _, err := api.AuthTest(); err != nil {
		t.Errorf("after clearing: %v", err)
	}
	if c := s.State("").Calls; c[0].Error != "HTTP 503" {
		t.Errorf("calls: %+v", c)
	}
	for _, wrong := range []string{`{"link":"maybe"}`, `{"methods":[{"method":"*","delay":"soon"}]}`, `{"methods":[{"status":500}]}`, `{"methods":[{"method":"chat.updat","status":500}]}`} {
		if _, out := post(t, s, "/lab/faults", wrong); out.Error == "" {
			t.Errorf("%s was taken", wrong)
		}
	}
}

func TestResponseURLAndUploadFail(t *testing.T) {
	s := open(t)
	address := commandURL(t, s)
	set(t, s, `{"methods":[{"method":"response_url","status":500,"times":1},{"method":"upload","status":500,"times":1}]}`)
	resp, err := httpClient(t).Post(address, "application/json", strings.NewReader(`{"text":"a"}`))
	if err != nil || resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("response_url: %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	upload := slackgo.UploadFileParameters{Filename: "a.txt", FileSize: 1, Content: "a", Channel: incidents}
	if _, err := client(t, s).UploadFile(upload); err == nil {
		t.Error("the upload did not fail")
	}
	if _, err := client(t, s).UploadFile(upload); err != nil {
		t.Errorf("the second upload: %v", err)
	}
}

func TestEventFaults(t *testing.T) {
	for _, tt := range []struct {
		fault string
		want  []string // the texts that arrive
		ids   int      // how many event ids they have
	}{
		{"lose", []string{"two", "three"}, 2},
		{"duplicate", []string{"one", "one", "two", "three"}, 4},
		{"repeat", []string{"one", "one", "two", "three"}, 3},
		{"reorder", []string{"two", "one", "three"}, 3},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			s := open(t)
			a := connect(t, s, acknowledge)
			set(t, s, `{"events":{"`+tt.fault+`":1}}`)
			for _, word := range []string{"one", "two", "three"} {
				if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem " + word}); out.Error != "" {
					t.Fatal(out)
				}
			}
			ids := map[string]bool{}
			for _, want := range tt.want {
				e := receive(t, a.events).Data.(slackevents.EventsAPIEvent)
				ids[e.Data.(*slackevents.EventsAPICallbackEvent).EventID] = true
				if got := e.InnerEvent.Data.(*slackevents.AppMentionEvent).Text; !strings.HasSuffix(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			if len(ids) != tt.ids || len(a.events) != 0 {
				t.Errorf("%d ids, %d more events", len(ids), len(a.events))
			}
		})
	}
}

// TestHeldEventsAreNotForgotten checks that an event held for reordering comes when the weather clears.
func TestHeldEventsAreNotForgotten(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	set(t, s, `{"events":{"reorder":1}}`)
	s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem one"})
	set(t, s, `{}`)
	if m := inner[*slackevents.AppMentionEvent](t, a); !strings.HasSuffix(m.Text, "one") {
		t.Errorf("got %+v", m)
	}
}

func TestSlackUnreachable(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	set(t, s, `{"down":true}`)
	eventually(t, "the websocket is cut", func() bool { return s.State("").Connections == 0 })
	if _, err := client(t, s).AuthTest(); err == nil {
		t.Error("the API answers")
	}
	if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}); out.Error != "dispatch_failed" {
		t.Errorf("a command: %+v", out)
	}
	set(t, s, `{}`)
	eventually(t, "the client comes back", func() bool { return s.State("").Connections == 1 })
	if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}); out.Error != "" {
		t.Errorf("afterwards: %+v", out)
	}
	receive(t, a.events)
}

func TestLinkRefused(t *testing.T) {
	s := open(t)
	connect(t, s, acknowledge)
	set(t, s, `{"link":"refuse"}`)
	eventually(t, "the websocket is cut", func() bool { return s.State("").Connections == 0 })
	if _, _, err := client(t, s).StartSocketModeContext(t.Context()); err == nil {
		t.Error("a new connection was opened")
	}
	if _, err := client(t, s).AuthTest(); err != nil {
		t.Errorf("the API is gone, too: %v", err)
	}
	set(t, s, `{}`)
	eventually(t, "the client comes back", func() bool { return s.State("").Connections == 1 })
}

// TestReasonsToGo checks what an app with one websocket reads of each.
func TestReasonsToGo(t *testing.T) {
	for _, reason := range []string{"warning", "refresh_requested", "link_disabled", "too_many_websockets"} {
		t.Run(reason, func(t *testing.T) {
			s := open(t, ackWithin("50ms"))
			ws := dial(t, s, nil)
			var frame struct{ Type, Reason string }
			readFrame(t, ws, &frame)
			if out := s.Socket(SocketAction{Action: reason}); out.Error != "" {
				t.Fatal(out)
			}
			readFrame(t, ws, &frame)
			if frame.Type != "disconnect" || frame.Reason != reason {
				t.Errorf("got %+v", frame)
			}
			want, usable := "dispatch_failed", 0
			if reason == "warning" {
				want, usable = "operation_timeout", 1 // it is still in use; this test does not acknowledge
			}
			if n := s.State("").Connections; n != usable {
				t.Errorf("%d connections are left to use, want %d", n, usable)
			}
			if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}); out.Error != want {
				t.Errorf("a command afterwards: %+v", out)
			}
		})
	}
}

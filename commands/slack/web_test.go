package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
)

// scripted is a Web API that gives the answers of a test, one a request, and a
// web whose clock only moves when it waits.
func scripted(t *testing.T, answers ...http.HandlerFunc) (w *web, asked *atomic.Int32, waits *[]time.Duration) {
	t.Helper()
	asked, waits = &atomic.Int32{}, &[]time.Duration{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		answers[min(int(asked.Add(1)), len(answers))-1](rw, r)
	}))
	t.Cleanup(server.Close)
	now := noon
	w = newWeb(Options{BotToken: botToken, AppToken: appToken, APIURL: server.URL, Now: func() time.Time { return now }}.withDefaults())
	w.wait = func(ctx context.Context, d time.Duration) error {
		if d > 0 {
			*waits = append(*waits, d)
			now = now.Add(d)
		}
		return context.Cause(ctx)
	}
	t.Cleanup(w.close)
	return w, asked, waits
}

func answers(status int, header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestCallsAreRepeatedOnlyWhereThatIsSafe(t *testing.T) {
	fine := answers(200, "", `{"ok":true,"ts":"1.2"}`)
	limited := answers(429, "Retry-After: 7", "")
	broken := answers(503, "", "<html>")
	type doing func(context.Context, *web) error
	post := func(ctx context.Context, w *web) error {
		_, err := w.post(ctx, incidents, "", drawNotice("!", "x"))
		return err
	}
	edit := func(ctx context.Context, w *web) error { return w.update(ctx, incidents, "1.2", drawNotice("!", "x")) }
	ask := func(ctx context.Context, w *web) error {
		_, err := w.permalink(ctx, incidents, "1.2")
		return err
	}
	glance := func(ctx context.Context, w *web) error {
		_, err := w.glance(ctx, incidents, "1.2", drawNotice("!", "x"))
		return err
	}
	for name, c := range map[string]struct {
		do      doing
		answers []http.HandlerFunc
		asked   int
		waits   []time.Duration
		fails   bool
	}{
		"a post waits as long as Slack says": {post, []http.HandlerFunc{limited, fine}, 2, []time.Duration{7 * time.Second}, false},
		"twice if need be":                   {post, []http.HandlerFunc{limited, limited, fine}, 3, []time.Duration{7 * time.Second, 7 * time.Second}, false},
		"ratelimited in words":               {edit, []http.HandlerFunc{answers(200, "", `{"ok":false,"error":"ratelimited"}`), fine}, 2, []time.Duration{throttledPause}, false},
		"429 without a time":                 {edit, []http.HandlerFunc{answers(429, "", ""), fine}, 2, []time.Duration{throttledPause}, false},
		"not for ever":                       {edit, []http.HandlerFunc{limited}, maxTries, slices.Repeat([]time.Duration{7 * time.Second}, maxTries-1), true},
		"a post is not repeated blindly":     {post, []http.HandlerFunc{broken, fine}, 1, nil, true},
		"a question is":                      {ask, []http.HandlerFunc{broken, fine}, 2, []time.Duration{repeatPause}, false},
		"but once":                           {ask, []http.HandlerFunc{broken}, 2, []time.Duration{repeatPause}, true},
		"an edit is until it is done":        {edit, []http.HandlerFunc{broken, broken, fine}, 3, slices.Repeat([]time.Duration{repeatPause}, 2), false},
		"a refusal is final":                 {edit, []http.HandlerFunc{answers(200, "", `{"ok":false,"error":"is_archived"}`), fine}, 1, nil, true},
		"progress never waits":               {glance, []http.HandlerFunc{limited, fine}, 1, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			w, asked, waits := scripted(t, c.answers...)
			err := c.do(t.Context(), w)
			if (err != nil) != c.fails || int(asked.Load()) != c.asked || !slices.Equal(*waits, c.waits) {
				t.Errorf("error %v, asked %d times, waited %v; want an error: %v, %d times, %v", err, asked.Load(), *waits, c.fails, c.asked, c.waits)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error tells a token: %v", err)
			}
		})
	}
}

func TestProgressIsLeftOutWhileSlackWantsPatience(t *testing.T) {
	w, asked, _ := scripted(t, answers(429, "Retry-After: 30", ""), answers(200, "", `{"ok":true}`))
	_, _ = w.glance(t.Context(), incidents, "1.2", drawNotice("!", "x"))
	if tried, err := w.glance(t.Context(), incidents, "1.2", drawNotice("!", "y")); tried || err != nil || asked.Load() != 1 {
		t.Errorf("asked %d times, %v; want once until Retry-After is over", asked.Load(), err)
	}
}

func TestAStopEndsTheWait(t *testing.T) {
	w, _, _ := scripted(t, answers(429, "Retry-After: 3600", ""))
	w.wait = sleep
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(errStopping) })
	if err := w.update(ctx, incidents, "1.2", drawNotice("!", "x")); !errors.Is(err, errStopping) {
		t.Errorf("got %v, want the cause of the stop", err)
	}
}

func TestTheResponseAddressIsInNoError(t *testing.T) {
	w, _, _ := scripted(t, answers(500, "", ""))
	w.wait = sleep // where nothing listens it is tried again and again
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, address := range []string{closed.URL + "/canary", "::canary", "http://127.0.0.1:1/canary"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := w.respond(ctx, address, "", drawNotice("!", "x"))
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAnAnswerThatSendsTheTokenElsewhereIsNotFollowed(t *testing.T) {
	w, asked, _ := scripted(t, answers(307, "Location: /elsewhere", ""))
	if _, err := w.whoAmI(t.Context()); err == nil || asked.Load() != 1 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
}

func TestTroubleIsNamedAndSorted(t *testing.T) {
	refused := func(code string) error { return fmt.Errorf("call: %w", slackgo.SlackErrorResponse{Err: code}) }
	for _, c := range []struct {
		err      error
		code     string
		hopeless bool
		passing  bool
	}{
		{refused("invalid_auth"), "invalid_auth", true, false},
		{refused("token_expired"), "token_expired", true, false},
		{refused("missing_scope"), "missing_scope", true, false},
		{refused("account_inactive"), "account_inactive", true, false},
		{refused("team_access_not_granted"), "team_access_not_granted", true, false},
		{refused("not_in_channel"), "not_in_channel", false, false},
		{refused("internal_error"), "internal_error", false, true},
		{slackgo.StatusCodeError{Code: 404}, "http_404", true, false},
		{slackgo.StatusCodeError{Code: 502}, "http_502", false, true},
		{&slackgo.RateLimitedError{RetryAfter: time.Second}, "ratelimited", false, true},
		{errors.New("connection refused"), "no_answer", false, true},
		{context.Canceled, "no_answer", false, false},
	} {
		next, hopeless := neverLets(c.err)
		if troubleCode(c.err) != c.code || hopeless != c.hopeless || passing(c.err) != c.passing || hopeless != (next != "") {
			t.Errorf("%v: code %s, hopeless %v (%s), passing %v", c.err, troubleCode(c.err), hopeless, next, passing(c.err))
		}
	}
}

func TestUndeliveredAnswersSayTheNextStep(t *testing.T) {
	bot := &Bot{me: identity{name: "tandem"}}
	for code, want := range map[string]string{
		"not_in_channel":    "/invite @tandem",
		"channel_not_found": "/invite @tandem",
		"is_archived":       "archived",
		"restricted_action": "administrator",
		"missing_scope":     "chat:write",
		"fatal_error":       "(fatal_error), ref K7PQ2M4X",
	} {
		err := slackgo.SlackErrorResponse{Err: code, Needed: "chat:write"}
		if got := bot.whyUndelivered(ask{ref: "K7PQ2M4X"}, wordsIn(t, "en"), err); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}

package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/watches"
)

const canary = "canary-token-of-alertmanager"

// desk keeps what was heard, or refuses to.
type desk struct {
	heard []watches.Watch
	err   error
}

func (d *desk) hear(_ context.Context, w watches.Watch) error {
	if d.err == nil {
		d.heard = append(d.heard, w)
	}
	return d.err
}

func receiver(t *testing.T, d *desk, change ...func(*Options)) *Receiver {
	t.Helper()
	o := Options{
		Token: func() (string, error) { return canary, nil }, Heard: d.hear, Channel: "C1", Lang: "en",
		Labels: []string{"service", "job"}, Services: map[string]string{"VaultSealed": "orchestrator"},
		Known: []string{"orchestrator", "worker"}, Alerts: []*regexp.Regexp{regexp.MustCompile("^(Vault|Spiffe)")},
	}
	for _, f := range change {
		f(&o)
	}
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// send sends a body as Alertmanager does, and returns the answer.
func send(r *Receiver, body []byte, change ...func(*http.Request)) (int, string) {
	req := httptest.NewRequest(http.MethodPost, "/alertmanager", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+canary)
	req.Header.Set("User-Agent", "Alertmanager/0.28.1")
	for _, f := range change {
		f(req)
	}
	answer := httptest.NewRecorder()
	r.ServeHTTP(answer, req)
	return answer.Code, strings.TrimSpace(answer.Body.String())
}

// golden is a notification as Alertmanager 0.28 sends it.
func golden(t *testing.T) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/firing.json")
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestItHearsWhatFires(t *testing.T) {
	d := &desk{}
	status, text := send(receiver(t, d), golden(t))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	began := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	group := `{}/{severity="critical"}:{alertname="VaultRequestsFail"}`
	want := []watches.Watch{
		{Service: "worker", Channel: "C1", By: "alertmanager", Lang: "en", Alert: &watches.Alert{
			Group: group, Names: []string{"VaultRequestsFail"}, Summary: "60% of the requests of worker to Vault fail",
			Labels: []string{"service", "job"}, Began: began,
		}},
		{Channel: "C1", By: "alertmanager", Lang: "en", Alert: &watches.Alert{
			Group: group, Names: []string{"VaultRequestsFail"}, Summary: "61% of the requests of gateway to Vault fail", Service: "gateway",
			Labels: []string{"service", "job"}, Known: []string{"orchestrator", "worker"}, Began: began.Add(time.Minute),
		}},
		{Service: "orchestrator", Channel: "C1", By: "alertmanager", Lang: "en", Alert: &watches.Alert{
			Group: group, Names: []string{"VaultSealed"}, Summary: "sealed", Labels: []string{"service", "job"}, Began: began,
			Resolved: true,
		}},
	}
	if diff := cmp.Diff(want, d.heard); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestItSaysWhyItRefuses(t *testing.T) {
	edit := func(key string, value any) []byte {
		var p map[string]any
		if err := json.Unmarshal(golden(t), &p); err != nil {
			t.Fatal(err)
		}
		p[key] = value
		body, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	many := make([]map[string]any, maxAlerts+1)
	for name, c := range map[string]struct {
		body   []byte
		change func(*http.Request)
		status int
		text   string
	}{
		"no token":        {golden(t), func(r *http.Request) { r.Header.Del("Authorization") }, 401, "authorization.credentials"},
		"another token":   {golden(t), header("Authorization", "Bearer "+canary+"x"), 401, "authorization.credentials"},
		"a prefix":        {golden(t), header("Authorization", "Bearer "+canary[:5]), 401, "authorization.credentials"},
		"another scheme":  {golden(t), header("Authorization", "Basic "+canary), 401, "authorization.credentials"},
		"GET":             {nil, func(r *http.Request) { r.Method = http.MethodGet }, 405, "POST"},
		"a form":          {golden(t), header("Content-Type", "application/x-www-form-urlencoded"), 415, "application/json"},
		"no kind":         {golden(t), func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "application/json"},
		"no JSON":         {[]byte("<html>"), nil, 400, "not the JSON"},
		"half of it":      {golden(t)[:200], nil, 400, "not the JSON"},
		"empty":           {nil, nil, 400, "not the JSON"},
		"version 3":       {edit("version", "3"), nil, 400, `version "3"`},
		"no group":        {edit("groupKey", ""), nil, 400, "groupKey"},
		"another status":  {edit("status", "odd"), nil, 400, "status"},
		"no alerts":       {edit("alerts", []any{}), nil, 400, "alerts"},
		"too many alerts": {edit("alerts", many), nil, 413, "max_alerts"},
		"too large":       {bytes.Repeat([]byte(" "), MaxBody+1), nil, 413, "1 MiB"},
		"breaks off":      {nil, func(r *http.Request) { r.Body = io.NopCloser(&broken{}) }, 400, "broke off"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{}
			counted := 0
			r := receiver(t, d, func(o *Options) { o.Answered = func(status int) { counted = status } })
			change := c.change
			if change == nil {
				change = func(*http.Request) {}
			}
			status, text := send(r, c.body, change)
			if status != c.status || !strings.Contains(text, c.text) || strings.Contains(text, canary) {
				t.Errorf("%d %q, want %d with %q", status, text, c.status, c.text)
			}
			if len(d.heard) > 0 {
				t.Errorf("it heard %+v all the same", d.heard)
			}
			if counted != c.status {
				t.Errorf("counted %d", counted)
			}
		})
	}
}

type broken struct{}

func (*broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestItAsksForARepeatWhenNothingIsKept holds that Alertmanager sends again what
// the database did not take, and what nobody could authenticate.
func TestItAsksForARepeatWhenNothingIsKept(t *testing.T) {
	r := receiver(t, &desk{err: errors.New("the disk is full")})
	if status, text := send(r, golden(t)); status != http.StatusServiceUnavailable || !strings.Contains(text, "database") || strings.Contains(text, "disk") {
		t.Errorf("%d %s", status, text)
	}
	r = receiver(t, &desk{}, func(o *Options) { o.Token = func() (string, error) { return "", errors.New(canary) } })
	if status, text := send(r, golden(t)); status != http.StatusServiceUnavailable || strings.Contains(text, canary) {
		t.Errorf("%d %s", status, text)
	}
	r = receiver(t, &desk{err: watches.ErrTooMany}) // which is not better when it is sent again
	if status, text := send(r, golden(t)); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
}

// TestTextsOfOthersAreCut holds that labels and annotations are short, on one
// line, and hold no secrets.
func TestTextsOfOthersAreCut(t *testing.T) {
	d := &desk{}
	secret := "hvs." + strings.Repeat("CAESIJ1234567890abcdefgh", 2)
	long := strings.Repeat("é", 10_000)
	body, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": long, "status": "firing",
		"alerts": []any{map[string]any{
			"status": "firing", "labels": map[string]string{"alertname": "Vault" + long, "job": long},
			"annotations": map[string]string{"summary": "one\ntwo token=" + secret + " " + long},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, text := send(receiver(t, d), body); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	a := d.heard[0].Alert
	for _, text := range []string{a.Group, a.Summary, a.Names[0], a.Service} {
		if n := len([]rune(text)); n > maxText || strings.Contains(text, secret) || strings.ContainsAny(text, "\n\r") {
			t.Errorf("%d characters: %q", n, text)
		}
	}
	if !strings.HasPrefix(a.Summary, "one two ") {
		t.Errorf("the summary became %q", a.Summary)
	}
}

func TestServicesOfOneGroupAreBounded(t *testing.T) {
	d := &desk{}
	var known []string
	var alerts []any
	for i := range maxServices + 5 {
		known = append(known, fmt.Sprint("s", i))
		alerts = append(alerts, map[string]any{"status": "firing", "labels": map[string]string{"alertname": "VaultDown", "job": fmt.Sprint("S", i)}})
	}
	body, err := json.Marshal(map[string]any{"version": "4", "groupKey": "g", "status": "firing", "alerts": alerts})
	if err != nil {
		t.Fatal(err)
	}
	send(receiver(t, d, func(o *Options) { o.Known = known }), body)
	if len(d.heard) != maxServices {
		t.Errorf("%d services are looked at", len(d.heard))
	}
}

func FuzzNotification(f *testing.F) {
	body, err := os.ReadFile("testdata/firing.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"version":"4","groupKey":"g","status":"resolved","alerts":[{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d := &desk{}
		status, _ := send(receiver(t, d), body)
		if status != 200 && status != 400 && status != 413 {
			t.Errorf("status %d", status)
		}
		for _, w := range d.heard {
			for _, text := range append([]string{w.Alert.Summary, w.Alert.Service}, w.Alert.Names...) {
				if len([]rune(text)) > maxText || strings.ContainsAny(text, "\n\r\t") {
					t.Errorf("%q is told", text)
				}
			}
		}
	})
}

package slack

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func post(t *testing.T, s *Server, path, body string, headers ...string) (int, Outcome) {
	t.Helper()
	return request(t, s, http.MethodPost, path, body, headers...)
}

func request(t *testing.T, s *Server, method, path, body string, headers ...string) (int, Outcome) {
	t.Helper()
	req, err := http.NewRequest(method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := httpClient(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out Outcome
	_ = json.Unmarshal(raw, &out)
	return resp.StatusCode, out
}

func TestLabOverHTTP(t *testing.T) {
	s := open(t)
	connect(t, s, acknowledge)
	if _, out := post(t, s, "/lab/say", `{"user":"ana","channel":"#incidents","text":"/vault diagnose worker"}`); out.Error != "" || out.AckMS <= 0 {
		t.Errorf("say: %+v", out)
	}
	_, said := post(t, s, "/lab/say", `{"user":"@ana","channel":"incidents","text":"hello"}`)
	if _, out := post(t, s, "/lab/react", `{"user":"bruno","channel":"incidents","ts":"`+said.TS+`","reaction":"eyes"}`); out.Error != "" {
		t.Errorf("react: %+v", out)
	}
	if _, out := post(t, s, "/lab/click", `{"user":"bruno","channel":"incidents","ts":"`+said.TS+`","action_id":"x"}`); out.Error != "action_not_found" {
		t.Errorf("click: %+v", out)
	}
	if status, out := post(t, s, "/lab/say", `{"who":"ana"}`); status != http.StatusBadRequest || !strings.Contains(out.Error, "who") {
		t.Errorf("an unknown field: %d %+v", status, out)
	}
	snap := get[Snapshot](t, s, "/lab/state?user=bruno")
	if m := snap.Channels[0].Messages; len(m) != 1 || m[0].Text != "hello" || m[0].Reactions[0].Name != "eyes" || len(snap.Calls)+len(snap.Deliveries) != 0 || snap.Connections != 1 {
		t.Errorf("state: %+v", snap)
	}
	if whole := get[Snapshot](t, s, "/lab/state"); len(whole.Calls) == 0 || len(whole.Deliveries) == 0 {
		t.Errorf("the logs: %+v, %+v", whole.Calls, whole.Deliveries)
	}
	if health := get[map[string]any](t, s, "/healthz"); health["ok"] != true {
		t.Errorf("healthz: %v", health)
	}
}

// TestOtherSitesCannotSpeak is what a page of another site tries when a person has it open.
func TestOtherSitesCannotSpeak(t *testing.T) {
	s := open(t)
	status, _ := post(t, s, "/lab/say", `{"user":"ana","channel":"incidents","text":"evil"}`, "Origin", "https://evil.example")
	if status != http.StatusForbidden || len(messages(s, incidents, "")) != 0 {
		t.Errorf("status %d, messages %+v", status, messages(s, incidents, ""))
	}
}

func TestPageIsGuarded(t *testing.T) {
	s := open(t)
	for path, kind := range map[string]string{
		"/": "text/html", "/archives/C0INCIDENT/p1700000000000001": "text/html", "/page/app.js": "text/javascript", "/page/style.css": "text/css", "/page/icon.svg": "image/svg+xml",
	} {
		resp, err := httpClient(t).Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) || !strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d, %v", path, resp.StatusCode, resp.Header)
		}
	}
}

// TestStream reads the page's event stream: what is there, then what happens, and only what this person may see.
func TestStream(t *testing.T) {
	s := open(t)
	api := client(t, s)
	_, _, _ = api.PostMessage(incidents, text("before"))
	c := httpClient(t)
	c.Timeout = 0
	resp, err := c.Get(s.URL() + "/lab/stream?user=ana")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	events := bufio.NewScanner(resp.Body)
	events.Buffer(nil, 1<<20)
	next := func() string {
		for events.Scan() {
			if data, ok := strings.CutPrefix(events.Text(), "data: "); ok {
				return data
			}
		}
		t.Fatal("the stream ended")
		return ""
	}
	if first := next(); !strings.Contains(first, `"before"`) {
		t.Errorf("snapshot: %s", first)
	}
	_, _ = api.PostEphemeral(incidents, bruno, text("for Bruno"))
	_, _ = api.PostEphemeral(incidents, ana, text("for Ana"))
	if got := next(); !strings.Contains(got, "for Ana") {
		t.Errorf("change: %s", got)
	}
}

func TestASlowPageIsCutOff(t *testing.T) {
	s := open(t)
	_, changes, stop := s.state.watch(ana)
	defer stop()
	for range watcherBacklog + 1 {
		s.state.post(incidents, Message{User: bruno, Text: "flood"})
	}
	n := 0
	for range changes {
		n++
	}
	if n != watcherBacklog {
		t.Errorf("got %d changes before the end", n)
	}
}

func TestRun(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Addr: listener.Addr().String(), BotToken: testBotToken, AppToken: testAppToken}
	if err := Run(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "another lab") {
		t.Errorf("on a taken address: %v", err)
	}
	_ = listener.Close()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, cfg) }()
	c := httpClient(t)
	eventually(t, "it answers /healthz", func() bool {
		resp, err := c.Get("http://" + cfg.Addr + "/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	cancel()
	if err := receive(t, done); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestConfigErrorsComeAllAtOnce(t *testing.T) {
	_, err := Start(context.Background(), Config{AckLimit: "soon", PingInterval: "-1s", EventRetries: []string{"1s", "x"}})
	for _, want := range []string{"addr:", "bot_token:", "app_token:", `ack_limit: "soon"`, `ping_interval: "-1s"`, "event_retries[1]"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestEncode(t *testing.T) {
	s := open(t)
	for _, tt := range []struct{ in, want, command string }{
		{"a < b & c > d", "a &lt; b &amp; c &gt; d", "a &lt; b &amp; c &gt; d"},
		{"hi @ana.", "hi <@U0ANA00001>.", "hi <@U0ANA00001|ana>."},
		{"mail ana@example.com", "mail ana@example.com", "mail ana@example.com"},
		{"@nobody in #incidents", "@nobody in <#C0INCIDENT|incidents>", "@nobody in <#C0INCIDENT|incidents>"},
		{"see https://x.test/?a=1&b=2", "see <https://x.test/?a=1&amp;b=2>", "see <https://x.test/?a=1&amp;b=2>"},
		{"<@U0TANDEM01> help", "<@U0TANDEM01> help", "<@U0TANDEM01> help"},
		{"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"},
	} {
		if got := s.encode(tt.in, false); got != tt.want {
			t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
		}
		if got := s.encode(tt.in, true); got != tt.command {
			t.Errorf("in a command, %q became %q, want %q", tt.in, got, tt.command)
		}
	}
}

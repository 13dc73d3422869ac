package slack

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
)

const signingSecret = "canary-secret-of-signing"

// byHTTP makes a bot that has no websocket and listens instead.
func byHTTP(o *Options, c *lab.Config) {
	o.AppToken = ""
	o.HTTP = HTTP{Listen: "127.0.0.1:0", Secrets: []string{signingSecret}}
	c.SigningSecret = signingSecret
}

// rewire makes the workspace deliver where the bot listens.
func (w *workspace) rewire() {
	w.t.Helper()
	at := "http://" + w.bot.HTTPAddress()
	to := lab.Delivery{Mode: "http", HTTP: lab.HTTP{
		CommandsURL: at + pathCommands, InteractiveURL: at + pathInteractive, EventsURL: at + pathEvents,
	}}
	if got := w.Rewire(to); got.Error != "" {
		w.t.Fatalf("deliver over HTTP: %s", got.Error)
	}
}

func TestOverHTTPTheBotAnswersAsOverAWebsocket(t *testing.T) {
	w := open(t, finds(failReport()), byHTTP)
	w.rewire() // the events' address echoes its challenge
	w.say(bruno, incidents, "/vault version")
	w.waitFor(bruno, incidents, "tandem v1.2.3")
	w.say(bruno, incidents, "<@U0TANDEM01> diagnose worker")
	w.waitFor(bruno, incidents, "❌ worker: failing")
	if err := w.bot.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestWhatTheAcknowledgementSaysComesOverHTTP(t *testing.T) {
	w := open(t, finds(passReport()), byHTTP, func(o *Options, _ *lab.Config) { o.PerMinute = 1 })
	w.rewire()
	w.say(bruno, incidents, "/vault version")
	w.waitFor(bruno, incidents, "tandem v1.2.3")
	w.say(bruno, incidents, "/vault version")
	if m := w.waitFor(bruno, incidents, "You ask faster than I answer"); !m.Ephemeral {
		t.Error("everyone reads it")
	}
}

// letter is a request as Slack would send it, unless a test changes that.
type letter struct {
	method, path, contentType, body string
	at                              time.Time
	secret                          string
	header                          http.Header // added last
}

func command(text string) letter {
	return letter{
		method: http.MethodPost, path: pathCommands, contentType: typeForm, at: time.Now(), secret: signingSecret,
		body: url.Values{
			"command": {"/vault"}, "text": {text}, "user_id": {bruno}, "team_id": {"T0NEURALHV"}, "channel_id": {incidents},
			"trigger_id": {fmt.Sprint(letters.Add(1))},
		}.Encode(),
	}
}

// letters counts the letters, so that each is its own.
var letters atomic.Int64

func (l letter) sign() string {
	mac := hmac.New(sha256.New, []byte(l.secret))
	fmt.Fprintf(mac, "v0:%d:%s", l.at.Unix(), l.body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

func (l letter) request(address string) *http.Request {
	r, err := http.NewRequest(l.method, "http://"+address+l.path, strings.NewReader(l.body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Content-Type", l.contentType)
	r.Header.Set(headerSignature, l.sign())
	r.Header.Set(headerTimestamp, fmt.Sprint(l.at.Unix()))
	for name, values := range l.header {
		r.Header[name] = append(r.Header[name], values...)
		if values == nil {
			delete(r.Header, name)
		}
	}
	return r
}

// send sends a letter and returns the status and the body of the answer.
func send(t *testing.T, address string, l letter) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: time.Minute}}
	r := l.request(address)
	if len(l.body) > maxBody {
		r.Header.Set("Expect", "100-continue") // else the refusal may cut the connection while the body is sent
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s: %v", l.path, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s: %v", l.path, err)
	}
	return answer.StatusCode, string(body)
}

// listening is a bot that listens, without a workspace behind it, and counts
// what it takes.
func listening(t *testing.T, change ...func(*Options)) (address string, taken *atomic.Int64, b *Bot) {
	t.Helper()
	api := httptest.NewServer(answers(http.StatusOK, "", `{"ok":false,"error":"user_not_found"}`))
	t.Cleanup(api.Close)
	opts := Options{
		Diagnoser: finds(passReport()), HTTP: HTTP{Listen: "127.0.0.1:0", Secrets: []string{"", signingSecret, "canary-secret-before"}},
		APIURL: api.URL, PerMinute: 1_000_000, PerPerson: 1_000_000,
	}
	for _, f := range change {
		f(&opts)
	}
	bot, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	taken = &atomic.Int64{}
	bot.newRef = func() string {
		taken.Add(1)
		return "REF"
	}
	ctx, cancel := context.WithCancel(context.Background())
	jobs, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bot.serveHTTP(ctx, jobs) }()
	t.Cleanup(func() {
		cancel()
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		bot.crew.wait()
		bot.web.close()
	})
	await(t, "the bot listens", func() bool { return bot.HTTPAddress() != "" })
	return bot.HTTPAddress(), taken, bot
}

// await waits for a condition.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-timeout:
			t.Fatalf("waited in vain until %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestOnlyWhatSlackSignedIsTaken(t *testing.T) {
	address, taken, _ := listening(t)
	for name, c := range map[string]struct {
		change func(*letter)
		want   int
	}{
		"as Slack sends it":         {func(*letter) {}, 200},
		"with the secret before":    {func(l *letter) { l.secret = "canary-secret-before" }, 200},
		"299 s old":                 {func(l *letter) { l.at = l.at.Add(-299 * time.Second) }, 200},
		"299 s ahead":               {func(l *letter) { l.at = l.at.Add(299 * time.Second) }, 200},
		"with a charset":            {func(l *letter) { l.contentType = "Application/x-www-form-urlencoded; charset=utf-8" }, 200},
		"302 s old":                 {func(l *letter) { l.at = l.at.Add(-302 * time.Second) }, 401},
		"302 s ahead":               {func(l *letter) { l.at = l.at.Add(302 * time.Second) }, 401},
		"forged":                    {func(l *letter) { l.secret = "guess" }, 401},
		"signed with nothing":       {func(l *letter) { l.secret = "" }, 401},
		"without a signature":       {func(l *letter) { l.header = http.Header{headerSignature: nil} }, 401},
		"without a time":            {func(l *letter) { l.header = http.Header{headerTimestamp: nil} }, 401},
		"a doubled signature":       {func(l *letter) { l.header = http.Header{headerSignature: {l.sign()}} }, 401},
		"a doubled time":            {func(l *letter) { l.header = http.Header{headerTimestamp: {fmt.Sprint(l.at.Unix())}} }, 401},
		"a short signature":         {func(l *letter) { l.header = http.Header{headerSignature: nil, "x-slack-signature": {"v0=ab"}} }, 401},
		"another version":           {func(l *letter) { l.header = http.Header{headerSignature: {"v1=" + l.sign()[3:]}} }, 401},
		"no GET":                    {func(l *letter) { l.method = http.MethodGet }, 405},
		"no PUT":                    {func(l *letter) { l.method = http.MethodPut }, 405},
		"JSON for a form":           {func(l *letter) { l.contentType = typeJSON }, 415},
		"another path":              {func(l *letter) { l.path = "/slack/other" }, 404},
		"a body that is no form":    {func(l *letter) { l.body = "%zz" }, 400},
		"a form without a command":  {func(l *letter) { l.body = "text=x" }, 400},
		"no JSON among the events":  {func(l *letter) { l.path, l.contentType, l.body = pathEvents, typeJSON, "{" }, 400},
		"no JSON in an interaction": {func(l *letter) { l.path, l.body = pathInteractive, "payload=%7B" }, 400},
		"no payload":                {func(l *letter) { l.path, l.body = pathInteractive, "a=b" }, 400},
		"1 MB and a byte":           {func(l *letter) { l.body = strings.Repeat("a", maxBody+1) }, 413},
	} {
		t.Run(name, func(t *testing.T) {
			l := command("version")
			c.change(&l)
			before := taken.Load()
			status, body := send(t, address, l)
			if status != c.want {
				t.Errorf("status %d, want %d", status, c.want)
			}
			if status != http.StatusNotFound && body != "" {
				t.Errorf("the answer says %q", body)
			}
			if acted := taken.Load() > before; acted != (c.want == 200) {
				t.Errorf("acted on: %v", acted)
			}
		})
	}
}

func TestAReplayedRequestIsRefused(t *testing.T) {
	address, taken, _ := listening(t)
	l := command("version")
	if status, _ := send(t, address, l); status != 200 {
		t.Fatalf("status %d", status)
	}
	for range 3 {
		if status, _ := send(t, address, l); status != http.StatusConflict {
			t.Errorf("a replay gets %d", status)
		}
	}
	if n := taken.Load(); n != 1 {
		t.Errorf("acted %d times", n)
	}
}

func mention(id, ts string) letter {
	l := command("")
	l.path, l.contentType = pathEvents, typeJSON
	l.body = fmt.Sprintf(`{"type":"event_callback","event_id":%q,"team_id":"T1","event":{"type":"app_mention","user":%q,"channel":%q,"ts":%q,"text":"version"}}`,
		id, bruno, incidents, ts)
	return l
}

func TestTheSameEventActsOnce(t *testing.T) {
	address, taken, bot := listening(t)
	first := mention("Ev1", "1.1")
	retry := first
	retry.header = http.Header{headerRetry: {"1"}, "X-Slack-Retry-Reason": {"http_timeout"}} // in the same second
	later := retry
	later.at = later.at.Add(time.Second)
	for i, l := range []letter{first, retry, later, mention("Ev2", "1.1")} {
		if status, _ := send(t, address, l); status != 200 {
			t.Errorf("delivery %d: status %d", i, status)
		}
	}
	if n := taken.Load(); n != 1 {
		t.Errorf("acted %d times on one mention", n)
	}
	// By another way it is the same mention.
	e, err := parseEvent([]byte(first.body))
	if err != nil {
		t.Fatal(err)
	}
	acked := false
	bot.take(t.Context(), t.Context(), delivery{event: e}, func(any) bool { acked = true; return true })
	if n := taken.Load(); n != 1 || !acked {
		t.Errorf("acted %d times, acknowledged: %v", n, acked)
	}
	send(t, address, mention("Ev3", "1.2"))
	if n := taken.Load(); n != 2 {
		t.Errorf("acted %d times on two mentions", n)
	}
}

func TestWhatCouldNotBeAcknowledgedMayComeAgain(t *testing.T) {
	_, taken, bot := listening(t)
	e, err := parseEvent([]byte(mention("Ev1", "1.1").body))
	if err != nil {
		t.Fatal(err)
	}
	for _, acked := range []bool{false, true, true} {
		bot.take(t.Context(), t.Context(), delivery{event: e}, func(any) bool { return acked })
	}
	if n := taken.Load(); n != 2 { // once in vain, once for good
		t.Errorf("routed %d times", n)
	}
}

func TestSlackChecksTheAddress(t *testing.T) {
	address, taken, _ := listening(t)
	l := command("")
	l.path, l.contentType, l.body = pathEvents, typeJSON, `{"type":"url_verification","token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}`
	status, body := send(t, address, l)
	if want := `{"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}`; status != 200 || body != want {
		t.Errorf("the challenge: %d %q", status, body)
	}
	l.secret = "guess"
	if status, body := send(t, address, l); status != 401 || body != "" {
		t.Errorf("a forged challenge: %d %q", status, body)
	}
	for _, header := range []http.Header{nil, {headerSignature: nil, headerTimestamp: nil}} {
		l := command("")
		l.body, l.header = "ssl_check=1&token=x", header
		if status, body := send(t, address, l); status != 200 || body != "" {
			t.Errorf("the check of the certificate: %d %q", status, body)
		}
	}
	if n := taken.Load(); n != 0 {
		t.Errorf("acted %d times", n)
	}
}

// endless is a body that does not end by itself.
type endless struct{ sent *atomic.Int64 }

func (e endless) Read(p []byte) (int, error) {
	e.sent.Add(int64(len(p)))
	return len(p), nil
}

func TestALongBodyIsNotRead(t *testing.T) {
	address, _, _ := listening(t)
	for name, length := range map[string]int64{"of known length": 10 << 20, "of unknown length": -1} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			r := command("").request(address)
			r.Body, r.ContentLength = io.NopCloser(io.LimitReader(endless{&sent}, 10<<20)), length
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			answer, err := client.Do(r)
			if err == nil { // the connection may also be cut while the body is on its way
				defer answer.Body.Close()
				if answer.StatusCode != http.StatusRequestEntityTooLarge {
					t.Errorf("status %d", answer.StatusCode)
				}
			}
			if length > 0 && sent.Load() == 10<<20 && err == nil {
				t.Error("the whole body was read")
			}
		})
	}
}

func TestLongBodiesKeepNoShortOnesOut(t *testing.T) {
	address, _, bot := listening(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	status := func(text string, length int64) int {
		t.Helper()
		l := command(text)
		r := l.request(address)
		if r.ContentLength = int64(len(l.body)); length < 0 {
			r.ContentLength = length
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	long := strings.Repeat("a", 2*smallBody)
	for range maxBigOnes {
		bot.http.big <- struct{}{}
	}
	if got := [...]int{status("version", 0), status("version", -1), status(long, 0)}; got != [...]int{200, 200, 503} {
		t.Errorf("while all seats are taken a short body, one of unknown length and a long one get %v", got)
	}
	for range maxBigOnes {
		<-bot.http.big
	}
	if got := [...]int{status(long, 0), status(long, -1)}; got != [...]int{200, 200} {
		t.Errorf("long ones get %v", got)
	}
}

func TestASlowBodyIsGivenUp(t *testing.T) {
	address, taken, _ := listening(t, func(o *Options) { o.HTTP.bodyTimeout = 50 * time.Millisecond })
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	l := command("version")
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n%s: %s\r\n%s: %d\r\nContent-Length: %d\r\n\r\n%s",
		l.path, l.contentType, headerSignature, l.sign(), headerTimestamp, l.at.Unix(), len(l.body), l.body[:10])
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the connection ended without an answer: %v", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestTimeout || taken.Load() != 0 {
		t.Errorf("status %d, acted %d times", answer.StatusCode, taken.Load())
	}
}

func TestHTTPNeedsASecret(t *testing.T) {
	_, err := New(Options{Diagnoser: finds(passReport()), HTTP: HTTP{Listen: "127.0.0.1:0", Secrets: []string{""}}})
	if err == nil || !strings.Contains(err.Error(), "signing secret") {
		t.Errorf("got %v", err)
	}
}

func TestAcknowledgedBeforeTheWorkBegins(t *testing.T) {
	begun := make(chan struct{})
	release := make(chan struct{})
	w := open(t, &fake{diagnose: func(context.Context, commands.Options) (diagnostics.Report, error) {
		close(begun)
		<-release
		return passReport(), nil
	}}, byHTTP)
	w.rewire()
	w.say(bruno, incidents, "/vault diagnose orchestrator") // returns with the acknowledgement
	<-begun
	close(release)
	w.waitFor(bruno, incidents, "✅ orchestrator: ok")
}

func FuzzRequest(f *testing.F) {
	f.Add("command=%2Fvault&text=diagnose+worker&user_id=U1&trigger_id=1")
	f.Add("payload=%7B%22type%22%3A%22block_actions%22%2C%22actions%22%3A%5B%7B%7D%5D%7D")
	f.Add("ssl_check=1")
	f.Fuzz(func(t *testing.T, body string) {
		for _, parse := range []func([]byte) (delivery, error){parseCommand, parseInteractionForm, parseInteraction, parseDelivery} {
			d, err := parse([]byte(body))
			if err == nil && d.command == nil && d.interaction == nil && d.event == nil {
				t.Errorf("%q is nothing and no error", body)
			}
		}
	})
}

package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// browser is a real one, with every complaint of its console kept.
type browser struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("this test needs a browser: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1360, 900), chromedp.WSURLReadTimeout(time.Minute))
	ctx, stopAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(ctx)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	b := &browser{ctx: ctx}
	var listening sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		stop()
		stopAll()
		listening.Wait()
	})
	console := chromedp.Console(ctx)
	listening.Go(func() {
		for m, err := range console {
			if err != nil {
				return
			}
			b.hear(m)
		}
	})
	return b
}

func (b *browser) hear(m chromedp.ConsoleMessage) {
	switch m.Type {
	case chromedp.ConsoleError, chromedp.ConsoleWarning, chromedp.ConsoleException:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
	}
}

func (b *browser) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.complaints...)
}

// quiet fails when the console has complained.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	if heard := b.heard(); len(heard) > 0 {
		t.Errorf("the browser's console complains: %q", heard)
	}
}

func (b *browser) do(t *testing.T, what string, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.picture(t, "failed")
		t.Fatalf("%s: %v; the console said %q", what, err, b.heard())
	}
}

func (b *browser) visit(t *testing.T, url string) {
	t.Helper()
	b.do(t, "visit "+url, chromedp.Navigate(url))
}

// types puts text into the element, then presses keys, such as Enter.
func (b *browser) types(t *testing.T, selector, text string, keys ...input.DispatchKeyEventParams) {
	t.Helper()
	b.do(t, "type "+text, chromedp.SendKeys(chromedp.CSS(selector), text))
	for _, key := range keys {
		b.do(t, "press "+key.Key, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, input.DispatchKeyEvent, key)
			return err
		}))
	}
}

// enter is one event, as a keyboard sends it: what the page prevents of it then does not arrive as a character.
func enter() input.DispatchKeyEventParams {
	return input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13}
}

func tab() input.DispatchKeyEventParams {
	return input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Tab", Code: "Tab", WindowsVirtualKeyCode: 9}
}

func (b *browser) clicks(t *testing.T, selector string) {
	t.Helper()
	b.do(t, "click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// becomes is somebody else from then on.
func (b *browser) becomes(t *testing.T, name string) {
	t.Helper()
	b.clicks(t, "#person")
	b.clicks(t, `[data-choice="`+name+`"]`)
	b.holds(t, `document.querySelector("#person").dataset.user === "`+name+`"`)
}

// says waits until an element with the selector contains the text.
func (b *browser) says(t *testing.T, selector, want string) {
	t.Helper()
	b.holds(t, fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.innerText.includes(%q))", selector, want))
}

// holds waits until a JavaScript expression is true.
func (b *browser) holds(t *testing.T, expression string) {
	t.Helper()
	b.do(t, "wait for "+expression, chromedp.Steps(discard(
		chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingTimeout(patience)))))
}

func discard[T any](action chromedp.Action[T]) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := action(ctx, target)
		return err
	})
}

// picture keeps a screenshot, light and dark, when TANDEM_SCREENSHOTS names a folder for them.
func (b *browser) picture(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("TANDEM_SCREENSHOTS")
	if dir == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		png, err := chromedp.Run(b.ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
			if _, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
				return nil, err
			}
			return chromedp.CaptureScreenshot()(ctx, target)
		})
		if err != nil {
			t.Logf("take picture %s: %v", name, err)
			return
		}
		if err := os.WriteFile(filepath.Join(dir, name+"-"+scheme+".png"), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// diagnose is a small app: it answers /vault with a card and its evidence in the thread.
func diagnose(api func() *slackgo.Client) func(*socketmode.Client, socketmode.Event) {
	return func(sm *socketmode.Client, e socketmode.Event) {
		switch e.Type {
		case socketmode.EventTypeSlashCommand:
			_ = sm.Ack(*e.Request, map[string]any{"text": "Looking into *worker* for you…"})
			_, ts, _ := api().PostMessage(incidents, slackgo.MsgOptionText("Diagnosing worker", false))
			_, _, _, _ = api().UpdateMessage(incidents, ts, slackgo.MsgOptionText("worker: 2 causes", false),
				slackgo.MsgOptionBlocks(card()...))
			_, _, _ = api().PostMessage(incidents, slackgo.MsgOptionTS(ts), slackgo.MsgOptionBlocks(evidence()...))
		case socketmode.EventTypeInteractive:
			_ = sm.Ack(*e.Request)
			cb := e.Data.(slackgo.InteractionCallback)
			log := "{\"level\":\"error\",\"event\":\"grpc_discovery_error\"}\n"
			_, _ = api().UploadFile(slackgo.UploadFileParameters{Filename: "worker.log", Content: log, FileSize: len(log), Channel: cb.Channel.ID})
			_, _, _ = api().PostMessage(cb.Channel.ID, slackgo.MsgOptionText("<@"+cb.User.ID+"> pressed *"+cb.ActionCallback.BlockActions[0].Value+"*", false))
		default:
			_ = sm.Ack(*e.Request)
		}
	}
}

func mrkdwn(text string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject("mrkdwn", text, false, false)
}

func plainText(text string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject("plain_text", text, true, false)
}

func card() []slackgo.Block {
	fix := slackgo.NewButtonBlockElement("fix", "vault-policy-renew-self", plainText("Propose the fix")).WithStyle(slackgo.StylePrimary)
	again := slackgo.NewButtonBlockElement("again", "worker", plainText("Check again"))
	drop := slackgo.NewButtonBlockElement("revoke", "lease", plainText("Revoke the lease")).WithStyle(slackgo.StyleDanger).
		WithConfirm(slackgo.NewConfirmationBlockObject(plainText("Revoke the lease?"), mrkdwn("The worker loses *its database* until it logs in again."), plainText("Revoke"), plainText("Keep it")))
	return []slackgo.Block{
		slackgo.NewHeaderBlock(plainText("worker: its Vault token cannot renew itself")),
		slackgo.NewSectionBlock(mrkdwn(":red_circle: *2 causes*, 3 consequences, 18 checks passed.\n• *VLT-012* the token's policies do not allow `auth/token/renew-self`\n• *SVID-003* the JWT-SVID ended _4 min ago_ and was not renewed\n&gt; The runbook says: <https://example.com/runbook#renew|adjust the policy, then renew>"), nil, nil),
		slackgo.NewSectionBlock(nil, []*slackgo.TextBlockObject{
			mrkdwn("*Service*\nworker"), mrkdwn("*Vault role*\n`worker-agents`"), mrkdwn("*Token ends*\n<!date^1700000000^{date_short_pretty} {time}|soon>"), mrkdwn("*Asked by*\n<@" + ana + ">"),
		}, nil),
		slackgo.NewDividerBlock(),
		slackgo.NewActionBlock("remedies", fix, again, drop),
		slackgo.NewContextBlock("", mrkdwn(":stopwatch: 0.8 s"), mrkdwn("evidence in the thread"), mrkdwn("`bot diagnose worker`")),
	}
}

func evidence() []slackgo.Block {
	cell := func(text string) slackgo.TableCell { return slackgo.NewTableRawTextCell(text) }
	return []slackgo.Block{
		slackgo.NewSectionBlock(mrkdwn("*What Vault answers* :mag:\n```$ vault token capabilities ACCESSOR auth/token/renew-self\ndeny```"), nil, nil),
		slackgo.NewTableBlock("").AddRow(cell("Check"), cell("Status"), cell("Took")).
			AddRow(cell("VLT-001 reachable"), cell("pass"), cell("12 ms")).AddRow(cell("VLT-012 renew-self"), cell("fail"), cell("9 ms")),
		slackgo.NewMarkdownBlock("", "## Next\n1. Read the *policy*\n2. Add `renew-self`\n\n| path | capability |\n|---|---|\n| auth/token/renew-self | **update** |"),
	}
}

func TestPageInABrowser(t *testing.T) {
	s := open(t)
	b := openBrowser(t)
	b.visit(t, s.URL()+"/?user=ana")
	b.says(t, "#channel-name", "incidents")
	b.says(t, "#apps", "not connected")
	b.picture(t, "empty")

	b.types(t, "#composer textarea", "/vault diagnose worker", enter())
	b.says(t, ".message.ephemeral", `/vault failed with the error "dispatch_failed"`)
	b.says(t, ".message.ephemeral", "Only visible to you")

	var a *app
	a = connect(t, s, diagnose(func() *slackgo.Client { return a.api }))
	b.holds(t, `document.querySelector("#apps .dot.on")`)
	b.types(t, "#composer textarea", "what is wrong with *worker*, @bruno? <img src=x onerror=alert(1)> & https://example.com/a_b_c", enter())
	b.says(t, ".message", "@Bruno Lima? <img src=x onerror=alert(1)> & https://example.com/a_b_c")

	b.types(t, "#composer textarea", "/vault diagnose w")
	b.says(t, "#composer .completion", "/vault diagnose worker")
	b.picture(t, "completion")
	b.types(t, "#composer textarea", "", tab(), enter())
	b.says(t, ".message.ephemeral", "Looking into worker for you")
	b.says(t, ".block-header", "its Vault token cannot renew itself")
	b.says(t, ".block-section b", "2 causes")
	b.says(t, ".replies", "1 reply")
	b.says(t, ".edited", "(edited)")

	b.clicks(t, ".replies")
	b.says(t, "#thread-messages", "auth/token/renew-self")
	b.types(t, "#thread-composer textarea", "thanks", enter())
	b.says(t, "#thread-messages .message", "thanks")
	b.says(t, ".replies", "2 replies")

	b.do(t, "react", discard(chromedp.Evaluate[chromedp.Void](`document.querySelector('#messages .message:has(.block-header) [data-add="eyes"]').click()`)))
	b.says(t, `#messages [data-reaction="eyes"]`, "1")
	b.clicks(t, `#messages [data-action="fix"]`)
	b.says(t, "#messages .message", "@Ana Souza pressed vault-policy-renew-self")
	b.picture(t, "channel")

	b.clicks(t, `#messages [data-action="revoke"]`)
	b.says(t, "dialog.confirm", "Revoke the lease?")
	b.picture(t, "confirm")
	b.clicks(t, "dialog.confirm .primary")
	b.says(t, "#messages .message", "pressed lease")

	b.becomes(t, "bruno")
	b.holds(t, `document.querySelector(".mention.me")`)
	b.holds(t, `!document.querySelector(".message.ephemeral")`)
	b.says(t, ".file", "worker.log")
	b.do(t, "narrow", chromedp.EmulateViewport(620, 800))
	b.picture(t, "narrow")
	b.quiet(t)
}

// TestMarkup draws texts with the page's own code and reads the elements that came of them.
func TestMarkup(t *testing.T) {
	s := open(t)
	b := openBrowser(t)
	b.visit(t, s.URL()+"/?user=ana")
	b.says(t, "#channel-name", "incidents")
	const names = `{me: "U1", user: (id) => ({U1: "Ana"})[id], channel: (id) => ({C1: "incidents"})[id], groups: ["S1"], group: (id) => ({S1: "sre"})[id]}`
	for _, tt := range []struct{ kind, in, want string }{
		{"mrkdwn", "*b* _i_ ~s~ `c`", "<b>b</b> <i>i</i> <s>s</s> <code>c</code>"},
		{"mrkdwn", "*b with _i_ and `c`*", "<b>b with <i>i</i> and <code>c</code></b>"},
		{"mrkdwn", "snake_case_name 2*3*4", "snake_case_name 2*3*4"},
		{"mrkdwn", "`*not bold*`", "<code>*not bold*</code>"},
		{"mrkdwn", "&lt;img src=x onerror=alert(1)&gt;", "&lt;img src=x onerror=alert(1)&gt;"},
		{"mrkdwn", "&amp;lt;b&amp;gt;", "&amp;lt;b&amp;gt;"},
		{"mrkdwn", "<javascript:alert(1)|click>", "click"},
		{"mrkdwn", "<https://x.test/?a=1&amp;b=2|the &lt;page&gt;>", `<a href="https://x.test/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">the &lt;page&gt;</a>`},
		{"mrkdwn", "<@U1> <@U9|zoe> <#C1> <!here>", `<span class="mention me">@Ana</span> <span class="mention">@zoe</span> <span class="mention">#incidents</span> <span class="mention me">@here</span>`},
		{"mrkdwn", "• one\n- two", "• one<br>- two"},
		{"mrkdwn", "see https://x.test/a?b=1&amp;c=2.", `see <a href="https://x.test/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">https://x.test/a?b=1&amp;c=2</a>.`},
		{"mrkdwn", "<!subteam^S1|@old> <!subteam^S9|@sec>", `<span class="mention me">@sre</span> <span class="mention">@sec</span>`},
		{"mrkdwn", "<!date^0^on {date_num}|1970>", `<time class="date" title="1970">on 1970-01-01</time>`},
		{"mrkdwn", "<!date^0^{nothing}^javascript:alert(1)|1970>", `<time class="date" title="1970">{nothing}</time>`},
		{"mrkdwn", "&gt; said\n&gt; twice", "<blockquote>said<br>twice</blockquote>"},
		{"mrkdwn", "a ```x *y*\nz``` b", `a <pre class="code">x *y*` + "\n" + `z</pre> b`},
		{"mrkdwn", ":nope: :+1:", `:nope: <span class="emoji" title=":+1:" role="img" aria-label="+1">👍</span>`},
		{"markdown", "# Title\n**b** *i* `c` [l](https://x.test/)", `<p class="md-heading"><b>Title</b></p><p><b>b</b> <i>i</i> <code>c</code> <a href="https://x.test/" target="_blank" rel="noopener noreferrer">l</a></p>`},
		{"markdown", "- a\n- b\n\n1. c", "<ul><li>a</li><li>b</li></ul><ol><li>c</li></ol>"},
		{"markdown", "<b>raw</b> [x](javascript:alert(1))", "<p>&lt;b&gt;raw&lt;/b&gt; x)</p>"},
		{"markdown", "```\n**as it is**\n```", `<pre class="code">**as it is**</pre>`},
		{"markdown", "|a|b|\n|---|---|\n|1|2|", `<div class="table"><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table></div>`},
	} {
		in, err := json.Marshal(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		code := fmt.Sprintf(`import("/page/%[1]s.js").then((m) => { const d = document.createElement("div"); d.append(...m.%[1]s(%[2]s, %[3]s)); return d.innerHTML; })`, tt.kind, in, names)
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](code, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatalf("%q: %v", tt.in, err)
		}
		if got != tt.want {
			t.Errorf("%s %q\n got %s\nwant %s", tt.kind, tt.in, got, tt.want)
		}
	}
	b.quiet(t)
}

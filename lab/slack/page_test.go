package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

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

// TestPage drives the page as people do. All its parts share one browser; each has a workspace of its own, and fails when
// the browser's console complains.
func TestPage(t *testing.T) {
	b := openBrowser(t)
	for _, part := range []struct {
		name string
		act  func(*testing.T, *browser)
	}{
		{"Diagnosis", driveDiagnosis},
		{"Blocks", driveBlocks},
		{"Modals", driveModals},
		{"App", driveApp},
		{"Composer", driveComposer},
		{"Channels", driveChannels},
		{"Silence", driveSilence},
		{"Look", driveLook},
		{"Markup", driveMarkup},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.act(t, b)
			b.quiet(t)
		})
	}
}

func driveDiagnosis(t *testing.T, b *browser) {
	s := b.opens(t)
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

	b.runs(t, `document.querySelector('#messages .message:has(.block-header) [data-add="eyes"]').click()`)
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
}

// driveMarkup draws texts with the page's own code and reads the elements that came of them.
func driveMarkup(t *testing.T, b *browser) {
	s := b.opens(t)
	b.visit(t, s.URL()+"/?user=ana")
	b.says(t, "#channel-name", "incidents")
	const names = `{me: "U1", locale: "pt-BR", user: (id) => ({U1: "Ana"})[id], channel: (id) => ({C1: "incidents"})[id], groups: ["S1"], group: (id) => ({S1: "sre"})[id]}`
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
		{"mrkdwn", "<!date^0^{date}|1970>", `<time class="date" title="1970">1 de janeiro de 1970</time>`},
		{"mrkdwn", "<!date^0^{date_short_pretty}, {constructor}|1970>", `<time class="date" title="1970">1 de jan. de 1970, {constructor}</time>`},
		{"mrkdwn", "<!date^0^{nothing}^javascript:alert(1)|1970>", `<time class="date" title="1970">{nothing}</time>`},
		{"mrkdwn", "&gt; said\n&gt; twice", "<blockquote>said<br>twice</blockquote>"},
		{"mrkdwn", "a ```x *y*\nz``` b", `a <pre class="code">x *y*` + "\n" + `z</pre> b`},
		{"mrkdwn", "a\n```\nx\n```\n```y```\nb", `a<pre class="code">x</pre><pre class="code">y</pre>b`},
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
}

// driveBlocks looks at what the small app's card does not have.
func driveBlocks(t *testing.T, b *browser) {
	s := b.opens(t)
	api := client(t, s)
	posts := func(blocks string) {
		var drawn slackgo.Blocks
		if err := json.Unmarshal([]byte(blocks), &drawn); err != nil {
			t.Fatal(err)
		}
		if _, _, err := api.PostMessage(incidents, slackgo.MsgOptionBlocks(drawn.BlockSet...)); err != nil {
			t.Fatalf("%s: %v", blocks, err)
		}
	}
	b.visit(t, s.URL()+"/?user=ana")
	picture := upload(t, s, api, "p99.png", pictureBytes(t))
	b.shows(t, `.file img[src="/pictures/`+picture+`"]`)
	b.holds(t, `document.querySelector(".file img").naturalWidth === 30`)
	posts(`[{"type":"image","slack_file":{"id":"` + picture + `"},"alt_text":"latency"},{"type":"image","image_url":"https://pictures.test/x.png","alt_text":"a picture elsewhere"}]`)
	b.shows(t, `.block-image img[alt="latency"]`)
	b.says(t, ".picture-away", "pictures.test")

	upload(t, s, api, "worker.log", []byte(strings.Repeat("level=error\n", 30)))
	b.says(t, ".file .fold", "Expand")
	b.clicks(t, ".file .fold")
	b.says(t, ".file .fold", "Collapse")
	posts(`[{"type":"section","block_id":"long","text":{"type":"mrkdwn","text":"` + strings.Repeat("a long text ", 100) + `"}},
		{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("wanted whole ", 100) + `"},"expand":true}]`)
	b.holds(t, `document.querySelectorAll(".folding.folded").length === 1`)
	b.runs(t, `document.querySelector(".block-section-main .fold").click()`)
	b.lacks(t, ".folding.folded")

	posts(`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"rich","style":{"bold":true}},{"type":"user","user_id":"` + ana + `"},{"type":"emoji","name":"tada"}]},
		{"type":"rich_text_list","style":"bullet","indent":1,"elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"inside"}]}]},{"type":"rich_text_preformatted","elements":[{"type":"text","text":"as it is"}]}]}]`)
	b.says(t, ".block-rich b", "rich")
	b.says(t, ".block-rich .mention.me", "@Ana Souza")
	b.says(t, ".block-rich ul.indent-1 li", "inside")
	posts(`[{"type":"data_visualization","title":"Renewals","chart":{"type":"bar","series":[{"name":"denied","data":[{"label":"10:00","value":4},{"label":"10:05","value":-1}]}],"axis_config":{"categories":["10:00","10:05"]}}}]`)
	b.holds(t, `document.querySelectorAll(".chart rect.series-0").length === 3`)
	posts(`[{"type":"table","column_settings":[{"align":"right"},{"align":"left","is_wrapped":true}],"rows":[[{"type":"raw_text","text":"took"},{"type":"raw_text","text":"what"}],[{"type":"raw_text","text":"9 ms"},{"type":"raw_text","text":"Vault answers"}]]}]`)
	b.says(t, "td.align-right.nowrap", "9 ms")
	b.says(t, `th[scope="col"]`, "what")
	b.lacks(t, ".unknown")
	b.picture(t, "blocks")
}

func pictureBytes(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func upload(t *testing.T, s *Server, api *slackgo.Client, name string, content []byte) string {
	t.Helper()
	f, err := api.UploadFile(slackgo.UploadFileParameters{Filename: name, Reader: bytes.NewReader(content), FileSize: len(content), Channel: incidents})
	if err != nil {
		t.Fatal(err)
	}
	return f.ID
}

// question is a modal with inputs; wrong answers to it come back with an error.
const question = `{"type":"modal","title":{"type":"plain_text","text":"Diagnose a service"},"submit":{"type":"plain_text","text":"Diagnose"},"blocks":[
	{"type":"input","block_id":"service","label":{"type":"plain_text","text":"Service"},"element":{"type":"static_select","action_id":"service","options":[{"text":{"type":"plain_text","text":"worker"},"value":"w"}]}},
	{"type":"input","block_id":"why","label":{"type":"plain_text","text":"Why"},"hint":{"type":"plain_text","text":"Two words are enough"},"element":{"type":"plain_text_input","action_id":"why"}},
	{"type":"input","block_id":"since","optional":true,"label":{"type":"plain_text","text":"Since"},"element":{"type":"radio_buttons","action_id":"since","options":[{"text":{"type":"plain_text","text":"One hour"},"value":"1h"}]}},
	{"type":"input","block_id":"checks","optional":true,"label":{"type":"plain_text","text":"Checks"},"element":{"type":"multi_static_select","action_id":"checks","options":[{"text":{"type":"plain_text","text":"Vault answers"},"value":"VLT-001"},{"text":{"type":"plain_text","text":"Vault is unsealed"},"value":"VLT-002"}]}},
	{"type":"input","block_id":"tell","optional":true,"label":{"type":"plain_text","text":"Tell"},"element":{"type":"users_select","action_id":"tell"}},
	{"type":"actions","elements":[{"type":"button","action_id":"more","text":{"type":"plain_text","text":"More"}}]}]}`

// asks is an app with modals: a shortcut opens one, its button a second, and a submission tells what was filled in.
func asks(t *testing.T, api func() *slackgo.Client) func(*socketmode.Client, socketmode.Event) {
	t.Helper()
	var first slackgo.ModalViewRequest
	if err := json.Unmarshal([]byte(question), &first); err != nil {
		t.Fatal(err)
	}
	second := slackgo.ModalViewRequest{Type: slackgo.VTModal, Title: plainText("More"), Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{slackgo.NewSectionBlock(mrkdwn("On top"), nil, nil)}}}
	return func(sm *socketmode.Client, e socketmode.Event) {
		cb, _ := e.Data.(slackgo.InteractionCallback)
		var answer []any
		switch cb.Type {
		case slackgo.InteractionTypeMessageAction:
			if _, err := api().OpenView(cb.TriggerID, first); err != nil {
				t.Error(err)
			}
		case slackgo.InteractionTypeBlockActions:
			_, _ = api().PushView(cb.TriggerID, second)
		case slackgo.InteractionTypeViewSubmission:
			v := cb.View.State.Values
			if v["why"]["why"].Value == "wrong" {
				answer = append(answer, slackgo.NewErrorsViewSubmissionResponse(map[string]string{"why": "That is no reason."}))
				break
			}
			_, _, _ = api().PostMessage(incidents, slackgo.MsgOptionText(fmt.Sprintf("filled in: %s, %s, %s, %d, %s", v["service"]["service"].SelectedOption.Value,
				v["why"]["why"].Value, v["since"]["since"].SelectedOption.Value, len(v["checks"]["checks"].SelectedOptions), v["tell"]["tell"].SelectedUser), false))
		}
		_ = sm.Ack(*e.Request, answer...)
	}
}

func driveModals(t *testing.T, b *browser) {
	s := b.opens(t)
	var a *app
	a = connect(t, s, asks(t, func() *slackgo.Client { return a.api }))
	s.Say(Said{User: "bruno", Channel: incidents, Text: "worker is down"})
	b.visit(t, s.URL()+"/?user=ana")
	b.shows(t, ".message .more")
	b.runs(t, `document.querySelector(".message .more").click()`)
	b.holds(t, `document.activeElement.getAttribute("role") === "menuitem"`)
	b.presses(t, arrowDown(), arrowDown())
	b.holds(t, `document.activeElement.dataset.choice === "diagnose_this"`)
	b.picture(t, "shortcut")
	b.presses(t, enter())
	b.says(t, "dialog[open] h2", "Diagnose a service")
	b.holds(t, `document.activeElement.id === "input-service"`)

	b.clicks(t, ".modal-foot .primary")
	b.says(t, `[data-block="why"] .input-error`, "complete this required field")
	b.runs(t, `{ const s = document.querySelector("#input-service"); s.value = "w"; s.dispatchEvent(new Event("change")); }`)
	b.types(t, "#input-why", "wrong", enter())
	b.says(t, `[data-block="why"] .input-error`, "That is no reason.")
	b.lacks(t, `[data-block="service"] .input-error`)
	b.holds(t, `document.activeElement.id === "input-why"`)
	b.picture(t, "modal")
	b.clicks(t, "#input-checks")
	b.clicks(t, `[data-choice="VLT-002"]`)
	b.says(t, "#input-checks .token", "Vault is unsealed")
	b.clicks(t, `[data-block="since"] input`)
	b.runs(t, `{ const s = document.querySelector("#input-tell"); s.value = "`+bruno+`"; s.dispatchEvent(new Event("change")); }`)

	b.clicks(t, `[data-action="more"]`)
	b.says(t, "dialog[open] h2", "More")
	b.presses(t, escapeKey())
	b.says(t, "dialog[open] h2", "Diagnose a service")
	b.types(t, "#input-why", " no more", enter())
	b.lacks(t, "dialog")
	b.says(t, ".message", "filled in: w, wrong no more, 1h, 1, "+bruno)
}

// driveApp visits the app's own page: its Home tab, its direct messages, what it can do.
func driveApp(t *testing.T, b *browser) {
	s := b.opens(t)
	var direct string
	var a *app
	a = connect(t, s, func(sm *socketmode.Client, e socketmode.Event) {
		_ = sm.Ack(*e.Request)
		switch event := innerEvent(e).(type) {
		case *slackevents.AppHomeOpenedEvent:
			run := slackgo.NewButtonBlockElement("run", "worker", plainText("Run again"))
			section := slackgo.NewSectionBlock(mrkdwn(fmt.Sprintf("*worker* fails <!date^%d^{date_short_pretty} {time}|now>", time.Now().Unix())), nil, slackgo.NewAccessory(run))
			_, _ = a.api.PublishView(event.User, slackgo.HomeTabViewRequest{Type: slackgo.VTHomeTab, Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{section}}}, "")
		case *slackevents.MessageEvent:
			direct = event.Channel
			if event.BotID == "" {
				_, _, _ = a.api.PostMessage(event.Channel, slackgo.MsgOptionText("You said "+event.Text, false))
			}
		}
		if _, ok := e.Data.(slackgo.InteractionCallback); ok {
			_, _, _ = a.api.PostMessage(direct, slackgo.MsgOptionText("Running again", false))
		}
	})
	b.visit(t, s.URL()+"/?user=ana")
	b.clicks(t, `[data-channel="@app"]`)
	b.says(t, "#messages", "your direct messages with Tandem")
	b.types(t, "#composer textarea", "hello", enter())
	b.says(t, ".message", "You said hello")
	b.clicks(t, "#tab-home")
	b.says(t, "#app-view", "worker fails")
	b.says(t, "#app-view time", "hoje")
	b.picture(t, "home")
	b.clicks(t, `#app-view [data-action="run"]`)
	b.clicks(t, "#tab-messages")
	b.says(t, ".message", "Running again")
	b.clicks(t, "#tab-about")
	b.says(t, "#app-view", "Diagnose this")
	b.clicks(t, `[data-channel="general"]`)
	s.Say(Said{User: "ana", Channel: "@tandem", Text: "again"})
	b.says(t, `[data-channel="@app"] .count-badge.loud`, "1")
}

func innerEvent(e socketmode.Event) any {
	event, _ := e.Data.(slackevents.EventsAPIEvent)
	return event.InnerEvent.Data
}

func driveComposer(t *testing.T, b *browser) {
	s := b.opens(t)
	connect(t, s, acknowledge)
	const box = "#composer textarea"
	value := func(of, want string) {
		t.Helper()
		b.holds(t, fmt.Sprintf("document.querySelector(%q).value === %q", of, want))
	}
	b.visit(t, s.URL()+"/?user=ana")
	b.says(t, "#channel-name", "incidents")
	b.types(t, box, "/va")
	b.says(t, ".completion li", "Diagnose Vault and SPIFFE")
	b.presses(t, tab())
	b.says(t, ".completion li", "what Slack says of you")
	b.presses(t, arrowDown(), tab(), arrowDown(), arrowDown(), enter())
	value(box, "/vault diagnose worker")
	b.presses(t, enter())
	value(box, "")
	b.types(t, box, "ask @sr", enter())
	b.types(t, box, "or @brun", tab())
	b.types(t, box, "in #gene", tab())
	b.types(t, box, ":stethos", tab())
	value(box, "ask @sre or @bruno in #general :stethoscope: ")
	b.presses(t, enter())
	b.says(t, ".message", "ask @sre or @Bruno Lima in #general")
	b.presses(t, arrowUp())
	value(box, "ask @sre or @bruno in #general :stethoscope:")
	b.presses(t, arrowUp())
	value(box, "/vault diagnose worker")
	b.presses(t, arrowDown(), arrowDown())
	value(box, "")

	b.runs(t, `document.querySelector(".message .reply").click()`)
	b.types(t, "#thread-composer textarea", "/vault help", enter())
	b.says(t, "#thread-messages .message.ephemeral", "/vault is not supported in threads. Sorry!")
	value("#thread-composer textarea", "/vault help")
	b.presses(t, escapeKey())
	b.holds(t, `document.querySelector("#thread").hidden`)
}

func driveChannels(t *testing.T, b *browser) {
	s := b.opens(t)
	b.visit(t, s.URL()+"/?user=bruno")
	b.shows(t, "#channels .shared")
	s.Say(Said{User: "carla", Channel: general, Text: "one"})
	s.Say(Said{User: "carla", Channel: general, Text: "two, @bruno"})
	b.says(t, `[data-channel="general"] .count-badge.loud`, "2")
	b.clicks(t, `[data-channel="general"]`)
	b.holds(t, `document.querySelector(".fresh + .message").innerText.includes("one")`)
	b.lacks(t, `[data-channel="general"] .count-badge`)
	b.clicks(t, `[data-channel="old-incidents"]`)
	b.holds(t, `document.querySelector("#composer textarea").disabled`)
	b.says(t, "#messages", "old-incidents")

	s.Say(Said{User: "gil", Channel: incidents, Text: "a guest"})
	b.clicks(t, `[data-channel="incidents"]`)
	b.says(t, ".head .badge.guest", "guest")
	b.clicks(t, ".message .name")
	b.says(t, ".card", "Contractor")
	b.presses(t, escapeKey())
	b.lacks(t, ".card")
	b.becomes(t, "davi")
	b.holds(t, `document.querySelector("#composer textarea").placeholder.includes("deactivated")`)
	b.becomes(t, "paula")
	b.says(t, "#channels", "partner-ops")
	b.clicks(t, "#person")
	b.says(t, `[data-choice="paula"] .badge`, "external")
	b.presses(t, escapeKey())
}

// driveSilence uses an app that acknowledges nothing.
func driveSilence(t *testing.T, b *browser) {
	s := b.opens(t, func(cfg *Config) { cfg.AckLimit = "300ms" })
	a := connect(t, s, ignore)
	if _, _, err := a.api.PostMessage(incidents, slackgo.MsgOptionBlocks(card()...)); err != nil {
		t.Fatal(err)
	}
	b.visit(t, s.URL()+"/?user=ana")
	b.clicks(t, `[data-action="again"]`)
	b.shows(t, `[data-action="again"].failed`)
	b.holds(t, `document.querySelector('[data-action="again"]').title.includes("did not respond")`)
	b.picture(t, "silence")
}

// driveLook looks at what no act changes: the colours, and a narrow window.
func driveLook(t *testing.T, b *browser) {
	s := b.opens(t)
	b.visit(t, s.URL()+"/?user=ana")
	b.says(t, "#channel-name", "incidents")
	for _, scheme := range []string{"light", "dark"} {
		b.clicks(t, "#theme")
		b.holds(t, `getComputedStyle(document.documentElement).colorScheme === "`+scheme+`"`)
	}
	b.clicks(t, "#theme")
	b.do(t, "narrow", chromedp.EmulateViewport(800, 700))
	b.holds(t, `document.documentElement.scrollWidth <= innerWidth`)
	b.picture(t, "narrow")
	b.do(t, "wide", chromedp.EmulateViewport(1360, 900))
}

package slack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

func ackWithin(limit string) func(*Config) { return func(c *Config) { c.AckLimit = limit } }

func TestSlashCommand(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	out := s.Say(Said{User: "ana", Channel: "#incidents", Text: "/vault diagnose worker for @bruno & #general"})
	if out.Error != "" || out.AckMS <= 0 {
		t.Fatalf("outcome %+v", out)
	}
	e := receive(t, a.events)
	cmd, ok := e.Data.(slackgo.SlashCommand)
	if !ok || e.Type != socketmode.EventTypeSlashCommand || !e.Request.AcceptsResponsePayload {
		t.Fatalf("got %+v", e)
	}
	if cmd.ResponseURL == "" || cmd.TriggerID == "" || cmd.Token == "" {
		t.Errorf("empty fields: %+v", cmd)
	}
	cmd.ResponseURL, cmd.TriggerID, cmd.Token = "", "", ""
	want := slackgo.SlashCommand{
		TeamID: "T0NEURALHV", TeamDomain: "neural-hive", ChannelID: incidents, ChannelName: "incidents", UserID: ana,
		UserName: "ana", Command: "/vault", APIAppID: "A0TANDEM01",
		Text: "diagnose worker for <@U0BRUNO001|bruno> &amp; <#C0GENERAL1|general>",
	}
	if cmd != want {
		t.Errorf("got  %+v\nwant %+v", cmd, want)
	}
	if got := messages(s, incidents, ""); len(got) != 0 {
		t.Errorf("an empty acknowledgement made messages: %+v", got)
	}
}

func TestCommandNobodyAcknowledges(t *testing.T) {
	s := open(t, ackWithin("50ms"))
	say := Said{User: "ana", Channel: "incidents", Text: "/vault help"}
	if out := s.Say(say); out.Error != "dispatch_failed" {
		t.Errorf("without the app: %+v", out)
	}
	a := connect(t, s, ignore)
	if out := s.Say(say); out.Error != "operation_timeout" || out.AckMS < 50 {
		t.Errorf("with an app that hangs: %+v", out)
	}
	late := receive(t, a.events)
	for _, user := range []string{ana, bruno} {
		var texts []string
		for _, m := range messages(s, incidents, user) {
			texts = append(texts, m.Text)
		}
		var want []string
		if user == ana {
			want = []string{`/vault failed with the error "dispatch_failed"`, `/vault failed with the error "operation_timeout"`}
		}
		if !slices.Equal(texts, want) {
			t.Errorf("%s reads %q, want %q", user, texts, want)
		}
	}
	if late.Request.RetryAttempt != 0 || len(a.events) != 0 {
		t.Error("a slash command was sent again")
	}
}

func TestLateAcknowledgementIsDropped(t *testing.T) {
	s := open(t, ackWithin("1s"))
	hold := make(chan struct{})
	a := connect(t, s, func(sm *socketmode.Client, e socketmode.Event) {
		<-hold
		_ = sm.Ack(*e.Request, map[string]any{"text": "too late"})
	})
	s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"})
	close(hold)
	receive(t, a.events)
	// The next one is answered, so the late one has been read by then.
	s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"})
	var late int
	for _, m := range messages(s, incidents, ana) {
		if m.Text == "too late" {
			late++
		}
	}
	if late != 1 {
		t.Errorf("%d answers were shown, want only the one in time", late)
	}
}

func TestAcknowledgementWithPayload(t *testing.T) {
	for _, tt := range []struct {
		name      string
		payload   map[string]any
		seenByAll bool
		failure   string
	}{
		{"ephemeral by default", map[string]any{"text": "hi"}, false, ""},
		{"in channel", map[string]any{"text": "hi", "response_type": "in_channel"}, true, ""},
		{"blocks past a limit", map[string]any{"blocks": []any{section(3001)}}, false, "invalid_blocks: [ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			connect(t, s, func(sm *socketmode.Client, e socketmode.Event) { _ = sm.Ack(*e.Request, tt.payload) })
			out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"})
			if out.Error != tt.failure {
				t.Fatalf("outcome %+v", out)
			}
			if m := last(t, s, incidents, ana); tt.failure == "" && m.Text != "hi" {
				t.Errorf("Ana reads %+v", m)
			}
			if n := len(messages(s, incidents, bruno)); (n == 1) != tt.seenByAll {
				t.Errorf("Bruno sees %d messages", n)
			}
		})
	}
}

func TestAcknowledgementOf20KBIsDropped(t *testing.T) {
	h := newHub(open(t).log, 0, func(int) {})
	answer := make(chan json.RawMessage, 1)
	for _, tt := range []struct {
		size int
		want bool
	}{{maxAck - 1, true}, {maxAck, false}} {
		h.waiting["e"] = answer
		prefix, suffix := `{"envelope_id":"e","payload":"`, `"}`
		h.acknowledge([]byte(prefix + x(tt.size-len(prefix)-len(suffix)) + suffix))
		if got := len(answer) == 1; got != tt.want {
			t.Errorf("%d bytes: taken %v, want %v", tt.size, got, tt.want)
		}
		if tt.want {
			<-answer
		}
	}
}

func TestAHugeAcknowledgementLeavesTheConnectionOpen(t *testing.T) {
	s := open(t, ackWithin(patience.String()))
	ws := dial(t, s, nil)
	var frame socketmode.Request
	readFrame(t, ws, &frame)
	outcome := make(chan Outcome, 1)
	go func() { outcome <- s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}) }()
	readFrame(t, ws, &frame)
	for _, payload := range []string{x(4 * maxAck), ""} {
		raw, err := json.Marshal(map[string]any{"envelope_id": frame.EnvelopeID, "payload": map[string]any{"text": payload + "!"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(context.Background(), websocket.MessageText, raw); err != nil {
			t.Fatal(err)
		}
	}
	if out := receive(t, outcome); out.Error != "" {
		t.Errorf("the second answer: %+v", out)
	}
	if m := last(t, s, incidents, ana); m.Text != "!" {
		t.Errorf("Ana reads %d characters", len(m.Text))
	}
}

func TestNoEnvelopeGoesBeforeHello(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := &connection{greeted: make(chan struct{})}
	if err := c.carry(ctx, envelope{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCommandsThatAreNotSent(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	parent := s.Say(Said{User: "ana", Channel: "incidents", Text: "parent"}).TS
	for _, tt := range []struct {
		said       Said
		want, read string
	}{
		{Said{User: "ana", Channel: "incidents", Text: "/nope <b>"}, "unknown_command", "`/nope` is not a valid command"},
		{Said{User: "ana", Channel: "incidents", Text: "/vault help", ThreadTS: parent}, "not_supported_in_threads", "`/vault` is not supported in threads"},
		{Said{User: "ana", Channel: "nowhere", Text: "/vault help"}, "channel_not_found", ""},
		{Said{User: "zoe", Channel: "incidents", Text: "/vault help"}, "user_not_found", ""},
		{Said{User: "tandem", Channel: "incidents", Text: "/vault help"}, "user_not_found", ""},
		{Said{User: "ana", Channel: "incidents", Text: "  "}, "no_text", ""},
	} {
		out := s.Say(tt.said)
		if out.Error != tt.want {
			t.Errorf("%q: %+v, want %s", tt.said.Text, out, tt.want)
		}
		if m := last(t, s, incidents, ana); tt.read != "" && (!strings.Contains(m.Text, tt.read) || m.ThreadTS != tt.said.ThreadTS) {
			t.Errorf("%q: Ana reads %+v", tt.said.Text, m)
		}
	}
	if len(a.events) != 0 {
		t.Errorf("the app got %d envelopes", len(a.events))
	}
}

func TestMention(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	first := s.Say(Said{User: "ana", Channel: "incidents", Text: "nothing for the app"})
	out := s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem diagnose worker", ThreadTS: first.TS})
	if out.Error != "" {
		t.Fatal(out)
	}
	e := receive(t, a.events).Data.(slackevents.EventsAPIEvent)
	inner, ok := e.InnerEvent.Data.(*slackevents.AppMentionEvent)
	if !ok {
		t.Fatalf("got %T", e.InnerEvent.Data)
	}
	if inner.User != ana || inner.Channel != incidents || inner.Text != "<@U0TANDEM01> diagnose worker" || inner.TimeStamp != out.TS || inner.ThreadTimeStamp != first.TS {
		t.Errorf("got %+v", inner)
	}
	if len(a.events) != 0 {
		t.Error("the first message was sent, too")
	}
	// Where the app is no member, it hears nothing.
	s.Say(Said{User: "ana", Channel: "general", Text: "@tandem diagnose worker"})
	if len(a.events) != 0 {
		t.Error("the app heard a mention in a channel it is not in")
	}
}

func TestReactionEvents(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	_, ts, _ := a.api.PostMessage(incidents, text("approve?"))
	if out := s.React(Reacting{User: "bruno", Channel: "incidents", TS: ts, Reaction: ":white_check_mark:"}); out.Error != "" {
		t.Fatal(out)
	}
	added := receive(t, a.events).Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.ReactionAddedEvent)
	if added.User != bruno || added.Reaction != "white_check_mark" || added.ItemUser != botUser || added.Item.Timestamp != ts || added.Item.Channel != incidents {
		t.Errorf("got %+v", added)
	}
	if out := s.React(Reacting{User: "bruno", Channel: "incidents", TS: ts, Reaction: "white_check_mark", Remove: true}); out.Error != "" {
		t.Fatal(out)
	}
	if _, ok := receive(t, a.events).Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.ReactionRemovedEvent); !ok {
		t.Error("no reaction_removed")
	}
	if err := a.api.AddReaction("eyes", slackgo.NewRefToMessage(incidents, ts)); err != nil {
		t.Fatal(err)
	}
	own := receive(t, a.events).Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.ReactionAddedEvent)
	if own.User != botUser {
		t.Errorf("its own reaction: %+v", own)
	}
}

func TestEventsAreRedelivered(t *testing.T) {
	s := open(t, ackWithin("50ms"), func(c *Config) { c.EventRetries = []string{"0s", "10ms", "20ms"} })
	var seen atomic.Int32
	a := connect(t, s, func(sm *socketmode.Client, e socketmode.Event) {
		if seen.Add(1) == 3 {
			_ = sm.Ack(*e.Request)
		}
	})
	if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem hello"}); out.Error != "operation_timeout" {
		t.Errorf("the first delivery: %+v", out)
	}
	var ids []string
	for attempt := range 3 {
		e := receive(t, a.events)
		if e.Request.RetryAttempt != attempt || (attempt > 0) != (e.Request.RetryReason == "timeout") {
			t.Errorf("delivery %d: attempt %d because of %q", attempt, e.Request.RetryAttempt, e.Request.RetryReason)
		}
		ids = append(ids, e.Data.(slackevents.EventsAPIEvent).Data.(*slackevents.EventsAPICallbackEvent).EventID)
	}
	if ids[0] == "" || ids[0] != ids[1] || ids[1] != ids[2] {
		t.Errorf("event ids %q", ids)
	}
}

func TestEventSurvivesAGapOfTheApp(t *testing.T) {
	s := open(t, ackWithin("1s"), func(c *Config) { c.EventRetries = slices.Repeat([]string{"50ms"}, 300) })
	if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "@tandem hello"}); out.Error != "dispatch_failed" {
		t.Fatal(out)
	}
	a := connect(t, s, acknowledge)
	if e := receive(t, a.events); e.Request.RetryReason != "connection_failed" {
		t.Errorf("got %+v", e.Request)
	}
}

func TestClick(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	_, ts, err := a.api.PostMessage(incidents, slackgo.MsgOptionBlocks(card()...))
	if err != nil {
		t.Fatal(err)
	}
	if out := s.Click(Click{User: "bruno", Channel: "incidents", TS: ts, ActionID: "fix"}); out.Error != "" {
		t.Fatal(out)
	}
	cb := receive(t, a.events).Data.(slackgo.InteractionCallback)
	action := cb.ActionCallback.BlockActions[0]
	if action.ActionID != "fix" || action.BlockID != "remedies" || action.Value != "vault-policy-renew-self" || action.ActionTs == "" || action.Type != "button" {
		t.Errorf("action %+v", action)
	}
	if cb.Type != slackgo.InteractionTypeBlockActions || cb.User.ID != bruno || cb.User.TeamID != "T0NEURALHV" || cb.Channel.ID != incidents || cb.Container.MessageTs != ts || cb.Message.Timestamp != ts || len(cb.Message.Blocks.BlockSet) != 6 {
		t.Errorf("callback %+v", cb)
	}
	for _, bad := range []struct {
		click Click
		want  string
	}{
		{Click{User: "bruno", Channel: "incidents", TS: ts, ActionID: "nope"}, "action_not_found"},
		{Click{User: "bruno", Channel: "incidents", TS: "1.1", ActionID: "fix"}, "message_not_found"},
	} {
		if out := s.Click(bad.click); out.Error != bad.want {
			t.Errorf("%+v: %+v", bad.click, out)
		}
	}
}

func TestMenu(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	option := func(v string) *slackgo.OptionBlockObject {
		return slackgo.NewOptionBlockObject(v, plainText("Service "+v), nil)
	}
	menu := slackgo.NewOptionsSelectBlockElement(slackgo.OptTypeStatic, plainText("Service"), "pick", option("worker"), option("orchestrator"))
	_, ts, err := a.api.PostMessage(incidents, slackgo.MsgOptionBlocks(slackgo.NewActionBlock("", menu)))
	if err != nil {
		t.Fatal(err)
	}
	s.Click(Click{User: "ana", Channel: "incidents", TS: ts, ActionID: "pick", Value: "orchestrator"})
	cb := receive(t, a.events).Data.(slackgo.InteractionCallback)
	if got := cb.ActionCallback.BlockActions[0].SelectedOption.Value; got != "orchestrator" {
		t.Errorf("selected %q", got)
	}
	if out := s.Click(Click{User: "ana", Channel: "incidents", TS: ts, ActionID: "pick", Value: "none"}); out.Error != "action_not_found" {
		t.Errorf("an option that is not there: %+v", out)
	}
}

func TestClickOnAnEphemeral(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	ts, err := a.api.PostEphemeral(incidents, ana, slackgo.MsgOptionBlocks(card()...))
	if err != nil {
		t.Fatal(err)
	}
	if out := s.Click(Click{User: "bruno", Channel: "incidents", TS: ts, ActionID: "fix"}); out.Error != "message_not_found" {
		t.Errorf("Bruno, who does not see it: %+v", out)
	}
	s.Click(Click{User: "ana", Channel: "incidents", TS: ts, ActionID: "fix"})
	cb := receive(t, a.events).Data.(slackgo.InteractionCallback)
	if !cb.Container.IsEphemeral || cb.Message.Timestamp != "" {
		t.Errorf("container %+v, message %+v", cb.Container, cb.Message)
	}
	respond(t, s, cb.ResponseURL, `{"delete_original":true}`, http.StatusOK, "")
	if got := messages(s, incidents, ana); len(got) != 0 {
		t.Errorf("after delete_original: %+v", got)
	}
}

// TestOneOfSeveralConnections checks that each envelope goes to exactly one connection, and that all take turns.
func TestOneOfSeveralConnections(t *testing.T) {
	s := open(t)
	apps := []*app{connect(t, s, acknowledge), connect(t, s, acknowledge), connect(t, s, acknowledge)}
	for range 9 {
		if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}); out.Error != "" {
			t.Fatal(out)
		}
	}
	for i, a := range apps {
		for range 3 {
			receive(t, a.events)
		}
		if len(a.events) != 0 {
			t.Errorf("app %d got more than its turn", i)
		}
	}
	if n := s.State("").Connections; n != 3 {
		t.Errorf("%d connections", n)
	}
}

// TestSocketWeather checks that the official client comes back after a refresh and after a cut line.
func TestSocketWeather(t *testing.T) {
	for _, action := range []string{"disconnect", "kill"} {
		t.Run(action, func(t *testing.T) {
			s := open(t)
			a := connect(t, s, acknowledge)
			before := calls(s, "apps.connections.open")
			if out := s.Socket(SocketAction{Action: action}); out.Error != "" {
				t.Fatal(out)
			}
			eventually(t, "the client connects anew", func() bool {
				return calls(s, "apps.connections.open") > before && s.State("").Connections == 1 &&
					s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}).Error == ""
			})
			receive(t, a.events)
		})
	}
	if out := open(t).Socket(SocketAction{Action: "thunder"}); out.Error == "" {
		t.Error("an unknown action was taken")
	}
}

func calls(s *Server, method string) int {
	n := 0
	for _, c := range s.State("").Calls {
		if c.Method == method {
			n++
		}
	}
	return n
}

func TestConnectionsHaveALife(t *testing.T) {
	s := open(t, func(c *Config) { c.ConnectionLife = "100ms" })
	connect(t, s, acknowledge)
	eventually(t, "the client is asked to refresh and does", func() bool { return calls(s, "apps.connections.open") >= 3 })
}

func TestHelloAndPing(t *testing.T) {
	s := open(t, func(c *Config) { c.PingInterval = "10ms" })
	pinged := make(chan struct{}, 100)
	ws := dial(t, s, func() { pinged <- struct{}{} })
	var hello socketmode.Request
	readFrame(t, ws, &hello)
	if hello.Type != "hello" || hello.NumConnections != 1 || hello.ConnectionInfo.AppID != "A0TANDEM01" || hello.DebugInfo.ApproximateConnectionTime != 3600 {
		t.Errorf("got %+v", hello)
	}
	ctx := ws.CloseRead(context.Background())
	receive(t, pinged)
	receive(t, pinged)
	_ = ws.CloseNow()
	<-ctx.Done()
}

func TestAtMostTenConnections(t *testing.T) {
	s := open(t)
	var hello socketmode.Request
	for i := range 10 {
		ws := dial(t, s, nil)
		readFrame(t, ws, &hello)
		if hello.NumConnections != i+1 {
			t.Errorf("connection %d is greeted as %d", i+1, hello.NumConnections)
		}
	}
	var refused socketmode.Request
	readFrame(t, dial(t, s, nil), &refused)
	if refused.Type != "disconnect" || refused.Reason != "too_many_websockets" {
		t.Errorf("connection 11: %+v", refused)
	}
}

// dial opens a websocket by hand.
func dial(t *testing.T, s *Server, onPing func()) *websocket.Conn {
	t.Helper()
	_, address, err := client(t, s).StartSocketModeContext(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	options := &websocket.DialOptions{HTTPClient: httpClient(t)}
	options.HTTPClient.Timeout = 0
	if onPing != nil {
		options.OnPingReceived = func(context.Context, []byte) bool { onPing(); return true }
	}
	ws, _, err := websocket.Dial(context.Background(), address, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

func readFrame(t *testing.T, ws *websocket.Conn, into any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, raw, err := ws.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

func TestTicketsOpenOneConnection(t *testing.T) {
	s := open(t)
	_, address, err := client(t, s).StartSocketModeContext(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	options := &websocket.DialOptions{HTTPClient: httpClient(t)}
	options.HTTPClient.Timeout = 0
	ws, _, err := websocket.Dial(context.Background(), address, options)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	_, resp, err := websocket.Dial(context.Background(), address, options)
	if err == nil || resp == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the second use: %v", err)
	}
}

func TestSocketModeNeedsTheAppToken(t *testing.T) {
	s := open(t)
	for token, want := range map[string]string{"": "not_authed", testBotToken: "not_allowed_token_type", "xapp-wrong": "invalid_auth"} {
		_, _, err := client(t, s, slackgo.OptionAppLevelToken(token)).StartSocketModeContext(context.Background())
		if got := refusal(t, err); got != want {
			t.Errorf("token %q: %q, want %q", token, got, want)
		}
	}
}

func TestClosingEndsADelivery(t *testing.T) {
	s := open(t, ackWithin("1h"))
	a := connect(t, s, ignore)
	done := make(chan Outcome, 1)
	go func() { done <- s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}) }()
	receive(t, a.events)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out := receive(t, done); !strings.Contains(out.Error, context.Canceled.Error()) {
		t.Errorf("outcome %+v", out)
	}
	if _, err := Start(context.Background(), Config{}); err == nil || !strings.Contains(err.Error(), "bot_token") {
		t.Errorf("an empty configuration: %v", err)
	}
	if err := errors.Join(s.Close()); err != nil {
		t.Errorf("the second close: %v", err)
	}
}

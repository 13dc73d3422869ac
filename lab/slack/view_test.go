package slack

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// modal is a modal with these blocks.
func modal(blocks ...slackgo.Block) slackgo.ModalViewRequest {
	return slackgo.ModalViewRequest{
		Type: slackgo.VTModal, Title: plainText("Diagnose"), Submit: plainText("Go"), Close: plainText("Cancel"),
		CallbackID: "diagnose", PrivateMetadata: "m", NotifyOnClose: true, Blocks: slackgo.Blocks{BlockSet: blocks},
	}
}

// triggered is a fresh trigger_id of Ana.
func triggered(t *testing.T, s *Server, a *app) string {
	t.Helper()
	if out := s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"}); out.Error != "" {
		t.Fatal(out)
	}
	return receive(t, a.events).Data.(slackgo.SlashCommand).TriggerID
}

func TestOpenAndSubmit(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	trigger := triggered(t, s, a)
	v, err := a.api.OpenViewContext(t.Context(), trigger, modal(card()...))
	if err != nil {
		t.Fatal(err)
	}
	if v.ID == "" || v.Hash == "" || v.RootViewID != v.ID || v.PreviousViewID != "" || v.TeamID != "T0NEURALHV" || v.AppID != "A0TANDEM01" {
		t.Errorf("got %+v", v)
	}
	if open := s.State("ana").Views; len(open) != 1 || open[0].ID != v.ID || len(s.State("bruno").Views) != 0 {
		t.Errorf("Ana sees %+v", open)
	}
	if _, err := a.api.OpenViewContext(t.Context(), trigger, modal(card()...)); refusal(t, err) != "exchanged_trigger_id" {
		t.Errorf("a second time: %v", err)
	}
	if out := s.Submit(Submit{User: "ana", ViewID: v.ID}); out.Error != "" || len(out.Errors) > 0 {
		t.Fatal(out)
	}
	cb := receive(t, a.events).Data.(slackgo.InteractionCallback)
	if cb.Type != slackgo.InteractionTypeViewSubmission || cb.View.CallbackID != "diagnose" || cb.View.PrivateMetadata != "m" || cb.View.Hash != v.Hash || cb.User.ID != ana {
		t.Errorf("got %+v", cb)
	}
	if open := s.State("ana").Views; len(open) != 0 {
		t.Errorf("it is still open: %+v", open)
	}
}

func TestClosing(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	v, err := a.api.OpenViewContext(t.Context(), triggered(t, s, a), modal(card()...))
	if err != nil {
		t.Fatal(err)
	}
	if out := s.CloseView(CloseView{User: "bruno", ViewID: v.ID}); out.Error != "view_not_found" {
		t.Errorf("Bruno: %+v", out)
	}
	if out := s.CloseView(CloseView{User: "ana", ViewID: v.ID}); out.Error != "" {
		t.Fatal(out)
	}
	if cb := receive(t, a.events).Data.(slackgo.InteractionCallback); cb.Type != slackgo.InteractionTypeViewClosed || cb.View.ID != v.ID || cb.IsCleared {
		t.Errorf("got %+v", cb)
	}
}

func TestResponseActions(t *testing.T) {
	update := modal(card()...)
	update.CallbackID = "second"
	for _, tt := range []struct {
		name   string
		answer *slackgo.ViewSubmissionResponse
		open   []string
		error  string
	}{
		{"update", slackgo.NewUpdateViewSubmissionResponse(&update), []string{"second"}, ""},
		{"push", slackgo.NewPushViewSubmissionResponse(&update), []string{"diagnose", "second"}, ""},
		{"clear", slackgo.NewClearViewSubmissionResponse(), nil, ""},
		{"errors at no input", slackgo.NewErrorsViewSubmissionResponse(map[string]string{"nope": "x"}), []string{"diagnose"}, errTrouble.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			a := connect(t, s, func(sm *socketmode.Client, e socketmode.Event) {
				if cb, ok := e.Data.(slackgo.InteractionCallback); ok && cb.Type == slackgo.InteractionTypeViewSubmission {
					_ = sm.Ack(*e.Request, tt.answer)
					return
				}
				_ = sm.Ack(*e.Request)
			})
			v, err := a.api.OpenViewContext(t.Context(), triggered(t, s, a), modal(card()...))
			if err != nil {
				t.Fatal(err)
			}
			if out := s.Submit(Submit{User: "ana", ViewID: v.ID}); out.Error != tt.error {
				t.Fatal(out)
			}
			var open []string
			for _, v := range s.State("ana").Views {
				open = append(open, v.CallbackID)
			}
			if len(open) != len(tt.open) || (len(open) > 0 && open[len(open)-1] != tt.open[len(open)-1]) {
				t.Errorf("open: %q", open)
			}
		})
	}
}

// form is a modal with one input of every kind that holds a value.
const form = `{"type":"modal","title":{"type":"plain_text","text":"Form"},"submit":{"type":"plain_text","text":"Go"},"blocks":[
	{"type":"input","block_id":"text","label":{"type":"plain_text","text":"Text"},"element":{"type":"plain_text_input","action_id":"text","min_length":2,"max_length":5,"initial_value":"abc"}},
	{"type":"input","block_id":"note","optional":true,"label":{"type":"plain_text","text":"Note"},"element":{"type":"plain_text_input","action_id":"note","multiline":true}},
	{"type":"input","block_id":"menu","label":{"type":"plain_text","text":"Menu"},"element":{"type":"static_select","action_id":"menu","options":[
		{"text":{"type":"plain_text","text":"One"},"value":"1"},{"text":{"type":"plain_text","text":"Two"},"value":"2"}]}},
	{"type":"input","block_id":"many","optional":true,"label":{"type":"plain_text","text":"Many"},"element":{"type":"multi_static_select","action_id":"many","options":[
		{"text":{"type":"plain_text","text":"One"},"value":"1"},{"text":{"type":"plain_text","text":"Two"},"value":"2"}]}},
	{"type":"input","block_id":"boxes","optional":true,"label":{"type":"plain_text","text":"Boxes"},"element":{"type":"checkboxes","action_id":"boxes","options":[
		{"text":{"type":"plain_text","text":"One"},"value":"1"},{"text":{"type":"plain_text","text":"Two"},"value":"2"}],
		"initial_options":[{"text":{"type":"plain_text","text":"Two"},"value":"2"}]}},
	{"type":"input","block_id":"radio","optional":true,"label":{"type":"plain_text","text":"Radio"},"element":{"type":"radio_buttons","action_id":"radio","options":[
		{"text":{"type":"plain_text","text":"One"},"value":"1"}]}},
	{"type":"input","block_id":"user","optional":true,"label":{"type":"plain_text","text":"User"},"element":{"type":"users_select","action_id":"user"}},
	{"type":"input","block_id":"where","optional":true,"label":{"type":"plain_text","text":"Where"},"element":{"type":"conversations_select","action_id":"where","response_url_enabled":true}},
	{"type":"input","block_id":"day","optional":true,"label":{"type":"plain_text","text":"Day"},"element":{"type":"datepicker","action_id":"day","initial_date":"2026-01-02"}},
	{"type":"input","block_id":"count","optional":true,"label":{"type":"plain_text","text":"Count"},"element":{"type":"number_input","action_id":"count","is_decimal_allowed":false,"min_value":"1","max_value":"9"}},
	{"type":"input","block_id":"mail","optional":true,"label":{"type":"plain_text","text":"Mail"},"element":{"type":"email_text_input","action_id":"mail"}},
	{"type":"input","block_id":"link","optional":true,"label":{"type":"plain_text","text":"Link"},"element":{"type":"url_text_input","action_id":"link"}}
]}`

// openForm opens a modal from its JSON, for Ana.
func openForm(t *testing.T, s *Server, a *app, view string) (View, error) {
	t.Helper()
	answer, err := s.viewsOpen(call{args: args{"trigger_id": quoted(triggered(t, s, a)), "view": json.RawMessage(view)}})
	if err != nil {
		return View{}, err
	}
	return answer["view"].(View), nil
}

func quoted(text string) json.RawMessage {
	raw, _ := json.Marshal(text)
	return raw
}

func mustOpen(t *testing.T, s *Server, a *app, view string) View {
	t.Helper()
	v, err := openForm(t, s, a, view)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestStateValues(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	v := mustOpen(t, s, a, form)
	do(t, s, "/lab/submit", `{"user":"ana","view_id":"`+v.ID+`","values":{"text":{"text":"abcd"},"menu":{"menu":"2"},"many":{"many":["1","2"]},
		"user":{"user":"U0BRUNO001"},"where":{"where":"C0INCIDENT"},"count":{"count":"7"}}}`)
	cb := receive(t, a.events).Data.(slackgo.InteractionCallback)
	values := cb.View.State.Values
	at := func(block string) slackgo.BlockAction { return values[block][block] }
	for what, ok := range map[string]bool{
		"all inputs are there": len(values) == 12,
		"text":                 at("text").Value == "abcd" && at("text").Type == "plain_text_input",
		"nothing typed":        at("note").Value == "" && at("note").Type == "plain_text_input",
		"menu":                 at("menu").SelectedOption.Value == "2" && at("menu").SelectedOption.Text.Text == "Two",
		"many":                 len(at("many").SelectedOptions) == 2,
		"initial options":      len(at("boxes").SelectedOptions) == 1 && at("boxes").SelectedOptions[0].Value == "2",
		"no radio":             at("radio").SelectedOption.Value == "",
		"user":                 at("user").SelectedUser == bruno,
		"conversation":         at("where").SelectedConversation == incidents,
		"initial date":         at("day").SelectedDate == "2026-01-02",
		"number":               at("count").Value == "7",
		"a response_url":       len(cb.ResponseURLs) == 1 && cb.ResponseURLs[0].ChannelID == incidents && cb.ResponseURLs[0].BlockID == "where",
	} {
		if !ok {
			t.Errorf("%s: %+v", what, values)
		}
	}
	respond(t, s, cb.ResponseURLs[0].ResponseURL, `{"text":"done","response_type":"in_channel"}`, 200, "")
	if m := last(t, s, incidents, bruno); m.Text != "done" {
		t.Errorf("got %+v", m)
	}
}

// TestSlackItselfComplains checks that the app is not bothered with what the inputs forbid.
func TestSlackItselfComplains(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	v := mustOpen(t, s, a, form)
	for values, at := range map[string]string{
		`{"text":{"text":"abcd"}}`:                             "menu",
		`{"menu":{"menu":"1"},"text":{"text":""}}`:             "text",
		`{"menu":{"menu":"1"},"text":{"text":"a"}}`:            "text",
		`{"menu":{"menu":"1"},"text":{"text":"abcdef"}}`:       "text",
		`{"menu":{"menu":"1"},"count":{"count":"many"}}`:       "count",
		`{"menu":{"menu":"1"},"count":{"count":"1.5"}}`:        "count",
		`{"menu":{"menu":"1"},"count":{"count":"0"}}`:          "count",
		`{"menu":{"menu":"1"},"count":{"count":"10"}}`:         "count",
		`{"menu":{"menu":"1"},"mail":{"mail":"ana"}}`:          "mail",
		`{"menu":{"menu":"1"},"link":{"link":"example.test"}}`: "link",
	} {
		_, out := post(t, s, "/lab/submit", `{"user":"ana","view_id":"`+v.ID+`","values":`+values+`}`)
		if out.Error != "" || len(out.Errors) != 1 || out.Errors[at] == "" {
			t.Errorf("%s: %+v", values, out)
		}
	}
	for values, want := range map[string]string{
		`{"menu":{"menu":"3"}}`: `no option "3"`, `{"nowhere":{"nowhere":"3"}}`: `block "nowhere"`,
	} {
		if _, out := post(t, s, "/lab/submit", `{"user":"ana","view_id":"`+v.ID+`","values":`+values+`}`); !strings.Contains(out.Error, want) {
			t.Errorf("%s: %+v", values, out)
		}
	}
	if len(a.events) != 0 {
		t.Error("the app was asked")
	}
}

func TestTheAppComplains(t *testing.T) {
	s := open(t)
	a := connect(t, s, func(sm *socketmode.Client, e socketmode.Event) {
		if e.Type == socketmode.EventTypeInteractive {
			_ = sm.Ack(*e.Request, slackgo.NewErrorsViewSubmissionResponse(map[string]string{"text": "Not this one."}))
			return
		}
		_ = sm.Ack(*e.Request)
	})
	v := mustOpen(t, s, a, form)
	out := s.Submit(Submit{User: "ana", ViewID: v.ID, Values: map[string]map[string]any{"menu": {"menu": "1"}}})
	if out.Error != "" || out.Errors["text"] != "Not this one." {
		t.Errorf("got %+v", out)
	}
	if open := s.State("ana").Views; len(open) != 1 || kindOf(open[0].State.Values["menu"]["menu"]) != "static_select" {
		t.Errorf("what was filled in is lost: %+v", open)
	}
}

// TestAnAppThatDoesNotTakeASubmission checks that the modal stays open.
func TestAnAppThatDoesNotTakeASubmission(t *testing.T) {
	s := open(t, ackWithin("100ms"))
	a := connect(t, s, func(sm *socketmode.Client, e socketmode.Event) {
		if e.Type != socketmode.EventTypeInteractive {
			_ = sm.Ack(*e.Request)
		}
	})
	v := mustOpen(t, s, a, form)
	out := s.Submit(Submit{User: "ana", ViewID: v.ID, Values: map[string]map[string]any{"menu": {"menu": "1"}}})
	if out.Error != "operation_timeout" || len(s.State("ana").Views) != 1 {
		t.Errorf("got %+v", out)
	}
}

func TestViewLimits(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	base := func(change ...func(object)) string {
		v := object{
			"type": "modal", "title": object{"type": "plain_text", "text": "T"}, "blocks": []any{object{"type": "divider"}},
		}
		for _, c := range change {
			c(v)
		}
		raw, _ := json.Marshal(v)
		return string(raw)
	}
	plain := func(n int) object { return object{"type": "plain_text", "text": x(n)} }
	field := func(key string, v any) func(object) { return func(o object) { o[key] = v } }
	dividers := func(n int) []any { return slices.Repeat([]any{object{"type": "divider"}}, n) }
	input := []any{object{"type": "input", "label": plain(1), "element": object{"type": "plain_text_input"}}}
	for name, tt := range map[string]struct{ good, bad, at string }{
		"title":            {base(field("title", plain(24))), base(field("title", plain(25))), "/view/title/text"},
		"submit":           {base(field("submit", plain(24))), base(field("submit", plain(25))), "/view/submit/text"},
		"close":            {base(field("close", plain(24))), base(field("close", plain(25))), "/view/close/text"},
		"private_metadata": {base(field("private_metadata", x(3000))), base(field("private_metadata", x(3001))), "/view/private_metadata"},
		"callback_id":      {base(field("callback_id", x(255))), base(field("callback_id", x(256))), "/view/callback_id"},
		"external_id":      {base(field("external_id", x(255))), base(field("external_id", x(256))), "/view/external_id"},
		"blocks":           {base(field("blocks", dividers(100))), base(field("blocks", dividers(101))), "/view/blocks"},
		"no title":         {base(), base(func(o object) { delete(o, "title") }), "/view"},
		"type":             {base(), base(field("type", "home")), "/view/type"},
		"unknown":          {base(), base(field("colour", "red")), "/view"},
		"inputs need submit": {
			base(field("blocks", input), field("submit", plain(2))), base(field("blocks", input)), "/view/blocks/0/input",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := openForm(t, s, a, tt.good); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			_, err := openForm(t, s, a, tt.bad)
			if codeOf(err) != "invalid_arguments" || !strings.Contains(strings.Join(problemsOf(err), "\n"), "[json-pointer:"+tt.at+"]") {
				t.Errorf("past it: %v", err)
			}
		})
	}
	if _, err := openForm(t, s, a, base(field("private_metadata", x(maxView)))); codeOf(err) != "view_too_large" {
		t.Errorf("past 250 KB: %v", err)
	}
}

func TestTriggers(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ts := newTriggers()
	inTime, late, old := ts.issue(ana, "", now), ts.issue(ana, "", now), ts.issue(ana, "", now)
	for _, tt := range []struct {
		id   string
		at   time.Time
		want string
	}{
		{inTime, now.Add(triggerLife), ""},
		{inTime, now.Add(triggerLife), "exchanged_trigger_id"},
		{late, now.Add(triggerLife + time.Millisecond), "expired_trigger_id"},
		{"1.x", now, "invalid_trigger_id"},
	} {
		if _, err := ts.exchange(tt.id, tt.at); codeOf(err) != tt.want {
			t.Errorf("%s at %v: %v", tt.id, tt.at.Sub(now), err)
		}
	}
	ts.issue(ana, "", now.Add(triggerMemory+time.Second))
	if _, err := ts.exchange(old, now); codeOf(err) != "invalid_trigger_id" {
		t.Errorf("forgotten: %v", err)
	}
}

func TestPushAndUpdate(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	root := mustOpen(t, s, a, form)
	top := root.ID
	for range 2 {
		v := modal(card()...)
		v.ExternalID = "ext-" + top
		got, err := a.api.PushViewContext(t.Context(), s.triggers.issue(ana, top, time.Now()), v)
		if err != nil {
			t.Fatal(err)
		}
		if got.RootViewID != root.ID || got.PreviousViewID != top {
			t.Errorf("got %+v", got.View)
		}
		top = got.ID
	}
	if _, err := a.api.PushViewContext(t.Context(), s.triggers.issue(ana, top, time.Now()), modal(card()...)); refusal(t, err) != "push_limit_reached" {
		t.Errorf("the fourth: %v", err)
	}
	v := modal(card()...)
	v.ExternalID = "ext-" + root.ID
	if _, err := a.api.UpdateViewContext(t.Context(), v, "", "", top); refusal(t, err) != "duplicate_external_id" {
		t.Errorf("an external id twice: %v", err)
	}
	v.CallbackID = "fresh"
	updated, err := a.api.UpdateViewContext(t.Context(), v, "ext-"+root.ID, "", "")
	if err != nil || updated.CallbackID != "fresh" || updated.PreviousViewID != root.ID {
		t.Fatalf("by external id: %+v, %v", updated, err)
	}
	for want, err := range map[string]error{
		"hash_conflict": second(a.api.UpdateViewContext(t.Context(), modal(card()...), "", "1.00000000", top)),
		"not_found":     second(a.api.UpdateViewContext(t.Context(), modal(card()...), "", "", "V0NOWHERE")),
	} {
		if refusal(t, err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	if out := s.CloseView(CloseView{User: "ana", ViewID: top, All: true}); out.Error != "" || len(s.State("").Views) != 0 {
		t.Errorf("close all: %+v", out)
	}
	for range 2 { // the two that want to know
		if cb := receive(t, a.events).Data.(slackgo.InteractionCallback); !cb.IsCleared {
			t.Errorf("got %+v", cb)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestWhatIsFilledInStays checks that a click and an update in a modal keep what is in its other inputs.
func TestWhatIsFilledInStays(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	view := strings.Replace(form, `"blocks":[`, `"blocks":[{"type":"actions","block_id":"acts","elements":[{"type":"button","action_id":"more","text":{"type":"plain_text","text":"More"},"value":"v"}]},`, 1)
	v := mustOpen(t, s, a, view)
	do(t, s, "/lab/click", `{"user":"ana","view_id":"`+v.ID+`","action_id":"more","values":{"text":{"text":"kept"}}}`)
	cb := receive(t, a.events).Data.(slackgo.InteractionCallback)
	if cb.View.State.Values["text"]["text"].Value != "kept" || cb.TriggerID == "" || cb.ActionCallback.BlockActions[0].Value != "v" {
		t.Errorf("got %+v", cb)
	}
	if _, err := s.viewsUpdate(call{args: args{"view_id": quoted(v.ID), "hash": quoted(v.Hash), "view": json.RawMessage(form)}}); err != nil {
		t.Fatal(err)
	}
	do(t, s, "/lab/submit", `{"user":"ana","view_id":"`+v.ID+`","values":{"menu":{"menu":"1"}}}`)
	if cb := receive(t, a.events).Data.(slackgo.InteractionCallback); cb.View.State.Values["text"]["text"].Value != "kept" {
		t.Errorf("got %+v", cb.View.State.Values["text"])
	}
}

// TestSecretsAreNotShown reads everything that the workspace tells and looks for what entitles to something.
func TestSecretsAreNotShown(t *testing.T) {
	web := listen(t, nil)
	s := open(t, overHTTP(web))
	s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"})
	fields := receive(t, web.got).form()
	_, _ = client(t, s).OpenViewContext(t.Context(), fields.Get("trigger_id"), modal(card()...))
	raw, err := json.Marshal(s.State(""))
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]string{
		"signing secret": testSecret, "bot token": testBotToken, "app token": testAppToken, "response_url": fields.Get("response_url"),
		"trigger_id": fields.Get("trigger_id"), "verification token": fields.Get("token"),
	} {
		if secret == "" || strings.Contains(string(raw), secret) {
			t.Errorf("the state tells the %s", what)
		}
	}
}

package slack

import (
	"testing"

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

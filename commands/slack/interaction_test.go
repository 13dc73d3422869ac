package slack

import (
	"slices"
	"testing"
)

func TestInteractionsAreReadWithBlocksOfTomorrow(t *testing.T) {
	for _, message := range []string{
		`{"text":"x","blocks":[{"type":"tomorrow"},{"type":"actions","elements":[{"type":"tomorrow"}]},{"type":"context","elements":[{"type":"tomorrow"}]}]}`,
		`{"text":"x","blocks":[{"type":"table","rows":[[{"type":"tomorrow"}]]},{"type":"input","element":{"type":"tomorrow"}}]}`,
		`{"text":"x","attachments":[{"id":"one","blocks":[{"type":"actions","elements":[{"type":"tomorrow"}]}]}],"files":[{"created":"x"}]}`,
		`{"text":"x","blocks":null,"edited":{"user":7}}`,
		`null`,
	} {
		d, err := parseInteraction([]byte(`{"type":"message_action","callback_id":"c","message":` + message + `}`))
		if err != nil || d.interaction.CallbackID != "c" {
			t.Errorf("%s: %v", message, err)
		}
	}
}

func TestAServiceIsFoundWhereverAMessageNamesIt(t *testing.T) {
	services := []string{"orchestrator", "text", "worker"}
	for message, want := range map[string][]string{
		`{"text":"worker is down"}`: {"worker"},
		`{"text":"","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"Job:\nworker"}}]}`:               {"worker"},
		`{"text":"","blocks":[{"type":"tomorrow","fields":[{"text":"*orchestrator*"}]}]}`:                        {"orchestrator"},
		`{"text":"","attachments":[{"fallback":"[FIRING] worker","fields":[{"title":"job","value":"worker"}]}]}`: {"worker"},
		`{"text":"","attachments":[{"color":"worker","text":"nothing"}]}`:                                        nil,
		`{"text":"nothing"}`: nil,
	} {
		d, err := parseInteraction([]byte(`{"message":` + message + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := namedIn(d.interaction.Message.words(), services); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", message, got, want)
		}
	}
}

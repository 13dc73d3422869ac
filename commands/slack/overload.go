package slack

import (
	"encoding/json"
	"fmt"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
)

// turnedAway holds the answers inside acknowledgements of what is turned away, by
// language and text. They are made once, because a flood is when there is no
// time to make them.
type turnedAway map[turnedAwayKey]json.RawMessage

type turnedAwayKey struct {
	lang diagnostics.Lang
	text string
}

func newTurnedAway(v *commands.Vocabulary, command string) (turnedAway, error) {
	all := turnedAway{}
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		for _, text := range []string{textBusy, textFlood} {
			encoded, err := json.Marshal(map[string]string{
				"response_type": slackgo.ResponseTypeEphemeral, "text": prose(v.Words(lang, command).Say(text)),
			})
			if err != nil {
				return nil, fmt.Errorf("encode an acknowledgement: %w", err)
			}
			all[turnedAwayKey{lang, text}] = encoded
		}
	}
	return all, nil
}

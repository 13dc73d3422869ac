package slack

import (
	"encoding/json"
	"fmt"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
)

// sorries are the answers inside acknowledgements of what is turned away, by
// language and text. They are made once, because a flood is when there is no
// time to make them.
type sorries map[sorryKey]json.RawMessage

type sorryKey struct {
	lang diagnostics.Lang
	text string
}

func newSorries(v *commands.Vocabulary, command string) (sorries, error) {
	all := sorries{}
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		for _, text := range []string{textBusy, textFlood} {
			encoded, err := json.Marshal(map[string]string{
				"response_type": slackgo.ResponseTypeEphemeral, "text": prose(v.Words(lang, command).Say(text)),
			})
			if err != nil {
				return nil, fmt.Errorf("encode an acknowledgement: %w", err)
			}
			all[sorryKey{lang, text}] = encoded
		}
	}
	return all, nil
}

package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	slackgo "github.com/slack-go/slack"
)

// interaction is a click, a shortcut or what a modal submits, as far as the bot
// wants to know it. The message may be of another app, with blocks that only
// Slack knows: they are kept as they came.
type interaction struct {
	Type        slackgo.InteractionType `json:"type"`
	CallbackID  string                  `json:"callback_id"`
	TriggerID   string                  `json:"trigger_id"`
	ResponseURL string                  `json:"response_url"`

	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID     string `json:"id"`
		TeamID string `json:"team_id"`
	} `json:"user"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Container struct {
		MessageTS string `json:"message_ts"`
		ThreadTS  string `json:"thread_ts"`
		ChannelID string `json:"channel_id"`
	} `json:"container"`

	Message touchedMessage `json:"message"`
	Actions []action       `json:"actions"`
	View    submittedView  `json:"view"`
}

// touchedMessage is the message that somebody clicked in, or used a shortcut on.
type touchedMessage struct {
	TS          string          `json:"ts"`
	ThreadTS    string          `json:"thread_ts"`
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks"`
	Attachments json.RawMessage `json:"attachments"` // what older apps write in
}

// action is what was clicked.
type action struct {
	ActionID string `json:"action_id"`
	Value    string `json:"value"`
}

// submittedView is a modal that somebody filled in.
type submittedView struct {
	CallbackID      string `json:"callback_id"`
	PrivateMetadata string `json:"private_metadata"`
	State           struct {
		Values map[string]map[string]entered `json:"values"`
	} `json:"state"`
}

// entered is what a menu or a line of a modal holds.
type entered struct {
	Value    string `json:"value"`
	Selected struct {
		Value string `json:"value"`
	} `json:"selected_option"`
}

func (e entered) text() string { return cmp.Or(e.Selected.Value, e.Value) }

// parseInteraction reads the JSON of an interaction.
func parseInteraction(payload []byte) (delivery, error) {
	from := &interaction{}
	if err := json.Unmarshal(payload, from); err != nil {
		return delivery{}, fmt.Errorf("read an interaction: %w", err)
	}
	return delivery{interaction: from}, nil
}

// words are all that a message says, in whatever blocks.
func (m touchedMessage) words() string {
	said := []string{m.Text}
	for _, raw := range []json.RawMessage{m.Blocks, m.Attachments} {
		var tree any
		if json.Unmarshal(raw, &tree) == nil { // without any it is empty
			said = appendTexts(said, "", tree)
		}
	}
	return strings.Join(said, "\n")
}

// appendTexts appends what stands in a tree of JSON to be read, below a name.
func appendTexts(said []string, name string, node any) []string {
	switch node := node.(type) {
	case string:
		switch name {
		case "text", "title", "fallback", "pretext", "value", "footer":
			said = append(said, node)
		}
	case []any:
		for _, each := range node {
			said = appendTexts(said, name, each)
		}
	case map[string]any:
		for name, each := range node {
			said = appendTexts(said, name, each)
		}
	}
	return said
}

// routeInteraction routes clicks, shortcuts and what modals submit. Nobody
// needs to hear that a modal was closed.
func (b *Bot) routeInteraction(from *interaction) job {
	switch from.Type {
	case slackgo.InteractionTypeBlockActions:
		return b.routeClick(from)
	case slackgo.InteractionTypeMessageAction, slackgo.InteractionTypeShortcut:
		a := b.interactionAsk(byShortcut, from)
		return job{ask: a, run: func(ctx context.Context) { b.shortcut(ctx, a, from) }}
	case slackgo.InteractionTypeViewSubmission:
		a := b.interactionAsk(byShortcut, from)
		answer, run := b.submitted(a, from)
		return job{ask: a, answer: answer, run: run}
	}
	return job{}
}

func (b *Bot) routeClick(from *interaction) job {
	if len(from.Actions) == 0 {
		return job{}
	}
	clicked := from.Actions[0] // Slack sends one a click
	a := b.interactionAsk(byButton, from)
	a.text = clicked.Value
	return job{ask: a, run: func(ctx context.Context) { b.act(ctx, a, clicked, from) }}
}

// interactionAsk is an ask in the place where somebody clicked.
func (b *Bot) interactionAsk(by origin, from *interaction) ask {
	thread := cmp.Or(from.Container.ThreadTS, from.Message.ThreadTS)
	return ask{
		origin: by, team: cmp.Or(from.User.TeamID, from.Team.ID), user: from.User.ID,
		channel: cmp.Or(from.Channel.ID, from.Container.ChannelID),
		thread:  thread, aside: thread,
		address: from.ResponseURL, at: b.opts.Now(), ref: b.newRef(),
	}
}

package slack

import (
	"context"

	slackgo "github.com/slack-go/slack"
)

// act does what a button or a menu of the bot's asks for, in a message or on
// the Home tab. The ask has the place of the message, or no channel; its text
// is the action's value. from has what belongs to the click: the message, the
// view, the trigger id.
func (b *Bot) act(_ context.Context, _ ask, _ *slackgo.BlockAction, _ *slackgo.InteractionCallback) {
}

// shortcut does what a shortcut asks for, whose id is from.CallbackID. A modal
// has to be opened within 3 s of the click.
func (b *Bot) shortcut(_ context.Context, _ ask, _ *slackgo.InteractionCallback) {}

// submitted judges what somebody entered in a modal: the answer goes into the
// acknowledgement (nil closes the modal), so that nothing here may wait; run,
// unless it is nil, does the rest.
func (b *Bot) submitted(_ ask, _ *slackgo.InteractionCallback) (answer any, run func(context.Context)) {
	return nil, nil
}

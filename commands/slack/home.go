package slack

import "context"

// openHome shows a person the bot's Home tab, which they just opened.
func (b *Bot) openHome(_ context.Context, _ ask) {}

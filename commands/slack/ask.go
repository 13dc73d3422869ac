package slack

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"
)

// origin is how somebody asked.
type origin string

// The origins.
const (
	bySlash    origin = "slash"    // a slash command
	byMention  origin = "mention"  // the bot's name in a channel or a thread
	byDirect   origin = "direct"   // a message to the bot alone
	byButton   origin = "button"   // on a message of the bot's
	byShortcut origin = "shortcut" // of a message, or a modal that it opened
	byHome     origin = "home"     // the Home tab was opened
)

// ask is one thing that a person asked, whichever way it came. All ways lead to
// Bot.answer.
type ask struct {
	origin  origin
	command string // like /vault; empty unless it is a slash command
	text    string // what comes after the command or the mention

	team, user string
	channel    string
	thread     string    // ts of the thread that the answer belongs in; empty: the channel
	aside      string    // of the thread for answers that only the asker sees; Slack shows none in a thread that is none yet
	address    string    // takes answers that only the asker sees; a secret; empty: there is none
	at         time.Time // when it came
	because    string    // how the bot knows the service that was left out, in the asker's words; empty: it was named
	ref        string    // names this ask to people and in the log
}

// slash is a slash command, as far as the bot wants to know it.
type slash struct {
	Name        string `json:"command"` // like /vault
	Text        string `json:"text"`
	TeamID      string `json:"team_id"`
	UserID      string `json:"user_id"`
	ChannelID   string `json:"channel_id"`
	ResponseURL string `json:"response_url"`
	TriggerID   string `json:"trigger_id"`
}

func slashAsk(c *slash, at time.Time, ref string) ask {
	return ask{
		origin: bySlash, command: c.Name, text: withoutCommand(strings.TrimSpace(c.Text), c.Name), team: c.TeamID, user: c.UserID, channel: c.ChannelID,
		address: c.ResponseURL, at: at, ref: ref,
	}
}

// LogValue leaves the address out, and what the person wrote.
func (a ask) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("ref", a.ref), slog.String("origin", string(a.origin)),
		slog.String("channel", a.channel), slog.String("user", a.user))
}

// asker returns the person's id when it is one, so that it can stand in a
// mention.
func (a ask) asker() string {
	strange := func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }
	if len(a.user) < 3 || len(a.user) > 31 || a.user[0] != 'U' && a.user[0] != 'W' || strings.ContainsFunc(a.user, strange) {
		return ""
	}
	return a.user
}

// newRef returns a reference that is easy to read out.
func newRef() string { return rand.Text()[:8] }

// whisper answers the asker alone: by the address that came with the ask, in
// the conversation that nobody else is in, or as an ephemeral message.
func (b *Bot) whisper(ctx context.Context, a ask, messages ...message) {
	ctx, cancel := outlive(ctx)
	defer cancel()
	ctx, cancelTimeout := context.WithTimeout(ctx, respondTimeout)
	defer cancelTimeout()
	for _, m := range messages {
		if err := b.whisperOnce(ctx, a, m); err != nil {
			b.log.ErrorContext(ctx, "answer a person", "ask", a, "error", err)
			return
		}
	}
}

func (b *Bot) whisperOnce(ctx context.Context, a ask, m message) error {
	if a.address != "" {
		if err := b.web.respond(ctx, a.address, a.aside, m); !usedUp(err) {
			return err
		}
	}
	if a.origin == byDirect {
		_, err := b.web.post(ctx, a.channel, a.thread, m)
		return err
	}
	err := b.web.postEphemeral(ctx, a.channel, a.aside, a.user, m)
	if outOfReach(err) {
		return b.tellDirectly(ctx, a.user, m)
	}
	return err
}

// usedUp says whether an address takes no more answers: it did five, or half an
// hour is over.
func usedUp(err error) bool {
	status, ok := errors.AsType[slackgo.StatusCodeError](err)
	return ok && (status.Code == http.StatusNotFound || status.Code == http.StatusGone)
}

// outOfReach says whether the bot cannot write where the person is, or that is
// no conversation at all.
func outOfReach(err error) bool {
	switch errorCode(err) {
	case "not_in_channel", "channel_not_found", "user_not_in_channel", "is_archived":
		return true
	}
	return false
}

// tellDirectly writes to a person where nobody else is.
func (b *Bot) tellDirectly(ctx context.Context, user string, m message) error {
	channel, err := b.web.openDirect(ctx, user)
	if err != nil {
		return err
	}
	_, err = b.web.post(ctx, channel, "", m)
	return err
}

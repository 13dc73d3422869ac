package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// event is what the Events API tells, as far as the bot wants to know it. All
// kinds are read into this one shape: a field that a kind does not have is
// empty.
type event struct {
	Type      string `json:"type"` // event_callback, url_verification, app_rate_limited
	Challenge string `json:"challenge"`
	ID        string `json:"event_id"`
	Team      string `json:"team_id"`
	Time      int64  `json:"event_time"` // in seconds

	Event struct {
		Type        string          `json:"type"`
		Subtype     string          `json:"subtype"`
		User        userID          `json:"user"`
		Inviter     userID          `json:"inviter"`
		UserTeam    string          `json:"user_team"`
		Team        string          `json:"team"`
		BotID       string          `json:"bot_id"`
		Text        string          `json:"text"`
		TS          string          `json:"ts"`
		EventTS     string          `json:"event_ts"`
		ThreadTS    string          `json:"thread_ts"`
		Channel     channelID       `json:"channel"`
		ChannelType string          `json:"channel_type"`
		Tab         string          `json:"tab"`
		Edited      json.RawMessage `json:"edited"`
		Tokens      revokedTokens   `json:"tokens"`
		Reaction    string          `json:"reaction"` // without colons
		ItemUser    string          `json:"item_user"`
		Item        reactedItem     `json:"item"`
	} `json:"event"`
}

// reactedItem is what somebody reacted to.
type reactedItem struct {
	Type    string `json:"type"`
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// revokedTokens are the accounts whose tokens were revoked: the bot's own, or
// also those of people who had given the app rights of theirs.
type revokedTokens struct {
	Bot []string `json:"bot"`
}

// userID is the id of a user. Some kinds of events have an object in its stead,
// whose id is taken.
type userID string

// UnmarshalJSON takes an id, or an object that has one, or else nothing.
func (u *userID) UnmarshalJSON(raw []byte) error {
	*u = userID(idIn(raw))
	return nil
}

// channelID is the id of a channel, in the same two shapes.
type channelID string

// UnmarshalJSON takes an id, or an object that has one, or else nothing.
func (c *channelID) UnmarshalJSON(raw []byte) error {
	*c = channelID(idIn(raw))
	return nil
}

func idIn(raw []byte) string {
	var id string
	if json.Unmarshal(raw, &id) == nil {
		return id
	}
	var object struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	return object.ID
}

// parseEvent reads an event. A field of another shape than the bot knows is
// empty: it belongs to a kind of event that is not meant here.
func parseEvent(raw []byte) (*event, error) {
	e := &event{}
	err := json.Unmarshal(raw, e)
	if _, strange := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !strange {
		return nil, fmt.Errorf("read an event: %w", err)
	}
	return e, nil
}

// routeEvent routes what the Events API tells.
func (b *Bot) routeEvent(e *event) job {
	if b.tooOld(e) {
		b.log.Warn("slack delivered an event too late, or this clock is wrong", "event", e.Event.Type, "event_time", time.Unix(e.Time, 0))
		return job{drop: dropStale}
	}
	switch cmp.Or(e.Event.Type, e.Type) {
	case "app_rate_limited":
		return job{run: func(ctx context.Context) {
			b.log.ErrorContext(ctx, "slack holds events back, since there were more than 30,000 in an hour")
		}}
	case "app_mention":
		return b.routeMention(e)
	case "message":
		return b.routeMessage(e)
	case "app_home_opened":
		if e.Event.Tab == "messages" {
			return job{} // the direct messages, which Slack shows itself
		}
		a := b.eventAsk(byHome, e)
		return job{ask: a, run: func(ctx context.Context) { b.openHome(ctx, a) }}
	case "member_joined_channel":
		return b.routeJoin(e)
	case "reaction_added", "reaction_removed":
		return b.routeReaction(e)
	case "tokens_revoked":
		if len(e.Event.Tokens.Bot) == 0 {
			return job{} // the bot's is as good as before
		}
		return job{run: func(ctx context.Context) { b.shutOut(ctx, e.Event.Type) }}
	case "app_uninstalled":
		return job{run: func(ctx context.Context) { b.shutOut(ctx, e.Event.Type) }}
	}
	return job{drop: dropUnknown}
}

// tooOld says whether an event happened so long ago that nobody waits for an
// answer.
func (b *Bot) tooOld(e *event) bool {
	return e.Time > 0 && b.opts.Now().Sub(time.Unix(e.Time, 0)) > eventFor
}

// routeMention routes a mention. Slack mentions again what is edited: only the
// first counts.
func (b *Bot) routeMention(e *event) job {
	if b.ignores(e) || len(e.Event.Edited) > 0 {
		return job{}
	}
	a := b.eventAsk(byMention, e)
	a.text = withoutCommand(afterMention(e.Event.Text, b.me.user), b.opts.Command)
	return b.asking(a)
}

// routeMessage routes what somebody writes to the bot alone.
func (b *Bot) routeMessage(e *event) job {
	if e.Event.ChannelType != "im" || b.ignores(e) {
		return job{}
	}
	a := b.eventAsk(byDirect, e)
	a.text = withoutCommand(afterMention(e.Event.Text, b.me.user), b.opts.Command)
	return b.asking(a)
}

// ignores says whether a message is not a person's first: the bot's own, a
// bot's, or a message that tells of another one, like an edit.
func (b *Bot) ignores(e *event) bool {
	return e.Event.User == "" || string(e.Event.User) == b.me.user || e.Event.BotID != "" || !saidByPerson(e.Event.Subtype)
}

// saidByPerson says whether messages of a kind are what people write: plain
// ones, with files, from a thread to its channel too, or after /me.
func saidByPerson(subtype string) bool {
	switch subtype {
	case "", "file_share", "thread_broadcast", "me_message":
		return true
	}
	return false
}

// eventAsk is an ask in the place that an event tells of.
func (b *Bot) eventAsk(by origin, e *event) ask {
	return ask{
		origin: by, team: cmp.Or(e.Event.UserTeam, e.Event.Team, e.Team), user: string(e.Event.User),
		channel: string(e.Event.Channel), thread: e.Event.ThreadTS, aside: e.Event.ThreadTS, at: b.opts.Now(), ref: b.newRef(),
	}
}

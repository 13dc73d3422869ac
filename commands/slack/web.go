package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	slackgo "github.com/slack-go/slack"
)

const (
	callTimeout = 10 * time.Second // of one request
	maxTries    = 6                // of one call that Slack throttles
	// throttledPause is the wait when Slack throttles without saying for how long.
	throttledPause = 2 * time.Second
	// repeatPause is the wait before a call is repeated that changes nothing
	// when it is done twice.
	repeatPause = 500 * time.Millisecond
)

// The methods of the Web API that the bot calls.
const (
	methodAuthTest    = "auth.test"
	methodPostMessage = "chat.postMessage"
	methodEphemeral   = "chat.postEphemeral"
	methodUpdate      = "chat.update"
	methodUsersInfo   = "users.info"
	methodPermalink   = "chat.getPermalink"
	methodUpload      = "files.completeUploadExternal"
	methodGroupUsers  = "usergroups.users.list"
	methodChannelInfo = "conversations.info"
	methodOpenView    = "views.open"
	methodPublish     = "views.publish"
	methodOpenDirect  = "conversations.open"
	methodResponseURL = "response_url"
	methodUpdateView  = "views.update"
	methodReactions   = "reactions.get"
	methodHistory     = "conversations.history"
	methodReplies     = "conversations.replies"
)

// message is what a person sees: blocks, and a text for where blocks cannot be
// shown.
type message struct {
	text     string
	blocks   []slackgo.Block
	metadata slackgo.SlackMetadata // by which the bot finds it again; zero: none
	// broadcast shows a reply in the channel, too.
	broadcast bool
}

// web is Slack's Web API with deadlines and patience. It is safe for use by
// several goroutines, which share what Slack said about its rate limits.
type web struct {
	api  *slackgo.Client
	http *http.Client
	log  *slog.Logger
	now  func() time.Time
	wait func(context.Context, time.Duration) error

	metrics *metrics
	out     atomic.Bool // the bot token opens nothing any more

	mu    sync.Mutex
	edits edits
	until map[string]time.Time // by method, posts also by channel: no call before
}

func newWeb(opts Options) *web {
	client := &http.Client{
		Timeout:   callTimeout,
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		// An answer that sends the token or the text elsewhere is not followed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &web{
		api: slackgo.New(
			opts.BotToken,
			slackgo.OptionAppLevelToken(opts.AppToken),
			slackgo.OptionAPIURL(strings.TrimRight(opts.APIURL, "/")+"/"),
			slackgo.OptionHTTPClient(client),
			slackgo.OptionLog(log.New(io.Discard, "", 0)),
		),
		http:  client,
		log:   opts.Log,
		now:   opts.Now,
		wait:  sleep,
		until: map[string]time.Time{},
	}
}

func (w *web) close() { w.http.CloseIdleConnections() }

// sleep waits, or returns why it was woken.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// identity is who the bot is in Slack.
type identity struct{ name, user, bot, team, enterprise, url string }

// whoAmI returns the bot's own identity.
func (w *web) whoAmI(ctx context.Context) (identity, error) {
	var self identity
	err := w.call(ctx, methodAuthTest, true, func(ctx context.Context) error {
		answer, err := w.api.AuthTestContext(ctx)
		if err == nil {
			self = identity{name: answer.User, user: answer.UserID, bot: answer.BotID, team: answer.TeamID, enterprise: answer.EnterpriseID, url: answer.URL}
		}
		return err
	})
	return self, err
}

// user returns what Slack says of an account, with its locale.
func (w *web) user(ctx context.Context, id string) (*slackgo.User, error) {
	var account *slackgo.User
	err := w.call(ctx, methodUsersInfo, true, func(ctx context.Context) (err error) {
		account, err = w.api.GetUserInfoContext(ctx, id)
		return err
	})
	return account, err
}

// members returns who is in a user group.
func (w *web) members(ctx context.Context, group string) ([]string, error) {
	var members []string
	err := w.call(ctx, methodGroupUsers, true, func(ctx context.Context) (err error) {
		members, err = w.api.GetUserGroupMembersContext(ctx, group)
		return err
	})
	return members, err
}

// channel returns what Slack says of a conversation.
func (w *web) channel(ctx context.Context, id string) (*slackgo.Channel, error) {
	var channel *slackgo.Channel
	err := w.call(ctx, methodChannelInfo, true, func(ctx context.Context) (err error) {
		channel, err = w.api.GetConversationInfoContext(ctx, &slackgo.GetConversationInfoInput{ChannelID: id})
		return err
	})
	return channel, err
}

// post writes a message, into a thread when one is given, and returns its ts.
// It is not repeated when nobody knows whether Slack took it.
func (w *web) post(ctx context.Context, channel, thread string, m message) (string, error) {
	options := content(thread, m)
	var ts string
	err := w.call(ctx, postsIn(channel), false, func(ctx context.Context) (err error) {
		_, ts, err = w.api.PostMessageContext(ctx, channel, options...)
		return err
	})
	return ts, err
}

// postEphemeral writes a message that one person sees, for as long as Slack
// keeps it. It is repeated when nobody knows whether Slack took it, until the
// caller's deadline: to read it twice is a smaller harm than to be met with
// silence.
func (w *web) postEphemeral(ctx context.Context, channel, thread, user string, m message) error {
	options := content(thread, m)
	return w.patiently(ctx, methodEphemeral, insist, func(ctx context.Context) error {
		_, err := w.api.PostEphemeralContext(ctx, channel, user, options...)
		return err
	})
}

// content is a message as a call sends it, into a thread when one is given.
func content(thread string, m message) []slackgo.MsgOption {
	options := []slackgo.MsgOption{
		slackgo.MsgOptionText(m.text, false),
		slackgo.MsgOptionBlocks(m.blocks...),
		slackgo.MsgOptionDisableLinkUnfurl(),
		slackgo.MsgOptionDisableMediaUnfurl(),
	}
	if thread != "" {
		options = append(options, slackgo.MsgOptionTS(thread))
	}
	if thread != "" && m.broadcast {
		options = append(options, slackgo.MsgOptionBroadcast())
	}
	if m.metadata.EventType != "" {
		options = append(options, slackgo.MsgOptionMetadata(m.metadata))
	}
	return options
}

// postsIn names the posts in one channel, which Slack limits by themselves.
func postsIn(channel string) string { return methodPostMessage + " " + channel }

// pace keeps the next post in a channel away for a while.
func (w *web) pace(channel string, d time.Duration) { w.postpone(postsIn(channel), d) }

// update replaces a message of the bot's.
func (w *web) update(ctx context.Context, channel, ts string, m message) error {
	w.edits.note(w.now())
	return w.patiently(ctx, methodUpdate, insist, func(ctx context.Context) error { return w.edit(ctx, channel, ts, m) })
}

// glance replaces a message unless that would mean to wait, or to take an edit
// from a verdict. It is for what is soon replaced again. It says whether it
// tried.
func (w *web) glance(ctx context.Context, channel, ts string, m message) (bool, error) {
	if w.pause(methodUpdate) > 0 || !w.edits.take(w.now()) {
		return false, nil
	}
	return true, w.once(ctx, methodUpdate, func(ctx context.Context) error { return w.edit(ctx, channel, ts, m) })
}

func (w *web) edit(ctx context.Context, channel, ts string, m message) error {
	options := []slackgo.MsgOption{slackgo.MsgOptionText(m.text, false), slackgo.MsgOptionBlocks(m.blocks...)}
	if m.metadata.EventType != "" {
		options = append(options, slackgo.MsgOptionMetadata(m.metadata))
	}
	_, _, _, err := w.api.UpdateMessageContext(ctx, channel, ts, options...)
	return err
}

// permalink returns the address of a message.
func (w *web) permalink(ctx context.Context, channel, ts string) (string, error) {
	var link string
	err := w.call(ctx, methodPermalink, true, func(ctx context.Context) (err error) {
		link, err = w.api.GetPermalinkContext(ctx, &slackgo.PermalinkParameters{Channel: channel, Ts: ts})
		return err
	})
	return link, err
}

// openView opens a modal for whoever holds the trigger, which is at once or
// never, and returns its id.
func (w *web) openView(ctx context.Context, trigger string, view slackgo.ModalViewRequest) (string, error) {
	id := ""
	err := w.once(ctx, methodOpenView, func(ctx context.Context) error {
		opened, err := w.api.OpenViewContext(ctx, trigger, view)
		if err == nil {
			id = opened.ID
		}
		return err
	})
	return id, err
}

// updateView replaces a modal that is open still.
func (w *web) updateView(ctx context.Context, id string, view slackgo.ModalViewRequest) error {
	return w.call(ctx, methodUpdateView, true, func(ctx context.Context) error {
		_, err := w.api.UpdateViewContext(ctx, view, "", "", id)
		return err
	})
}

// reactions returns the reactions on a message, with everybody who reacted.
func (w *web) reactions(ctx context.Context, channel, ts string) ([]slackgo.ItemReaction, error) {
	var found []slackgo.ItemReaction
	err := w.call(ctx, methodReactions, true, func(ctx context.Context) error {
		item, err := w.api.GetReactionsContext(ctx, slackgo.NewRefToMessage(channel, ts), slackgo.GetReactionsParameters{Full: true})
		found = item.Reactions
		return err
	})
	return found, err
}

// maxLookedBack is how many pages of a conversation are read.
const maxLookedBack = 10

// since returns the messages of a channel, or of one of its threads, that were
// written after a time, with their metadata.
func (w *web) since(ctx context.Context, channel, thread string, at time.Time) ([]slackgo.Message, error) {
	var found []slackgo.Message
	oldest, cursor := strconv.FormatInt(at.Unix(), 10)+".000000", ""
	for range maxLookedBack {
		page, next, err := w.page(ctx, channel, thread, oldest, cursor)
		found = append(found, page...)
		if err != nil || next == "" {
			return found, err
		}
		cursor = next
	}
	return found, nil
}

func (w *web) page(ctx context.Context, channel, thread, oldest, cursor string) (page []slackgo.Message, next string, err error) {
	if thread != "" {
		err = w.call(ctx, methodReplies, true, func(ctx context.Context) (err error) {
			page, _, next, err = w.api.GetConversationRepliesContext(ctx, &slackgo.GetConversationRepliesParameters{
				ChannelID: channel, Timestamp: thread, Oldest: oldest, Cursor: cursor, Limit: 200, IncludeAllMetadata: true,
			})
			return err
		})
		return page, next, err
	}
	err = w.call(ctx, methodHistory, true, func(ctx context.Context) error {
		answer, err := w.api.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{
			ChannelID: channel, Oldest: oldest, Cursor: cursor, Limit: 200, IncludeAllMetadata: true,
		})
		if err == nil {
			page, next = answer.Messages, answer.ResponseMetaData.NextCursor
		}
		return err
	})
	return page, next, err
}

// publish replaces a person's Home tab.
func (w *web) publish(ctx context.Context, user string, blocks []slackgo.Block) error {
	return w.call(ctx, methodPublish, true, func(ctx context.Context) error {
		_, err := w.api.PublishViewContext(ctx, slackgo.PublishViewContextRequest{
			UserID: user,
			View:   slackgo.HomeTabViewRequest{Type: slackgo.VTHomeTab, Blocks: slackgo.Blocks{BlockSet: blocks}},
		})
		return err
	})
}

// openDirect returns the conversation with one person.
func (w *web) openDirect(ctx context.Context, user string) (string, error) {
	var channel string
	err := w.call(ctx, methodOpenDirect, true, func(ctx context.Context) error {
		opened, _, _, err := w.api.OpenConversationContext(ctx, &slackgo.OpenConversationParameters{Users: []string{user}})
		if err == nil {
			channel = opened.ID
		}
		return err
	})
	return channel, err
}

// respond answers the person who asked, and nobody else, by the address that
// came with the command or the click, into a thread when one is given. It is
// repeated as an ephemeral message is. The address is a secret for as long as it
// works.
func (w *web) respond(ctx context.Context, address, thread string, m message) error {
	return w.patiently(ctx, methodResponseURL, insist, func(ctx context.Context) error {
		err := slackgo.PostWebhookCustomHTTPContext(ctx, address, w.http, &slackgo.WebhookMessage{
			Text:         m.text,
			Blocks:       &slackgo.Blocks{BlockSet: m.blocks},
			ResponseType: slackgo.ResponseTypeEphemeral, ThreadTimestamp: thread,
		})
		return withoutAddress(err)
	})
}

// withoutAddress takes the address of the request out of an error.
func withoutAddress(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("post to the response address: %w", wrapped.Err)
	}
	return err
}

// once makes one request, and remembers for how long Slack wants none.
func (w *web) once(ctx context.Context, method string, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	start := w.now()
	err := request(ctx)
	w.metrics.called(method, err, w.now().Sub(start))
	w.noteToken(method, err)
	if err == nil {
		return nil
	}
	if after, throttled := retryAfter(err); throttled {
		w.postpone(method, after)
		w.log.InfoContext(ctx, "slack asks for patience", "method", method, "retry_after", after)
	}
	return fmt.Errorf("%s: %w", method, err)
}

// noteToken notes whether the bot token is good, which a call of its own tells
// in passing. A person may mend it while the bot runs.
func (w *web) noteToken(method string, err error) {
	if method == methodOpen || method == methodResponseURL { // not with this token
		return
	}
	switch {
	case err == nil:
		w.out.Store(false)
	case shutsOut(errorCode(err)):
		w.out.Store(true)
	}
}

// pause says how long to wait before the next call of a method.
func (w *web) pause(method string) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(0, w.until[method].Sub(w.now()))
}

func (w *web) postpone(method string, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.until, func(_ string, until time.Time) bool { return until.Before(w.now()) })
	if until := w.now().Add(d); until.After(w.until[method]) {
		w.until[method] = until
	}
}

package slack

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"

	"tandem/commands"
	"tandem/diagnostics"
)

const (
	standingFor   = time.Minute     // what somebody is to the workspace is asked again after this
	personTimeout = 5 * time.Second // nobody waits longer to be known
	maxPeople     = 10_000          // known at once
	slackbot      = "USLACKBOT"     // Slack says that it is no bot
)

// people knows who asks, and in which language to answer. It is safe for use by
// several goroutines.
type people struct {
	web     *web
	unknown diagnostics.Lang
	log     *slog.Logger
	now     func() time.Time
	asking  singleflight.Group
	me      identity // set before the first question

	mu     sync.Mutex
	byUser map[string]acquaintance
}

// acquaintance is what Slack said of somebody.
type acquaintance struct {
	commands.Person

	enterprise string // of which the workspace is a part; may be empty
	until      time.Time
}

func newPeople(web *web, unknown diagnostics.Lang, log *slog.Logger, now func() time.Time) *people {
	return &people{web: web, unknown: unknown, log: log, now: now, byUser: map[string]acquaintance{}}
}

// find returns who asks, from the workspace that the delivery tells, as Slack
// said within the last minute. With an error it returns what was known before,
// whose standing is Unrecognised.
func (p *people) find(ctx context.Context, user, team string) (commands.Person, error) {
	who, current := p.recall(user)
	if !current {
		asked, err := p.ask(ctx, user)
		if err != nil {
			p.log.WarnContext(ctx, "read who a person is", "user", user, "error", err)
			who.ID, who.Standing = user, commands.Unrecognised
			return who.Person, err
		}
		who = asked
	}
	if !p.me.owns(cmp.Or(team, who.Team), who.enterprise) && who.Standing != commands.Automaton {
		who.Standing = commands.Stranger
	}
	return who.Person, nil
}

// ask asks Slack who somebody is; several who want to know wait for one answer.
func (p *people) ask(ctx context.Context, user string) (acquaintance, error) {
	asked, err, _ := p.asking.Do(user, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), personTimeout)
		defer cancel()
		account, err := p.web.user(ctx, user)
		if err != nil {
			return acquaintance{}, err
		}
		who := acquaintance{Person: personOf(account, p.me), enterprise: account.Enterprise.EnterpriseID}
		p.remember(who)
		return who, nil
	})
	return asked.(acquaintance), err
}

func personOf(account *slackgo.User, me identity) commands.Person {
	return commands.Person{
		ID: account.ID, Team: account.TeamID, Name: cmp.Or(account.RealName, account.Profile.RealName, account.Name),
		Zone: account.TZ, Locale: account.Locale, Standing: standingOf(account, me),
	}
}

// standingOf judges what Slack says of an account. That it is_app_user only
// means that the person gave the app rights of their own.
func standingOf(account *slackgo.User, me identity) commands.Standing {
	switch {
	case account.IsBot, account.IsWorkflowBot, account.IsConnectorBot, account.ID == slackbot:
		return commands.Automaton
	case account.Deleted:
		return commands.Deactivated
	case account.IsStranger, !me.owns(account.TeamID, account.Enterprise.EnterpriseID):
		return commands.Stranger
	case account.IsRestricted, account.IsUltraRestricted, account.IsInvitedUser:
		return commands.Guest
	default:
		return commands.Member
	}
}

// owns says whether a workspace is the bot's own, or of the same organisation.
func (me identity) owns(team, enterprise string) bool {
	return team != "" && team == me.team || me.enterprise != "" && enterprise == me.enterprise
}

// language returns a person's language, or the configured one when it cannot be
// known soon.
func (p *people) language(ctx context.Context, user string) diagnostics.Lang {
	who, current := p.recall(user)
	if current {
		return p.langOf(who.Locale)
	}
	if asked, err := p.ask(ctx, user); err == nil {
		return p.langOf(asked.Locale)
	}
	return p.langOf(who.Locale)
}

// known returns a person's language without asking for it.
func (p *people) known(user string) diagnostics.Lang {
	who, _ := p.recall(user)
	return p.langOf(who.Locale)
}

func (p *people) langOf(locale string) diagnostics.Lang {
	if lang, ok := commands.LangOf(locale); ok {
		return lang
	}
	return p.unknown
}

// recall returns what Slack said of a person, and whether it may still be
// relied on.
func (p *people) recall(user string) (acquaintance, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.byUser[user]
	return who, ok && p.now().Before(who.until)
}

func (p *people) remember(who acquaintance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.byUser) >= maxPeople {
		clear(p.byUser) // they are soon known again
	}
	who.until = p.now().Add(standingFor)
	p.byUser[who.ID] = who
}

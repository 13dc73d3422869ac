// Package slack is the bot's face in Slack: it takes slash commands over Socket
// Mode, acknowledges them at once, and answers with messages that keep to every
// limit of Slack's.
//
// It promises: an envelope is acknowledged before anything else is done with
// it; a person who asked is always told how it ended, also when the bot breaks
// or is stopped meanwhile; text from outside never mentions, links or formats;
// what does not fit is cut where the reader sees it; Retry-After is obeyed; no
// goroutine outlives Run.
//
// It is the only package that knows slack-go. What an answer says is decided by
// package commands.
package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	slackgo "github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"tandem/approvals"
	"tandem/commands"
	"tandem/diagnostics"
	"tandem/watches"
)

// Options say whom the bot serves, and how. Tokens are never logged.
type Options struct {
	BotToken string // xoxb-…, with commands, chat:write and users:read
	AppToken string // xapp-…, with connections:write; empty: no Socket Mode
	HTTP     HTTP   // where Slack's requests are taken; empty: nowhere
	APIURL   string // empty: Slack's own
	Command  string // empty: /vault

	Diagnoser commands.Diagnoser
	Guide     commands.Guide    // reads logs for people; nil: they are told that it is not configured
	Runs      commands.Runs     // keeps diagnoses; nil: people are told that nothing does
	Language  diagnostics.Lang  // of people whose own cannot be known; empty: English
	Access    []commands.Rule   // who may ask what; empty: every member may ask everything
	Diagnoses int               // in a minute, that one person may ask for; zero: 10
	Channels  map[string]string // services that channels are about, by the channel's id
	// Approvals are how remedies are asked for and voted on; nil: they are not
	// configured. The bot is their face and their directory, and meets them when
	// it knows its workspace.
	Approvals *approvals.Service
	// Watches look at services again and again; nil: they are not configured. The
	// bot is their face.
	Watches *watches.Service
	// Work, if set, moves the requests and does the runs of watches. It runs from then on, while the bot is let
	// in, and ends with its context when what it has begun is done.
	Work    func(context.Context) error
	Version string // what `version` answers

	Connections int           // websockets at once, so that a refresh leaves no gap; zero: 2
	Width       int           // asks answered at once; zero: 64
	Queue       int           // asks that may wait for that, more are told to come back; zero: 256; negative: none
	Patience    time.Duration // nobody waits longer to be answered; zero: 20 seconds
	PerPerson   int           // asks of one person at once; zero: 4
	PerMinute   int           // asks of one person in a minute; zero: 30
	Timeout     time.Duration // of one diagnosis; zero: 2 minutes
	Join        time.Duration // how long a diagnosis takes in those who ask the same; zero: 1 minute; negative: never
	Grace       time.Duration // for running diagnoses when the bot is stopped; zero: 10 seconds
	Every       time.Duration // shortest time between two edits, and between two messages of a thread; zero: 1 second

	Metrics prometheus.Registerer // where the bot's metrics are registered; nil: nowhere
	Log     *slog.Logger          // nil: none
	Now     func() time.Time      // nil: time.Now
}

func (o Options) withDefaults() Options {
	setDefault(&o.APIURL, slackgo.APIURL)
	setDefault(&o.Command, "/vault")
	setDefault(&o.Language, diagnostics.English)
	setDefault(&o.Diagnoses, 10)
	setDefault(&o.Connections, 2)
	setDefault(&o.Width, 64)
	setDefault(&o.Queue, 256)
	setDefault(&o.Patience, 20*time.Second)
	setDefault(&o.PerPerson, 4)
	setDefault(&o.PerMinute, 30)
	setDefault(&o.Timeout, 2*time.Minute)
	setDefault(&o.Grace, 10*time.Second)
	setDefault(&o.Every, time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// errStopping is the cause for which a diagnosis is cut off when the bot stops.
var errStopping = errors.New("the bot is being stopped")

// Bot answers in one workspace. Make one with New.
type Bot struct {
	opts   Options
	log    *slog.Logger
	web    *web
	crew   *crew
	flood  *flood
	seen   *memory[string]
	http   *httpIntake
	people *people
	groups *groups
	labels *labels
	quota  *commands.Quota
	desk   *commands.Desk
	spots  spots
	homes  homes
	cards  cards  // of requests
	output output // of remedies that run
	linked chan struct{}
	tasks  sync.WaitGroup // what goes on behind the answers
	newRef func() string

	apologists *crew

	metrics *metrics
	links   links

	vocabulary *commands.Vocabulary
	turnedAway turnedAway
	me         identity   // of the bot; set before the first delivery is taken
	directory  *directory // the same; nil without approvals
}

// New returns a bot that is not connected yet.
func New(opts Options) (*Bot, error) {
	if opts.Diagnoser == nil {
		return nil, errors.New("make the Slack bot: no diagnoser is given")
	}
	if opts.HTTP.Listen != "" && len(newVerifier(opts.HTTP.Secrets).hashes) == 0 {
		return nil, errors.New("make the Slack bot: it cannot listen without a signing secret")
	}
	opts = opts.withDefaults()
	vocabulary, err := commands.NewVocabulary(locales)
	if err != nil {
		return nil, fmt.Errorf("make the Slack bot: %w", err)
	}
	turnedAway, err := newTurnedAway(vocabulary, opts.Command)
	if err != nil {
		return nil, fmt.Errorf("make the Slack bot: %w", err)
	}
	metrics, err := newMetrics(opts.Metrics)
	if err != nil {
		return nil, fmt.Errorf("make the Slack bot: %w", err)
	}
	web := newWeb(opts)
	web.metrics = metrics
	b := &Bot{
		opts:  opts,
		log:   opts.Log,
		web:   web,
		crew:  newCrew(opts.Width, opts.Queue, opts.Patience),
		flood: newFlood(opts.PerPerson, opts.PerMinute, opts.Now),
		http:  newHTTPIntake(opts),
		seen:  newMemory[string](seenFor, maxSeen, opts.Now),

		people: newPeople(web, opts.Language, opts.Log, opts.Now),
		groups: newGroups(web, opts.Now),
		labels: newLabels(web, opts.Now),
		quota:  commands.NewQuota(opts.Diagnoses, opts.Now),
		newRef: newRef,
		linked: make(chan struct{}, 1),

		apologists: newCrew(apologists, 0, 0),

		metrics: metrics,
		links:   links{metrics: metrics},

		vocabulary: vocabulary,
		turnedAway: turnedAway,
	}
	b.desk = commands.NewDesk(opts.Diagnoser, commands.DeskOptions{Join: opts.Join, Timeout: opts.Timeout, Now: opts.Now, Keep: b.keep})
	return b, nil
}

// Run serves until the context is done, and then lets running diagnoses finish
// or say that they were cut off. It returns nil after a stop, and an error when
// Slack will never let the bot in as it is configured. Call it once.
func (b *Bot) Run(ctx context.Context) error {
	defer b.web.close()
	if err := b.identify(ctx); err != nil {
		return ended(ctx, err)
	}
	if b.opts.Approvals != nil {
		b.directory = &directory{web: b.web, me: b.me}
		b.opts.Approvals.Meet(b, b.directory, b.me.team)
	}
	if b.opts.Watches != nil {
		b.opts.Watches.Meet(b)
	}
	jobs, cutOff := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cutOff(nil)
	err := b.intake(ctx, jobs)
	b.finish(cutOff)
	return ended(ctx, err)
}

// intake takes what Slack delivers, in every way that is configured, until the
// context is done or one of them can never work.
func (b *Bot) intake(ctx, jobs context.Context) error {
	ways, ctx := errgroup.WithContext(ctx)
	if b.opts.AppToken != "" {
		ways.Go(func() error { return b.listen(ctx, jobs) })
	}
	if b.opts.HTTP.Listen != "" {
		ways.Go(func() error { return b.serveHTTP(ctx, jobs) })
	}
	if b.opts.Approvals != nil {
		ways.Go(func() error { return b.keepVigil(ctx) })
	}
	if b.opts.Work != nil {
		ways.Go(func() error { return b.opts.Work(ctx) })
	}
	return ways.Wait()
}

// ended makes a stop that was asked for no error.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// identify learns who the bot is, however long Slack takes to answer.
func (b *Bot) identify(ctx context.Context) error {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		self, err := b.whoAmI(ctx)
		if err == nil {
			b.me, b.people.me = self, self
			return nil
		}
		if next, hopeless := neverLets(err); hopeless {
			return fmt.Errorf("log in to Slack with the bot token: %w: %s", err, next)
		}
		b.log.WarnContext(ctx, "slack does not answer", "error", err, "again_in", pause)
		if err := b.web.wait(ctx, pause); err != nil {
			return err
		}
	}
}

// whoAmI asks Slack once, so that the log tells when it does not answer.
func (b *Bot) whoAmI(ctx context.Context) (identity, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return b.web.whoAmI(ctx)
}

// finish waits for the running commands, and cuts them off after the grace.
func (b *Bot) finish(cutOff context.CancelCauseFunc) {
	timer := time.AfterFunc(b.opts.Grace, func() { cutOff(errStopping) })
	defer timer.Stop()
	b.crew.wait()
	b.apologists.wait()
	b.desk.Wait()
	b.tasks.Wait()
}

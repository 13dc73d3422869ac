package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"tandem/commands"
	"tandem/commands/slack"
	"tandem/config"
	"tandem/diagnostics"
)

// slackMargin is what a diagnosis may take beyond its own timeout before Slack
// gives up on it.
const slackMargin = 10 * time.Second

// serve answers in Slack until the context is done.
func (a *app) serve(ctx context.Context) int {
	a.log = newLog(a.stderr)
	klog.SetSlogLogger(a.log) // the client of Kubernetes has a log of its own otherwise
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	w, err := wire(c, a.log, a.now)
	if err != nil {
		return a.fail(err)
	}
	opts, err := slackOptions(c, w, a.log)
	if err != nil {
		return a.fail(&setupError{err})
	}
	life, err := w.watch(ctx, c, a.log, a.now)
	if err != nil {
		return a.fail(err)
	}
	defer life.close(ctx)
	opts.Metrics = life.metrics
	lasting, err := w.lasting(ctx, c, life.metrics, a.log, a.now)
	if err != nil {
		return a.fail(err)
	}
	defer lasting.close()
	if lasting != nil {
		opts.Approvals, opts.Watches, opts.Work = lasting.approvals, lasting.watches, lasting.work
		opts.Runs = keeper{lasting.store, c.Diagnosis.Since}
	}
	bot, err := slack.New(opts)
	if err != nil {
		return a.fail(err)
	}
	health, err := newHealth(ctx, c.Health, stopsWith(ctx, bot.Ready), life.metrics, a.log)
	if err != nil {
		return a.fail(err)
	}
	alerts, err := newAlerts(ctx, c, lasting, w.diagnoser.Services(), life.metrics, a.log)
	if err != nil {
		return a.fail(err)
	}
	a.log.InfoContext(ctx, "starting", "version", build(), "services", len(c.Services), "checks", len(w.diagnoser.Checks()))
	err = beside(ctx, bot.Run, w.identity.keep, health.serve, alerts.serve)
	w.close(ctx)
	if err != nil {
		a.log.ErrorContext(ctx, "stopped", "error", err)
		return exitUsage
	}
	a.log.InfoContext(ctx, "stopped")
	return exitOK
}

// stopsWith makes a readiness that ends at once when the bot is told to stop,
// though it still answers what it was asked before.
func stopsWith(ctx context.Context, ready func() error) func() error {
	return func() error {
		if ctx.Err() != nil {
			return errors.New("the bot is being stopped")
		}
		if err := ready(); err != nil {
			return fmt.Errorf("slack: %w", err)
		}
		return nil
	}
}

// beside runs a service with others at its side, which outlive it only to be
// waited for.
func beside(ctx context.Context, main func(context.Context) error, sides ...func(context.Context)) error {
	aside, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	for _, side := range sides {
		wg.Go(func() { side(aside) })
	}
	err := main(ctx)
	stop()
	wg.Wait()
	return err
}

// asksPerMinute is what one person may ask of all kinds, at least.
const asksPerMinute = 30

func slackOptions(c *config.Config, w *wired, log *slog.Logger) (slack.Options, error) {
	if c.Slack == nil {
		return slack.Options{}, errors.New("slack: not configured: `bot run` needs slack.bot_token, and slack.app_token or slack.http; config/example.yaml shows them")
	}
	botToken, botErr := c.Slack.BotToken.Read()
	appToken, appErr := readIfSet(c.Slack.AppToken)
	http, httpErr := slackHTTP(c.Slack.HTTP)
	if err := errors.Join(botErr, appErr, httpErr); err != nil {
		return slack.Options{}, err
	}
	return slack.Options{
		BotToken: botToken.Reveal(), AppToken: appToken.Reveal(), HTTP: http, APIURL: c.Slack.APIURL, Command: c.Slack.Command,
		Diagnoser: w.diagnoser, Guide: w.reader, Language: diagnostics.Lang(c.Language), Version: build(),
		Access: access(c.Slack.Access), Diagnoses: c.Slack.DiagnosesPerMinute, Channels: channels(c.Slack.Channels),
		PerMinute: max(asksPerMinute, 2*c.Slack.DiagnosesPerMinute),
		Timeout:   c.Diagnosis.Timeout + slackMargin, Log: log,
	}, nil
}

// slackHTTP is where the bot listens for Slack, with the secrets read.
func slackHTTP(c *config.SlackHTTP) (slack.HTTP, error) {
	if c == nil {
		return slack.HTTP{}, nil
	}
	secret, secretErr := c.SigningSecret.Read()
	before, beforeErr := readIfSet(c.PreviousSigningSecret)
	if err := errors.Join(secretErr, beforeErr); err != nil {
		return slack.HTTP{}, err
	}
	return slack.HTTP{Listen: c.Listen, Secrets: []string{secret.Reveal(), before.Reveal()}}, nil
}

func readIfSet(r config.Ref) (config.Secret, error) {
	if r.IsZero() {
		return config.Secret{}, nil
	}
	return r.Read()
}

// access is who may ask what, as commands know it.
func access(rules []config.Access) []commands.Rule {
	all := make([]commands.Rule, 0, len(rules))
	for _, r := range rules {
		all = append(all, commands.Rule(r))
	}
	return all
}

func channels(services map[config.ChannelID]string) map[string]string {
	all := map[string]string{}
	for id, service := range services {
		all[string(id)] = service
	}
	return all
}

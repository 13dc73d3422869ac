package main

import (
	"context"
	"net/url"
	"time"

	"github.com/chromedp/chromedp"

	"tandem/lab/world"
)

// pictureCmd takes a picture of the workspace's page, as a person sees it.
type pictureCmd struct {
	where
	User    string        `default:"bruno" help:"Who looks."`
	Channel string        `default:"incidents" help:"Where."`
	Script  string        `help:"JavaScript to run in the page first, such as a click."`
	Dark    bool          `help:"With the dark colours."`
	Width   int           `default:"1360"`
	Height  int           `default:"1000"`
	Wait    time.Duration `default:"1500ms" help:"For the page to settle."`
	Out     string        `arg:"" help:"The PNG file to write."`
}

// pictureTimeout is for one picture, the browser's start with it.
const pictureTimeout = 2 * time.Minute

// Run is called by kong.
func (c pictureCmd) Run(ctx context.Context) error {
	w, err := world.Attach(c.Dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pictureTimeout)
	defer cancel()
	ctx, closeIt, err := openBrowser(ctx, c.Width, c.Height)
	if err != nil {
		return err
	}
	defer closeIt()
	query := url.Values{"user": {c.User}, "channel": {c.Channel}}
	steps := []step{coloured(c.Dark), chromedp.Navigate(w.State().Slack.URL + "/?" + query.Encode()), settle(c.Wait)}
	if c.Script != "" {
		steps = append(steps, runs(c.Script), settle(c.Wait))
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		return err
	}
	return shot(ctx, c.Out)
}

// settle waits for the page, which goes on listening and so never says that it is done.
func settle(wait time.Duration) step {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		select {
		case <-time.After(wait):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
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

// pictureTimeout covers a browser that starts on a busy machine.
const pictureTimeout = time.Minute

// Run is called by kong.
func (c pictureCmd) Run(ctx context.Context) error {
	w, err := world.Attach(c.Dir)
	if err != nil {
		return err
	}
	browser, err := exec.LookPath("chromium")
	if err != nil {
		return errors.New("a picture needs a browser: apt-get install chromium")
	}
	profile, err := os.MkdirTemp("", "tandem-picture-")
	if err != nil {
		return fmt.Errorf("make the browser's profile: %w", err)
	}
	defer os.RemoveAll(profile)
	ctx, cancel := context.WithTimeout(ctx, pictureTimeout)
	defer cancel()
	ctx, stopAll := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browser), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(c.Width, c.Height), chromedp.WSURLReadTimeout(pictureTimeout))...)
	defer stopAll()
	ctx, stop := chromedp.NewContext(ctx)
	defer stop()
	png, err := c.take(ctx, w.State().Slack.URL)
	if err != nil {
		return fmt.Errorf("take a picture: %w", err)
	}
	if err := os.WriteFile(c.Out, png, 0o644); err != nil {
		return fmt.Errorf("keep the picture: %w", err)
	}
	return nil
}

func (c pictureCmd) take(ctx context.Context, page string) ([]byte, error) {
	query := url.Values{"user": {c.User}, "channel": {c.Channel}}
	scheme := "light"
	if c.Dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	return chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
		if _, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, media); err != nil {
			return nil, err
		}
		if _, err := chromedp.Navigate(page+"/?"+query.Encode())(ctx, target); err != nil {
			return nil, err
		}
		if err := settle(ctx, c.Wait); err != nil {
			return nil, err
		}
		if c.Script != "" {
			if _, err := chromedp.Evaluate[any](c.Script)(ctx, target); err != nil {
				return nil, err
			}
			if err := settle(ctx, c.Wait); err != nil {
				return nil, err
			}
		}
		return chromedp.CaptureScreenshot()(ctx, target)
	})
}

// settle waits for the page, which goes on listening and so never says that it
// is done.
func settle(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browserStart covers a browser that starts on a busy machine.
const browserStart = time.Minute

// openBrowser starts a headless browser. It runs in the context that comes back, until close.
func openBrowser(ctx context.Context, width, height int) (_ context.Context, closeIt func(), _ error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, errors.New("a picture needs a browser: apt-get install chromium")
	}
	profile, err := os.MkdirTemp("", "tandem-picture-")
	if err != nil {
		return nil, nil, fmt.Errorf("make the browser's profile: %w", err)
	}
	ctx, stopAll := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(width, height), chromedp.WSURLReadTimeout(browserStart))...)
	ctx, stop := chromedp.NewContext(ctx)
	closeIt = func() {
		stop()
		stopAll()
		os.RemoveAll(profile)
	}
	// The browser lives as long as the context of what it does first.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		closeIt()
		return nil, nil, fmt.Errorf("start the browser: %w", err)
	}
	return ctx, closeIt, nil
}

// step is one thing done in the browser.
type step = chromedp.Action[chromedp.Void]

// coloured shows pages in the dark colours, or in the light ones.
func coloured(dark bool) step {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, media)
		return err
	})
}

// runs runs JavaScript, and waits when that is a promise.
func runs(script string) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := chromedp.Evaluate[any](script, chromedp.EvalAwaitPromise)(ctx, target); err != nil {
			return fmt.Errorf("run %q: %w", script, err)
		}
		return nil
	})
}

// holds waits until a JavaScript expression is true.
func holds(expression string, limit time.Duration) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingTimeout(limit))(ctx, target)
		if err != nil {
			return fmt.Errorf("wait for %q: %w", expression, err)
		}
		return nil
	})
}

// shot keeps a picture of what the browser shows.
func shot(ctx context.Context, file string) error {
	png, err := chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
		return chromedp.CaptureScreenshot()(ctx, target)
	})
	if err != nil {
		return fmt.Errorf("take the picture %s: %w", file, err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		return fmt.Errorf("keep the picture: %w", err)
	}
	return nil
}

package slack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// browser is a real one, with every complaint of its console kept.
type browser struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("this test needs a browser: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1360, 900), chromedp.WSURLReadTimeout(time.Minute))
	ctx, stopAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(ctx)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	b := &browser{ctx: ctx}
	var listening sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		stop()
		stopAll()
		listening.Wait()
	})
	console := chromedp.Console(ctx)
	listening.Go(func() {
		for m, err := range console {
			if err != nil {
				return
			}
			b.hear(m)
		}
	})
	return b
}

func (b *browser) hear(m chromedp.ConsoleMessage) {
	switch m.Type {
	case chromedp.ConsoleError, chromedp.ConsoleWarning, chromedp.ConsoleException:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
	}
}

func (b *browser) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.complaints...)
}

// quiet fails when the console has complained, and forgets it.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) > 0 {
		t.Errorf("the browser's console complains: %q", b.complaints)
	}
	b.complaints = nil
}

func (b *browser) do(t *testing.T, what string, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.picture(t, "failed")
		t.Fatalf("%s: %v; the console said %q", what, err, b.heard())
	}
}

// opens starts a workspace that the browser leaves before it ends: a page whose workspace is gone complains, rightly.
func (b *browser) opens(t *testing.T, change ...func(*Config)) *Server {
	t.Helper()
	s := open(t, change...)
	t.Cleanup(func() { b.visit(t, "about:blank") })
	return s
}

func (b *browser) visit(t *testing.T, url string) {
	t.Helper()
	b.do(t, "visit "+url, chromedp.Navigate(url))
}

// types puts text into the element, then presses keys, such as Enter.
func (b *browser) types(t *testing.T, selector, text string, keys ...input.DispatchKeyEventParams) {
	t.Helper()
	b.shows(t, selector)
	b.runs(t, fmt.Sprintf("document.querySelector(%q).focus()", selector))
	b.do(t, "type "+text, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
	b.presses(t, keys...)
}

// presses presses keys where the focus is.
func (b *browser) presses(t *testing.T, keys ...input.DispatchKeyEventParams) {
	t.Helper()
	for _, key := range keys {
		b.do(t, "press "+key.Key, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, input.DispatchKeyEvent, key)
			return err
		}))
	}
}

// enter is one event, as a keyboard sends it: what the page prevents of it then does not arrive as a character.
func enter() input.DispatchKeyEventParams {
	return input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13}
}

// key is one that writes nothing, such as Escape.
func key(name string, code int64) input.DispatchKeyEventParams {
	return input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: name, Code: name, WindowsVirtualKeyCode: code}
}

func escapeKey() input.DispatchKeyEventParams { return key("Escape", 27) }
func arrowUp() input.DispatchKeyEventParams   { return key("ArrowUp", 38) }
func arrowDown() input.DispatchKeyEventParams { return key("ArrowDown", 40) }
func tab() input.DispatchKeyEventParams       { return key("Tab", 9) }

func (b *browser) clicks(t *testing.T, selector string) {
	t.Helper()
	b.do(t, "click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// becomes is somebody else from then on.
func (b *browser) becomes(t *testing.T, name string) {
	t.Helper()
	b.clicks(t, "#person")
	b.clicks(t, `[data-choice="`+name+`"]`)
	b.holds(t, `document.querySelector("#person").dataset.user === "`+name+`"`)
}

// runs runs JavaScript, for what a mouse does over things that appear under it.
func (b *browser) runs(t *testing.T, script string) {
	t.Helper()
	b.do(t, "run "+script, discard(chromedp.Evaluate[any](script)))
}

// shows waits until there is an element with the selector; lacks until there is none.
func (b *browser) shows(t *testing.T, selector string) {
	t.Helper()
	b.holds(t, fmt.Sprintf("document.querySelector(%q)", selector))
}

func (b *browser) lacks(t *testing.T, selector string) {
	t.Helper()
	b.holds(t, fmt.Sprintf("!document.querySelector(%q)", selector))
}

// says waits until an element with the selector contains the text.
func (b *browser) says(t *testing.T, selector, want string) {
	t.Helper()
	b.holds(t, fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.innerText.includes(%q))", selector, want))
}

// holds waits until a JavaScript expression is true.
func (b *browser) holds(t *testing.T, expression string) {
	t.Helper()
	b.do(t, "wait for "+expression, chromedp.Steps(discard(
		chromedp.Poll[bool]("Boolean("+expression+")", chromedp.WithPollingTimeout(patience)))))
}

func discard[T any](action chromedp.Action[T]) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := action(ctx, target)
		return err
	})
}

// picture keeps a screenshot, light and dark, when TANDEM_SCREENSHOTS names a folder for them.
func (b *browser) picture(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("TANDEM_SCREENSHOTS")
	if dir == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		png, err := chromedp.Run(b.ctx, func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
			if _, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
				return nil, err
			}
			return chromedp.CaptureScreenshot()(ctx, target)
		})
		if err != nil {
			t.Logf("take picture %s: %v", name, err)
			return
		}
		if err := os.WriteFile(filepath.Join(dir, name+"-"+scheme+".png"), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/chromedp/chromedp"

	"tandem/lab/faults"
	"tandem/lab/world"
)

// picturesCmd makes the pictures of the documentation: it breaks the running world, acts as people do in the page, and
// mends the world again.
type picturesCmd struct {
	where
	Fault string        `default:"spire-selector-mismatch" help:"What breaks; nothing when empty."`
	Show  time.Duration `default:"20s" help:"For the fault to show."`
	Only  []string      `help:"Only the pictures of these names."`
	Out   string        `default:"docs" type:"existingdir" help:"Folder of the pictures."`
}

const (
	pictureWidth, pictureHeight = 1360, 960
	// picturesTimeout is for all pictures, the fault with them.
	picturesTimeout = 15 * time.Minute
	// sceneLimit is how long a person would wait for what they asked for.
	sceneLimit = 90 * time.Second
)

// scene is one picture: who looks at which place, what they do there, and how the picture is framed.
type scene struct {
	name          string
	user, channel string
	dark          bool // a second picture in the dark colours
	acts          []step
	frame         string // JavaScript that puts into sight what the picture is about
}

// scenes are the pictures of the documentation, in the order in which they are taken: later ones look at what earlier
// ones left in the channel. They wait for blocks and never for words, so that they outlive every text.
func scenes() []scene {
	const last = `[...document.querySelectorAll("#messages .message:has(.block-actions)")].at(-1)`
	const toTop = last + `.scrollIntoView({ block: "start" })`
	const newest = `[...document.querySelectorAll("#messages .message")].at(-1)`
	const thread = "#thread-messages"
	const card = `document.querySelector("` + thread + ` .message:has([data-action=approve])")`
	openThread := chromedp.Steps(shows(last+`?.querySelector(".replies")`), runs(last+`.querySelector(".replies").click()`))
	approves := chromedp.Steps(openThread, shows(card), runs(card+`.querySelector("[data-add=white_check_mark]").click()`))
	return []scene{
		{
			name: "diagnosis", user: "bruno", channel: "incidents", dark: true, frame: toTop,
			acts: []step{types("/vault diagnose worker"), answered(last)},
		},
		{
			name: "thread", user: "bruno", channel: "incidents", frame: `document.querySelector("#thread-messages .count").scrollIntoView({ block: "start" })`,
			acts: []step{shows(last + `?.querySelector(".replies")`), runs(last + `.querySelector(".replies").click()`), shows(`document.querySelector("#thread-messages .count")`)},
		},
		{
			name: "help", user: "carla", channel: "incidents",
			acts: []step{types("/vault help"), shows(`document.querySelector("#messages .message.ephemeral")`)},
		},
		{
			name: "home", user: "bruno", channel: "@app",
			acts: []step{runs(`document.querySelector("#tab-home").click()`), shows(`document.querySelector("#app-view .body")`)},
		},
		{
			name: "pt-br", user: "ana", channel: "incidents", frame: toTop,
			// Within a minute, the second to ask would join the first one's diagnosis.
			acts: []step{settle(time.Minute), types("/vault diagnose worker"), answered(last)},
		},
		{
			name: "request", user: "bruno", channel: "incidents", frame: card + `.scrollIntoView({ block: "start" })`,
			acts: []step{
				types("/vault diagnose worker --fresh"), answered(last), runs(last + `.querySelector("[data-action^='ask/']").click()`),
				shows(`document.querySelector("dialog textarea")`), chromedp.SendKeys(chromedp.CSS("dialog textarea"), "a label was renamed in the last release"),
				runs(`document.querySelector("dialog .modal-foot .primary").click()`), shows(`!document.querySelector("dialog[open]")`), openThread, shows(card),
			},
		},
		{
			name: "own", user: "bruno", channel: "incidents", frame: `document.querySelector("` + thread + ` .ephemeral").scrollIntoView({ block: "end" })`,
			acts: []step{approves, shows(`document.querySelector("` + thread + ` .ephemeral")`)},
		},
		{
			name: "proof", user: "carla", channel: "incidents", frame: `document.querySelector("` + thread + ` .message:last-of-type").scrollIntoView({ block: "end" })`,
			acts: []step{approves, shows(`document.querySelector("` + thread + ` table")`), settle(4 * time.Second)},
		},
		{
			name: "pedido", user: "ana", channel: "incidents", frame: toTop,
			acts: []step{types("/vault run end-to-end orchestrator"), shows(`document.querySelector("#messages .message:has([data-action=approve])")`)},
		},
		{
			name: "watch", user: "bruno", channel: "incidents", frame: `document.querySelector("` + thread + ` .message").scrollIntoView({ block: "start" })`,
			acts: []step{
				types("/vault watch worker every 10m"), answered(newest),
				shows(newest + `?.querySelector(".replies")`), runs(newest + `.querySelector(".replies").click()`), shows(`document.querySelector("#thread-messages .count")`),
			},
		},
		{
			name: "metrics", user: "carla", channel: "incidents", frame: `document.querySelector("` + thread + ` img").scrollIntoView({ block: "center" })`,
			acts: []step{
				types("/vault metrics worker"), shows(newest + `?.querySelector(".replies")`), settle(4 * time.Second),
				runs(newest + `.querySelector(".replies").click()`), shows(`document.querySelector("` + thread + ` img")`),
			},
		},
		{
			// The last one of Bruno: a modal stays open wherever he goes.
			name: "modal", user: "bruno", channel: "general",
			acts: []step{
				types("something keeps failing in production: permission denied"),
				shows(`[...document.querySelectorAll("#messages .more")].at(-1)`), runs(`[...document.querySelectorAll("#messages .more")].at(-1).click()`),
				shows(`document.querySelector("[data-choice]:has(.avatar)")`), runs(`document.querySelector("[data-choice]:has(.avatar)").click()`),
				shows(`document.querySelector("dialog[open]")`),
			},
		},
	}
}

// types writes a line into the composer and sends it.
func types(line string) step {
	return chromedp.Steps(chromedp.SendKeys(chromedp.CSS("#composer textarea"), line), chromedp.Click(chromedp.CSS("#composer .send")))
}

func shows(expression string) step { return holds(expression, sceneLimit) }

// answered waits for a message that was not there before, and until it no longer changes: a card that fills in.
func answered(message string) step {
	return runs(fmt.Sprintf(`new Promise((done) => {
		const began = Date.now() / 1000 - 2;
		let was = "", since = Date.now();
		const look = () => {
			const m = %s;
			const now = m && Number(m.dataset.ts) > began ? m.innerText : "";
			if (now !== was) [was, since] = [now, Date.now()];
			if (now && Date.now() - since > 6000) done();
			else setTimeout(look, 200);
		};
		look();
	})`, message))
}

// Run is called by kong.
func (c picturesCmd) Run(ctx context.Context) (err error) {
	w, err := world.Attach(c.Dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, picturesTimeout)
	defer cancel()
	mend, err := c.breakWorld(ctx, w)
	if err != nil {
		return err
	}
	defer func() {
		if mendErr := mend(context.WithoutCancel(ctx)); err == nil {
			err = mendErr
		}
	}()
	ctx, closeIt, err := openBrowser(ctx, pictureWidth, pictureHeight)
	if err != nil {
		return err
	}
	defer closeIt()
	for _, s := range scenes() {
		if !c.wanted(s.name) {
			continue
		}
		if err := c.take(ctx, w.State().Slack.URL, s); err != nil {
			return fmt.Errorf("picture %s: %w", s.name, err)
		}
		fmt.Println(filepath.Join(c.Out, s.name+".png"))
	}
	return nil
}

func (c picturesCmd) wanted(name string) bool {
	return len(c.Only) == 0 || slices.Contains(c.Only, name)
}

// breakWorld injects the fault, waits until it shows, and returns what mends it.
func (c picturesCmd) breakWorld(ctx context.Context, w *world.World) (mend func(context.Context) error, _ error) {
	if c.Fault == "" {
		return func(context.Context) error { return nil }, nil
	}
	fault, err := faults.Find(c.Fault)
	if err != nil {
		return nil, err
	}
	if err := faults.Note(w, fault.Name, true); err != nil {
		return nil, err
	}
	mend = func(ctx context.Context) error { return faultClearCmd{where: c.where, Name: fault.Name}.Run(ctx) }
	if err := fault.Inject(ctx, w); err != nil {
		return nil, fmt.Errorf("inject %s: %w", fault.Name, err)
	}
	fmt.Fprintf(os.Stderr, "%s Waiting %s for that to show.\n", fault.About, c.Show)
	select {
	case <-time.After(c.Show):
		return mend, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take plays a scene and keeps its picture.
func (c picturesCmd) take(ctx context.Context, page string, s scene) error {
	ctx, cancel := context.WithTimeout(ctx, 2*sceneLimit)
	defer cancel()
	query := url.Values{"user": {s.user}, "channel": {s.channel}}
	steps := append([]step{
		coloured(false), chromedp.EmulateViewport(pictureWidth, pictureHeight), chromedp.Navigate(page + "/?" + query.Encode()), shows(`document.querySelector("#person")`),
	}, s.acts...)
	if s.frame != "" {
		steps = append(steps, runs(s.frame))
	}
	// What a person clicked keeps no ring, and what was new stays unmarked.
	steps = append(steps, runs(`document.activeElement.closest("dialog") ?? document.activeElement.blur()`), settle(time.Second))
	if err := chromedp.Do(ctx, steps...); err != nil {
		return err
	}
	file := filepath.Join(c.Out, s.name)
	if err := shot(ctx, file+".png"); err != nil || !s.dark {
		return err
	}
	if err := chromedp.Do(ctx, coloured(true), settle(time.Second)); err != nil {
		return err
	}
	return shot(ctx, file+"-dark.png")
}

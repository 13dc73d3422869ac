package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/mattn/go-isatty"

	"tandem/commands"
	"tandem/diagnostics"
)

// Exit statuses.
const (
	exitOK      = 0
	exitFinding = 1 // a warning or failure of the service
	exitUsage   = 2 // a wrong command line, configuration or catalogue
	exitUnknown = 3 // nobody could tell
)

// app is one run of the program.
type app struct {
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	log            *slog.Logger

	settings commands.Settings
	words    commands.Words
	vocab    *commands.Vocabulary
}

func newApp(stdout, stderr io.Writer, getenv func(string) string) *app {
	return &app{stdout: stdout, stderr: stderr, getenv: getenv, now: time.Now, log: slog.New(slog.DiscardHandler)}
}

// run does what the arguments say and returns the exit status.
func (a *app) run(ctx context.Context, args []string) int {
	vocab, err := commands.NewVocabulary()
	if err != nil {
		_, _ = fmt.Fprintln(a.stderr, "bot:", err)
		return exitUnknown
	}
	cmd, settings, err := commands.ParseTerminal(args)
	a.settings, a.vocab, a.words = settings, vocab, vocab.Words(settings.Lang, "bot")
	if err != nil {
		return a.fail(err)
	}
	return a.do(ctx, cmd)
}

func (a *app) do(ctx context.Context, cmd commands.Command) int {
	switch c := cmd.(type) {
	case commands.TerminalDiagnose:
		return a.diagnose(ctx, c)
	case commands.Checks, commands.Explain:
		return a.describe(c)
	case commands.TerminalLogs:
		return a.showLogs(ctx, c)
	case commands.TerminalTrace:
		return a.showTrace(ctx, c)
	case commands.TerminalMetrics:
		return a.showMetrics(ctx, c)
	case commands.TerminalListRuns:
		return a.listRuns(ctx, c)
	case commands.TerminalDiff:
		return a.diff(ctx, c)
	case commands.Export:
		return a.exportRun(ctx, c)
	case commands.Run:
		return a.serve(ctx)
	case commands.LintCatalog:
		return a.lintCatalog(c)
	case commands.TestCatalog:
		return a.testCatalog(c)
	case commands.CatalogDocs:
		return a.catalogDocs(c)
	case commands.CheckConfig:
		return a.checkConfig()
	case commands.VaultPolicy:
		return a.vaultPolicy(c)
	case commands.KubernetesPolicy:
		return a.kubernetesPolicy()
	case commands.Requests:
		return a.requests(ctx, c)
	case commands.Audit:
		return a.auditShow(ctx, c)
	case commands.AuditVerify:
		return a.auditVerify(ctx)
	case commands.AuditExport:
		return a.auditExport(ctx, c)
	case commands.AuditAcknowledge:
		return a.auditAcknowledge(ctx, c)
	case commands.Freeze:
		return a.freeze(ctx, c)
	case commands.Unfreeze:
		return a.unfreeze(ctx, c)
	case commands.Watch:
		return a.watch(ctx, c)
	case commands.Unwatch:
		return a.unwatch(ctx, c)
	case commands.Watches:
		return a.listWatches(ctx)
	case commands.Suppress:
		return a.suppress(ctx, c)
	case commands.Unsuppress:
		return a.unsuppress(ctx, c)
	case commands.Manifest:
		return a.manifest(c)
	case commands.Completion:
		return a.completion(c)
	case commands.Version:
		return a.say(build())
	case commands.Help:
		return a.page(commands.HelpPage(c.Command, commands.InTerminal, a.words))
	default:
		return a.fail(fmt.Errorf("command %T is not wired", cmd))
	}
}

// speak takes up the language of the configuration, unless a flag chose one.
func (a *app) speak(lang string) {
	if a.settings.Lang == "" {
		a.words = a.vocab.Words(diagnostics.Lang(lang), "bot")
	}
}

// say prints a line and returns the exit status of having said it.
func (a *app) say(text string) int {
	if _, err := fmt.Fprintln(a.stdout, text); err != nil {
		return exitUnknown
	}
	return exitOK
}

// page prints a page, or the error of making it.
func (a *app) page(p commands.Page, err error) int {
	if err == nil {
		err = a.terminal().Page(p)
	}
	if err != nil {
		return a.fail(err)
	}
	return exitOK
}

// setupError is a wrong configuration or catalogue. Its text is for operators,
// in English, and says the next step.
type setupError struct{ err error }

func (e *setupError) Error() string { return e.err.Error() }
func (e *setupError) Unwrap() error { return e.err }

// fail says an error with the next step, and returns the exit status for it.
// This is the only place where errors become words for the terminal.
func (a *app) fail(err error) int {
	var setup *setupError
	text, known := a.words.Explain(err)
	switch {
	case errors.Is(err, context.Canceled):
		a.complain(text)
		return exitUnknown
	case known:
		a.complain(text)
		return exitUsage
	case errors.As(err, &setup):
		a.complain(setup.Error())
		return exitUsage
	default:
		ref := rand.Text()[:8]
		slog.New(slog.NewTextHandler(a.stderr, nil)).Error("internal error", "ref", ref, "error", err)
		a.complain(a.words.Internal(ref))
		return exitUnknown
	}
}

func (a *app) complain(text string) { _, _ = fmt.Fprintln(a.stderr, text) }

// terminal is where answers are drawn.
func (a *app) terminal() commands.Terminal {
	colour := isTerminal(a.stdout) && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
	return commands.Terminal{Out: a.stdout, Colour: colour}
}

// isTerminal says whether a person is likely to look at what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

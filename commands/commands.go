// Package commands is what people can ask of the bot and what it answers, in
// chat and in a terminal alike, in each reader's language.
//
// One grammar reads both faces: ParseChat for the text after a slash command or
// a mention, ParseTerminal for arguments. Both give a Command or a *UsageError.
// NewCard, HelpPage, ChecksPage and CheckPage say what an answer holds; WriteCard
// and WritePage draw it for a terminal, and package slack draws the same for
// Slack. No face computes anything of its own.
//
// Everything that a person reads comes from a Vocabulary. Nothing here knows of
// Slack, of Vault or of the configuration.
package commands

import (
	"time"

	"tandem/diagnostics"
)

// Command is one thing that a person can ask; switch on its type. It is one of
// Checks, Explain, Logs, Trace, Metrics, Watch, Unwatch, Watches, Suppress,
// Unsuppress, Requests, Audit, Freeze, Unfreeze, Help and Version; in chat
// also of Diagnose, ListRuns, Diff, Fix, Procedure, Approve, Deny, Cancel and WhoAmI;
// in a terminal also of TerminalDiagnose, TerminalListRuns, TerminalDiff, Export,
// AuditVerify, AuditExport, AuditAcknowledge, Run,
// LintCatalog, TestCatalog, CatalogDocs, CheckConfig, VaultPolicy, KubernetesPolicy,
// Manifest and Completion.
type Command interface{ command() }

// Diagnose asks what is wrong with a service.
type Diagnose struct {
	Service string   `arg:"" optional:"" name:"service"`    // empty: the one that the conversation is about
	Since   Lookback `placeholder:"30m"`                    // zero: the configured one
	Check   []string `placeholder:"CODE" short:"k" sep:","` // codes in upper case; empty: all
	Fresh   bool     // do not show a run that has ended already
}

// Checks asks for the list of checks or, with a code, for how one judges.
type Checks struct {
	Code string `arg:"" optional:"" name:"code"` // in upper case
}

// Explain asks what a check means to a person on call, and what to do.
type Explain struct {
	Code string `arg:"" name:"code"` // in upper case
}

// WhoAmI asks what the bot knows of the person, and what that person may ask.
type WhoAmI struct{}

// Help asks how to ask.
type Help struct {
	Command []string `arg:"" optional:"" name:"command"` // the words of one command; empty: all
}

// Version asks which bot this is.
type Version struct{}

// TerminalDiagnose is Diagnose in a terminal, where nothing but the words says
// which service is meant, and the form of the answer can be chosen.
type TerminalDiagnose struct {
	Service string   `arg:"" name:"service"`
	Since   Lookback `placeholder:"30m"`
	Check   []string `placeholder:"CODE" short:"k" sep:","`
	Keep    bool     // for bot diff and bot export
	Output  Format   `short:"o" placeholder:"text" default:"text"`
}

// Diagnose returns what is asked, whatever the form of the answer.
func (d TerminalDiagnose) Diagnose() Diagnose {
	return Diagnose{Service: d.Service, Since: d.Since, Check: d.Check}
}

// TerminalLogs, TerminalTrace and TerminalMetrics are Logs, Trace and Metrics in a
// terminal, where the form of the answer can be chosen.
type (
	// TerminalLogs is Logs in a terminal.
	TerminalLogs struct {
		Logs

		Output Format `short:"o" placeholder:"text" default:"text"`
	}
	// TerminalTrace is Trace in a terminal.
	TerminalTrace struct {
		Trace

		Output Format `short:"o" placeholder:"text" default:"text"`
	}
	// TerminalMetrics is Metrics in a terminal.
	TerminalMetrics struct {
		Metrics

		Output Format `short:"o" placeholder:"text" default:"text"`
	}
)

// Run asks the bot to serve Slack until it is stopped.
type Run struct{}

// LintCatalog asks what is wrong with the checks in a folder.
type LintCatalog struct {
	Dir string `arg:"" name:"dir"`
}

// TestCatalog asks whether the checks in a folder judge as its fixtures say.
type TestCatalog struct {
	Dir string `arg:"" name:"dir"`
}

// CatalogDocs asks for a page about each check, as Markdown in a folder.
type CatalogDocs struct {
	To string `placeholder:"DIR" default:"docs/checks"`
}

// Export asks for a bundle of a run that is kept or, with Verify, whether a
// bundle is as it was written.
type Export struct {
	Run    string `arg:"" optional:"" name:"run"`
	To     string `placeholder:"FILE"` // empty: named after the run, in this folder
	Verify string `placeholder:"FILE"`
}

// CheckConfig asks what is wrong with the configuration.
type CheckConfig struct{}

// VaultPolicy asks for the least Vault policy that the bot needs as it stands or,
// with the name of a remedy or AllRemedies, for what makes the remedies' roles.
type VaultPolicy struct {
	Remedy string `placeholder:"NAME"`
	Output Format `short:"o" placeholder:"text" default:"text"`
}

// AllRemedies stands for the names of all remedies.
const AllRemedies = "all"

// Manifest asks for the manifest of the Slack app, for a bot that takes requests
// at an address or, without one, over Socket Mode.
type Manifest struct {
	URL    string `placeholder:"URL"`
	Output Format `short:"o" placeholder:"json" default:"json"`
}

// Completion asks for the completion script of a shell.
type Completion struct {
	Shell Shell `arg:"" name:"shell"`
}

func (Diagnose) command()         {}
func (Checks) command()           {}
func (Explain) command()          {}
func (WhoAmI) command()           {}
func (Help) command()             {}
func (Version) command()          {}
func (TerminalDiagnose) command() {}
func (TerminalLogs) command()     {}
func (TerminalTrace) command()    {}
func (TerminalMetrics) command()  {}
func (Run) command()              {}
func (LintCatalog) command()      {}
func (TestCatalog) command()      {}
func (CatalogDocs) command()      {}
func (Export) command()           {}
func (CheckConfig) command()      {}
func (VaultPolicy) command()      {}
func (Manifest) command()         {}
func (Completion) command()       {}

// Settings are the flags that every command of the terminal takes.
type Settings struct {
	Config string           `short:"c" placeholder:"FILE"`
	Lang   diagnostics.Lang `placeholder:"LANG"` // empty: the configured one
}

// MaxLookback is the longest window into the past that a diagnosis reads.
const MaxLookback = 7 * 24 * time.Hour

// Lookback is how far into the past a diagnosis reads: above zero, up to
// MaxLookback. Zero stands for the configured one.
type Lookback time.Duration

// UnmarshalText reads a duration like 30m.
func (l *Lookback) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d <= 0 || d > MaxLookback {
		return &UsageError{Kind: BadDuration, Word: string(text)}
	}
	*l = Lookback(d)
	return nil
}

// Format is the form of an answer in the terminal.
type Format string

// The forms.
const (
	FormatText Format = "text"
	FormatJSON Format = "json"
	FormatYAML Format = "yaml"
)

// UnmarshalText reads the name of a form.
func (f *Format) UnmarshalText(text []byte) error {
	return oneOf(f, text, FormatText, FormatJSON, FormatYAML)
}

// Shell is a shell that can complete the bot's commands.
type Shell string

// The shells.
const (
	Bash Shell = "bash"
	Zsh  Shell = "zsh"
	Fish Shell = "fish"
)

// UnmarshalText reads the name of a shell.
func (s *Shell) UnmarshalText(text []byte) error { return oneOf(s, text, Bash, Zsh, Fish) }

// oneOf sets a value that must be one of a few, or says which those are.
func oneOf[T ~string](into *T, text []byte, allowed ...T) error {
	names := make([]string, 0, len(allowed))
	for _, a := range allowed {
		if string(a) == string(text) {
			*into = a
			return nil
		}
		names = append(names, string(a))
	}
	return &UsageError{Kind: BadChoice, Word: string(text), Choices: names, Nearest: Nearest(string(text), names)}
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"

	"tandem/commands"
	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/bundle"
	"tandem/diagnostics/redact"
	"tandem/store"
)

// exportRun writes a bundle of a run that is kept, or looks at one.
func (a *app) exportRun(ctx context.Context, ask commands.Export) int {
	if (ask.Run == "") == (ask.Verify == "") {
		a.complain(a.words.Say("export_one"))
		return exitUsage
	}
	if ask.Verify != "" {
		return a.verifyBundle(ask.Verify)
	}
	return a.withRuns(ctx, func(s *store.Store, c *config.Config) int {
		run, err := s.FindRun(ctx, diagnostics.RunID(ask.Run))
		if errors.Is(err, diagnostics.ErrNoRun) {
			a.complain(a.words.Say("no_run", "Run", ask.Run))
			return exitUsage
		}
		if err != nil {
			return a.untold(err)
		}
		w, err := wire(c, a.log, a.now)
		if err != nil {
			return a.fail(err)
		}
		defer w.leave()
		return a.writeBundle(run, c, w, cmp.Or(ask.To, bundleName(run.RunInfo)))
	})
}

// bundleName is what a bundle is called unless somebody says otherwise.
func bundleName(run diagnostics.RunInfo) string {
	service := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, run.Service)
	return "tandem-" + service + "-" + run.ID + ".tar.gz"
}

func (a *app) writeBundle(run diagnostics.Run, c *config.Config, w *wired, path string) int {
	data, secrets, err := a.bundle(run, c, w.diagnoser.Checks())
	if err != nil {
		return a.fail(err)
	}
	if err := writeNew(path, data); err != nil {
		a.complain(err.Error())
		return exitUnknown
	}
	said := []string{a.words.Say("bundle_written", "File", path, "Run", run.ID, "Hash", bundle.Hash(data))}
	if secrets > 0 {
		said = append(said, a.words.Count("bundle_redacted", secrets))
	}
	return a.say(strings.Join(append(said, a.words.Say("bundle_next", "File", path)), "\n"))
}

// writeNew writes a file that is not there yet: evidence is not overwritten.
func writeNew(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the bundle: %w: name a file that is not there yet, with --to", err)
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the bundle: %w", err), os.Remove(path))
	}
	return nil
}

// bundle is a run with all that a stranger needs to understand it, and how many
// secrets were taken out of it now. Its bytes are the same for the same run,
// configuration, catalogue and bot.
func (a *app) bundle(run diagnostics.Run, c *config.Config, checks []commands.CheckInfo) ([]byte, int, error) {
	counts := map[redact.Kind]int{}
	clean := func(text string) string { return redact.Counted(text, counts) }
	run.Report = run.Report.Map(clean)
	parts := []bundle.Part{{Name: "commands.txt", Data: asked(run.Report)}}
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		view := run.Report.In(lang)
		view.Run = run.ID
		data, err := bundle.JSON(view)
		if err != nil {
			return nil, 0, err
		}
		w := a.vocab.Words(lang, "bot")
		card := commands.NewCard(run.Report, run.Since, w)
		card.Kept = w.Kept(run.ID)
		var text bytes.Buffer
		if err := (commands.Terminal{Out: &text}).Card(card); err != nil {
			return nil, 0, err
		}
		parts = append(parts, bundle.Part{Name: "report." + string(lang) + ".json", Data: data},
			bundle.Part{Name: "report." + string(lang) + ".txt", Data: text.Bytes()})
	}
	about, err := aboutBundle(c, checks, clean)
	if err != nil {
		return nil, 0, err
	}
	secrets, told := 0, map[string]int{}
	for kind, n := range counts {
		if told[string(kind)] = n; kind != redact.Already {
			secrets += n
		}
	}
	data, err := bundle.Pack(bundle.Manifest{
		Run: run.ID, Service: run.Service, At: run.At, Status: string(run.Status), Source: string(run.Source), Whole: run.Whole,
		Version: build(), Redactions: told,
	}, append(parts, about...))
	return data, secrets, err
}

// asked are the commands by which a person can see the same, check by check.
func asked(r diagnostics.Report) []byte {
	var out bytes.Buffer
	for _, c := range r.Checks {
		fmt.Fprintf(&out, "# %s %s: %s\n", c.Code, printable(c.Title.EN), c.Status)
		for _, e := range c.Evidence {
			fmt.Fprintln(&out, printable(e.Invocation))
		}
		out.WriteString("\n")
	}
	return out.Bytes()
}

// aboutBundle are the catalogue and the configuration as they are when the bundle
// is written. Of the configuration it tells what there is, never where or how.
func aboutBundle(c *config.Config, checks []commands.CheckInfo, clean func(string) string) ([]bundle.Part, error) {
	whole, err := bundle.JSON(checks)
	if err != nil {
		return nil, err
	}
	codes := make([]string, 0, len(checks))
	for _, check := range checks {
		codes = append(codes, check.Code)
	}
	catalog, err := bundle.JSON(map[string]any{"checks": codes, "sha256": bundle.Hash(whole), "own_folders": len(c.Catalog.Folders)})
	if err != nil {
		return nil, err
	}
	configuration, err := bundle.JSON(outline(c, clean))
	if err != nil {
		return nil, err
	}
	return []bundle.Part{{Name: "catalog.json", Data: catalog}, {Name: "configuration.json", Data: configuration}}, nil
}

// configOutline says what a configuration has.
type configOutline struct {
	Language string              `json:"language"`
	Systems  map[string]string   `json:"systems"`  // how each that is configured is reached
	Services map[string][]string `json:"services"` // the sections of each
	Bounds   map[string]string   `json:"bounds"`
}

func outline(c *config.Config, clean func(string) string) configOutline {
	o := configOutline{
		Language: clean(c.Language), Systems: map[string]string{}, Services: map[string][]string{},
		Bounds: map[string]string{"timeout": c.Diagnosis.Timeout.String(), "since": c.Diagnosis.Since.String(), "width": fmt.Sprint(c.Diagnosis.Width)},
	}
	for _, system := range []struct {
		name, how string
		is        bool
	}{
		{"vault", loginOf(c.Vault), c.Vault != nil},
		{"spiffe", "", c.SPIFFE != nil},
		{"prometheus", "", c.Prometheus != nil},
		{"logs", logsOf(c.Logs), c.Logs != nil},
		{"postgres", "", c.Postgres != nil},
		{"mongodb", "", c.MongoDB != nil},
		{"kubernetes", "", c.Kubernetes != nil},
		{"slack", "", c.Slack != nil},
		{"store", storeOf(c.Store), c.Store != nil},
		{"approvals", "", c.Approvals != nil},
		{"remedies", "", c.Remedies != nil},
		{"alertmanager", "", c.Alertmanager != nil},
		{"traces", "", c.Traces != nil},
	} {
		if system.is {
			o.Systems[system.name] = cmp.Or(system.how, "configured")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		o.Services[clean(name)] = sectionsOf(c.Services[name])
	}
	return o
}

// loginOf is how the bot logs in to Vault.
func loginOf(c *config.Vault) string {
	switch {
	case c == nil:
		return ""
	case c.Identity.AppRole != nil:
		return "approle"
	case c.Identity.JWTSVID != nil:
		return "jwt_svid"
	case c.Identity.Kubernetes != nil:
		return "kubernetes"
	default:
		return "token_file"
	}
}

func logsOf(c *config.Logs) string {
	if c != nil && c.Loki != nil {
		return "loki"
	}
	return "files"
}

func storeOf(c *config.Store) string {
	if c != nil && c.SQLite != "" {
		return "sqlite"
	}
	return "postgres"
}

func sectionsOf(s *config.Service) []string {
	sections := []string{}
	for _, section := range []struct {
		name string
		is   bool
	}{
		{"login", s.Login != nil},
		{"secrets", len(s.Secrets) > 0},
		{"database", s.Database != nil},
		{"mongodb", s.MongoDB != nil},
		{"peer", s.Peer != nil},
		{"workload", s.Workload != nil},
	} {
		if section.is {
			sections = append(sections, section.name)
		}
	}
	return sections
}

// maxBundleFile is the largest file that is looked at as a bundle, in bytes.
const maxBundleFile = 64 << 20

// verifyBundle says whether a bundle is as it was written. The exit status is 0
// for yes, 1 for no, and 2 when it is no bundle.
func (a *app) verifyBundle(path string) int {
	data, err := readBundle(path)
	if err != nil {
		a.complain(a.words.Say("no_bundle", "File", path, "Why", err.Error()))
		return exitUsage
	}
	m, faults, err := bundle.Verify(data)
	if err != nil {
		a.complain(a.words.Say("no_bundle", "File", path, "Why", err.Error()))
		return exitUsage
	}
	hash := commands.Paragraph(a.words.Say("bundle_hash", "Hash", bundle.Hash(data)))
	if len(faults) == 0 {
		whole := a.words.Say("bundle_whole", "File", path, "N", len(m.Files), "Run", printable(m.Run), "Service", printable(m.Service))
		return a.page(commands.Page{commands.Paragraph("✅ " + whole), hash}, nil)
	}
	var list commands.List
	for _, f := range faults {
		list = append(list, commands.Item{Name: printable(f.Name), Text: a.fault(f.Kind)})
	}
	if status := a.page(commands.Page{commands.Heading("❗ " + a.words.Say("bundle_broken", "File", path)), list}, nil); status != exitOK {
		return status
	}
	return exitFinding
}

func (a *app) fault(kind bundle.FaultKind) string {
	switch kind {
	case bundle.Changed:
		return a.words.Say("bundle_changed")
	case bundle.Missing:
		return a.words.Say("bundle_missing")
	default:
		return a.words.Say("bundle_extra")
	}
}

// printable is text of others' without what could deceive a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

func readBundle(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, pathErr.Err
	}
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case info.Size() > maxBundleFile:
		return nil, fmt.Errorf("it is larger than %d MiB", maxBundleFile>>20)
	}
	return os.ReadFile(path)
}

package main

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"tandem/commands"
	"tandem/config"
	"tandem/diagnostics"
)

// catalogDocs writes the pages about the loaded checks.
func (a *app) catalogDocs(ask commands.CatalogDocs) int {
	c, err := a.configIfAny()
	if err != nil {
		return a.fail(err)
	}
	pages, err := catalogPages(c, a.vocab)
	if err != nil {
		return a.fail(err)
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		file := filepath.Join(ask.To, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // for everybody to read
			return a.fail(&setupError{err})
		}
		if err := os.WriteFile(file, []byte(pages[name]), 0o644); err != nil { //nolint:gosec // for everybody to read
			return a.fail(&setupError{err})
		}
	}
	return a.say(a.words.Count("catalog_written", len(pages), "Dir", ask.To))
}

// catalogPages are the pages in every language, by their path below the folder
// of the documents: an index, and a page for each check. Their examples are what
// the checks say of the fixtures.
func catalogPages(c *config.Config, vocab *commands.Vocabulary) (map[string]string, error) {
	loaded, err := offlineCatalog(c)
	if err != nil {
		return nil, err
	}
	folders, err := sources(c)
	if err != nil {
		return nil, &setupError{err}
	}
	d := docs{catalog: loaded}
	for _, folder := range folders {
		trials, err := loaded.TryFixtures(folder)
		if err != nil {
			return nil, &setupError{err}
		}
		d.trials = append(d.trials, trials...)
	}
	pages := map[string]string{}
	for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
		d.words = vocab.Words(lang, "bot")
		pages[path.Join(string(lang), "README.md")] = d.index()
		for _, check := range loaded.Checks() {
			page, err := d.page(check)
			if err != nil {
				return nil, err
			}
			pages[path.Join(string(lang), check.Code+".md")] = page
		}
	}
	return pages, nil
}

// docs writes about the checks of a catalogue in one language.
type docs struct {
	catalog *diagnostics.Catalog
	trials  []diagnostics.Trial
	words   commands.Words
	text    *strings.Builder
}

func (d docs) line(format string, args ...any) { fmt.Fprintf(d.text, format+"\n", args...) }

// section is a heading and its text; nothing without a text.
func (d docs) section(heading, text string) {
	if text = strings.TrimSpace(text); text != "" {
		d.line("\n## %s\n\n%s", heading, text)
	}
}

func (d docs) index() string {
	d.text = &strings.Builder{}
	d.line("# %s\n\n%s\n\n%s", d.words.Say("checks_title"), d.words.Say("docs_intro"), d.otherLanguages("README.md"))
	row := -1
	for _, check := range d.byRow() {
		if check.Row != row {
			row = check.Row
			d.line("\n## %s\n\n| | |\n| --- | --- |", d.words.Row(row))
		}
		d.line("| [%s](%s.md) | %s |", check.Code, check.Code, d.plain(check.Title))
	}
	return d.text.String()
}

func (d docs) byRow() []*diagnostics.Check {
	checks := d.catalog.Checks()
	slices.SortStableFunc(checks, func(a, b *diagnostics.Check) int { return a.Row - b.Row })
	return checks
}

// otherLanguages links to the same page in the languages that this one is not in.
func (d docs) otherLanguages(name string) string {
	if d.words.Lang == diagnostics.English {
		return fmt.Sprintf("[Em português](../%s/%s)", diagnostics.Portuguese, name)
	}
	return fmt.Sprintf("[In English](../%s/%s)", diagnostics.English, name)
}

func (d docs) page(check *diagnostics.Check) (string, error) {
	d.text = &strings.Builder{}
	d.line("# %s: %s\n\n%s · [%s](README.md) · %s", check.Code, d.plain(check.Title),
		d.words.Row(check.Row), d.words.Say("checks_title"), d.otherLanguages(check.Code+".md"))
	d.line("\n%s", d.plain(check.Doc.Meaning))
	d.section(d.words.Say("check_impact"), d.plain(check.Doc.Impact))
	d.section(d.words.Say("check_diagnosis"), d.byHand(check))
	d.section(d.words.Say("check_mitigation"), d.plain(check.Doc.Mitigation))
	d.outcomes(check)
	d.section(d.words.Say("docs_chain"), d.chain(check))
	reads, err := d.reads(check)
	d.section(d.words.Say("check_reads"), reads)
	if check.Applies != "" {
		d.section(d.words.Say("check_applies"), code("", check.Applies))
	}
	return d.text.String(), err
}

// plain is a text as Markdown shows it.
func (d docs) plain(t diagnostics.Text) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`).Replace(strings.TrimSpace(t.In(d.words.Lang)))
}

func code(lang, text string) string { return "```" + lang + "\n" + text + "\n```" }

// byHand is what a person can run instead, for the service of an example.
func (d docs) byHand(check *diagnostics.Check) string {
	parts := []string{d.plain(check.Doc.Diagnosis)}
	if check.Command != "" {
		command := check.Command
		if trial, ok := d.example(check, nil); ok {
			command = check.CommandFor(trial.Service)
		}
		parts = append(parts, code("sh", command))
	}
	return strings.Join(parts, "\n\n")
}

// example is the first trial of a check, or that which came to one of its
// outcomes.
func (d docs) example(check *diagnostics.Check, outcome *int) (diagnostics.Trial, bool) {
	i := slices.IndexFunc(d.trials, func(t diagnostics.Trial) bool {
		return t.Code == check.Code && (outcome == nil || t.Outcome == *outcome+1)
	})
	if i < 0 {
		return diagnostics.Trial{}, false
	}
	return d.trials[i], true
}

// outcomes are all that the check can say, in the order in which they are tried.
func (d docs) outcomes(check *diagnostics.Check) {
	d.line("\n## %s", d.words.Say("check_judges"))
	for i, o := range check.Outcomes {
		summary, remedy := o.Summary, o.Remedy
		if trial, ok := d.example(check, &i); ok {
			summary, remedy = trial.Got.Summary, trial.Got.Remedy
		}
		d.line("\n%d. **%s**: %s", i+1, d.words.Status(o.Status), d.plain(summary))
		if remedy != (diagnostics.Text{}) {
			d.line("\n   *%s:* %s", d.words.Say("label_remedy"), d.plain(remedy))
		}
		if len(o.Fixes) > 0 {
			d.line("\n   *%s:* %s", d.words.Say("docs_fixes"), remedyNames(o.Fixes))
		}
		when := o.When
		if when == "" {
			when = d.words.Say("otherwise")
		}
		d.line("\n   `%s`", strings.Join(strings.Fields(when), " "))
	}
}

func remedyNames(fixes []diagnostics.FixSpec) string {
	names := make([]string, len(fixes))
	for i, fix := range fixes {
		names[i] = "`" + fix.Remedy + "`"
	}
	return strings.Join(names, ", ")
}

// chain says what must pass before the check, and what follows when it fails.
func (d docs) chain(check *diagnostics.Check) string {
	var after []string
	for _, other := range d.catalog.Checks() {
		if slices.Contains(other.Needs, check.Code) {
			after = append(after, other.Code)
		}
	}
	parts := []string{d.links(d.words.Say("check_needs"), check.Needs), d.links(d.words.Say("docs_after"), after)}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "\n\n")
}

func (d docs) links(what string, codes []string) string {
	if len(codes) == 0 {
		return ""
	}
	lines := []string{what + ":\n"}
	for _, code := range codes {
		other, _ := d.catalog.Check(code) // the catalogue has what its checks need
		lines = append(lines, fmt.Sprintf("- [%s](%s.md) %s", code, code, d.plain(other.Title)))
	}
	return strings.Join(lines, "\n")
}

// reads lists what is asked, and the rights at Vault that this takes.
func (d docs) reads(check *diagnostics.Check) (string, error) {
	var lines []string
	for _, fact := range check.Facts {
		probe, _ := check.Probe(fact.Name) // a check that loaded has its probes
		lines = append(lines, fmt.Sprintf("- `%s` = `%s`: %s", fact.Name, fact.Probe, d.plain(probe.Doc)))
	}
	trial, ok := d.example(check, nil)
	if !ok {
		return strings.Join(lines, "\n"), nil
	}
	uses, err := d.catalog.Grants([]diagnostics.Target{trial.Service})
	if err != nil {
		return "", fmt.Errorf("rights of %s: %w", check.Code, err)
	}
	var rights []string
	for _, use := range uses {
		if slices.Contains(use.Checks, check.Code) {
			rights = append(rights, fmt.Sprintf("- `%s` (%s)", use.Path, strings.Join(use.Capabilities, ", ")))
		}
	}
	if len(rights) > 0 {
		lines = append(lines, "\n"+d.words.Say("docs_rights")+":\n")
	}
	return strings.Join(append(lines, rights...), "\n"), nil
}

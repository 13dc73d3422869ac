package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"tandem/approvals/remedies"
	"tandem/commands"
	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/catalog"
	"tandem/diagnostics/probes"
)

// sources are the folders of checks: the built-in one and those of the
// configuration.
func sources(c *config.Config) ([]diagnostics.CatalogSource, error) {
	all := []diagnostics.CatalogSource{{Name: "built-in", FS: catalog.FS}}
	var errs []error
	for i, folder := range c.Catalog.Folders {
		errs = append(errs, checkFolder(string(folder), fmt.Sprintf("catalog.folders[%d]", i)))
		all = append(all, diagnostics.CatalogSource{Name: string(folder), FS: os.DirFS(string(folder))})
	}
	return all, errors.Join(errs...)
}

// checkFolder says what is wrong with a folder, and where it is configured.
func checkFolder(folder, where string) error {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such folder %s: expected a folder of checks", where, folder)
	case err != nil:
		return fmt.Errorf("%s: %w: expected a folder of checks", where, err)
	case !info.IsDir():
		return fmt.Errorf("%s: %s is a file: expected a folder of checks", where, folder)
	default:
		return nil
	}
}

// loadCatalog loads the checks for probes that are wired, or for probes that
// can only be described.
func loadCatalog(c *config.Config, all []diagnostics.Probe) (*diagnostics.Catalog, error) {
	folders, err := sources(c)
	if err != nil {
		return nil, &setupError{err}
	}
	loaded, err := diagnostics.LoadCatalog(folders, all, diagnostics.WithRemedies(remedyParams()))
	if err != nil {
		return nil, &setupError{err}
	}
	return loaded, nil
}

// remedyParams are the parameters of every remedy that a check may offer,
// configured or not.
func remedyParams() map[string][]string {
	params := map[string][]string{}
	for _, r := range remedies.All(remedies.Deps{}) {
		params[r.Name] = []string{}
		for _, p := range r.Params {
			params[r.Name] = append(params[r.Name], p.Name)
		}
	}
	return params
}

// offlineCatalog is the catalogue for commands that ask no system.
func offlineCatalog(c *config.Config) (*diagnostics.Catalog, error) {
	return loadCatalog(c, probes.All(probes.Deps{}))
}

// describe lists the checks, or explains one.
func (a *app) describe(ask commands.Command) int {
	c, err := a.configIfAny()
	if err != nil {
		return a.fail(err)
	}
	loaded, err := offlineCatalog(c)
	if err != nil {
		return a.fail(err)
	}
	d := &diagnoser{runner: &diagnostics.Runner{Catalog: loaded}}
	return a.page(commands.Answer(ask, d, a.words, ""))
}

// lintCatalog says what is wrong with the checks of a folder.
func (a *app) lintCatalog(ask commands.LintCatalog) int {
	_, n, err := folderCatalog(ask.Dir)
	if err != nil {
		return a.fail(err)
	}
	return a.say(a.words.Count("catalog_ok", n, "Dir", ask.Dir))
}

// folderCatalog loads a folder beside the built-in checks, which its checks may
// need, and says how many it has.
func folderCatalog(dir string) (*diagnostics.Catalog, int, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, 0, &setupError{fmt.Errorf("%w: give a folder with checks, one YAML file each", err)}
	case !info.IsDir():
		return nil, 0, &setupError{fmt.Errorf("%s is a file: give the folder that it is in", dir)}
	}
	builtIn, err := offlineCatalog(&config.Config{})
	if err != nil {
		return nil, 0, err
	}
	both, err := offlineCatalog(&config.Config{Catalog: config.Catalog{Folders: []config.Path{config.Path(dir)}}})
	if err != nil {
		return nil, 0, err
	}
	n := len(both.Checks()) - len(builtIn.Checks())
	if n == 0 {
		return nil, 0, &setupError{fmt.Errorf("%s has no checks: expected files like vlt-001.yaml", dir)}
	}
	return both, n, nil
}

// testCatalog tries the checks of a folder with its fixtures, one line a case.
func (a *app) testCatalog(ask commands.TestCatalog) int {
	loaded, _, err := folderCatalog(ask.Dir)
	if err != nil {
		return a.fail(err)
	}
	trials, err := loaded.TryFixtures(diagnostics.CatalogSource{Name: ask.Dir, FS: os.DirFS(ask.Dir)})
	switch {
	case err != nil:
		return a.fail(&setupError{err})
	case len(trials) == 0:
		return a.fail(&setupError{fmt.Errorf("%s has no fixtures: expected files like vlt-001.test.yaml", ask.Dir)})
	}
	failed := 0
	for _, t := range trials {
		if len(t.Diff) > 0 {
			failed++
		}
		if said := a.say(trialText(t)); said != exitOK {
			return said
		}
	}
	for _, u := range loaded.Untried(ask.Dir, trials) {
		a.say("note " + u.Code + ": " + a.words.Say("catalog_untried", "Outcome", u.Outcome, "Status", u.Status))
	}
	a.say(a.words.Count("catalog_tried", len(trials), "Dir", ask.Dir, "Failed", failed))
	if failed > 0 {
		return exitFinding
	}
	return exitOK
}

// trialText is a line like that of a compiler, with the difference below it.
func trialText(t diagnostics.Trial) string {
	if len(t.Diff) == 0 {
		return "pass " + t.Code + ": " + t.Name
	}
	place := fmt.Sprintf("FAIL %s: %s (%s:%d)", t.Code, t.Name, t.File, t.Line)
	return strings.Join(append([]string{place}, t.Diff...), "\n  ")
}

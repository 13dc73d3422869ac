package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

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

// lintCatalog loads a folder beside the built-in checks, which its checks may
// need, and says what is wrong.
func (a *app) lintCatalog(ask commands.LintCatalog) int {
	info, err := os.Stat(ask.Dir)
	switch {
	case err != nil:
		return a.fail(&setupError{fmt.Errorf("%w: give a folder with checks, one YAML file each", err)})
	case !info.IsDir():
		return a.fail(&setupError{fmt.Errorf("%s is a file: give the folder that it is in", ask.Dir)})
	}
	builtIn, err := offlineCatalog(&config.Config{})
	if err != nil {
		return a.fail(err)
	}
	both, err := offlineCatalog(&config.Config{Catalog: config.Catalog{Folders: []config.Path{config.Path(ask.Dir)}}})
	if err != nil {
		return a.fail(err)
	}
	n := len(both.Checks()) - len(builtIn.Checks())
	if n == 0 {
		return a.fail(&setupError{fmt.Errorf("%s has no checks: expected files like vlt-001.yaml", ask.Dir)})
	}
	return a.say(a.words.Count("catalog_ok", n, "Dir", ask.Dir))
}

package main

import (
	"fmt"
	"os"

	"tandem/commands"
	"tandem/config"
	"tandem/diagnostics"
	"tandem/diagnostics/catalog"
	"tandem/diagnostics/probes"
)

// sources are the folders of checks: the built-in one and those of the
// configuration.
func sources(c *config.Config) []diagnostics.CatalogSource {
	all := []diagnostics.CatalogSource{{Name: "built-in", FS: catalog.FS}}
	for _, folder := range c.Catalog.Folders {
		all = append(all, folderSource(string(folder)))
	}
	return all
}

func folderSource(folder string) diagnostics.CatalogSource {
	return diagnostics.CatalogSource{Name: folder, FS: os.DirFS(folder)}
}

// loadCatalog loads the checks for probes that are wired, or for probes that
// can only be described.
func loadCatalog(c *config.Config, all []diagnostics.Probe) (*diagnostics.Catalog, error) {
	loaded, err := diagnostics.LoadCatalog(sources(c), all)
	if err != nil {
		return nil, &setupError{err}
	}
	return loaded, nil
}

// offlineCatalog is the catalogue for commands that ask no system.
func offlineCatalog(c *config.Config) (*diagnostics.Catalog, error) {
	return loadCatalog(c, probes.All(probes.Deps{}))
}

// checks lists the checks or explains one.
func (a *app) checks(ask commands.Checks) int {
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

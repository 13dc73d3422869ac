package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"tandem/config"
)

// defaultConfig is read when neither a flag nor the environment names a file.
const defaultConfig = "tandem.yaml"

// configFile is the configuration to read, and whether somebody named it.
func (a *app) configFile() (file string, named bool) {
	file = cmp.Or(a.settings.Config, a.getenv("TANDEM_CONFIG"))
	return cmp.Or(file, defaultConfig), file != ""
}

// config loads the configuration and takes up its language.
func (a *app) config() (*config.Config, error) {
	file, named := a.configFile()
	if _, err := os.Stat(file); !named && errors.Is(err, fs.ErrNotExist) {
		return nil, &setupError{fmt.Errorf(
			"no configuration: there is no %s here. Write one (config/example.yaml shows every key), or name it with --config FILE or TANDEM_CONFIG", file)}
	}
	c, err := config.Load(file)
	if err != nil {
		return nil, &setupError{err}
	}
	a.speak(c.Language)
	return c, nil
}

// configIfAny is config for commands that work without one: an empty
// configuration when nobody named a file and the usual one is not there.
func (a *app) configIfAny() (*config.Config, error) {
	file, named := a.configFile()
	if _, err := os.Stat(file); !named && errors.Is(err, fs.ErrNotExist) {
		return &config.Config{}, nil
	}
	return a.config()
}

// checkConfig reads the configuration, its secrets and its catalogue, and says
// everything that is wrong.
func (a *app) checkConfig() int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	_, catalogErr := offlineCatalog(c)
	if err := errors.Join(c.CheckSecrets(), catalogErr); err != nil {
		return a.fail(&setupError{err})
	}
	file, _ := a.configFile()
	return a.say(a.words.Count("config_ok", len(c.Services), "File", file))
}

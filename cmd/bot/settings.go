package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"tandem/config"
	"tandem/diagnostics"
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

// checkConfig reads the configuration, its secrets and its catalogue, makes
// every client, and says everything that is wrong. It asks no system.
func (a *app) checkConfig() int {
	c, err := a.config()
	if err != nil {
		return a.fail(err)
	}
	secrets := c.CheckSecrets()
	_, wiring := wire(c, a.log, a.now)
	err = errors.Join(secrets, wiring)
	if secrets == nil { // otherwise it is told already
		err = errors.Join(err, checkPostgres(c.Postgres))
	}
	if err != nil {
		return a.fail(&setupError{err})
	}
	file, _ := a.configFile()
	return a.say(a.words.Count("config_ok", len(c.Services), "File", file))
}

// checkPostgres says what would keep a check from connecting to PostgreSQL.
func checkPostgres(c *config.Postgres) error {
	if c == nil {
		return nil
	}
	_, err := postgresSettings(c)
	var blind *diagnostics.BlindError
	if errors.As(err, &blind) {
		return fmt.Errorf("%s: %s", blind.Detail, blind.Next.EN)
	}
	return err
}

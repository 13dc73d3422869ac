package main

import (
	"tandem/commands"
)

// completion prints the completion script of a shell. Services and checks are
// in it when the configuration and the catalogue can be read.
func (a *app) completion(ask commands.Completion) int {
	var services, codes []string
	if c, err := a.configIfAny(); err == nil {
		for _, t := range targets(c) {
			services = append(services, t.Name)
		}
		if loaded, err := offlineCatalog(c); err == nil {
			for _, check := range loaded.Checks() {
				codes = append(codes, check.Code)
			}
		}
	}
	script, err := commands.CompletionScript(ask.Shell, services, codes)
	if err != nil {
		return a.fail(err)
	}
	return a.say(script)
}

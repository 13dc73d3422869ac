package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
)

// version is set when a release is built: -ldflags "-X main.version=v1.2.3".
var version string

// buildOf is which bot this is, and of what it was built.
type buildOf struct {
	version   string
	revision  string // of the source, marked when that was changed; empty when unknown
	goVersion string
}

func thisBuild() buildOf {
	b := buildOf{version: version, goVersion: "unknown Go"}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.version = cmp.Or(b.version, info.Main.Version)
		b.goVersion = info.GoVersion
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				b.revision = s.Value[:min(12, len(s.Value))] + b.revision
			case s.Key == "vcs.modified" && s.Value == "true":
				b.revision += "+changes"
			}
		}
	}
	b.version = cmp.Or(b.version, "(devel)")
	return b
}

// build says it to people.
func build() string {
	b := thisBuild()
	if b.revision != "" {
		return fmt.Sprintf("tandem %s %s (%s)", b.version, b.revision, b.goVersion)
	}
	return fmt.Sprintf("tandem %s (%s)", b.version, b.goVersion)
}

// Package catalog holds the runbook as data: the checks that ship with the bot,
// one YAML file each, and fixtures that try each of their outcomes. A file's name
// is its code and what it asks.
package catalog

import "embed"

// FS holds the files.
//
//go:embed *.yaml fixtures/*.test.yaml
var FS embed.FS

// Package tandem_test holds the shape of the house: which package may import
// which.
package tandem_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rooms lists what each package of the product may import of the others; a
// name ending in / stands for all below it. Everything else is a wall.
var rooms = map[string][]string{
	"tandem/i18n":                 {},
	"tandem/config":               {},
	"tandem/approvals":            {"tandem/i18n"},
	"tandem/watches":              {"tandem/diagnostics", "tandem/i18n"},
	"tandem/watches/alertmanager": {"tandem/diagnostics/redact", "tandem/i18n", "tandem/watches"},
	"tandem/store":                {"tandem/approvals", "tandem/diagnostics", "tandem/i18n", "tandem/watches"},
	"tandem/approvals/remedies":   {"tandem/approvals", "tandem/i18n", "tandem/diagnostics/redact"},
	"tandem/diagnostics":          {"tandem/i18n"},
	"tandem/diagnostics/redact":   {},
	"tandem/diagnostics/bundle":   {},
	"tandem/diagnostics/catalog":  {},
	"tandem/diagnostics/guide":    {"tandem/diagnostics"},
	"tandem/diagnostics/probes":   {"tandem/diagnostics", "tandem/diagnostics/guide", "tandem/diagnostics/redact"},
	"tandem/diagnostics/throttle": {"tandem/diagnostics"},
	"tandem/commands/picture":     {"tandem/diagnostics", "tandem/diagnostics/guide"},
	"tandem/commands":             {"tandem/approvals", "tandem/diagnostics", "tandem/diagnostics/guide", "tandem/diagnostics/redact", "tandem/i18n", "tandem/watches"},
	"tandem/commands/slack":       {"tandem/approvals", "tandem/commands", "tandem/commands/picture", "tandem/diagnostics", "tandem/diagnostics/guide", "tandem/diagnostics/redact", "tandem/i18n", "tandem/watches"},
	"tandem/cmd/bot": {
		"tandem/config", "tandem/i18n", "tandem/approvals", "tandem/approvals/", "tandem/store", "tandem/diagnostics", "tandem/diagnostics/",
		"tandem/commands", "tandem/commands/", "tandem/watches", "tandem/watches/",
	},
}

func TestArrows(t *testing.T) {
	for pkg, imports := range imports(t, "tandem/...") {
		if pkg == "tandem" || pkg == "tandem/lab" || strings.HasPrefix(pkg, "tandem/lab/") {
			continue // the lab may see everything, and nothing may see the lab
		}
		allowed, known := rooms[pkg]
		if !known {
			t.Errorf("package %s has no room: give it one in rooms_test.go", pkg)
		}
		for _, imported := range imports {
			if !strings.HasPrefix(imported, "tandem") {
				continue
			}
			if !slices.ContainsFunc(allowed, func(room string) bool { return admits(room, imported) }) {
				t.Errorf("%s imports %s: that arrow points the wrong way", pkg, imported)
			}
		}
	}
}

func admits(room, imported string) bool {
	return room == imported || strings.HasSuffix(room, "/") && strings.HasPrefix(imported, room)
}

// TestProductDoesNotLinkTheLab holds that neither the lab nor a server under
// its licence is part of the bot.
func TestProductDoesNotLinkTheLab(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./cmd/bot").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		if strings.HasPrefix(pkg, "tandem/lab") || strings.HasPrefix(pkg, "github.com/hashicorp/vault/vault") {
			t.Errorf("the bot links %s", pkg)
		}
	}
}

// imports lists the direct imports of packages, without those of their tests.
func imports(t *testing.T, pattern string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, pattern).Output()
	if err != nil {
		t.Fatal(err)
	}
	m := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		m[fields[0]] = fields[1:]
	}
	return m
}

var link = regexp.MustCompile(`\]\(([^)#:]+)\)`)

// TestDocsLinkToWhatIsThere holds that every relative link of the documents
// leads somewhere.
func TestDocsLinkToWhatIsThere(t *testing.T) {
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range append(docs, "README.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
}

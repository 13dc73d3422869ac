package main

import (
	"flag"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/commands"
	"tandem/config"
	"tandem/lab/faults"
)

var update = flag.Bool("update", false, "rewrite docs/checks")

// TestDocsOfChecksAreCurrent holds the pages of docs/checks against the
// catalogue.
func TestDocsOfChecksAreCurrent(t *testing.T) {
	const folder = "../../docs/checks"
	want := builtInPages(t)
	if *update {
		writePages(t, folder, want)
	}
	got := map[string]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got[name] = readFile(t, filepath.Join(folder, name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("go test ./cmd/bot -run DocsOfChecks -update (-want +got):\n%s", diff)
	}
}

func builtInPages(t *testing.T) map[string]string {
	t.Helper()
	vocab, err := commands.NewVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := catalogPages(&config.Config{}, vocab)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func writePages(t *testing.T, folder string, pages map[string]string) {
	t.Helper()
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	for name, text := range pages {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

var pageLink = regexp.MustCompile(`\]\(([^)#:]+)\)`)

// TestDocsOfChecksLinkToEachOther holds that every link leads to a page.
func TestDocsOfChecksLinkToEachOther(t *testing.T) {
	pages := builtInPages(t)
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		for _, m := range pageLink.FindAllStringSubmatch(pages[name], -1) {
			if _, there := pages[path.Join(path.Dir(name), m[1])]; !there {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
	}
}

// TestWhatIsBrokenForRealIs holds that no check is said to be tried on a real
// fault that the lab does not have.
func TestWhatIsBrokenForRealIs(t *testing.T) {
	_, text, found := strings.Cut(readFile(t, "../../docs/checks.md"), "\n## Broken for real\n")
	codes := regexp.MustCompile(`[A-Z]{3}-[0-9]{3}`).FindAllString(text, -1)
	if !found || len(codes) < 30 {
		t.Fatalf("docs/checks.md names %d checks that the lab breaks", len(codes))
	}
	for _, code := range codes {
		if !slices.ContainsFunc(faults.All(), func(f faults.Fault) bool { return slices.Contains(f.Codes, code) }) {
			t.Errorf("docs/checks.md says that the lab breaks %s, and no fault does", code)
		}
	}
}

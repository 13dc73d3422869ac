package slack

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// id matches the ids of this face's texts, in Go and at the start of a line of
// a file of texts.
var id = regexp.MustCompile(`\bslack_[a-z0-9_]+\b`)

func TestEveryTextIsThereAndUsedInBothLanguages(t *testing.T) {
	used := map[string]string{} // id: name of its constant
	code := ""
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			code += source(t, file)
		}
	}
	for _, m := range constant.FindAllStringSubmatch(code, -1) {
		used[m[2]] = m[1]
		if strings.Count(code, m[1]) < 2 {
			t.Errorf("%s is never said", m[1])
		}
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(id.FindAllString(code, -1))))); n != len(used) {
		t.Errorf("%d ids in the source, %d constants", n, len(used))
	}
	blanks := map[string]map[string][]string{}
	for _, lang := range []string{"en", "pt-BR"} {
		blanks[lang] = textsOf(t, lang)
		for text := range blanks[lang] {
			if used[text] == "" {
				t.Errorf("%s: %s is not used", lang, text)
			}
		}
		for text := range used {
			if _, ok := blanks[lang][text]; !ok {
				t.Errorf("%s: %s is missing", lang, text)
			}
		}
	}
	if diff := cmp.Diff(blanks["en"], blanks["pt-BR"]); diff != "" {
		t.Errorf("the languages fill different blanks:\n%s", diff)
	}
}

// TestEveryBlankIsFilled holds the calls that say a text against its blanks.
func TestEveryBlankIsFilled(t *testing.T) {
	blanks := textsOf(t, "en")
	ids := map[string]string{} // by constant
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, m := range constant.FindAllStringSubmatch(source(t, file), -1) {
			ids[m[1]] = m[2]
		}
	}
	calls := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`\.(Say|Count)\((text\w+)(.*)`).FindAllStringSubmatch(source(t, file), -1) {
			calls++
			for _, blank := range blanks[ids[m[2]]] {
				if blank != "Prog" && (blank != "N" || m[1] != "Count") && !strings.Contains(m[3], `"`+blank+`"`) {
					t.Errorf("%s: %s does not fill the blank %s", file, m[2], blank)
				}
			}
		}
	}
	if calls < 30 {
		t.Errorf("found %d calls: this test looks at nothing", calls)
	}
}

// constant matches the constant of a text's id.
var constant = regexp.MustCompile(`(?m)^\t(text\w+)\s+= "(slack_\w+)"$`)

// textsOf returns the texts of a language with the blanks that each has.
func textsOf(t *testing.T, lang string) map[string][]string {
	t.Helper()
	texts := map[string][]string{}
	last := ""
	for line := range strings.Lines(source(t, filepath.Join("locales", "active."+lang+".yaml"))) {
		if m := regexp.MustCompile(`^(slack_\w+):`).FindStringSubmatch(line); m != nil {
			last = m[1]
			texts[last] = []string{}
		}
		for _, m := range regexp.MustCompile(`{{\.(\w+)}}`).FindAllStringSubmatch(line, -1) {
			if !slices.Contains(texts[last], m[1]) {
				texts[last] = append(texts[last], m[1])
			}
		}
	}
	for _, blanks := range texts {
		slices.Sort(blanks)
	}
	return texts
}

func source(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

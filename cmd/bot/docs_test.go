package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"tandem/approvals/remedies"
	face "tandem/commands/slack"
)

// TestOperatorsReadOfEveryMetricAndScope holds docs/operating.md against the
// source.
func TestOperatorsReadOfEveryMetricAndScope(t *testing.T) {
	docs := readFile(t, "../../docs/operating.md")
	metric := regexp.MustCompile(`"(tandem_[a-z_]+)"`)
	names := 0
	for _, file := range []string{"metrics.go", "../../commands/slack/metrics.go", "../../commands/slack/metrics_approvals.go"} {
		for _, m := range metric.FindAllStringSubmatch(readFile(t, file), -1) {
			names++
			if !strings.Contains(docs, "`"+m[1]+"`") {
				t.Errorf("docs/operating.md does not explain the metric %s", m[1])
			}
		}
	}
	if names < 10 {
		t.Errorf("%d metrics found: they are named elsewhere now", names)
	}
	for _, scope := range face.BotScopes() {
		if !strings.Contains(docs, "`"+scope+"`") {
			t.Errorf("docs/operating.md does not explain the scope %s", scope)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOperatorsReadOfEveryRemedy holds that the documents name each remedy with
// its risk.
func TestOperatorsReadOfEveryRemedy(t *testing.T) {
	docs := readFile(t, "../../docs/approvals.md")
	for _, r := range remedies.All(remedies.Deps{}) {
		if row := fmt.Sprintf("| `%s` | %s |", r.Name, r.Risk); !strings.Contains(docs, row) {
			t.Errorf("docs/approvals.md has no row %s", row)
		}
	}
}

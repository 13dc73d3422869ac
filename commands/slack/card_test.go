package slack

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
)

var update = flag.Bool("update", false, "write what the cards look like now into testdata")

// drawn is a message as it goes to Slack.
type drawn struct {
	Text   string          `json:"text"`
	Blocks []slackgo.Block `json:"blocks"`
}

func TestCardsLookAsAgreed(t *testing.T) {
	reports := map[string]diagnostics.Report{"fail": failReport(), "pass": passReport(), "warn": warnReport(), "unknown": unknownReport()}
	for name, report := range reports {
		for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
			t.Run(name+"."+string(lang), func(t *testing.T) {
				w := wordsIn(t, lang)
				card := commands.NewCard(report, 30*time.Minute, w)
				proofs, complete := drawEvidence(card, w)
				if !complete {
					t.Error("the evidence does not fit into the thread")
				}
				notes := cardNotes{asker: "U0ANA00001", run: "K7PQ2M4X", depth: len(proofs) > 0, again: "diagnose worker --since 30m"}
				got := []drawn{asDrawn(drawCard(card, notes, w))}
				for _, m := range proofs {
					got = append(got, asDrawn(m))
				}
				golden(t, name+"."+string(lang)+".json", got)
			})
		}
	}
}

func asDrawn(m message) drawn { return drawn{Text: m.text, Blocks: m.blocks} }

func golden(t *testing.T, name string, got any) {
	t.Helper()
	raw, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: write it with go test ./commands/slack -update", err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(raw)); diff != "" {
		t.Errorf("not as agreed; after looking at it run go test ./commands/slack -update\n%s", diff)
	}
}

func TestCardKeepsSlacksLimits(t *testing.T) {
	for _, checks := range []int{1, 5, 25, 60, 98, 99, 300} {
		for _, lang := range []diagnostics.Lang{diagnostics.English, diagnostics.Portuguese} {
			t.Run(fmt.Sprint(checks, lang), func(t *testing.T) {
				w := wordsIn(t, lang)
				card := commands.NewCard(hugeReport(checks), time.Hour, w)
				m := drawCard(card, cardNotes{asker: "U0ANA00001", run: "K7PQ2M4X", depth: true}, w)
				checkLimits(t, m)
				if all := allText(m); !strings.Contains(all, ellipsis) {
					t.Error("something was cut and nothing says so")
				}
			})
		}
	}
}

func TestEvidenceKeepsSlacksLimits(t *testing.T) {
	for _, checks := range []int{1, 25, 60, 300} {
		w := wordsIn(t, diagnostics.Portuguese)
		card := commands.NewCard(hugeReport(checks), time.Hour, w)
		messages, complete := drawEvidence(card, w)
		if len(messages) == 0 || len(messages) > maxEvidence || complete {
			t.Errorf("%d checks: %d messages, complete %v, want 1 to %d and not all of it", checks, len(messages), complete, maxEvidence)
		}
		for _, m := range messages {
			checkLimits(t, m)
		}
		if n := len(evidenceFile(card, "K7PQ2M4X", w).text); n > maxFile {
			t.Errorf("%d checks: the file has %d bytes", checks, n)
		}
	}
}

func TestACardNamesEveryCheckThatIsNotWell(t *testing.T) {
	w := wordsIn(t, diagnostics.English)
	card := commands.NewCard(hugeReport(60), time.Hour, w)
	all := allText(drawCard(card, cardNotes{}, w))
	for _, c := range card.Rows {
		if !strings.Contains(all, c.Code) {
			t.Errorf("the card does not name %s", c.Code)
		}
	}
	if !strings.Contains(all, "12 checks are ok: CHK 12") {
		t.Error("the card does not count the others")
	}
}

func TestSharedEvidenceIsShownOnce(t *testing.T) {
	w := wordsIn(t, diagnostics.English)
	messages, _ := drawEvidence(commands.NewCard(failReport(), 0, w), w)
	all := allText(messages[0])
	if n := strings.Count(all, "paths=auth/token/renew-self"); n != 2 { // once whole, once as a reference
		t.Errorf("the command is shown %d times, want twice:\n%s", n, all)
	}
	if n := strings.Count(all, "\ndeny\n"); n != 1 {
		t.Errorf("the observation is shown %d times, want once:\n%s", n, all)
	}
	if !strings.Contains(all, "As under TOK-002") {
		t.Errorf("the second check does not point at the first:\n%s", all)
	}
}

func TestEvidenceComesInTheOrderOfTheChain(t *testing.T) {
	w := wordsIn(t, diagnostics.English)
	all := ""
	messages, _ := drawEvidence(commands.NewCard(failReport(), 0, w), w)
	for _, m := range messages {
		all += allText(m)
	}
	last := -1
	for _, code := range []string{"TOK-002 ·", "TOK-003 ·"} {
		at := strings.Index(all, code)
		if at < last || at < 0 {
			t.Errorf("%s stands at %d, after something at %d", code, at, last)
		}
		last = at
	}
}

func TestHostileTextStaysText(t *testing.T) {
	evil := "<!channel> <@U123> <https://evil.example|log in> *bold* _it_ ~no~ ```x``` :sa: &lt; \u202egnp.exe\n> quoted"
	report := failReport()
	report.Target = evil
	report.Verdict.Headline = both(evil, evil)
	report.Verdict.Causes[0].Remedy = both(evil, evil)
	for i := range report.Checks {
		c := &report.Checks[i]
		c.Title, c.Summary = both(evil, evil), both(evil, evil)
		c.Evidence = []diagnostics.Evidence{evidence(evil, evil, evil)}
	}
	report.Checks[3].Blind.Detail, report.Checks[3].Blind.Next = evil, both(evil, evil)
	w := wordsIn(t, diagnostics.English)
	card := commands.NewCard(report, 0, w)
	messages, _ := drawEvidence(card, w)
	messages = append(messages, drawCard(card, cardNotes{}, w), drawNotice(markHelp, evil))
	messages = append(messages, drawPage(commands.Page{
		commands.Heading(evil), commands.Paragraph(evil), commands.Code(evil), commands.List{{Name: evil, Text: evil}},
	}, w)...)
	for _, m := range messages {
		for _, text := range append(mrkdwnTexts(m), m.text) {
			checkHarmless(t, text)
		}
	}
}

// checkHarmless fails for text that Slack would make more of than text.
func checkHarmless(t *testing.T, text string) {
	t.Helper()
	for _, bad := range []string{"<!", "<@", "<http", "*bold*", "_it_", "~no~", "\u202e", "\n&gt; quoted"} {
		inCode := bad != "<!" && bad != "<@" && bad != "<http" && bad != "\u202e"
		if inCode {
			text = withoutCode(text)
		}
		if strings.Contains(text, bad) {
			t.Errorf("%q is in %q", bad, text)
		}
	}
	if strings.Contains(text, ":sa:") {
		t.Errorf("an emoji is in %q", text)
	}
}

// withoutCode takes code blocks and spans out, in which Slack formats nothing.
func withoutCode(text string) string {
	for _, mark := range []string{fence, "`"} {
		parts := strings.Split(text, mark)
		kept := ""
		for i, part := range parts {
			if i%2 == 0 {
				kept += part
			}
		}
		text = kept
	}
	return text
}

func checkLimits(t *testing.T, m message) {
	t.Helper()
	if n := units(m.text); n > maxFallback || n == 0 {
		t.Errorf("the text has %d characters", n)
	}
	if n := len(m.blocks); n == 0 || n > maxBlocks {
		t.Errorf("%d blocks", n)
	}
	total, tables := 0, 0
	for i, b := range m.blocks {
		for _, text := range texts(b) {
			total += units(text)
			if text == "" {
				t.Errorf("block %d has an empty text", i)
			}
			if n, limit := units(text), limitOf(b); n > limit {
				t.Errorf("block %d (%T) has a text of %d characters, more than %d", i, b, n, limit)
			}
		}
		if table, ok := b.(*slackgo.TableBlock); ok {
			if tables++; len(table.Rows) > maxTableRows {
				t.Errorf("%d rows", len(table.Rows))
			}
		}
	}
	if total > maxMessage || tables > 1 {
		t.Errorf("%d characters in all, %d tables", total, tables)
	}
}

func limitOf(b slackgo.Block) int {
	switch b.(type) {
	case *slackgo.HeaderBlock:
		return maxHeader
	case *slackgo.ContextBlock:
		return maxContext
	default:
		return maxSection
	}
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

// texts are all texts of a block, by another way than the product adds them up.
func texts(b slackgo.Block) []string {
	raw, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		panic(err)
	}
	var found []string
	var walk func(any)
	walk = func(node any) {
		switch n := node.(type) {
		case map[string]any:
			for key, value := range n {
				if text, ok := value.(string); ok && key == "text" {
					found = append(found, text)
				}
				walk(value)
			}
		case []any:
			for _, value := range n {
				walk(value)
			}
		}
	}
	walk(tree)
	return found
}

func allText(m message) string {
	all := ""
	for _, b := range m.blocks {
		all += strings.Join(texts(b), "\n") + "\n"
	}
	return all
}

func mrkdwnTexts(m message) []string {
	var found []string
	for _, b := range m.blocks {
		switch b.(type) {
		case *slackgo.SectionBlock, *slackgo.ContextBlock:
			found = append(found, texts(b)...)
		}
	}
	return found
}

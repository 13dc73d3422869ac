package probes

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"tandem/diagnostics"
	"tandem/diagnostics/redact"
)

const (
	maxObserved = 600 // of one piece of evidence, in bytes
	maxDetail   = 300 // of a foreign text inside an error or a fact
)

// trail collects the evidence of one probe, or of one of its parallel parts.
type trail struct {
	source string
	now    func() time.Time
	list   []diagnostics.Evidence
}

// add records what was asked and what came back. The invocation is ours and
// holds no secrets; what came back is foreign.
func (t *trail) add(invocation, format string, args ...any) {
	t.list = append(t.list, diagnostics.Evidence{
		Source:     t.source,
		Invocation: invocation,
		Observed:   clean(fmt.Sprintf(format, args...), maxObserved),
		At:         t.now(),
	})
}

// fail records what was asked and why no answer came, and returns the error.
func (t *trail) fail(invocation string, err *diagnostics.BlindError) *diagnostics.BlindError {
	t.add(invocation, "%s", err.Detail)
	return err
}

// joined is the evidence of parallel parts, in their order.
func joined(trails []*trail) []diagnostics.Evidence {
	var all []diagnostics.Evidence
	for _, t := range trails {
		all = append(all, t.list...)
	}
	return all
}

// clean makes foreign text fit to show: valid, redacted, of bounded length.
// Redaction comes before the cut, which could hide what a secret looks like.
func clean(text string, limit int) string {
	text = redact.String(strings.ToValidUTF8(text, "�"))
	text = strings.TrimSpace(text)
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// cleanAll cleans each text.
func cleanAll(texts []string) []string {
	if texts == nil {
		return nil
	}
	cleaned := make([]string, len(texts))
	for i, text := range texts {
		cleaned[i] = clean(text, maxDetail)
	}
	return cleaned
}

// shell makes a command line of words, quoted for a POSIX shell.
func shell(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// quote quotes one word where that is needed.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@,+%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// within gives work a deadline a little before the probe's own, so that the
// probe still has time to say which question was not answered.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, diagnostics.DefaultTimeout)
	}
	left := time.Until(deadline)
	return context.WithDeadline(ctx, deadline.Add(-left/10))
}

// list is a sentence's list: "a, b", or "none".
func list(items []string) string {
	if len(items) == 0 {
		return "none"
	}
	return strings.Join(items, ", ")
}

// nonEmpty is the list of a text that may be empty.
func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// trimmed is a file's content as a word.
func trimmed(b []byte) string { return strings.TrimSpace(string(b)) }

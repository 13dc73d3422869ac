package slack

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	slackgo "github.com/slack-go/slack"

	"tandem/commands"
	"tandem/diagnostics"
)

// maxFile is the longest file that the bot uploads, in bytes.
const maxFile = 1 << 20

// file is a text that people open beside the conversation.
type file struct {
	name, title, text string
	kind              string // as Slack calls it; empty: markdown
	image             []byte // a PNG instead of a text; nil: none
}

// upload puts a file into a thread.
func (w *web) upload(ctx context.Context, channel, thread string, f file) error {
	return w.call(ctx, methodUpload, false, func(ctx context.Context) error {
		upload := slackgo.UploadFileParameters{Filename: f.name, Title: f.title, Channel: channel, ThreadTimestamp: thread}
		if f.image != nil {
			upload.Reader, upload.FileSize, upload.AltTxt = bytes.NewReader(f.image), len(f.image), f.title
		} else {
			upload.Content, upload.FileSize, upload.SnippetType = f.text, len(f.text), cmp.Or(f.kind, "markdown")
		}
		_, err := w.api.UploadFileContext(ctx, upload)
		return withoutUploadAddress(err)
	})
}

// withoutUploadAddress takes the address of the request out of an error: it
// lets anyone upload.
func withoutUploadAddress(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("upload a file: %w", wrapped.Err)
	}
	return err
}

// evidenceFile is all evidence of all checks, in the order of the chain.
func evidenceFile(card commands.Card, run string, w commands.Words) file {
	var text strings.Builder
	fmt.Fprintf(&text, "# %s %s: %s\n\n", symbol(card.Status), plain(card.Target), plain(card.Label))
	fmt.Fprintf(&text, "%s\n\n%s · %s · %s\n", printable(card.Headline), card.At.UTC().Format("2006-01-02 15:04:05 UTC"),
		plain(card.Footer()), plain(w.Say(textRun, "Run", run)))
	for _, c := range card.Checks {
		writeCheck(&text, c)
		if text.Len() > maxFile {
			break
		}
	}
	return file{
		name:  fileName(card.Target) + "-" + run + ".md",
		title: plain(card.Words.Evidence + ": " + card.Target),
		text:  atMost(text.String(), maxFile, "\n\n"+w.Say(textCut)+"\n"),
	}
}

func writeCheck(text *strings.Builder, c commands.CardCheck) {
	fmt.Fprintf(text, "\n## %s %s\n\n%s", symbol(c.Status), plain(title(c.Code, c.Title)), plain(c.Label))
	if c.Summary != "" {
		text.WriteString(": " + printable(c.Summary))
	}
	if c.Because != "" && c.Because != c.Summary {
		text.WriteString(" (" + plain(c.Because) + ")")
	}
	text.WriteString("\n")
	for _, e := range c.Evidence {
		writeProof(text, e)
	}
}

func writeProof(text *strings.Builder, e diagnostics.EvidenceView) {
	fmt.Fprintf(text, "\n%s · %s\n", plain(e.Source), e.At.UTC().Format("2006-01-02 15:04:05 UTC"))
	for _, code := range []string{e.Invocation, e.Observed} {
		if code = strings.Trim(printable(code), "\n"); strings.TrimSpace(code) != "" {
			mark := fenceFor(code)
			fmt.Fprintf(text, "\n%s\n%s\n%s\n", mark, code, mark)
		}
	}
}

// fenceFor is longer than any fence inside the code.
func fenceFor(code string) string {
	mark := fence
	for strings.Contains(code, mark) {
		mark += "`"
	}
	return mark
}

// fileName is what remains of a name that is safe in every file system.
func fileName(s string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_.", r):
			return r
		}
		return '_'
	}, s)
	return safe[:min(len(safe), 60)]
}

// atMost cuts a text to so many bytes, and says so.
func atMost(text string, most int, notice string) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len(notice)], "") + notice
}

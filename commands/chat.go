package commands

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-shellwords"
)

// MaxText is the longest text that ParseChat reads, in bytes: what Slack sends
// at most in one message.
const MaxText = 40_000

// links matches what chat puts between angle brackets: <https://x|label>,
// <@U12|name>, <#C12|name>, <!here>.
var links = regexp.MustCompile(`<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>`)

// placed matches a link to a channel where something is to happen: there its id
// counts, since names can be changed by others.
var placed = regexp.MustCompile(`(?i)((?:^|\s)(?:--)?(?:in|em|no|na)[ =]+)<#([A-Z0-9]+)(?:\|[^<>]*)?>`)

// plain maps what phones and word processors write to what people mean.
var plain = strings.NewReplacer(
	"“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`,
	"‘", "'", "’", "'", "‚", "'",
	"—", "--", "–", "-", "−", "-", "‑", "-",
	"…", "...", "`", "", "\u00a0", " ", "\u202f", " ",
)

// ParseChat reads the text after a slash command or a mention. Errors are
// *UsageError.
func ParseChat(text string) (Command, error) {
	if len(text) > MaxText {
		return nil, &UsageError{Kind: TooLong}
	}
	words, err := split(clean(text))
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return Help{}, nil
	}
	words[0] = strings.ToLower(words[0]) // phones write the first letter large
	return parse(&chatGrammar{}, words)
}

// clean takes the marks of chat out of a text, and whatever cannot be seen.
func clean(text string) string {
	text = placed.ReplaceAllString(text, "$1#$2")
	text = links.ReplaceAllStringFunc(text, unlink)
	text = plain.Replace(html.UnescapeString(text))
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar, unicode.Is(unicode.C, r):
			return -1
		default:
			return r
		}
	}, text)
	return strings.TrimSpace(text)
}

// unlink returns what the person typed before chat made a link of it.
func unlink(link string) string {
	m := links.FindStringSubmatch(link)
	mark, target, label := m[1], m[2], m[3]
	switch {
	case mark == "@":
		return "@" + target // the id: a name can be anyone's
	case label != "":
		return strings.TrimPrefix(mark, "!") + label
	case mark == "!":
		return "@" + target
	default:
		return mark + target
	}
}

// split splits a line into words: what ends in prose as prose, the rest as a
// shell does.
func split(line string) ([]string, error) {
	app, err := newApp(&chatGrammar{})
	if err != nil {
		return nil, err
	}
	if words := splitProse(app.Model.Node, line); words != nil {
		return words, nil
	}
	return splitChat(line)
}

// splitProse splits the line of a command whose last argument is prose, in which
// quotes and dashes mean nothing; nil for any other.
func splitProse(root *kong.Node, line string) []string {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil
	}
	node := childNamed(root, strings.ToLower(words[0]))
	if node == nil || len(node.Positional) == 0 || !node.Positional[len(node.Positional)-1].Tag.Has("prose") {
		return nil
	}
	head := len(node.Positional)
	if len(words) <= head || strings.HasPrefix(words[1], "-") {
		return words
	}
	words[head] = strings.TrimLeft(words[head], `"'`)
	last := len(words) - 1
	words[last] = strings.TrimRight(words[last], `"'`)
	return slices.Insert(words, head, "--")
}

// splitChat splits a line into words as a shell does, without running, reading
// or dropping anything.
func splitChat(line string) ([]string, error) {
	p := shellwords.NewParser()
	p.ParseEnv, p.ParseBacktick = false, false
	words, err := p.Parse(line)
	if err != nil {
		return nil, &UsageError{Kind: BadQuotes}
	}
	if p.Position >= 0 { // it stopped at one of ; & | < >
		rest := []rune(line)
		return nil, &UsageError{Kind: BadCharacter, Word: string(rest[min(p.Position, len(rest)-1)])}
	}
	return words, nil
}

package slack

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text that comes from outside (a catalogue, a probe's evidence, a person)
// never mentions, links, notifies or formats. Each function below makes it
// safe for one place. What a reader copies from a code block is exactly what
// was there; in running text a character that would format becomes its
// look-alike.
const (
	lookStar     = '∗' // for *
	lookLow      = 'ˍ' // for _
	lookTilde    = '∼' // for ~
	lookTick     = 'ˋ' // for `
	lookQuote    = '›' // for > at the start of a line
	fence        = "```"
	brokenFence  = "ˋˋˋ"
	replacedRune = '\uFFFD'
)

// escape makes the three characters harmless that Slack gives a meaning to
// everywhere; without it <!here> would call everyone.
func escape(s string) string {
	s = strings.ReplaceAll(s, "&", "&amp;")
	s = strings.ReplaceAll(s, "<", "&lt;")
	return strings.ReplaceAll(s, ">", "&gt;")
}

// printable drops what cannot be seen but changes what is: control characters
// and those that turn the direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), turnsDirection(r):
			return -1
		case r == utf8.RuneError:
			return replacedRune
		}
		return r
	}, s)
}

func turnsDirection(r rune) bool {
	return r == '\u061C' || r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069' || r == '\u200E' || r == '\u200F'
}

// plain is for plain_text objects and table cells, on one line.
func plain(s string) string {
	return strings.Join(strings.Fields(printable(s)), " ")
}

// inlineCode is an inline code span; empty for nothing.
func inlineCode(s string) string {
	s = strings.ReplaceAll(plain(s), "`", string(lookTick))
	if s == "" {
		return ""
	}
	return "`" + escape(s) + "`"
}

// codeBlock is a block in fixed width; empty for nothing.
func codeBlock(s string) string {
	s = strings.Trim(printable(s), "\n")
	if strings.TrimSpace(s) == "" {
		return ""
	}
	s = strings.ReplaceAll(s, fence, brokenFence)
	return fence + "\n" + escape(s) + "\n" + fence
}

// prose is running text in mrkdwn. Code spans that are whole stay, because
// catalogues write commands in them and they can only ever show text.
func prose(s string) string {
	lines := strings.Split(strings.TrimSpace(printable(s)), "\n")
	for i, line := range lines {
		lines[i] = proseLine(line)
	}
	return strings.Join(lines, "\n")
}

func proseLine(line string) string {
	if rest := strings.TrimLeft(line, " "); strings.HasPrefix(rest, ">") {
		line = string(lookQuote) + rest[1:]
	}
	var b strings.Builder
	put := func(text string) {
		if strings.HasSuffix(b.String(), "`") && strings.HasPrefix(text, "`") { // two spans that touch are none
			b.WriteByte(' ')
		}
		b.WriteString(text)
	}
	for line != "" {
		before, span, after, found := cutSpan(line)
		for word := range strings.SplitAfterSeq(before, " ") {
			put(proseWord(word))
		}
		if found {
			put("`" + escape(span) + "`")
		}
		line = after
	}
	return b.String()
}

// punctuation may stand around a word without being a part of it.
const punctuation = " .,;!?()[]{}\"'“”‘’<>"

// proseWord is a word outside code spans. One that Slack would take for an
// emoji, like the selector k8s:sa:worker, becomes code: it is a thing's name,
// and can be copied from there as it is.
func proseWord(word string) string {
	name := strings.Trim(word, punctuation)
	if !hasEmoji([]rune(name)) {
		return neutral(word)
	}
	before, after, _ := strings.Cut(word, name)
	return neutral(before) + inlineCode(name) + neutral(after)
}

// cutSpan finds the first whole code span of a line.
func cutSpan(line string) (before, span, after string, found bool) {
	start := strings.IndexByte(line, '`')
	if start < 0 || strings.Contains(line, "``") {
		return line, "", "", false
	}
	length := strings.IndexByte(line[start+1:], '`')
	if length < 0 {
		return line, "", "", false
	}
	span = line[start+1 : start+1+length]
	if strings.TrimSpace(span) == "" {
		return line, "", "", false
	}
	return line[:start], span, line[start+length+2:], true
}

// neutral takes the meaning from markup in text outside code spans.
func neutral(s string) string {
	runes := []rune(s)
	var b strings.Builder
	for i, r := range runes {
		switch {
		case r == '`':
			b.WriteRune(lookTick)
		case strings.ContainsRune("*_~", r) && atEdge(runes, i):
			b.WriteRune(lookAlike(r))
		default:
			b.WriteString(escape(string(r)))
		}
	}
	return b.String()
}

func lookAlike(r rune) rune {
	switch r {
	case '*':
		return lookStar
	case '_':
		return lookLow
	default:
		return lookTilde
	}
}

// atEdge says whether a marker stands at the edge of a word, where alone Slack
// takes it for formatting; vault_token_ttl_seconds stays as it is.
func atEdge(runes []rune, i int) bool {
	inWord := func(at int) bool {
		return at >= 0 && at < len(runes) && (unicode.IsLetter(runes[at]) || unicode.IsDigit(runes[at]))
	}
	return !inWord(i-1) || !inWord(i+1)
}

func hasEmoji(runes []rune) bool {
	for i, r := range runes {
		if r == ':' && startsEmoji(runes[i:]) {
			return true
		}
	}
	return false
}

// startsEmoji says whether text that starts with a colon reads like :name:. A
// selector like k8s:sa:worker would show a picture. Ports and times do not: of
// the numbers only two are names.
func startsEmoji(runes []rune) bool {
	for i, r := range runes[1:] {
		switch {
		case r == ':':
			name := string(runes[1 : i+1])
			return name == "100" || name == "1234" || strings.Trim(name, "0123456789") != ""
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_+-'", r):
			return false
		}
	}
	return false
}

package slack

import "strings"

// afterMention is what somebody wrote to the bot in a message that mentions it:
// what comes after the mention or, when that is nothing, before it.
func afterMention(text, self string) string {
	before, after, found := cutMention(text, self)
	if !found {
		return strings.TrimSpace(text)
	}
	after = strings.TrimLeft(after, " \t\u00a0,:;")
	if strings.TrimSpace(after) == "" {
		return strings.TrimSpace(before)
	}
	return strings.TrimSpace(after)
}

// cutMention splits a text at the first <@ID> or <@ID|name> of a user.
func cutMention(text, user string) (before, after string, found bool) {
	if user == "" {
		return text, "", false
	}
	mark := "<@" + user
	for from := 0; ; {
		at := strings.Index(text[from:], mark)
		if at < 0 {
			return text, "", false
		}
		at += from
		rest := text[at+len(mark):]
		end := strings.IndexByte(rest, '>')
		if end == 0 || end > 0 && rest[0] == '|' {
			return text[:at], rest[end+1:], true
		}
		from = at + len(mark)
	}
}

// withoutCommand takes the slash command off, which people type out of habit
// where it is none, or paste after it.
func withoutCommand(text, command string) string {
	rest, found := strings.CutPrefix(text, command)
	if !found || rest != "" && !strings.ContainsAny(rest[:1], " \t\n") {
		return text
	}
	return strings.TrimSpace(rest)
}

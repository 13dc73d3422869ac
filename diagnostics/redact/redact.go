// Package redact takes secrets out of text that comes from outside, before the
// text is shown, logged or stored.
//
// It is the last net, not the first: no text is shown because it was redacted.
// It rather takes too much than too little, and redacting twice changes
// nothing.
package redact

import (
	"regexp"
	"slices"
	"strings"
)

// Mark stands where a secret was.
const Mark = "[redacted]"

// Kind says what a secret was taken for.
type Kind string

// The kinds.
const (
	PrivateKey Kind = "private_key"
	Address    Kind = "address" // user and password of a URI
	Password   Kind = "password"
	Token      Kind = "token" // of any system, where its name or form says so
	Already    Kind = "already"
)

// rule replaces what a pattern matches; $1 in with is what comes before the
// secret. A text without any of the hints, in lower case, cannot match: most
// texts are not searched at all, and logs are long.
type rule struct {
	kind    Kind
	hints   []string
	pattern *regexp.Regexp
	with    string
}

// The value after a key, which can hold anything at all: quoted, with doubled
// or escaped quotes; a JSON text inside a JSON text; a list or an object; or
// unquoted, to the next white space outside of quotes. A quote that nothing
// closes goes to the end of the line.
const (
	doubleQuoted = `"(?:[^"\\]|\\(?s:.)|"")*"?`
	singleQuoted = `'(?:[^'\\]|\\(?s:.)|'')*'?`
	innerJSON    = `\\+"(?s:.*?)(?:\\+"|$)`
	enclosed     = `[\[{][^\]}\n]*[\]}]?`
	unquoted     = `(?:[^\s"']|"[^"\n]*"?|'[^'\n]*'?)+`
	// What has no quotes in it ends where the text around it goes on.
	narrow = `[^\s,;&"'}\])]+`
	// The rest of a word that begins with a quoted part.
	rest = `[^\s,;:&"'}\])]*`
)

// rules run in this order: the wide ones come first, so that a narrow one does
// not leave half of what a wide one would have taken whole.
var rules = []rule{
	// A private key, to its end or to the end of the text when it was cut.
	{PrivateKey, []string{"private key-----"}, regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`), Mark},
	// User and password of a URI, to the last @ of the line: an unescaped
	// password can hold @, /, quotes and blanks itself.
	{Address, []string{"://"}, regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\n]*:[^\n]*@`), "${1}" + Mark + "@"},
	// A user alone, to the last @ of the word.
	{Address, []string{"://"}, regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s"'<>]*@`), "${1}" + Mark + "@"},
	// The part of a password that Go's URL parser trips over.
	{Address, []string{"invalid "}, regexp.MustCompile(`(invalid (?:port|URL escape) )` + doubleQuoted), "${1}" + Mark},
	// password=value, "secret": "value" and their like: people choose the value.
	{Password, []string{"password", "passwd", "pwd", "passphrase", "secret", "credential"}, regexp.MustCompile(`(?i)(\b[\w-]*(?:password|passwd|pwd|passphrase|secret|credentials?)\\*["']?\s*[=:]\s*)` +
		`(?:\[redacted\]|(?:` + doubleQuoted + `|` + innerJSON + `|` + singleQuoted + `)` + rest + `|(?:` + enclosed + `)?(?:` + unquoted + `)?)`), "${1}" + Mark},
	// PASSWORD 'value', as in SQL.
	{Password, []string{"password"}, regexp.MustCompile(`(?i)(\bpassword\s+)(?:` + singleQuoted + `|E` + singleQuoted + `)`), "${1}" + Mark},
	// token=value and its like: machines choose the value.
	{Token, []string{"token", "key", "authorization", "cookie"}, regexp.MustCompile(`(?i)(\b[\w-]*(?:token|api[_-]?key|private[_-]?key|access[_-]?key|authorization|cookie)\\*["']?\s*[=:]\s*)` +
		`(?:\[redacted\]|(?:(?:bearer|basic|digest)\s+)?(?:(?:` + doubleQuoted + `|` + innerJSON + `|` + singleQuoted + `)` + rest + `|` + narrow + `))`), "${1}" + Mark},
	{Token, []string{"bearer", "basic"}, regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}`), "${1}" + Mark},
	// JSON Web Tokens, also cut or without a signature.
	{Token, []string{"eyj"}, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*`), Mark},
	// Tokens of Vault, new and old, and of Slack.
	{Token, []string{"hvs.", "hvb.", "hvr."}, regexp.MustCompile(`\bhv[sbr]\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*`), Mark},
	{Token, []string{"s.", "b.", "r."}, regexp.MustCompile(`\b[sbr]\.[A-Za-z0-9]{20,}(?:\.[A-Za-z0-9]+)?`), Mark},
	{Token, []string{"xox", "xapp-"}, regexp.MustCompile(`\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{8,}`), Mark},
}

// maxPasses bounds the passes over one text; what one pass takes out can bring
// together what the next one finds.
const maxPasses = 8

// String returns the text without its secrets.
func String(text string) string { return all(text, func(Kind, int) {}) }

// Counted is String, and adds to counts how many secrets of each kind it took
// out, and under Already how many marks were in the text before. One secret may
// count twice when it is found in two ways.
func Counted(text string, counts map[Kind]int) string {
	tell := func(kind Kind, n int) {
		if n > 0 {
			counts[kind] += n
		}
	}
	tell(Already, strings.Count(text, Mark))
	return all(text, tell)
}

func all(text string, tell func(Kind, int)) string {
	for range maxPasses {
		once := pass(text, tell)
		if once == text {
			break
		}
		text = once
	}
	return text
}

func pass(text string, tell func(Kind, int)) string {
	lower := strings.ToLower(text)
	for _, r := range rules {
		if !slices.ContainsFunc(r.hints, func(hint string) bool { return strings.Contains(lower, hint) }) {
			continue
		}
		once := r.pattern.ReplaceAllString(text, r.with)
		if once != text {
			tell(r.kind, max(1, strings.Count(once, Mark)-strings.Count(text, Mark)))
		}
		text = once
	}
	return text
}

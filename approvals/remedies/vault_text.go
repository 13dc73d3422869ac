package remedies

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// below joins a mount, as people write it, with the rest of a path.
func below(mount string, rest ...string) string {
	return trim(mount) + "/" + strings.Join(rest, "/")
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }

// minutes is a time as people of every language read it.
func minutes(d time.Duration) string { return strconv.Itoa(int(d.Minutes())) + " min" }

// same is a text that is the same in every language, like a command.
func same(text string) (en, pt string) { return text, text }

// jsonOf writes a value as JSON, in one line, with < and > as they are.
func jsonOf(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil { // strings, numbers, booleans and lists of them
		panic(fmt.Sprintf("marshal: %v", err))
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// shell makes a command of words, quoted for a POSIX shell.
func shell(words ...string) string {
	all := make([]string, 0, len(words))
	for _, w := range words {
		all = append(all, shellWord(w))
	}
	return strings.Join(all, " ")
}

func shellWord(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@,+%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// hereDocument is a command that reads a text, for a POSIX shell.
func hereDocument(command, text string) string {
	end := "EOF"
	for slices.Contains(strings.Split(text, "\n"), end) {
		end += "_"
	}
	return command + " <<'" + end + "'\n" + strings.TrimSuffix(text, "\n") + "\n" + end
}

package commands

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// UsageKind is what is wrong with a command.
type UsageKind string

// The kinds, from which faces make words in the reader's language.
const (
	UnknownCommand  UsageKind = "unknown_command"  // Word is none; Choices are, Nearest may be meant
	MissingCommand  UsageKind = "missing_command"  // after Path comes one of Choices
	UnknownFlag     UsageKind = "unknown_flag"     // Flag is none of Path
	MissingArgument UsageKind = "missing_argument" // Path wants Word
	ExtraArgument   UsageKind = "extra_argument"   // Path does not want Word
	MissingValue    UsageKind = "missing_value"    // Flag wants a value
	UnwantedValue   UsageKind = "unwanted_value"   // Flag takes none, or Word is malformed in another way
	BadDuration     UsageKind = "bad_duration"     // Word is no duration
	BadInterval     UsageKind = "bad_interval"     // Word is no time between two looks
	BadSpan         UsageKind = "bad_span"         // Word is no time that a suppression may last
	BadChoice       UsageKind = "bad_choice"       // Word is none of Choices
	BadParam        UsageKind = "bad_param"        // Word is not name=value
	BadQuotes       UsageKind = "bad_quotes"       // a quote or bracket without its other half
	BadCharacter    UsageKind = "bad_character"    // Word means something to shells
	TooLong         UsageKind = "too_long"         // longer than MaxText
)

// UsageError says what is wrong with a command that a person wrote, and holds
// what the next step needs.
type UsageError struct {
	Kind    UsageKind
	Path    []string // words of the command that it is about, if known
	Flag    string   // like --since
	Word    string   // what the person wrote
	Nearest string   // what may have been meant instead of Word or Flag
	Choices []string

	Words []string // all that the person wrote
	Meant string   // the whole command that may have been meant, without the bot's name
}

func (e *UsageError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s: %s %q", e.Kind, e.Flag, e.Word))
}

// explain finds what in the words made the grammar refuse them. It walks the
// grammar itself, because the parser's errors are texts in English.
func explain(root *kong.Node, words []string, cause error) error {
	err := refusal(root, words, cause)
	err.Words = words
	return err
}

func refusal(root *kong.Node, words []string, cause error) *UsageError {
	w := walk{node: root}
	if err := w.all(words); err != nil {
		return err
	}
	var usage *UsageError
	if errors.As(cause, &usage) {
		usage.Path = w.path
		if usage.Flag == "" {
			usage.Flag = flagOf(words, usage.Word)
		}
		return usage
	}
	if err := w.missing(); err != nil {
		return err
	}
	return &UsageError{Kind: UnwantedValue, Path: w.path, Flag: w.flag}
}

// flagOf finds the flag that the word is the value of.
func flagOf(words []string, value string) string {
	for i, word := range words {
		name, its, joined := strings.Cut(word, "=")
		if joined && its == value {
			return name
		}
		if word == value && i > 0 {
			return words[i-1]
		}
	}
	return ""
}

// walk is a place in the grammar.
type walk struct {
	node *kong.Node
	path []string
	args int    // positional arguments seen
	flag string // the last one seen
}

func (w *walk) all(words []string) *UsageError {
	for i := 0; i < len(words); i++ {
		word := words[i]
		if !strings.HasPrefix(word, "-") || word == "-" {
			if err := w.plain(word); err != nil {
				return err
			}
			continue
		}
		takesNext, err := w.flagged(word)
		if err != nil {
			return err
		}
		if !takesNext {
			continue
		}
		if i++; i >= len(words) {
			return &UsageError{Kind: MissingValue, Path: w.path, Flag: w.flag}
		}
	}
	return nil
}

// plain takes a word that is no flag: a command or an argument.
func (w *walk) plain(word string) *UsageError {
	if child := childNamed(w.node, word); child != nil {
		w.node, w.path = child, append(w.path, child.Name)
		return nil
	}
	if len(w.node.Children) > 0 {
		return &UsageError{Kind: UnknownCommand, Path: w.path, Word: word, Choices: childNames(w.node), Nearest: nearestChild(w.node, word)}
	}
	last := len(w.node.Positional) - 1
	if w.args > last && (last < 0 || !w.node.Positional[last].IsCumulative()) {
		return &UsageError{Kind: ExtraArgument, Path: w.path, Word: word}
	}
	w.args++
	return nil
}

// flagged takes a flag and says whether the next word is its value.
func (w *walk) flagged(word string) (takesNext bool, err *UsageError) {
	name, _, hasValue := strings.Cut(word, "=")
	var names []string
	for _, group := range w.node.AllFlags(false) {
		for _, f := range group {
			long, short := "--"+f.Name, "-"+string(f.Short)
			if name == long || f.Short != 0 && strings.HasPrefix(word, short) && !strings.HasPrefix(word, "--") {
				w.flag = long
				return !hasValue && !f.IsBool() && (name == long || word == short), nil
			}
			names = append(names, long)
		}
	}
	return false, &UsageError{Kind: UnknownFlag, Path: w.path, Flag: name, Choices: names, Nearest: Nearest(name, names)}
}

// missing says what the words lack.
func (w *walk) missing() *UsageError {
	if len(w.node.Children) > 0 {
		return &UsageError{Kind: MissingCommand, Path: w.path, Choices: childNames(w.node)}
	}
	if w.args < len(w.node.Positional) && w.node.Positional[w.args].Required {
		return &UsageError{Kind: MissingArgument, Path: w.path, Word: w.node.Positional[w.args].Name}
	}
	return nil
}

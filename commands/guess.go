package commands

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Guess adds to an error of ParseChat which command may have been meant, as far
// as the services tell: people in a hurry begin with the service, or leave the
// flags out.
func Guess(err error, services []string) error {
	usage, ok := errors.AsType[*UsageError](err)
	if !ok {
		return err
	}
	switch {
	case usage.Kind == UnknownCommand && len(usage.Path) == 0:
		usage.Meant = guessCommand(usage, services)
	case usage.Kind == ExtraArgument:
		usage.Meant = guessExtra(usage)
	}
	return err
}

// guessCommand makes a command of a service or a code that stands in the place
// of one. A word near a command is taken for that.
func guessCommand(e *UsageError, services []string) string {
	word := strings.ToLower(e.Word)
	switch {
	case slices.Contains(services, word):
		return guessDiagnose(word, e.Words[1:])
	case codeShape.MatchString(e.Word):
		return "explain " + strings.ToUpper(e.Word)
	case e.Nearest != "":
		return ""
	}
	if service := Nearest(word, services); service != "" {
		return "diagnose " + service
	}
	return ""
}

// guessDiagnose keeps the flags that came after the service, if they are right.
func guessDiagnose(service string, rest []string) string {
	line := []string{"diagnose", service}
	whole := append(slices.Clone(line), rest...)
	if _, err := parse(&chatGrammar{}, whole); err == nil && !slices.ContainsFunc(rest, needsQuotes) {
		line = whole
	}
	return strings.Join(line, " ")
}

func needsQuotes(word string) bool {
	return word == "" || strings.ContainsAny(word, " \t\"'\\;&|<>()$`")
}

// guessExtra puts the word that is too much where it belongs, or leaves it out.
func guessExtra(e *UsageError) string {
	at := slices.Index(e.Words, e.Word)
	if at < 1 {
		return ""
	}
	line := strings.Join(append(slices.Clone(e.Path), e.Words[1:at]...), " ")
	if slices.Equal(e.Path, []string{"diagnose"}) {
		if codeShape.MatchString(e.Word) {
			return line + " --check " + strings.ToUpper(e.Word)
		}
		if d, err := time.ParseDuration(e.Word); err == nil && d > 0 && d <= MaxLookback {
			return line + " --since " + e.Word
		}
	}
	return line
}

// codeShape matches what looks like the code of a check.
var codeShape = regexp.MustCompile(`^[A-Za-z]{2,5}-\d{1,4}$`)

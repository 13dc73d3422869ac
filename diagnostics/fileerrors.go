package diagnostics

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fileErrors collects every error of one catalogue file. Each names the file,
// the line and column, what is expected, and shows the line with a caret.
type fileErrors struct {
	name  string
	lines []string
	errs  []error
}

func newFileErrors(name string, data []byte) *fileErrors {
	return &fileErrors{name: name, lines: strings.Split(string(data), "\n")}
}

func (f *fileErrors) err() error { return errors.Join(f.errs...) }

// add records an error at a place; the place of an absent scalar is the
// beginning of the file.
func (f *fileErrors) add(at source, format string, args ...any) {
	f.addAt(max(at.line, 1), max(at.col, 1), fmt.Sprintf(format, args...))
}

func (f *fileErrors) addAt(line, col int, message string) {
	text := fmt.Sprintf("%s:%d:%d: %s", f.name, line, col, message)
	if line <= len(f.lines) {
		shown := strings.TrimRight(f.lines[line-1], "\r")
		text += fmt.Sprintf("\n | %s\n | %s^", shown, strings.Repeat(".", max(col-1, 0)))
	}
	f.errs = append(f.errs, errors.New(text))
}

// bilingual reports a text that lacks a language.
func (f *fileErrors) bilingual(t textFile, near source, what string) {
	at := near
	if t.EN.line > 0 {
		at = t.EN
	}
	if strings.TrimSpace(t.EN.text) == "" {
		f.add(at, "%s: expected a text in en", what)
	}
	if strings.TrimSpace(t.PT.text) == "" {
		f.add(at, "%s: expected a text in pt-BR", what)
	}
}

var (
	yamlLine    = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	yamlUnknown = regexp.MustCompile(`^field (\S+) not found in type \S*?\.?(\w+)$`)
)

// yaml records the errors of the YAML decoder in the same form as all others.
func (f *fileErrors) yaml(err error) {
	var types *yaml.TypeError
	messages := []string{err.Error()}
	if errors.As(err, &types) {
		messages = types.Errors
	}
	for _, message := range messages {
		line, col := 1, 1
		if m := yamlLine.FindStringSubmatch(message); m != nil {
			line, _ = strconv.Atoi(m[1]) // the pattern admits digits only
			message = m[2]
		}
		if m := yamlUnknown.FindStringSubmatch(message); m != nil {
			message = fmt.Sprintf("unknown key %q: expected one of %s", m[1], strings.Join(keysOf(m[2]), ", "))
			col = f.column(line, m[1])
		}
		f.addAt(line, col, message)
	}
}

func (f *fileErrors) column(line int, word string) int {
	if line < 1 || line > len(f.lines) {
		return 1
	}
	return strings.Index(f.lines[line-1], word) + 1
}

// keysOf lists the YAML keys of one of the types of a catalogue file.
func keysOf(typeName string) []string {
	for _, t := range []reflect.Type{
		reflect.TypeFor[checkFile](), reflect.TypeFor[textFile](), reflect.TypeFor[factFile](),
		reflect.TypeFor[outcomeFile](), reflect.TypeFor[fixFile](), reflect.TypeFor[Doc](), reflect.TypeFor[Text](),
		reflect.TypeFor[fixtureFile](), reflect.TypeFor[caseFile](), reflect.TypeFor[wantFile](), reflect.TypeFor[Fix](),
	} {
		if t.Name() != typeName {
			continue
		}
		var keys []string
		for i := range t.NumField() {
			key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			keys = append(keys, key)
		}
		return keys
	}
	return []string{"the keys of the documentation"}
}

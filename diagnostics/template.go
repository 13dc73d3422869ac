package diagnostics

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// segment is a piece of a template: literal text, or the CEL expression of a
// ${...}. offset is where the piece's own text begins in the template, in bytes.
type segment struct {
	text   string
	expr   bool
	offset int
}

var errUnclosed = errors.New("${ without its }")

// splitTemplate cuts a template into its pieces. Braces and quotes inside an
// expression are counted, so that map literals and strings work there.
func splitTemplate(text string) ([]segment, error) {
	var segments []segment
	pos := 0
	for {
		i := strings.Index(text[pos:], "${")
		if i < 0 {
			break
		}
		if i > 0 {
			segments = append(segments, segment{text: text[pos : pos+i], offset: pos})
		}
		start := pos + i + 2
		end := closingBrace(text, start)
		if end < 0 {
			return nil, errUnclosed
		}
		segments = append(segments, segment{text: text[start:end], expr: true, offset: start})
		pos = end + 1
	}
	if pos < len(text) {
		segments = append(segments, segment{text: text[pos:], offset: pos})
	}
	return segments, nil
}

// closingBrace returns the index of the } that closes the expression that
// begins at start, or -1.
func closingBrace(text string, start int) int {
	depth := 0
	var quote byte
	for i := start; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
		}
	}
	return -1
}

// display writes a CEL value as people and PromQL read it: durations like 75s,
// 10m or 1h, times in UTC, lists joined by commas.
func display(v ref.Val) string {
	switch v := v.(type) {
	case types.Duration:
		return displayDuration(v.Duration)
	case types.Timestamp:
		return v.UTC().Format(time.RFC3339)
	case types.Double:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", float64(v)), "0"), ".")
	case traits.Lister:
		var parts []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			parts = append(parts, display(it.Next()))
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(v.Value())
}

func displayDuration(d time.Duration) string {
	switch {
	case d != 0 && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d != 0 && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d%time.Second == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	case d > 10*time.Second || d < -10*time.Second:
		return displayDuration(d.Round(time.Second))
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}

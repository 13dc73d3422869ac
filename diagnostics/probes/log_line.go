package probes

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// logRecord is what is taken of a log line. The accessor is not part of the
// facts.
type logRecord struct {
	event    LogEvent
	accessor string
}

// eventFields are the fields of a line that become those of a LogEvent, beside
// its name and its time.
func eventFields() []string {
	return []string{
		"pod", "level", "reason", "error_class", "code", "grpc_code", "sqlstate", "kid", "expected", "expected_audience", "actual", "actual_audience",
		"spiffe_id", "request_id", "plan_id", "error", "status_code",
	}
}

var errNotALogLine = errors.New("not a JSON object")

// parseLogLine reads one line: a JSON object, or one with the object as a string
// in its field message, as some shippers wrap it. Only the fields of LogEvent
// are taken; their texts are redacted and cut.
func parseLogLine(line string) (logRecord, error) {
	fields, err := logFields(line)
	if err != nil {
		return logRecord{}, err
	}
	// Services name some fields in more than one way; the first that is there counts.
	text := func(names ...string) string {
		for _, name := range names {
			if value := clean(words(fields[name]), maxDetail); value != "" {
				return value
			}
		}
		return ""
	}
	e := LogEvent{
		Event:     text("event"),
		Pod:       text("pod"),
		Level:     text("level"),
		Reason:    text("reason", "error_class"),
		Code:      text("code", "grpc_code"),
		SQLState:  text("sqlstate"),
		Kid:       text("kid"),
		Expected:  text("expected", "expected_audience"),
		Actual:    text("actual", "actual_audience"),
		SPIFFEID:  text("spiffe_id"),
		RequestID: text("request_id"),
		PlanID:    text("plan_id"),
		Error:     text("error"),
	}
	e.StatusCode, _ = strconv.ParseInt(word(fields["status_code"]), 10, 64) // absent or not a number: 0
	e.At = timeOf(fields["timestamp"])
	return logRecord{event: e, accessor: word(fields["token_accessor"])}, nil
}

// logFields decodes a line, and the object inside its message when the line
// itself names no event.
func logFields(line string) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(line), &fields) != nil || fields == nil {
		return nil, errNotALogLine
	}
	if _, named := fields["event"]; named {
		return fields, nil
	}
	inner := innerFields(fields["message"])
	if inner == nil {
		return fields, nil
	}
	if inner["timestamp"] == nil && fields["timestamp"] != nil {
		inner["timestamp"] = fields["timestamp"]
	}
	return inner, nil
}

// innerFields decodes the object inside a message; nil when there is none.
func innerFields(message json.RawMessage) map[string]json.RawMessage {
	var text string
	var fields map[string]json.RawMessage
	if json.Unmarshal(message, &text) != nil || json.Unmarshal([]byte(text), &fields) != nil {
		return nil
	}
	return fields
}

// words is a word, or those of a list joined by spaces.
func words(raw json.RawMessage) string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return word(raw)
	}
	parts := make([]string, 0, len(list))
	for _, element := range list {
		parts = append(parts, word(element))
	}
	return strings.Join(parts, " ")
}

// word is a JSON string, number or truth value as text; lists and objects are
// none.
func word(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	switch raw[0] {
	case '{', '[', 'n':
		return ""
	}
	return string(raw)
}

// timeOf reads RFC 3339, or seconds since 1970.
func timeOf(raw json.RawMessage) time.Time {
	text := word(raw)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006-01-02 15:04:05.999999"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil && s > 0 && s < 1e11 {
		return time.UnixMicro(int64(s * 1e6)).UTC()
	}
	return time.Time{}
}

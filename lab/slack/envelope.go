package slack

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
)

// What can go wrong with a delivery. People see the texts: they are Slack's own.
var (
	errNotConnected = errors.New("dispatch_failed")
	errNoAck        = errors.New("operation_timeout")
)

// envelope is one thing that Socket Mode carries to the app.
type envelope struct {
	ID             string `json:"envelope_id"`
	Type           string `json:"type"`
	Payload        object `json:"payload"`
	AcceptsPayload bool   `json:"accepts_response_payload"`
	RetryAttempt   int    `json:"retry_attempt,omitempty"`
	RetryReason    string `json:"retry_reason,omitempty"`

	address string // over HTTP, where it goes when its kind has no one address
}

// subject is the id that a reader of the log knows the envelope by: the event's, which stays through redeliveries.
func (e envelope) subject() string {
	if id, ok := e.Payload["event_id"].(string); ok {
		return id
	}
	return e.ID
}

// about is what the envelope is about: the type of the event or the interaction, or the command.
func (e envelope) about() string {
	about := e.Payload["type"]
	if event, ok := e.Payload["event"].(object); ok {
		about = event["type"]
	} else if e.Type == "slash_commands" {
		about = e.Payload["command"]
	}
	text, _ := about.(string)
	return text
}

// ack is what the app answers.
type ack struct {
	ID      string          `json:"envelope_id"`
	Payload json.RawMessage `json:"payload"`
}

func newEnvelope(kind string, payload object, acceptsPayload bool) envelope {
	return envelope{ID: newUUID(), Type: kind, Payload: payload, AcceptsPayload: acceptsPayload}
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, says its documentation
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

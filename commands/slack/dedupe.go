package slack

import (
	"strings"
	"time"
)

const (
	// seenFor is longer than a signature is valid, and than Slack's retries last.
	seenFor = 15 * time.Minute
	// eventFor is how long an event is acted on after it happened: longer than
	// Slack's retries last, since who asked still waits, and shorter than it is
	// remembered.
	eventFor = 10 * time.Minute
	// maxSeen is a day's deliveries of a busy workspace.
	maxSeen = 50_000
)

// marks are what a delivery is known by when it comes again: by another
// connection, over HTTP too, as a retry, or under a new id. A delivery without
// marks is never taken for another one.
func (d delivery) marks() []string {
	switch {
	case d.command != nil:
		return marks("trigger", d.command.TriggerID)
	case d.interaction != nil:
		return marks("trigger", d.interaction.TriggerID)
	case d.event != nil:
		return d.event.marks()
	}
	return nil
}

// marks of an event are its id and what happened: the same message may come
// under two ids.
func (e *event) marks() []string {
	return append(marks("event", e.ID), marks(e.Event.Type, e.when(), string(e.Event.Channel), string(e.Event.User))...)
}

// when is the time that Slack names an event's message by.
func (e *event) when() string {
	if e.Event.TS != "" {
		return e.Event.TS
	}
	return e.Event.EventTS
}

// marks makes one mark, or none without an id.
func marks(kind, id string, more ...string) []string {
	if id == "" {
		return nil
	}
	return []string{strings.Join(append([]string{kind, id}, more...), "\x00")}
}

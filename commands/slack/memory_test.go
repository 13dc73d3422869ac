package slack

import (
	"testing"
	"time"
)

func TestMemoryForgetsWithTimeAndNotBefore(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	m := newMemory[string](10*time.Minute, 100, func() time.Time { return now })
	if !m.first("a", "b") || m.first("b") || m.first("c", "a") {
		t.Fatal("it does not tell what is new from what is known")
	}
	if !m.first("c") {
		t.Error("c counts as known though it came with a known one")
	}
	now = now.Add(10*time.Minute - time.Second)
	m.first("d")
	now = now.Add(9 * time.Minute)
	if m.first("d") {
		t.Error("it forgot d after 9 minutes")
	}
	now = now.Add(21 * time.Minute)
	if !m.first("a") || !m.first("d") {
		t.Error("it remembers after more than twice its life")
	}
	m.forget("a")
	if !m.first("a") {
		t.Error("it remembers what it was told to forget")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory[int](time.Hour, 100, time.Now)
	for i := range 10_000 {
		m.first(i)
		if n := len(m.young) + len(m.elder); n > 200 {
			t.Fatalf("it holds %d things, want 200 at most", n)
		}
	}
	if m.first(9_950) {
		t.Error("it forgot what came just now")
	}
}

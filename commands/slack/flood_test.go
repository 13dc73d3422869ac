package slack

import (
	"fmt"
	"testing"
	"time"
)

func TestOnePersonTakesNoMoreThanTheirPlaces(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := newFlood(2, 5, func() time.Time { return now })
	one, _ := f.enter("ana")
	f.enter("ana")
	if leave, first := f.enter("ana"); leave != nil || !first {
		t.Error("a third ask at once is let in, or not the first refusal")
	}
	if leave, first := f.enter("ana"); leave != nil || first {
		t.Error("a fourth ask at once is let in, or told once more")
	}
	if leave, _ := f.enter("bruno"); leave == nil {
		t.Error("bruno is refused for ana's asks")
	}
	one()
	if leave, _ := f.enter("ana"); leave == nil {
		t.Error("a place that was given back is not given again")
	}
}

func TestOnePersonAsksSoOftenAMinute(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := newFlood(2, 5, func() time.Time { return now })
	ask := func() bool {
		leave, _ := f.enter("ana")
		if leave != nil {
			leave()
		}
		return leave != nil
	}
	for i := range 7 {
		if got, want := ask(), i < 5; got != want {
			t.Errorf("ask %d: let in %v, want %v", i, got, want)
		}
	}
	now = now.Add(floodWindow)
	if !ask() {
		t.Error("refused a minute later")
	}
}

func TestFloodIsBounded(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := newFlood(2, 5, func() time.Time { return now })
	stays, _ := f.enter("ana")
	for i := range 3 * maxPeople {
		leave, _ := f.enter(fmt.Sprint("person", i))
		leave()
		now = now.Add(50 * time.Millisecond)
	}
	if n := len(f.people); n > maxPeople {
		t.Errorf("%d people are remembered, want %d at most", n, maxPeople)
	}
	stays() // she is still known
}

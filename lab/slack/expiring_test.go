package slack

import (
	"testing"
	"time"
)

func TestExpiringForgets(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	e := newExpiring[int](time.Minute)
	e.put("old", 1, now)
	e.put("kept", 2, now.Add(time.Minute))
	if v, ok := e.get("old"); !ok || v != 1 {
		t.Errorf("a minute later: %d, %v", v, ok)
	}
	e.put("new", 3, now.Add(2*time.Minute))
	if _, ok := e.get("old"); ok || len(e.byID) != 2 {
		t.Errorf("two minutes later there are %v", e.byID)
	}
	e.remove("kept")
	if _, ok := e.get("kept"); ok {
		t.Error("it is there after it was removed")
	}
}

package approvals_test

import (
	"errors"
	"testing"
	"time"

	"tandem/approvals"
)

func TestFreezeStopsAndOnlySomeLetGo(t *testing.T) {
	w := newWorld(t)
	if err := w.s.Freeze(t.Context(), worker, "outsider", "looks wrong"); err != nil {
		t.Fatalf("a member may not stop: %v", err)
	}
	_, _, err := w.s.Ask(t.Context(), ask())
	w.refused(err, approvals.WhyFrozen, "ana")
	w.refused(w.s.Freeze(t.Context(), worker, "guest", ""), approvals.WhyNotMember, "guest")
	w.refused(w.s.Unfreeze(t.Context(), worker, "outsider", ""), approvals.WhyNotEntitled, "outsider")
	if err := w.s.Unfreeze(t.Context(), worker, "bruno", "fine again"); err != nil {
		t.Fatal(err)
	}
	w.asked()
}

func TestTheTerminalFreezesWithoutAWorkspace(t *testing.T) {
	w := newWorld(t)
	w.deaf = errors.New("down")
	if err := w.s.Freeze(t.Context(), "", "terminal:root", ""); err != nil {
		t.Fatal(err)
	}
	held, err := w.s.Freezes(t.Context())
	if err != nil || len(held) != 1 || held[0].Target != approvals.Everything {
		t.Fatalf("%+v, %v", held, err)
	}
	if err := w.s.Unfreeze(t.Context(), "*", "terminal:root", ""); err != nil {
		t.Fatal(err)
	}
}

func TestAFreezeOfTheConfigurationStays(t *testing.T) {
	w := newWorld(t, func(w *world) { w.opts.Policy.Frozen = []string{worker} })
	w.refused(w.s.Unfreeze(t.Context(), worker, "bruno", ""), approvals.WhyFrozen, "bruno")
	_, _, err := w.s.Ask(t.Context(), ask())
	w.refused(err, approvals.WhyFrozen, "ana")
}

func TestWindows(t *testing.T) {
	saoPaulo := time.FixedZone("BRT", -3*3600)
	weekend := approvals.Window{Days: []time.Weekday{time.Friday}, From: 18 * time.Hour, To: 8 * time.Hour, Zone: saoPaulo}
	lunch := approvals.Window{From: 12 * time.Hour, To: 13 * time.Hour}
	allDay := approvals.Window{Days: []time.Weekday{time.Friday}}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, time.UTC) }
	for name, tc := range map[string]struct {
		window approvals.Window
		at     time.Time
		want   bool
	}{
		"before it begins":                {weekend, at(6, 20, 59), false}, // a Friday
		"as it begins":                    {weekend, at(6, 21, 0), true},
		"over midnight":                   {weekend, at(7, 10, 59), true},
		"as it ends":                      {weekend, at(7, 11, 0), false},
		"in the evening of the day after": {weekend, at(7, 22, 0), false},
		"in the morning of its day":       {weekend, at(6, 8, 0), false},
		"every day, in it":                {lunch, at(4, 12, 30), true},
		"every day, after it":             {lunch, at(4, 13, 0), false},
		"a whole day":                     {allDay, at(6, 0, 0), true},
		"a whole day, over":               {allDay, at(7, 0, 0), false},
	} {
		if got := tc.window.Holds(tc.at); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

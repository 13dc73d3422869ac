package watches

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/diagnostics"
)

// world is a store in memory, people, and a service that is looked at.
type world struct {
	t       *testing.T
	now     time.Time
	rows    map[string]Watch
	hushes  []Suppression
	sees    string // as report reads it; empty: there is no report
	told    []string
	mute    bool // nobody can be told
	kept    int
	service *Service
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: noon, rows: map[string]Watch{}, sees: "A:pass"}
	made := 0
	service, err := New(Options{
		Store: w, Hushes: w, Now: func() time.Time { return w.now },
		NewID: func() string { made++; return fmt.Sprint("w", made) },
		Diagnose: func(_ context.Context, service string) (diagnostics.Report, error) {
			if w.sees == "" {
				return diagnostics.Report{}, errors.New("a defect")
			}
			return report(w.sees), nil
		},
		Keep: func(context.Context, Watch, diagnostics.Report) (string, error) {
			w.kept++
			return fmt.Sprint("run", w.kept), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.service = service
	service.Meet(w)
	return w
}

func (w *world) PutWatch(_ context.Context, one Watch) (Watch, error) {
	for id, there := range w.rows {
		if there.Topic() == one.Topic() {
			one.ID, one.Memory = id, there.Memory
		}
	}
	w.rows[one.ID] = one
	return one, nil
}

func (w *world) EndWatch(_ context.Context, id string) error {
	delete(w.rows, id)
	return nil
}

func (w *world) Watches(context.Context) ([]Watch, error) {
	var all []Watch
	for _, one := range w.rows {
		all = append(all, one)
	}
	return all, nil
}

func (w *world) Claim(_ context.Context, id string, until time.Time) (Watch, bool, error) {
	one, there := w.rows[id]
	if !there || one.Due.IsZero() || one.Due.After(w.now) || one.Claimed.After(w.now) {
		return Watch{}, false, nil
	}
	one.Retaken, one.Claimed = !one.Claimed.IsZero(), until
	w.rows[id] = one
	return one, true, nil
}

func (w *world) Finish(_ context.Context, one Watch, due time.Time) error {
	if _, there := w.rows[one.ID]; !there {
		return ErrNone
	}
	one.Due, one.Claimed, one.Retaken = due, time.Time{}, false
	w.rows[one.ID] = one
	if due.IsZero() && one.Alert != nil && one.Alert.Resolved {
		delete(w.rows, one.ID)
	}
	return nil
}

func (w *world) Suppress(_ context.Context, x Suppression) error {
	w.hushes = append(w.hushes, x)
	return nil
}

func (w *world) Unsuppress(context.Context, string, string) error {
	w.hushes = nil
	return nil
}

func (w *world) Suppressions(context.Context, time.Time) ([]Suppression, error) { return w.hushes, nil }

func (w *world) Tell(_ context.Context, one Watch, n News) (string, error) {
	if w.mute {
		return "", errors.New("not_in_channel")
	}
	w.told = append(w.told, strings.TrimSpace(one.Service+" "+said(n)+" "+n.Run))
	if n.Thread != "" {
		return n.Thread, nil
	}
	return fmt.Sprint("T", len(w.told)), nil
}

// run does the job of a watch, when it is due.
func (w *world) run(id string) {
	w.t.Helper()
	if due := w.rows[id].Due; due.After(w.now) {
		w.now = due
	}
	if err := w.service.Work(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
}

// says holds what was told since the last time.
func (w *world) says(want ...string) {
	w.t.Helper()
	if !slices.Equal(w.told, want) {
		w.t.Errorf("told %q, want %q", w.told, want)
	}
	w.told = nil
}

func (w *world) watch() string {
	w.t.Helper()
	one, err := w.service.Watch(w.t.Context(), Watch{Service: "worker", Channel: "C1", Every: 10 * time.Minute, By: "ana"})
	if err != nil {
		w.t.Fatal(err)
	}
	return one.ID
}

func TestWhatCouldNotBeToldIsToldLater(t *testing.T) {
	w := newWorld(t)
	id := w.watch()
	w.run(id)
	w.says("worker first run1")
	w.sees, w.mute = "A:fail", true
	w.run(id)
	w.run(id)
	if one := w.rows[id]; one.Memory.Untold != 2 || one.Memory.Status != diagnostics.Fail || one.Due.Sub(w.now) > 2*time.Minute {
		t.Errorf("after two runs that could not be told: %+v, due in %s", one.Memory, one.Due.Sub(w.now))
	}
	w.mute = false
	w.run(id)
	w.says("worker changed A:fail run4")
	if one := w.rows[id]; one.Memory.Untold != 0 || one.Memory.Incident == nil || one.Memory.Incident.Thread != "T1" {
		t.Errorf("after it was told: %+v", one.Memory)
	}
}

// TestRunsWithoutReportAreTold holds that silence never stands for a bot that
// cannot look.
func TestRunsWithoutReportAreTold(t *testing.T) {
	w := newWorld(t)
	id := w.watch()
	w.run(id)
	w.says("worker first run1")
	w.sees = ""
	w.run(id)
	w.says() // once can be chance
	w.mute = true
	w.run(id)
	w.mute = false
	w.run(id)
	w.says("worker missed")
	w.run(id)
	w.says()
	if got := w.rows[id].Memory; got.Missed != 3 || got.Told == nil {
		t.Errorf("it remembers %+v", got)
	}
	w.sees = "A:pass"
	w.run(id)
	w.says("worker back run2")
	w.sees = ""
	w.run(id)
	w.run(id)
	w.says("worker missed")
	w.sees = "A:fail"
	w.run(id)
	w.says("worker changed A:fail run3")
	if got := w.rows[id].Memory.Missed; got != 0 {
		t.Errorf("%d runs are missing still", got)
	}
}

func TestTheNextRunIsPlanned(t *testing.T) {
	w := newWorld(t)
	id := w.watch()
	w.run(id)
	first := w.rows[id].Due
	w.now = first.Add(3 * time.Second) // the job came late
	w.run(id)
	if next := w.rows[id].Due; next.Sub(first) != 10*time.Minute {
		t.Errorf("the next run is %s after the planned one", next.Sub(first))
	}
	if err := w.service.Work(t.Context(), id); err != nil { // a job too many
		t.Error(err)
	}
	if w.kept != 1 {
		t.Errorf("%d reports are kept: only what is told is", w.kept)
	}
}

func TestABotThatIsStoppedLetsGo(t *testing.T) {
	w := newWorld(t)
	id := w.watch()
	ctx, stop := context.WithCancel(t.Context())
	w.service.opts.Diagnose = func(ctx context.Context, _ string) (diagnostics.Report, error) {
		stop()
		return diagnostics.Report{}, ctx.Err()
	}
	if err := w.service.Work(ctx, id); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if one := w.rows[id]; !one.Claimed.IsZero() || one.Due.After(w.now) {
		t.Errorf("another replica has to wait: %+v", one)
	}
	w.says()
}

func TestAlertsAreLookedAtWhenTheyAreHeard(t *testing.T) {
	w := newWorld(t)
	hear := func(service string, resolved bool) {
		t.Helper()
		err := w.service.Heard(t.Context(), Watch{Service: service, Channel: "C1", Alert: &Alert{Group: "g", Names: []string{"A"}, Resolved: resolved}})
		if err != nil {
			t.Fatal(err)
		}
		for id := range w.rows {
			w.run(id)
		}
	}
	hear("worker", true) // nobody was told of it
	w.says()
	w.sees = "A:fail"
	hear("worker", false)
	w.says("worker first run1")
	hear("worker", false)
	w.says()
	w.sees = ""
	hear("worker", true) // without a last verdict
	w.says("worker closed in T1 over after 0s")
	hear("", false)
	w.says("lost")
	hear("", false)
	w.says()
	hear("", true)
	w.says()
	if len(w.rows) > 0 {
		t.Errorf("alerts that are over are kept: %+v", w.rows)
	}
}

func TestBounds(t *testing.T) {
	w := newWorld(t)
	for _, every := range []time.Duration{0, time.Second, 25 * time.Hour} {
		if _, err := w.service.Watch(t.Context(), Watch{Service: "worker", Every: every}); !errors.Is(err, ErrBounds) {
			t.Errorf("every %s: %v", every, err)
		}
	}
	for name, x := range map[string]Suppression{
		"no reason":   {Code: "A", Reason: " ", Until: w.now.Add(time.Hour)},
		"a novel":     {Code: "A", Reason: strings.Repeat("x", MaxReason+1), Until: w.now.Add(time.Hour)},
		"no end":      {Code: "A", Reason: "x"},
		"a far end":   {Code: "A", Reason: "x", Until: w.now.Add(MaxSuppression + time.Second)},
		"over by now": {Code: "A", Reason: "x", Until: w.now},
	} {
		if _, err := w.service.Suppress(t.Context(), x); !errors.Is(err, ErrBounds) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.service.Unwatch(t.Context(), "worker", "", "ana"); !errors.Is(err, ErrNone) {
		t.Errorf("nothing is watched: %v", err)
	}
	w.watch()
	if ended, err := w.service.Unwatch(t.Context(), "worker", "", "ana"); err != nil || len(ended) != 1 {
		t.Errorf("%v, %v", ended, err)
	}
}

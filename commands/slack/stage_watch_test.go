package slack

import (
	"context"
	"errors"
	"slices"
	"time"

	"tandem/commands"
	"tandem/diagnostics"
	"tandem/watches"
)

// watch has a stage watch services, by runs that the test does.
func (s *stage) watch() {
	service, err := watches.New(watches.Options{
		Store: s.store, Hushes: s.store, Now: s.now, NewID: s.newID,
		Diagnose: s.lookAgain,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.watches = service
}

// lookAgain diagnoses a service, unless the bot is broken.
func (s *stage) lookAgain(ctx context.Context, service string) (diagnostics.Report, error) {
	s.mu.Lock()
	broken := s.broken
	s.mu.Unlock()
	if broken {
		return diagnostics.Report{}, errors.New(canaryError)
	}
	return s.Diagnose(ctx, service, commands.Options{})
}

// due are the watches that are due.
func (s *stage) due() []watches.Watch {
	all, err := s.watches.List(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(w watches.Watch) bool { return w.Due.IsZero() || w.Due.After(s.now()) })
}

// runWatches does the runs that are due, and those that a job comes for too late.
func (s *stage) runWatches() {
	for _, w := range s.due() {
		for range 2 { // the second job finds nothing to do
			if err := s.watches.Work(s.t.Context(), w.ID); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// alert has Alertmanager say something of a group.
func (s *stage) alert(name string, resolved bool, service string) {
	w := watches.Watch{Service: service, Channel: incidents, By: "alertmanager", Lang: "en", Alert: &watches.Alert{
		Group: "{}:{alertname=" + name + "}", Resolved: resolved, Names: []string{name}, Labels: []string{"service", "job"},
		Began: s.now().Add(-2 * time.Minute), Summary: "<!channel> *60%* of the requests of <http://evil.example|worker> fail",
	}}
	if !slices.Contains(s.Services(), service) {
		w.Service, w.Alert.Service, w.Alert.Known = "", service, s.Services()
	}
	if err := s.watches.Heard(s.t.Context(), w); err != nil {
		s.t.Fatal(err)
	}
	s.runWatches()
}

// forgetful is a store that dies before a run is recorded.
type forgetful struct{ watches.Store }

func (forgetful) Finish(context.Context, watches.Watch, time.Time) error {
	return errors.New("the process was killed")
}

// dieTelling does the runs that are due in a process that is killed between what
// it told and its record.
func (s *stage) dieTelling() {
	due, service := s.due(), s.watches
	dying, err := watches.New(watches.Options{
		Store: forgetful{s.store}, Hushes: s.store, Now: s.now,
		Diagnose: s.lookAgain,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	dying.Meet(service.Face())
	for _, w := range due {
		if err := dying.Work(s.t.Context(), w.ID); err == nil {
			s.t.Fatal("the process was not killed")
		}
	}
}

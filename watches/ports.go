package watches

import (
	"context"
	"time"
)

// Store keeps watches and suppressions.
type Store interface {
	// PutWatch inserts a watch, or changes the one about the same topic: its
	// interval, who asked, the alert, and when it is due. It returns the row as it is
	// then, and reminds of it when it is due. ErrTooMany: there are MaxWatches others.
	PutWatch(ctx context.Context, w Watch) (Watch, error)
	// EndWatch ends a watch. ErrNone: there is none of that id.
	EndWatch(ctx context.Context, id string) error
	// Watches returns all, alerts among them, by service and channel.
	Watches(ctx context.Context) ([]Watch, error)
	// Claim claims a watch that is due for one run, which has until a time. It
	// returns false when it is not due, is somebody else's, or is gone.
	Claim(ctx context.Context, id string, until time.Time) (Watch, bool, error)
	// Finish ends the run that claimed w: it keeps the memory, and has the watch due
	// at a time, or earlier when somebody asked for that meanwhile. With a zero time
	// and nobody who asked, an alert that is resolved is forgotten. It returns
	// ErrNone when the run came too late: somebody else's counts.
	Finish(ctx context.Context, w Watch, due time.Time) error
}

// Hushes keeps suppressions.
type Hushes interface {
	// Suppress keeps a suppression, in the place of one of the same code and service.
	Suppress(ctx context.Context, s Suppression) error
	// Unsuppress ends the suppressions of a check: of one service, or of all with an
	// empty one. ErrNone: there are none.
	Unsuppress(ctx context.Context, code, service string) error
	// Suppressions returns those whose end is after a time, the first to end first.
	Suppressions(ctx context.Context, after time.Time) ([]Suppression, error)
}

// Face tells people.
type Face interface {
	// Tell writes news about a watch into its channel, or into the thread that they
	// name, and returns the message that the thread hangs from. It is called again
	// for the same run after a crash, which Watch.Retaken says, and should not repeat
	// what it told.
	Tell(ctx context.Context, w Watch, n News) (thread string, err error)
}

// Worker does runs. The store's runner calls it.
type Worker interface {
	// Work does the run of a watch that is due. It does nothing when it is not due,
	// or somebody else does it. An error has it done again, later.
	Work(ctx context.Context, id string) error
}

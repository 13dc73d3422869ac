package store_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/store"
)

// kills is how often a process is killed at a random moment, for each database.
// With more than a few the fault points are tried at each time they are reached.
var kills = flag.Int("kills", 6, "random kills for each database")

const (
	fewKills  = 20
	crashers  = 4 // at once
	childEnv  = "TANDEM_STORE_CHILD"
	faultEnv  = "TANDEM_FAULTPOINT" // approvals.FaultEnv, which is there only with the build tag
	afterKill = time.Minute         // that passes until the next process: the leases of the dead one are over
	childTime = 90 * time.Second
)

// child is a process of its own: a bot, and the people who use it.
type child struct {
	SQLite, Postgres, Dir string
	Skew                  time.Duration     // by which its clock is ahead
	Targets               map[string]string // to be brought to their end, with the remedy
	Pause                 time.Duration
	Freezes               int // how often it freezes something, as somebody at a terminal, and nothing else
}

// main is what the child does: it ends when all targets have ended and all is shown.
func (c child) main() error {
	ctx, cancel := context.WithTimeout(context.Background(), childTime)
	defer cancel()
	now := func() time.Time { return time.Now().Add(c.Skew) }
	s, err := store.Open(ctx, store.Options{
		SQLite: c.SQLite, Postgres: c.Postgres, Now: now,
		Poll: 20 * time.Millisecond, Retry: 20 * time.Millisecond, Sweep: 100 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	w := &workspace{dir: c.Dir, quorum: 2, pause: c.Pause}
	service, err := w.service(s, s, fmt.Sprint("process", os.Getpid()), now)
	if err != nil {
		return err
	}
	for i := range c.Freezes {
		if err := service.Freeze(ctx, fmt.Sprint("target", i), "terminal:root", ""); err != nil {
			return err
		}
	}
	if c.Freezes > 0 {
		return s.Close()
	}
	working := make(chan error, 1)
	go func() { working <- s.Run(ctx, store.Work{Requests: service}) }()
	errs := make(chan error, len(c.Targets))
	for target, remedy := range c.Targets {
		go func() { errs <- w.bring(ctx, service, remedy, target) }()
	}
	for range c.Targets {
		err = errors.Join(err, <-errs)
	}
	if err == nil {
		err = shown(ctx, s)
	}
	cancel()
	return errors.Join(err, <-working, s.Close())
}

// shown waits until every card tells all.
func shown(ctx context.Context, s *store.Store) error {
	for {
		behind, err := s.Requests(ctx, approvals.Filter{Behind: true})
		if err != nil || len(behind) == 0 {
			return err
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("cards are behind: %+v", behind)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// childMain runs when this binary was started as a child.
func childMain() {
	var c child
	err := json.Unmarshal([]byte(os.Getenv(childEnv)), &c)
	if err == nil {
		err = c.main()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// childDir is where the child was built, if it was.
var childDir string

// childBinary is this test with the fault points compiled in.
var childBinary = sync.OnceValues(func() (path string, err error) {
	if childDir, err = os.MkdirTemp("", "tandem-crash-"); err != nil {
		return "", err
	}
	path = filepath.Join(childDir, "child")
	if out, err := exec.Command("go", "test", "-c", "-tags", "faultpoints", "-o", path, ".").CombinedOutput(); err != nil {
		return path, fmt.Errorf("build the child: %w: %s", err, out)
	}
	return path, nil
})

// start runs a child. It is killed after a while, unless that is zero, or at a
// fault, unless that is empty. killed says whether it was.
func (c child) start(fault string, after time.Duration) (killed bool, err error) {
	path, err := childBinary()
	if err != nil {
		return false, err
	}
	config, err := json.Marshal(c)
	if err != nil {
		return false, err
	}
	var said bytes.Buffer
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), childEnv+"="+string(config), faultEnv+"="+fault)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	if after > 0 {
		defer time.AfterFunc(after, func() { _ = cmd.Process.Kill() }).Stop()
	}
	if err = cmd.Wait(); err == nil {
		return false, nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return true, nil
	}
	return false, fmt.Errorf("the process failed: %w: %s", err, said.String())
}

// crash is one database whose processes are killed.
type crash struct {
	child
	db *database
	w  *workspace
}

func newCrash(t *testing.T, db *database, targets map[string]string) *crash {
	w := newWorkspace(t, 2)
	return &crash{db: db, w: w, child: child{
		SQLite: db.opts.SQLite, Postgres: db.opts.Postgres, Dir: w.dir, Targets: targets, Pause: 2 * time.Millisecond,
	}}
}

// kill starts a process, and has the time pass that another one has to wait.
func (c *crash) kill(fault string, after time.Duration) (killed bool, err error) {
	killed, err = c.start(fault, after)
	c.Skew += afterKill
	return killed, err
}

// end lets a process bring all to its end, and compares what is stored with what
// was seen outside.
func (c *crash) end(t *testing.T) error {
	if killed, err := c.start("", 0); err != nil || killed {
		return fmt.Errorf("the process that goes on: %w", err)
	}
	return c.w.honest(t.Context(), c.db.open(), c.Targets)
}

// one is a single target.
func one(remedy string) map[string]string { return map[string]string{"target": remedy} }

// everywhere runs tests for each database, some at the same time.
func everywhere(t *testing.T, test func(t *testing.T, open func(testing.TB) *database, free chan struct{})) {
	t.Helper()
	postgres.get(t)
	if _, err := childBinary(); err != nil {
		t.Fatal(err)
	}
	free := make(chan struct{}, crashers)
	for name, open := range map[string]func(testing.TB) *database{"sqlite": sqliteFile, "postgres": postgresDatabase} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open, free)
		})
	}
}

// parallel runs a test when a place is free.
func parallel(t *testing.T, free chan struct{}, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		free <- struct{}{}
		defer func() { <-free }()
		test(t)
	})
}

// TestAProcessKilledAtEachFault ends a process at each place of the flow, at the
// first time that it gets there, or, with many kills, at each.
func TestAProcessKilledAtEachFault(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(testing.TB) *database, free chan struct{}) {
		remedies := []string{once}
		if *kills >= fewKills {
			remedies = []string{once, again}
		}
		for _, remedy := range remedies {
			for _, f := range approvals.Faults() {
				parallel(t, free, fmt.Sprintf("%s %s", f, remedy), func(t *testing.T) {
					times := 1
					for ; killedAt(t, open(t), remedy, fmt.Sprintf("%s:%d", f, times)); times++ {
						if *kills < fewKills {
							return
						}
					}
					if times == 1 {
						t.Errorf("the flow never came to %s", f)
					}
					t.Logf("killed at %s: %d times", f, times-1)
				})
			}
		}
	})
}

// killedAt says whether the fault was reached. After it all must come to its end.
func killedAt(t *testing.T, db *database, remedy, fault string) bool {
	c := newCrash(t, db, one(remedy))
	killed, err := c.kill(fault, 0)
	if err == nil && killed {
		err = c.end(t)
	}
	if err != nil {
		t.Errorf("%s: %v", fault, err)
	}
	return killed
}

// TestAProcessKilledAtAnyTime kills processes at random moments, several in a row
// on one database: from their first instruction on, in the middle of the making
// of tables as well.
func TestAProcessKilledAtAnyTime(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(testing.TB) *database, free chan struct{}) {
		var left, hit atomic.Int64
		left.Store(int64(*kills))
		for i := range min(crashers, *kills) {
			parallel(t, free, fmt.Sprint("series ", i), func(t *testing.T) {
				for n := 0; left.Load() > 0; n++ {
					hit.Add(killedOften(t, open(t), n, &left))
				}
			})
		}
		t.Cleanup(func() {
			if t.Logf("killed %d processes at random times", hit.Load()); hit.Load() < int64(*kills) {
				t.Errorf("these are fewer than %d", *kills)
			}
		})
	})
}

// killedOften kills up to so many processes on one database that nothing expires
// meanwhile.
func killedOften(t *testing.T, db *database, n int, left *atomic.Int64) (hit int64) {
	const often = 8
	c := newCrash(t, db, map[string]string{"a": once, "b": again, "c": once})
	var when []time.Duration
	for range often {
		if left.Add(-1) < 0 {
			left.Add(1)
			break
		}
		after := rand.N(800 * time.Millisecond)
		when = append(when, after)
		killed, err := c.kill("", cmp.Or(after, 1))
		if err != nil {
			t.Errorf("database %d, killed after %v: %v", n, when, err)
			return hit
		}
		if !killed {
			left.Add(1) // it had come to its end before
			break
		}
		hit++
	}
	if err := c.end(t); err != nil {
		t.Errorf("database %d, killed after %v: %v", n, when, err)
	}
	t.Logf("database %d, %d processes killed, each %v after its start: %s", n, hit, when, c.w.tally(c.Targets))
	return hit
}

// TestADeadReplicasWorkIsTakenUp has two replicas go on with what a third began.
func TestADeadReplicasWorkIsTakenUp(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		c := newCrash(t, db, one(once))
		if killed, err := c.kill(string(approvals.FaultBegan), 0); err != nil || !killed {
			t.Fatalf("killed %t, %v", killed, err)
		}
		s := db.open()
		latest, err := s.Requests(t.Context(), approvals.Filter{})
		if err != nil || len(latest) != 1 || latest[0].State != approvals.Executing {
			t.Fatalf("%+v, %v", latest, err)
		}
		db.pass(c.Skew)
		for i := range 2 {
			s, service := c.w.replica(db, fmt.Sprint("survivor", i))
			run(t, s, service)
		}
		if r := ended(t, s, latest[0].ID); r.State != approvals.Verified || r.Run.Attempt != 2 {
			t.Errorf("it is %s after %d attempts", r.State, r.Run.Attempt)
		}
		if err := c.w.honest(t.Context(), s, c.Targets); err != nil {
			t.Error(err)
		}
	})
}

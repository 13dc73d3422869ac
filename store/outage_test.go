package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/store"
)

// line is a network to PostgreSQL that breaks at a COMMIT when it is told to.
type line struct {
	to      string
	listen  net.Listener
	breakIt atomic.Int32
	all     sync.WaitGroup
}

// How a line breaks: before the server has the COMMIT, or before the bot has the answer.
const (
	breakBefore = 1 + iota
	breakAfter
)

// through has a database be reached by a line that breaks.
func through(t *testing.T, db *database) *line {
	t.Helper()
	address, err := url.Parse(db.opts.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{to: address.Host}
	if l.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	address.Host = l.listen.Addr().String()
	db.opts.Postgres = address.String()
	l.all.Go(l.accept)
	t.Cleanup(func() { l.listen.Close(); l.all.Wait() })
	return l
}

func (l *line) accept() {
	for {
		bot, err := l.listen.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.to)
		if err != nil {
			bot.Close()
			continue
		}
		l.all.Go(func() { _, _ = io.Copy(bot, server); bot.Close() })
		l.all.Go(func() { l.carry(bot, server) })
	}
}

func (l *line) carry(bot, server net.Conn) {
	defer server.Close()
	for buf := make([]byte, 64<<10); ; {
		n, err := bot.Read(buf)
		if err != nil {
			return
		}
		how := int32(0)
		if bytes.Contains(buf[:n], []byte("commit\x00")) {
			how = l.breakIt.Swap(0)
		}
		if how == breakAfter {
			bot.Close() // the answer finds nobody
		}
		if how == breakBefore {
			bot.Close()
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

func TestAConnectionThatBreaksInACommitIsUnsure(t *testing.T) {
	for name, tc := range map[string]struct {
		how     int32
		written bool
	}{
		"before the server has it": {breakBefore, false},
		"after the server has it":  {breakAfter, true},
	} {
		t.Run(name, func(t *testing.T) {
			db := postgresDatabase(t)
			l := through(t, db)
			s := db.open()
			before := insert(t, s, request("r1", "vault:a"))
			l.breakIt.Store(tc.how)
			r := before
			r.State = approvals.Approved
			_, err := s.Commit(t.Context(), approvals.Change{Request: &r, Notes: []approvals.Note{note("r1", approvals.DeedVoted)}})
			if !errors.Is(err, approvals.ErrUnsure) {
				t.Fatalf("it says %v", err)
			}
			want := before.Version
			if tc.written {
				want++
			}
			await(t, "the server's own view", func() bool { return find(t, s, "r1").Version == want })
			if b := verify(t, s); b != nil {
				t.Errorf("the audit is broken: %+v", b)
			}
		})
	}
}

func TestAVoteOnALineThatBreaks(t *testing.T) {
	for name, how := range map[string]int32{"before": breakBefore, "after": breakAfter} {
		t.Run(name, func(t *testing.T) {
			db := postgresDatabase(t)
			l := through(t, db)
			w := newWorkspace(t, 2)
			s, service := w.replica(db, "r1")
			r := w.asked(t, service, once, "a")
			l.breakIt.Store(how)
			got, err := service.Vote(t.Context(), click(r, "bruno", approvals.Approve))
			if err != nil || len(got.Votes) != 1 {
				t.Fatalf("%d votes, %v", len(got.Votes), err)
			}
			var voted int
			for _, e := range trail(t, s, approvals.TrailFilter{Request: r.ID}) {
				if e.Deed == approvals.DeedVoted {
					voted++
				}
			}
			if voted != 1 {
				t.Errorf("the audit tells of %d votes", voted)
			}
		})
	}
}

func TestCutConnectionsAreReplaced(t *testing.T) {
	db := postgresDatabase(t)
	s := db.open()
	insert(t, s, request("r1", "vault:a"))
	for range 5 {
		postgres.cut(t, db.schema)
		r := find(t, s, "r1")
		postgres.cut(t, db.schema)
		put(t, s, approvals.Change{Request: &r, Notes: []approvals.Note{note("r1", approvals.DeedVoted)}})
		postgres.cut(t, db.schema)
		if ok, err := s.Hold(t.Context(), "target:a", "a", db.now().Add(time.Minute)); err != nil || !ok {
			t.Errorf("holds %t, %v", ok, err)
		}
	}
	if b := verify(t, s); b != nil {
		t.Errorf("the audit is broken: %+v", b)
	}
}

// TestConnectionsCutAllTheTime has three replicas work while somebody ends their
// connections again and again.
func TestConnectionsCutAllTheTime(t *testing.T) {
	db := postgresDatabase(t)
	w := newWorkspace(t, 2)
	stores, services := w.three(db)
	for i, s := range stores {
		run(t, s, services[i])
	}
	ctx, stop := context.WithCancel(t.Context())
	var cutting sync.WaitGroup
	cutting.Go(func() {
		for sleep(ctx, 30*time.Millisecond) == nil {
			postgres.cut(t, db.schema)
		}
	})
	targets := map[string]string{"a": once, "b": again, "c": once}
	var all sync.WaitGroup
	for target, remedy := range targets {
		all.Go(func() { w.bringHowever(t, db, services[0], remedy, target) })
	}
	all.Wait()
	stop()
	cutting.Wait()
	if err := w.honest(t.Context(), stores[0], targets); err != nil {
		t.Error(err)
	}
}

// bringHowever does not mind errors of the database. Time goes by, so that the
// leases of those who could not release them end.
func (w *workspace) bringHowever(t *testing.T, db *database, s *approvals.Service, remedy, target string) {
	deadline := time.Now().Add(time.Minute)
	for err := errors.New("not yet"); err != nil; db.pass(time.Second) {
		if time.Now().After(deadline) {
			t.Error(err)
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err = w.bring(ctx, s, remedy, target)
		cancel()
	}
}

func TestTheDatabaseGoesAwayInTheMiddleOfACall(t *testing.T) {
	db := postgresDatabase(t)
	w := newWorkspace(t, 1)
	s := db.open(func(o *store.Options) { o.Deadline = time.Second })
	inCall, goOn := make(chan struct{}), make(chan struct{})
	service, err := w.service(s, s, "r1", db.now)
	if err != nil {
		t.Fatal(err)
	}
	w.during = func() { close(inCall); <-goOn }
	r := w.asked(t, service, once, "a")
	if _, err := service.Vote(t.Context(), click(r, "bruno", approvals.Approve)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- service.Work(context.Background(), approvals.Job{Kind: approvals.JobExecute, Request: r.ID})
	}()
	<-inCall
	postgres.signal(t, syscall.SIGSTOP)
	_, whileAway := service.Vote(t.Context(), click(r, "carla", approvals.Approve))
	close(goOn) // the call is made, and cannot be recorded
	_, alsoAway := s.Request(t.Context(), r.ID)
	postgres.signal(t, syscall.SIGCONT)
	if whileAway == nil || alsoAway == nil {
		t.Errorf("a database that is stopped answers: %v, %v", whileAway, alsoAway)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := find(t, s, r.ID); got.State != approvals.Verified || got.Run.Steps[0].Result != "done" {
		t.Errorf("it is %s, and tells %+v", got.State, got.Run.Steps)
	}
	if err := w.honest(t.Context(), s, map[string]string{"a": once}); err != nil {
		t.Error(err)
	}
}

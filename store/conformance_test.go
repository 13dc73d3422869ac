package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tandem/approvals"
	"tandem/i18n"
	"tandem/store"
)

// each runs a test on SQLite and on PostgreSQL.
func each(t *testing.T, test func(t *testing.T, db *database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteFile(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresDatabase(t)) })
}

// database is one that a test opens, as often as it has replicas.
type database struct {
	tb   testing.TB
	opts store.Options

	schema string // on PostgreSQL

	mu      sync.Mutex
	skipped time.Duration
}

func sqliteFile(tb testing.TB) *database {
	db := &database{tb: tb}
	db.opts = store.Options{SQLite: filepath.Join(tb.TempDir(), "approvals.db"), Now: db.now}
	return db.quick()
}

func postgresDatabase(tb testing.TB) *database {
	db := &database{tb: tb}
	db.opts = store.Options{Now: db.now}
	db.opts.Postgres, db.schema = postgres.get(tb).schema(tb)
	return db.quick()
}

// quick has nobody wait for jobs longer than a test likes, and lets a busy machine
// be slow.
func (db *database) quick() *database {
	db.opts.Deadline = time.Minute
	db.opts.Poll, db.opts.Retry, db.opts.Sweep = 50*time.Millisecond, 50*time.Millisecond, 200*time.Millisecond
	return db
}

func (db *database) now() time.Time {
	db.mu.Lock()
	defer db.mu.Unlock()
	return time.Now().Add(db.skipped)
}

// pass has time go by.
func (db *database) pass(d time.Duration) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.skipped += d
}

// open opens the database until the test ends.
func (db *database) open(change ...func(*store.Options)) *store.Store {
	db.tb.Helper()
	o := db.opts
	for _, f := range change {
		f(&o)
	}
	s, err := store.Open(db.tb.Context(), o)
	if err != nil {
		db.tb.Fatal(err)
	}
	db.tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			db.tb.Error(err)
		}
	})
	return s
}

var start = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// request is a pending one, with something in every field that is easy to lose.
func request(id, target string) approvals.Request {
	return approvals.Request{
		ID: id, State: approvals.Pending, Fingerprint: "f" + id, Check: "VLT-001", Reason: "it is down",
		Plan: approvals.Plan{
			Remedy: "kv-undelete", Service: "worker", Target: target, Params: map[string]string{"path": "a/b"}, Risk: approvals.Low,
			Does:  i18n.Text{EN: "Undelete", PT: "Restaurar"},
			Calls: []approvals.Call{{System: "vault", What: "PUT /v1/secret"}},
		},
		Requester: approvals.Voter{ID: "ana", Keys: []string{"person:ana"}},
		Terms:     approvals.Terms{Quorum: 2, Patience: time.Hour, Approvers: approvals.Who{Groups: []string{"sre"}}},
		Place:     approvals.Place{Channel: "C1", Thread: "1.1"}, Lang: "pt-BR",
		Asked: start, Expires: start.Add(time.Hour),
	}
}

func note(id string, d approvals.Deed) approvals.Note {
	return approvals.Note{At: start, Request: id, Deed: d, Actor: "ana", Detail: map[string]string{"b": "2", "a": "1"}}
}

// insert stores a new request.
func insert(t testing.TB, s *store.Store, r approvals.Request) approvals.Request {
	t.Helper()
	return put(t, s, approvals.Change{Request: &r, Notes: []approvals.Note{note(r.ID, approvals.DeedAsked)}})
}

// put commits a change of one request, and reads it again.
func put(t testing.TB, s *store.Store, c approvals.Change) approvals.Request {
	t.Helper()
	commit(t, s, c)
	return find(t, s, c.Request.ID)
}

func commit(t testing.TB, s *store.Store, c approvals.Change) approvals.Entry {
	t.Helper()
	e, err := s.Commit(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func find(t testing.TB, s *store.Store, id string) approvals.Request {
	t.Helper()
	r, err := s.Request(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func trail(t testing.TB, s *store.Store, f approvals.TrailFilter) []approvals.Entry {
	t.Helper()
	entries, err := s.Trail(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		want := request("r1", "vault:a")
		got := insert(t, s, want)
		want.Version = 1
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		got.State, got.Votes = approvals.Approved, []approvals.Vote{{Voter: approvals.Voter{ID: "bruno"}, Choice: approvals.Approve, At: start}}
		again := put(t, s, approvals.Change{Request: &got, Notes: []approvals.Note{note("r1", approvals.DeedVoted)}})
		got.Version = 2
		if diff := cmp.Diff(got, again); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Request(t.Context(), "r2"); !errors.Is(err, approvals.ErrNotFound) {
			t.Errorf("an unknown request is %v", err)
		}
		other := db.open()
		if diff := cmp.Diff(got, find(t, other, "r1")); diff != "" {
			t.Errorf("another process reads something else: %s", diff)
		}
	})
}

func TestCommitReturnsTheEndOfTheChain(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		if e := commit(t, s, approvals.Change{}); e.Number != 0 {
			t.Errorf("an empty chain ends with %d", e.Number)
		}
		r := request("r1", "vault:a")
		e := commit(t, s, approvals.Change{Request: &r, Notes: []approvals.Note{note("r1", approvals.DeedAsked), note("", approvals.DeedFroze)}})
		all := trail(t, s, approvals.TrailFilter{})
		if len(all) != 2 || e.Number != 2 || e.Hash != all[1].Hash {
			t.Fatalf("it ends with %+v, and holds %+v", e, all)
		}
		if !all[0].Intact(approvals.Genesis) || !all[1].Intact(all[0].Hash) {
			t.Error("the chain is not whole")
		}
		if all[0].State != approvals.Pending || all[0].Row == "" || all[1].State != "" || all[1].Row != "" {
			t.Errorf("the entries do not say what the request became: %+v", all)
		}
		if e := commit(t, s, approvals.Change{Jobs: []approvals.Job{{Kind: approvals.JobShow, Request: "r1"}}}); e.Hash != all[1].Hash {
			t.Error("a change without a note says another end")
		}
	})
}

func TestConflictsWriteNothing(t *testing.T) {
	for name, change := range map[string]func(r approvals.Request) approvals.Change{
		"an older version": func(r approvals.Request) approvals.Change {
			r.Version--
			return approvals.Change{Request: &r}
		},
		"a newer version": func(r approvals.Request) approvals.Change {
			r.Version++
			return approvals.Change{Request: &r}
		},
		"an insert of what is there": func(r approvals.Request) approvals.Change {
			r.Version, r.State = 0, approvals.Expired
			return approvals.Change{Request: &r}
		},
		"an update of what is not there": func(r approvals.Request) approvals.Change {
			r.ID = "nobody"
			return approvals.Change{Request: &r}
		},
		"a second open request for a target": func(approvals.Request) approvals.Change {
			r := request("r2", "vault:a")
			return approvals.Change{Request: &r}
		},
		"a second request in the way of a first that is written": func(r approvals.Request) approvals.Change {
			r.State = approvals.Approved
			other := request("r2", "vault:a")
			return approvals.Change{Request: &r, Also: &other}
		},
		"an ended request that would be open again": func(approvals.Request) approvals.Change {
			r := request("ended", "vault:a")
			r.Version = 1
			return approvals.Change{Request: &r}
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *database) {
				s := db.open()
				ended := request("ended", "vault:a")
				ended.State = approvals.Denied
				insert(t, s, ended)
				before := insert(t, s, request("r1", "vault:a"))
				before = put(t, s, approvals.Change{Request: &before, Notes: []approvals.Note{note("r1", approvals.DeedVoted)}})
				c := change(before)
				c.Freeze = &approvals.Freeze{Target: "*", By: "ana", At: start}
				c.Card = &approvals.CardChange{Request: "r1", Card: approvals.Card{Channel: "C1", TS: "9"}}
				for _, r := range []*approvals.Request{c.Request, c.Also} {
					if r != nil {
						c.Notes = append(c.Notes, note(r.ID, approvals.DeedVoted))
					}
				}
				if _, err := s.Commit(t.Context(), c); !errors.Is(err, approvals.ErrConflict) {
					t.Fatalf("got %v", err)
				}
				if diff := cmp.Diff(before, find(t, s, "r1")); diff != "" {
					t.Errorf("it was changed: %s", diff)
				}
				if n := len(trail(t, s, approvals.TrailFilter{})); n != 3 {
					t.Errorf("there are %d entries", n)
				}
				if frozen, err := s.Freezes(t.Context()); err != nil || len(frozen) > 0 {
					t.Errorf("it froze %v, %v", frozen, err)
				}
			})
		})
	}
}

func TestAChangeNeedsANoteAboutEachRequest(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		r, other := request("r1", "vault:a"), request("r2", "vault:b")
		if _, err := s.Commit(t.Context(), approvals.Change{Request: &r, Also: &other, Notes: []approvals.Note{note("r1", approvals.DeedAsked)}}); err == nil {
			t.Error("it is written without a note")
		}
	})
}

func TestOneTakesThePlaceOfAnother(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		r := insert(t, s, request("r1", "vault:a"))
		r.State, r.ReplacedBy = approvals.Superseded, "r2"
		next := request("r2", "vault:a")
		commit(t, s, approvals.Change{Request: &r, Also: &next, Notes: []approvals.Note{
			note("r1", approvals.DeedState), note("r2", approvals.DeedAsked),
		}})
		if got := find(t, s, "r1"); got.State != approvals.Superseded || got.Version != 2 {
			t.Errorf("the first is %s, version %d", got.State, got.Version)
		}
		if got := find(t, s, "r2"); got.State != approvals.Pending || got.Version != 1 {
			t.Errorf("the second is %s, version %d", got.State, got.Version)
		}
		entries := trail(t, s, approvals.TrailFilter{Request: "r2"})
		if len(entries) != 1 || entries[0].State != approvals.Pending {
			t.Errorf("of the second it tells %+v", entries)
		}
	})
}

func TestACardIsNoChangeOfTheRequest(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		r := insert(t, s, request("r1", "vault:a"))
		r.Card = approvals.Card{Channel: "C1", TS: "5.5", Shown: 1}
		commit(t, s, approvals.Change{Card: &approvals.CardChange{Request: "r1", Card: r.Card}})
		if diff := cmp.Diff(r, find(t, s, "r1")); diff != "" {
			t.Error(diff)
		}
		r = put(t, s, approvals.Change{Request: &r, Notes: []approvals.Note{note("r1", approvals.DeedVoted)}})
		if r.Card.TS != "5.5" {
			t.Error("the card is lost with the next change")
		}
		gone := &approvals.CardChange{Request: "nobody"}
		if _, err := s.Commit(t.Context(), approvals.Change{Card: gone}); !errors.Is(err, approvals.ErrNotFound) {
			t.Errorf("a card of nobody's: %v", err)
		}
	})
}

func TestLists(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		for i, change := range []func(*approvals.Request){
			func(*approvals.Request) {},
			func(r *approvals.Request) { r.State = approvals.Verified },
			func(r *approvals.Request) { r.Requester.ID = "bruno" },
			func(r *approvals.Request) { r.Plan.Service = "orchestrator" },
			func(r *approvals.Request) { r.Place.Channel = "C2" },
			func(r *approvals.Request) { r.State, r.Plan.Target = approvals.Denied, "vault:0" },
		} {
			r := request(fmt.Sprintf("r%d", i), fmt.Sprintf("vault:%d", i))
			r.Asked = start.Add(time.Duration(i/2) * time.Second) // two in the same instant
			change(&r)
			insert(t, s, r)
			if i < 3 { // r0 and r2 have shown all, r1 not
				shown := int64(i + 1 - i%2)
				commit(t, s, approvals.Change{Card: &approvals.CardChange{Request: r.ID, Card: approvals.Card{
					Channel: "C1", TS: r.ID, Shown: shown,
				}}})
			}
		}
		for name, tc := range map[string]struct {
			f    approvals.Filter
			want []string
		}{
			"all, the latest first": {approvals.Filter{}, []string{"r5", "r4", "r3", "r2", "r1", "r0"}},
			"limit":                 {approvals.Filter{Limit: 2}, []string{"r5", "r4"}},
			"state":                 {approvals.Filter{States: []approvals.State{approvals.Verified}}, []string{"r1"}},
			"states, some ended":    {approvals.Filter{States: []approvals.State{approvals.Pending, approvals.Denied}}, []string{"r5", "r4", "r3", "r2", "r0"}},
			"open":                  {approvals.Filter{States: approvals.Open()}, []string{"r4", "r3", "r2", "r0"}},
			"requester":             {approvals.Filter{Requester: "bruno"}, []string{"r2"}},
			"target":                {approvals.Filter{Target: "vault:0"}, []string{"r5", "r0"}},
			"open for a target":     {approvals.Filter{Target: "vault:0", States: approvals.Open(), Limit: 1}, []string{"r0"}},
			"service":               {approvals.Filter{Service: "orchestrator"}, []string{"r3"}},
			"channel":               {approvals.Filter{Channel: "C2"}, []string{"r4"}},
			"card":                  {approvals.Filter{Card: "r2", Channel: "C1"}, []string{"r2"}},
			"card elsewhere":        {approvals.Filter{Card: "r2", Channel: "C2"}, nil},
			"since":                 {approvals.Filter{Since: start.Add(time.Second)}, []string{"r5", "r4", "r3", "r2"}},
			"behind":                {approvals.Filter{Behind: true}, []string{"r5", "r4", "r3", "r1"}},
			"behind and pending":    {approvals.Filter{Behind: true, States: []approvals.State{approvals.Pending}}, []string{"r4", "r3"}},
			"nothing":               {approvals.Filter{Requester: "' OR 1=1 --"}, nil},
			"no text at all":        {approvals.Filter{Requester: "a\x00b\xff"}, nil},
		} {
			found, err := s.Requests(t.Context(), tc.f)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			var got []string
			for _, r := range found {
				got = append(got, r.ID)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
}

func TestANoteAloneLeavesTheCardBehind(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		insert(t, s, request("r1", "vault:a"))
		commit(t, s, approvals.Change{Card: &approvals.CardChange{Request: "r1", Card: approvals.Card{Channel: "C1", TS: "5.5", Shown: 1}}})
		behind := func() int {
			found, err := s.Requests(t.Context(), approvals.Filter{Behind: true})
			if err != nil {
				t.Fatal(err)
			}
			return len(found)
		}
		if n := behind(); n != 0 {
			t.Errorf("%d are behind", n)
		}
		commit(t, s, approvals.Change{Notes: []approvals.Note{note("r1", approvals.DeedRefused)}})
		if n := behind(); n != 1 {
			t.Errorf("after a refusal %d are behind", n)
		}
	})
}

func TestTrailIsReadInPages(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		const entries = 2100 // more than two pages of the store
		var notes []approvals.Note
		for i := range entries {
			notes = append(notes, note([]string{"r1", "r2", ""}[i%3], approvals.DeedRefused))
		}
		commit(t, s, approvals.Change{Notes: notes})
		all := trail(t, s, approvals.TrailFilter{})
		if len(all) != entries {
			t.Fatalf("read %d", len(all))
		}
		before := approvals.Genesis
		for i, e := range all {
			if e.Number != int64(i+1) || !e.Intact(before) {
				t.Fatalf("entry %d is not what was sealed", i+1)
			}
			before = e.Hash
		}
		var got []approvals.Entry
		for after := int64(0); ; {
			some := trail(t, s, approvals.TrailFilter{After: after, Limit: 300})
			if len(some) == 0 {
				break
			}
			got, after = append(got, some...), some[len(some)-1].Number
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Error(diff)
		}
		if of := trail(t, s, approvals.TrailFilter{Request: "r2", After: 2}); len(of) != entries/3-1 {
			t.Errorf("of one request it reads %d", len(of))
		}
	})
}

func TestFreezes(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		f := approvals.Freeze{Target: "worker", By: "ana", Reason: "a release", At: start}
		all := approvals.Freeze{Target: approvals.Everything, By: "terminal:root", At: start.Add(time.Second)}
		commit(t, s, approvals.Change{Freeze: &f, Notes: []approvals.Note{note("", approvals.DeedFroze)}})
		commit(t, s, approvals.Change{Freeze: &all, Notes: []approvals.Note{note("", approvals.DeedFroze)}})
		holds := func(want ...approvals.Freeze) {
			t.Helper()
			got, err := s.Freezes(t.Context())
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		}
		holds(f, all)
		f.Reason, f.At = "another", start.Add(2*time.Second)
		commit(t, s, approvals.Change{Freeze: &f, Notes: []approvals.Note{note("", approvals.DeedFroze)}})
		holds(all, f)
		commit(t, s, approvals.Change{Unfreeze: "nothing"})
		commit(t, s, approvals.Change{Unfreeze: approvals.Everything})
		holds(f)
	})
}

func TestLeases(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s, other := db.open(), db.open()
		hold := func(s *store.Store, owner string, want bool) {
			t.Helper()
			got, err := s.Hold(t.Context(), "target:a", owner, db.now().Add(30*time.Second))
			if err != nil || got != want {
				t.Errorf("%s holds it: %t, %v; want %t", owner, got, err, want)
			}
		}
		release := func(s *store.Store, owner string) {
			t.Helper()
			if err := s.Release(t.Context(), "target:a", owner); err != nil {
				t.Error(err)
			}
		}
		hold(s, "a", true)
		hold(s, "a", true)
		hold(other, "b", false)
		release(other, "b")
		hold(other, "b", false)
		release(s, "a")
		hold(other, "b", true)
		db.pass(31 * time.Second)
		hold(s, "a", true)
		hold(other, "b", false)
		release(other, "b")
		hold(other, "b", false)
	})
}

func TestManyWantOneLease(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		replicas := []*store.Store{db.open(), db.open(), db.open()}
		var all sync.WaitGroup
		var mu sync.Mutex
		holders := 0
		for i := range 30 {
			all.Go(func() {
				ok, err := replicas[i%3].Hold(t.Context(), "sweep", fmt.Sprint(i), db.now().Add(time.Minute))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if ok {
					holders++
				}
			})
		}
		if all.Wait(); holders != 1 {
			t.Errorf("%d hold it", holders)
		}
	})
}

// TestChangesThatComeAtOnce has good changes and bad ones written together: each
// ends as it would alone.
func TestChangesThatComeAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		const of = 30
		for i := range of {
			insert(t, s, request(fmt.Sprint("r", i), fmt.Sprint("vault:", i)))
		}
		var all sync.WaitGroup
		do := func(name string, i int, want error, c approvals.Change) {
			all.Go(func() {
				for _, r := range []*approvals.Request{c.Request, c.Also} {
					if r != nil {
						c.Notes = append(c.Notes, note(r.ID, approvals.DeedVoted))
					}
				}
				e, err := s.Commit(t.Context(), c)
				if !errors.Is(err, want) || (want == nil) != (err == nil) {
					t.Errorf("%s %d: %v, want %v", name, i, err, want)
				}
				if err == nil && len(c.Notes) > 0 && e.Request != c.Notes[len(c.Notes)-1].Request {
					t.Errorf("%s %d: the end of the chain is an entry of %q", name, i, e.Request)
				}
			})
		}
		for i := range of {
			good := find(t, s, fmt.Sprint("r", i))
			stale, double := good, good
			stale.Version = 9
			double.ID, double.Version, double.Plan.Target = fmt.Sprint("d", i), 0, fmt.Sprint("double:", i)
			second, busy := request(fmt.Sprint("e", i), fmt.Sprint("second:", i)), request(fmt.Sprint("f", i), good.Plan.Target)
			do("good", i, nil, approvals.Change{Request: &good, Jobs: []approvals.Job{{Kind: approvals.JobShow, Request: good.ID}}})
			do("stale", i, approvals.ErrConflict, approvals.Change{Request: &stale})
			do("busy", i, approvals.ErrConflict, approvals.Change{Request: &busy})
			do("two", i, nil, approvals.Change{Request: &double, Also: &second})
			do("card", i, nil, approvals.Change{Card: &approvals.CardChange{Request: good.ID, Card: approvals.Card{Channel: "C1", TS: "1"}}})
			do("nobody's card", i, approvals.ErrNotFound, approvals.Change{Card: &approvals.CardChange{Request: "nobody"}})
			do("note", i, nil, approvals.Change{Notes: []approvals.Note{note("", approvals.DeedRefused)}})
		}
		all.Wait()
		for i := range of {
			if r := find(t, s, fmt.Sprint("r", i)); r.Version != 2 || r.Card.TS != "1" {
				t.Errorf("%s has version %d and the card %q", r.ID, r.Version, r.Card.TS)
			}
		}
		if n := len(trail(t, s, approvals.TrailFilter{})); n != of*5 {
			t.Errorf("there are %d entries, want %d", n, of*5)
		}
		if b := verify(t, s); b != nil {
			t.Errorf("the audit is broken: %+v", b)
		}
	})
}

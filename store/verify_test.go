package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	_ "github.com/jackc/pgx/v5/stdlib"

	"tandem/approvals"
	"tandem/store"
)

// raw opens the database as somebody who has its password.
func (db *database) raw() *sql.DB {
	db.tb.Helper()
	driver, address := "pgx", db.opts.Postgres
	if db.opts.SQLite != "" {
		driver, address = "sqlite", "file:"+db.opts.SQLite+"?_pragma=busy_timeout(5000)"
	}
	raw, err := sql.Open(driver, address)
	if err != nil {
		db.tb.Fatal(err)
	}
	db.tb.Cleanup(func() { raw.Close() })
	return raw
}

// attacker is somebody who drops the triggers and does what they like.
type attacker struct {
	t  *testing.T
	db *sql.DB
}

func (db *database) attacker(t *testing.T) *attacker {
	a := &attacker{t, db.raw()}
	if db.opts.SQLite == "" {
		a.do("DROP TRIGGER audit_no_change ON audit")
		return a
	}
	for _, name := range []string{"audit_no_update", "audit_no_delete", "audit_no_replace"} {
		a.do("DROP TRIGGER " + name)
	}
	return a
}

func (a *attacker) do(query string, args ...any) {
	a.t.Helper()
	if _, err := a.db.ExecContext(context.Background(), query, args...); err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
}

// entry reads an entry as it stands.
func (a *attacker) entry(number int64) approvals.Entry {
	a.t.Helper()
	e := approvals.Entry{Number: number}
	var note string
	err := a.db.QueryRowContext(context.Background(), "SELECT note, before, hash FROM audit WHERE number = $1", number).Scan(&note, &e.Before, &e.Hash)
	if err == nil {
		err = json.Unmarshal([]byte(note), &e.Note)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	return e
}

// put writes an entry in the place of what is there.
func (a *attacker) put(e approvals.Entry) {
	a.t.Helper()
	note, err := json.Marshal(e.Note)
	if err != nil {
		a.t.Fatal(err)
	}
	a.do("DELETE FROM audit WHERE number = $1", e.Number)
	a.do("INSERT INTO audit (number, request, note, before, hash) VALUES ($1, $2, $3, $4, $5)", e.Number, e.Request, string(note), e.Before, e.Hash)
}

// forged is what somebody would have the audit say.
func forged() approvals.Note {
	return approvals.Note{At: start, Request: "r1", Deed: approvals.DeedVoted, Actor: "bruno", Detail: map[string]string{approvals.KeyChoice: "approve"}}
}

// insertAt moves all from a place on one up, and puts a sealed entry there.
func (a *attacker) insertAt(number, last int64) {
	for n := last; n >= number; n-- {
		a.do("UPDATE audit SET number = $2 WHERE number = $1", n, n+1)
	}
	a.put(approvals.Seal(forged(), number, a.entry(number-1).Hash))
}

// tampering is what an attacker does to a chain of ten entries, about r1 (1, 4,
// 7, 10), r2 (2, 5, 8) and r3 (3, 6, 9).
var tamperings = map[string]struct {
	do   func(a *attacker)
	want approvals.Break // the first
	more int             // behind it
}{
	"a word in a note": {
		func(a *attacker) { a.do("UPDATE audit SET note = replace(note, 'ana', 'eva') WHERE number = 7") },
		approvals.Break{Kind: approvals.BreakChanged, Number: 7, Request: "r1"},
		0,
	},
	"a space in a note": {
		func(a *attacker) { a.do("UPDATE audit SET note = replace(note, '{', '{ ') WHERE number = 7") },
		approvals.Break{Kind: approvals.BreakChanged, Number: 7, Request: "r1"},
		0,
	},
	"no note at all": {
		func(a *attacker) { a.do("UPDATE audit SET note = 'x' WHERE number = 10") },
		approvals.Break{Kind: approvals.BreakChanged, Number: 10, Request: "r1"},
		1, // r1 is not what 7 says
	},
	"whose entry it is": {
		func(a *attacker) { a.do("UPDATE audit SET request = 'r2' WHERE number = 7") },
		approvals.Break{Kind: approvals.BreakChanged, Number: 7, Request: "r2"},
		0,
	},
	"a hash": {
		func(a *attacker) { a.do("UPDATE audit SET hash = before WHERE number = 7") },
		approvals.Break{Kind: approvals.BreakChanged, Number: 7, Request: "r1"},
		0,
	},
	"three notes in a row": {
		func(a *attacker) {
			a.do("UPDATE audit SET note = replace(note, 'ana', 'eva') WHERE number IN (4, 5, 6)")
		},
		approvals.Break{Kind: approvals.BreakChanged, Number: 4, To: 6},
		0,
	},
	"a note, sealed again": {
		func(a *attacker) { a.put(approvals.Seal(forged(), 7, a.entry(6).Hash)) },
		approvals.Break{Kind: approvals.BreakChanged, Number: 7, Request: "r1"},
		0,
	},
	"the first note, sealed again": {
		func(a *attacker) { a.put(approvals.Seal(forged(), 1, approvals.Genesis)) },
		approvals.Break{Kind: approvals.BreakChanged, Number: 1, Request: "r1"},
		0,
	},
	"the first note, sealed to something else": {
		func(a *attacker) { a.put(approvals.Seal(forged(), 1, strings.Repeat("1", 64))) },
		approvals.Break{Kind: approvals.BreakChanged, Number: 1, Request: "r1"},
		0,
	},
	"the last note, sealed again": {
		func(a *attacker) {
			n := a.entry(10).Note
			n.Actor = "eva"
			a.put(approvals.Seal(n, 10, a.entry(9).Hash))
		},
		approvals.Break{Kind: approvals.BreakChanged, Number: 10, Request: "r1"},
		0,
	},
	"an entry gone": {
		func(a *attacker) { a.do("DELETE FROM audit WHERE number = 5") },
		approvals.Break{Kind: approvals.BreakMissing, Number: 5, To: 5},
		0,
	},
	"the first entries gone": {
		func(a *attacker) { a.do("DELETE FROM audit WHERE number < 4") },
		approvals.Break{Kind: approvals.BreakMissing, Number: 1, To: 3},
		0,
	},
	"the last entries gone": {
		func(a *attacker) { a.do("DELETE FROM audit WHERE number > 8") },
		approvals.Break{Kind: approvals.BreakMissing, Number: 9, To: 10},
		2, // r1 and r3 are not what 7 and 6 say
	},
	"all gone": {
		func(a *attacker) { a.do("DELETE FROM audit"); a.do("DELETE FROM requests") },
		approvals.Break{Kind: approvals.BreakMissing, Number: 1, To: 10},
		0,
	},
	"one put in between": {
		func(a *attacker) { a.insertAt(5, 10) },
		approvals.Break{Kind: approvals.BreakInserted, Number: 5, Request: "r1"},
		0,
	},
	"one put in before the last": {
		func(a *attacker) { a.insertAt(10, 10) },
		approvals.Break{Kind: approvals.BreakInserted, Number: 10, Request: "r1"},
		0,
	},
	"one put behind": {
		func(a *attacker) { a.put(approvals.Seal(forged(), 11, a.entry(10).Hash)) },
		approvals.Break{Kind: approvals.BreakInserted, Number: 11, Request: "r1"},
		0,
	},
	"one put behind that does not follow": {
		func(a *attacker) { a.put(approvals.Seal(forged(), 11, approvals.Genesis)) },
		approvals.Break{Kind: approvals.BreakInserted, Number: 11, Request: "r1"},
		0,
	},
	"one put far behind": {
		func(a *attacker) { a.put(approvals.Seal(forged(), 5000, a.entry(10).Hash)) },
		approvals.Break{Kind: approvals.BreakInserted, Number: 5000, Request: "r1"},
		0,
	},
	"one put before all": {
		func(a *attacker) { a.put(approvals.Seal(forged(), 0, approvals.Genesis)) },
		approvals.Break{Kind: approvals.BreakInserted, Number: 0, Request: "r1"},
		0,
	},
	"the head moved back": {
		func(a *attacker) { a.do("UPDATE audit_head SET number = 9, hash = $1", a.entry(9).Hash) },
		approvals.Break{Kind: approvals.BreakInserted, Number: 10, Request: "r1"},
		1, // r1 is not what 7 says
	},
	"a forged row": {
		func(a *attacker) {
			a.do(`UPDATE requests SET body = replace(body, '"pending"', '"approved"') WHERE id = 'r2'`)
		},
		approvals.Break{Kind: approvals.BreakRow, Number: 8, Request: "r2"},
		0,
	},
	"a forged column": {
		func(a *attacker) { a.do(`UPDATE requests SET requester = 'eva' WHERE id = 'r2'`) },
		approvals.Break{Kind: approvals.BreakRow, Number: 8, Request: "r2"},
		0,
	},
	"a row gone": {
		func(a *attacker) { a.do(`DELETE FROM requests WHERE id = 'r2'`) },
		approvals.Break{Kind: approvals.BreakRow, Number: 8, Request: "r2"},
		0,
	},
	"a row of nobody's": {
		func(a *attacker) {
			a.do(`INSERT INTO requests (id, version, state, open, target, service, requester, channel, asked, body, opened, noted)
				SELECT 'r9', version, state, open, 'elsewhere', service, requester, channel, asked, body, opened, noted FROM requests WHERE id = 'r2'`)
		},
		approvals.Break{Kind: approvals.BreakRow, Request: "r9"},
		0,
	},
}

// chain has ten entries.
func chain(t *testing.T, s *store.Store) {
	t.Helper()
	for i := range 10 {
		id := fmt.Sprintf("r%d", i%3+1)
		r := request(id, "vault:"+id)
		if i >= 3 {
			r = find(t, s, id)
		}
		put(t, s, approvals.Change{Request: &r, Notes: []approvals.Note{note(id, approvals.DeedVoted)}})
	}
}

func verify(t *testing.T, s *store.Store) *approvals.Break {
	t.Helper()
	b, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func brokenNow(t *testing.T, s *store.Store) *approvals.Break {
	t.Helper()
	b, err := s.Broken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhoeverChangesTheAuditIsFound(t *testing.T) {
	for name, tc := range tamperings {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *database) {
				s, other := db.open(), db.open()
				chain(t, s)
				if b := verify(t, s); b != nil {
					t.Fatalf("a whole chain is broken: %+v", b)
				}
				tc.do(db.attacker(t))
				if b := brokenNow(t, s); b != nil {
					t.Errorf("nobody has looked yet: %+v", b)
				}
				found := verify(t, s)
				if found == nil {
					t.Fatal("not found")
				}
				if diff := cmp.Diff(tc.want, *found, cmpopts.IgnoreFields(approvals.Break{}, "Found", "What")); diff != "" || found.What == "" {
					t.Fatalf("found %+v: %s", found, diff)
				}
				if diff := cmp.Diff(found, brokenNow(t, other)); diff != "" {
					t.Errorf("another replica hears: %s", diff)
				}
				acknowledged(t, s, found, 1+tc.more)
			})
		})
	}
}

// acknowledged is how a break is put behind: work goes on, and the next one is
// found again.
func acknowledged(t *testing.T, s *store.Store, found *approvals.Break, breaks int) {
	t.Helper()
	e, err := s.Acknowledge(t.Context(), "terminal:root", "a restored backup")
	if err != nil {
		t.Fatal(err)
	}
	if e.Deed != approvals.DeedAcknowledged || e.Actor != "terminal:root" || e.Detail[approvals.KeyReason] != "a restored backup" {
		t.Errorf("the entry is %+v", e)
	}
	if text := e.Detail["break.1"]; !strings.Contains(text, fmt.Sprintf("%q", found.Kind)) {
		t.Errorf("it lists %s", text)
	}
	listed := len(e.Detail) - 1
	if b := brokenNow(t, s); b != nil {
		t.Errorf("it is still broken: %+v", b)
	}
	if b := verify(t, s); b != nil {
		t.Fatalf("it is found again: %+v", b)
	}
	if _, err := s.Acknowledge(t.Context(), "terminal:root", ""); !errors.Is(err, approvals.ErrWhole) {
		t.Errorf("again: %v", err)
	}
	insert(t, s, request("next", "vault:next"))
	if b := verify(t, s); b != nil {
		t.Fatalf("work went on, and then there is %+v", b)
	}
	if listed < breaks {
		t.Errorf("it lists %d breaks, want %d", listed, breaks)
	}
}

func TestALaterBreakIsFoundAgain(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		chain(t, s)
		a := db.attacker(t)
		a.do("UPDATE audit SET note = replace(note, 'ana', 'eva') WHERE number = 7")
		acknowledged(t, s, verify(t, s), 1)
		a.do("UPDATE audit SET note = replace(note, 'eva', 'davi') WHERE number = 7")
		if b := verify(t, s); b == nil || b.Number != 7 {
			t.Errorf("the same entry changed once more: %+v", b)
		}
		if _, err := s.Acknowledge(t.Context(), "ana", ""); err != nil {
			t.Fatal(err)
		}
		a.do("DELETE FROM audit WHERE number = 3")
		if b := verify(t, s); b == nil || b.Kind != approvals.BreakMissing || b.Number != 3 {
			t.Errorf("an earlier entry gone: %+v", b)
		}
	})
}

func TestWhatWasPutRightIsStillSaid(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		chain(t, s)
		a := db.attacker(t)
		was := a.entry(7)
		a.do("UPDATE audit SET note = replace(note, 'ana', 'eva') WHERE number = 7")
		found := verify(t, s)
		a.put(was)
		if diff := cmp.Diff(found, verify(t, s)); diff != "" {
			t.Error(diff)
		}
		acknowledged(t, s, found, 1)
	})
}

func TestTheAuditIsAppendOnly(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s := db.open()
		chain(t, s)
		raw := db.raw()
		for _, query := range []string{
			"UPDATE audit SET note = 'x' WHERE number = 1",
			"DELETE FROM audit WHERE number = 1",
			"INSERT INTO audit (number, request, note, before, hash) VALUES (1, '', '', '', '')",
			map[bool]string{true: "INSERT OR REPLACE INTO audit VALUES (1, '', '', '', '')", false: "TRUNCATE audit"}[db.opts.SQLite != ""],
		} {
			if _, err := raw.ExecContext(t.Context(), query); err == nil {
				t.Errorf("it lets pass: %s", query)
			}
		}
		if b := verify(t, s); b != nil {
			t.Error(b)
		}
	})
}

func TestAVerificationReadsManyPagesWhileOthersWrite(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		s, other := db.open(), db.open()
		for i := range 12 {
			var notes []approvals.Note
			for range 200 {
				notes = append(notes, note("", approvals.DeedRefused))
			}
			r := request(fmt.Sprint("r", i), fmt.Sprint("vault:", i))
			commit(t, s, approvals.Change{Request: &r, Notes: append(notes, note(r.ID, approvals.DeedAsked))})
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for ctx.Err() == nil {
				r := find(t, other, "r1")
				_, err := other.Commit(context.Background(), approvals.Change{Request: &r, Notes: []approvals.Note{note("r1", approvals.DeedVoted)}})
				if err != nil {
					t.Error(err)
				}
			}
		}()
		for range 10 {
			if b := verify(t, s); b != nil {
				t.Errorf("a whole chain is broken: %+v", b)
			}
		}
		stop()
		<-ended
	})
}

package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // the driver named sqlite

	"tandem/approvals"
	"tandem/i18n"
	"tandem/store"
)

// seed fills a database with what a bot would have: seed FILE
func seed(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{SQLite: ts.MkAbs(args[0])})
	ts.Check(err)
	for i, r := range []approvals.Request{seeded("k3xq7m2v9a01", approvals.Denied), seeded("k3xq7m2v9a02", approvals.Pending)} {
		asked := approvals.Note{
			At: r.Asked, Request: r.ID, Deed: approvals.DeedAsked, Actor: "U0ANA00001", Via: "command", Channel: "C0INCIDENT",
			Detail: map[string]string{approvals.KeyReason: fmt.Sprintf(`attempt %d: "quoted", "number":7, <b>ção`, i+1)},
		}
		_, err := s.Commit(ctx, approvals.Change{Request: &r, Notes: []approvals.Note{asked}})
		ts.Check(err)
	}
	ts.Check(s.Close())
}

func seeded(id string, state approvals.State) approvals.Request {
	now := time.Now().UTC().Truncate(time.Millisecond)
	r := approvals.Request{
		ID: id, State: state, Check: "KVS-001", Fingerprint: "f1", Requester: approvals.Voter{ID: "U0ANA00001"},
		Plan: approvals.Plan{
			Remedy: "kv-undelete", Service: "worker", Target: "vault:secret/" + id, Risk: approvals.Low,
			Does:  i18n.Text{EN: "Undelete version 3", PT: "Restaurar a versão 3"},
			Calls: []approvals.Call{{System: "vault", What: "PUT /v1/secret/undelete/worker"}},
		},
		Terms: approvals.Terms{Quorum: 2}, Asked: now, Expires: now.Add(30 * time.Minute),
	}
	if state.Ended() {
		r.Ended, r.Ender, r.Ending = now, "U0BRUNO001", "not now"
	}
	return r
}

// forge runs SQL behind the program's back, without the guards that keep others
// from that: forge FILE SQL
func forge(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	var guards []string
	rows, err := db.Query("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'")
	ts.Check(err)
	for rows.Next() {
		var name string
		ts.Check(rows.Scan(&name))
		guards = append(guards, "DROP TRIGGER "+name)
	}
	ts.Check(rows.Close())
	for _, statement := range append(guards, args[1]) {
		_, err = db.Exec(statement)
		ts.Check(err)
	}
}

// stranger verifies an export as somebody who has nothing but the help: stranger FILE
func stranger(ts *testscript.TestScript, _ bool, args []string) {
	before, number := strings.Repeat("0", 64), 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		number++
		line = strings.TrimSuffix(line, "\n")
		var said struct {
			Number       int
			Before, Hash string
		}
		ts.Check(json.Unmarshal([]byte(line), &said))
		note := line[:strings.LastIndex(line, `,"number":`)] + "}"
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s", before, number, note))
		if said.Number != number || said.Before != before || said.Hash != hex.EncodeToString(sum[:]) {
			ts.Fatalf("line %d does not follow: %s", number, line)
		}
		before = said.Hash
	}
	if number == 0 {
		ts.Fatalf("the export is empty")
	}
}

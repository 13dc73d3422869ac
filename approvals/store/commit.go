package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tandem/approvals"
)

// row is a request as it is written.
type row struct {
	approvals.Request        // with the version that it gets
	was               int64  // the version that must be there; 0: none
	body, hash        string // as stored
}

// Commit implements approvals.Store.
func (s *Store) Commit(ctx context.Context, c approvals.Change) (approvals.Entry, error) {
	rows, err := rowsOf(c)
	if err != nil {
		return approvals.Entry{}, err
	}
	var last approvals.Entry
	err = s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		last, err = s.commit(ctx, tx, c, rows)
		return err
	})
	if err != nil {
		return approvals.Entry{}, explain("write to the database of the approvals", err)
	}
	return last, nil
}

// rowsOf makes the rows of a change, and wants a note about each.
func rowsOf(c approvals.Change) ([]row, error) {
	var rows []row
	for _, r := range []*approvals.Request{c.Request, c.Also} {
		if r == nil {
			continue
		}
		if !slices.ContainsFunc(c.Notes, func(n approvals.Note) bool { return n.Request == r.ID }) {
			return nil, fmt.Errorf("no note tells of the change of request %q", r.ID)
		}
		next := row{Request: *r, was: r.Version}
		next.Version++
		body, err := json.Marshal(next.Request)
		if err != nil {
			return nil, fmt.Errorf("marshal request %q: %w", r.ID, err)
		}
		next.body, next.hash = string(body), hashOf(string(body))
		rows = append(rows, next)
	}
	return rows, nil
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// commit writes all parts of a change, the head of the chain locked.
func (s *Store) commit(ctx context.Context, tx *sql.Tx, c approvals.Change, rows []row) (approvals.Entry, error) {
	last, err := s.note(ctx, tx, c.Notes, rows)
	if err != nil {
		return last, err
	}
	if err := putCard(ctx, tx, c.Card); err != nil {
		return last, err
	}
	if err := putFreezes(ctx, tx, c); err != nil {
		return last, err
	}
	return last, s.insertJobs(ctx, tx, c.Jobs)
}

// note seals the notes into the chain, and writes the rows that they tell of.
func (s *Store) note(ctx context.Context, tx *sql.Tx, notes []approvals.Note, rows []row) (approvals.Entry, error) {
	if len(notes) == 0 {
		return lastEntry(ctx, tx)
	}
	head, err := s.lockHead(ctx, tx)
	if err != nil {
		return approvals.Entry{}, err
	}
	entries := seal(head, notes, rows)
	for _, r := range rows {
		if err := putRow(ctx, tx, r, entries); err != nil {
			return approvals.Entry{}, err
		}
	}
	if err := putNoted(ctx, tx, entries, rows); err != nil {
		return approvals.Entry{}, err
	}
	return entries[len(entries)-1], putEntries(ctx, tx, entries)
}

// lockHead reads the end of the chain, and keeps everybody else from going on
// from there. SQLite has its lock since the transaction began.
func (s *Store) lockHead(ctx context.Context, tx *sql.Tx) (approvals.Entry, error) {
	var head approvals.Entry
	err := tx.QueryRowContext(ctx, "SELECT number, hash FROM audit_head WHERE one = 1"+s.kind.lock).Scan(&head.Number, &head.Hash)
	return head, err
}

// seal puts the notes behind the head. What a note's request becomes is in it.
func seal(head approvals.Entry, notes []approvals.Note, rows []row) []approvals.Entry {
	entries := make([]approvals.Entry, 0, len(notes))
	for _, n := range notes {
		n.State, n.Row = "", ""
		for _, r := range rows {
			if r.ID == n.Request {
				n.State, n.Row = r.State, r.hash
			}
		}
		head = approvals.Seal(n, head.Number+1, head.Hash)
		entries = append(entries, head)
	}
	return entries
}

// putRow writes a request by compare-and-swap.
func putRow(ctx context.Context, tx *sql.Tx, r row, entries []approvals.Entry) error {
	var opened, noted int64
	for _, e := range entries {
		if e.Request != r.ID {
			continue
		}
		if noted = e.Number; opened == 0 {
			opened = e.Number
		}
	}
	args := append([]any{r.ID, noted}, columns(r.Request, r.body)...)
	query := `INSERT INTO requests (id, noted, version, state, open, target, service, requester, channel, asked, body, opened)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`
	args = append(args, opened)
	if r.was > 0 {
		query = `UPDATE requests SET noted = $2, version = $3, state = $4, open = $5, target = $6, service = $7, requester = $8,
			channel = $9, asked = $10, body = $11 WHERE id = $1 AND version = $12`
		args[len(args)-1] = r.was
	}
	changed, err := exec(ctx, tx, query, args...)
	if taken(err) || err == nil && changed == 0 {
		return approvals.ErrConflict
	}
	return err
}

// columns are what a request is found by, and its body.
func columns(r approvals.Request, body string) []any {
	open := 0
	if slices.Contains(approvals.Open(), r.State) {
		open = 1
	}
	return []any{
		r.Version, string(r.State), open, safeText(r.Plan.Target), safeText(r.Plan.Service), safeText(r.Requester.ID),
		safeText(r.Place.Channel), r.Asked.UnixMilli(), body,
	}
}

// putNoted tells requests that are not written themselves of entries about them.
func putNoted(ctx context.Context, tx *sql.Tx, entries []approvals.Entry, rows []row) error {
	noted := map[string]int64{}
	for _, e := range entries {
		if e.Request != "" && !slices.ContainsFunc(rows, func(r row) bool { return r.ID == e.Request }) {
			noted[e.Request] = e.Number
		}
	}
	for id, number := range noted {
		if _, err := exec(ctx, tx, "UPDATE requests SET noted = $2 WHERE id = $1", safeText(id), number); err != nil {
			return err
		}
	}
	return nil
}

// putEntries appends to the chain, and moves its head.
func putEntries(ctx context.Context, tx *sql.Tx, entries []approvals.Entry) error {
	const fields = 5
	var places []string
	var args []any
	for _, e := range entries {
		note, err := json.Marshal(e.Note)
		if err != nil {
			return fmt.Errorf("marshal an audit entry: %w", err)
		}
		places = append(places, place(len(args), fields))
		args = append(args, e.Number, safeText(e.Request), string(note), e.Before, e.Hash)
	}
	query := "INSERT INTO audit (number, request, note, before, hash) VALUES " + strings.Join(places, ", ")
	if _, err := exec(ctx, tx, query, args...); taken(err) {
		return &failure{"there are audit entries that the bot did not write: run bot audit verify", err}
	} else if err != nil {
		return err
	}
	last := entries[len(entries)-1]
	changed, err := exec(ctx, tx, "UPDATE audit_head SET number = $1, hash = $2 WHERE one = 1", last.Number, last.Hash)
	if err == nil && changed != 1 {
		return errors.New("the head of the audit chain is gone")
	}
	return err
}

// place is like ($6, $7): n parameters behind those that there are.
func place(behind, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "$" + strconv.Itoa(behind+i+1)
	}
	return "(" + strings.Join(names, ", ") + ")"
}

func putCard(ctx context.Context, tx *sql.Tx, c *approvals.CardChange) error {
	if c == nil {
		return nil
	}
	changed, err := exec(ctx, tx, "UPDATE requests SET card_channel = $2, card_ts = $3, card_shown = $4 WHERE id = $1",
		safeText(c.Request), safeText(c.Card.Channel), safeText(c.Card.TS), c.Card.Shown)
	if err == nil && changed == 0 {
		return approvals.ErrNotFound
	}
	return err
}

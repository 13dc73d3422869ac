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
	"strings"

	"tandem/approvals"
)

// row is a request as it is written.
type row struct {
	approvals.Request        // with the version that it gets
	was               int64  // the version that must be there; 0: none
	body, hash        string // as stored
}

// The statements of a commit.
const (
	selectHead    = "SELECT number, hash FROM audit_head WHERE one = 1"
	insertRequest = `INSERT INTO requests (id, noted, version, state, open, target, service, requester, channel, asked, body, opened)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`
	// What was asked, by whom and where, never changes: so the indexes on it are
	// left alone, and a request that says otherwise is not the one that is there.
	updateRequest = `UPDATE requests SET noted = $2, behind = 1, version = $3, state = $4, open = $5, body = $11
		WHERE id = $1 AND version = $12 AND target = $6 AND service = $7 AND requester = $8 AND channel = $9 AND asked = $10`
	updateNoted = "UPDATE requests SET noted = $2, behind = 1 WHERE id = $1"
	updateCard  = `UPDATE requests SET card_channel = $2, card_ts = $3, card_shown = $4,
		behind = CASE WHEN $3 = '' OR $4 < noted THEN 1 ELSE 0 END WHERE id = $1`
	insertEntries = "INSERT INTO audit (number, request, note, before, hash) VALUES "
	updateHead    = "UPDATE audit_head SET number = $1, hash = $2 WHERE one = 1"
)

// Commit implements approvals.Store. Changes that come at the same time are
// written in one transaction: the disk is waited for once.
func (s *Store) Commit(ctx context.Context, c approvals.Change) (approvals.Entry, error) {
	rows, err := rowsOf(c)
	if err != nil {
		return approvals.Entry{}, err
	}
	t := newTicket(c, rows)
	if err := s.queue.pass(ctx, t, func(batch []*ticket) { s.writeAll(context.WithoutCancel(ctx), batch) }); err != nil {
		return approvals.Entry{}, explain("write to the database of the approvals", err)
	}
	return t.last, nil
}

// writeAll writes tickets together. When that fails each is tried alone, so that
// none fails for another's sake.
func (s *Store) writeAll(ctx context.Context, batch []*ticket) {
	err := s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error { return s.writeBatch(ctx, tx, batch) })
	if err == nil {
		return
	}
	alone := len(batch) == 1 || errors.Is(err, approvals.ErrUnsure)
	for _, t := range batch {
		switch {
		case alone && t.err == nil:
			t.err = err
		case !alone:
			s.writeAll(ctx, []*ticket{t})
		}
	}
}

// writeBatch writes all parts of the changes, the head of the chain locked. One
// that conflicts has written nothing when it is found out, and is left out.
func (s *Store) writeBatch(ctx context.Context, tx *sql.Tx, batch []*ticket) error {
	head, err := s.start(ctx, tx, batch)
	if err != nil {
		return err
	}
	var entries []approvals.Entry
	var jobs []approvals.Job
	var refused error
	for _, t := range batch {
		t.err = s.writeOne(ctx, tx, t, head)
		switch {
		case named(t.err):
			refused = t.err
			continue
		case t.err != nil:
			return t.err
		}
		head, entries, jobs = t.last, append(entries, t.entries...), append(jobs, t.change.Jobs...)
	}
	if refused != nil && len(batch) == 1 { // which may have written its first request
		return refused
	}
	if err := putEntries(ctx, tx, entries); err != nil {
		return err
	}
	return s.insertJobs(ctx, tx, jobs)
}

// start reads the end of the chain, locked when something will be put behind it.
func (s *Store) start(ctx context.Context, tx *sql.Tx, batch []*ticket) (approvals.Entry, error) {
	if slices.ContainsFunc(batch, func(t *ticket) bool { return len(t.change.Notes) > 0 }) {
		return s.lockHead(ctx, tx)
	}
	return lastEntry(ctx, tx)
}

// writeOne writes a change, but for its entries and jobs.
func (s *Store) writeOne(ctx context.Context, tx *sql.Tx, t *ticket, head approvals.Entry) error {
	t.entries = seal(head, t.change.Notes, t.rows)
	if t.last = head; len(t.entries) > 0 {
		t.last = t.entries[len(t.entries)-1]
	}
	for _, r := range t.rows {
		if err := putRow(ctx, tx, r, t.entries); err != nil {
			return err
		}
	}
	if err := putCard(ctx, tx, t.change.Card); err != nil {
		return err
	}
	if err := putNoted(ctx, tx, t.entries, t.rows); err != nil {
		return err
	}
	return putFreezes(ctx, tx, t.change)
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

// lockHead reads the end of the chain, and keeps everybody else from going on
// from there. SQLite has its lock since the transaction began.
func (s *Store) lockHead(ctx context.Context, tx querier) (approvals.Entry, error) {
	var head approvals.Entry
	err := tx.QueryRowContext(ctx, selectHead+s.kind.lock).Scan(&head.Number, &head.Hash)
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
func putRow(ctx context.Context, tx querier, r row, entries []approvals.Entry) error {
	var opened, noted int64
	for _, e := range entries {
		if e.Request != r.ID {
			continue
		}
		if noted = e.Number; opened == 0 {
			opened = e.Number
		}
	}
	query, args := insertRequest, append([]any{r.ID, noted}, columns(r.Request, r.body)...)
	if args = append(args, opened); r.was > 0 {
		query, args[len(args)-1] = updateRequest, r.was
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
func putNoted(ctx context.Context, tx querier, entries []approvals.Entry, rows []row) error {
	noted := map[string]int64{}
	for _, e := range entries {
		if e.Request != "" && !slices.ContainsFunc(rows, func(r row) bool { return r.ID == e.Request }) {
			noted[e.Request] = e.Number
		}
	}
	for id, number := range noted {
		if _, err := exec(ctx, tx, updateNoted, safeText(id), number); err != nil {
			return err
		}
	}
	return nil
}

// together is how many entries one statement appends.
const together = 50

// putEntries appends to the chain, and moves its head.
func putEntries(ctx context.Context, tx querier, entries []approvals.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	for some := range slices.Chunk(entries, together) {
		if err := putSome(ctx, tx, some); err != nil {
			return err
		}
	}
	last := entries[len(entries)-1]
	changed, err := exec(ctx, tx, updateHead, last.Number, last.Hash)
	if err == nil && changed != 1 {
		return errors.New("the head of the audit chain is gone")
	}
	return err
}

func putSome(ctx context.Context, tx querier, entries []approvals.Entry) error {
	var places []string
	var args []any
	for _, e := range entries {
		note, err := json.Marshal(e.Note)
		if err != nil {
			return fmt.Errorf("marshal an audit entry: %w", err)
		}
		n := len(args)
		places = append(places, fmt.Sprintf("($%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5))
		args = append(args, e.Number, safeText(e.Request), string(note), e.Before, e.Hash)
	}
	_, err := exec(ctx, tx, insertEntries+strings.Join(places, ", "), args...)
	if taken(err) {
		return &failure{"there are audit entries that the bot did not write: run bot audit verify", err}
	}
	return err
}

func putCard(ctx context.Context, tx querier, c *approvals.CardChange) error {
	if c == nil {
		return nil
	}
	changed, err := exec(ctx, tx, updateCard,
		safeText(c.Request), safeText(c.Card.Channel), safeText(c.Card.TS), c.Card.Shown)
	if err == nil && changed == 0 {
		return approvals.ErrNotFound
	}
	return err
}

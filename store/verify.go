package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"tandem/approvals"
)

// verifyTime bounds one verification of the whole chain.
const verifyTime = 10 * time.Minute

const (
	selectRecord = "SELECT number, request, note, before, hash FROM audit"
	selectBroken = "SELECT body FROM broken WHERE one = 1"
)

// Broken implements approvals.Store.
func (s *Store) Broken(ctx context.Context) (*approvals.Break, error) {
	var b *approvals.Break
	err := s.again(ctx, func(ctx context.Context) error {
		var err error
		b, err = remembered(ctx, s.reader)
		return err
	})
	return b, explain("look at the audit chain", err)
}

func remembered(ctx context.Context, q querier) (*approvals.Break, error) {
	var body string
	err := q.QueryRowContext(ctx, selectBroken).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	var b approvals.Break
	if err == nil {
		err = json.Unmarshal([]byte(body), &b)
	}
	return &b, err
}

// Verify implements approvals.Chain. It reads all as it was at one instant. A
// break that was found once counts until it is acknowledged, even when somebody
// put right meanwhile what was wrong.
func (s *Store) Verify(ctx context.Context) (*approvals.Break, error) {
	v, err := s.inspection(ctx, false)
	if err != nil {
		return nil, explain("verify the audit chain", err)
	}
	var first *approvals.Break
	err = s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
		open, err := s.openNow(ctx, tx, v)
		if err != nil || len(open) == 0 {
			return err
		}
		first = &open[0]
		body, err := json.Marshal(first)
		if err != nil {
			return err
		}
		_, err = exec(ctx, tx, `INSERT INTO broken (one, body) VALUES (1, $1)
			ON CONFLICT (one) DO UPDATE SET body = excluded.body`, string(body))
		return err
	})
	return first, explain("remember what the verification found", err)
}

// Acknowledge implements approvals.Chain. Work goes on behind whatever is there:
// how the chain looks from that end is acknowledged too.
func (s *Store) Acknowledge(ctx context.Context, who, reason string) (approvals.Entry, error) {
	v, err := s.inspection(ctx, false)
	if err != nil {
		return approvals.Entry{}, explain("verify the audit chain", err)
	}
	further, err := s.inspection(ctx, true)
	if err != nil {
		return approvals.Entry{}, explain("verify the audit chain", err)
	}
	further.acknowledged = v.acknowledged
	var entry approvals.Entry
	err = s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
		open, err := s.openNow(ctx, tx, v)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			return approvals.ErrWhole
		}
		n, err := acknowledgement(union(open, further.open()), who, reason)
		if err != nil {
			return err
		}
		n.At = s.opts.Now()
		if entry, err = s.sealBehindAll(ctx, tx, n); err != nil {
			return err
		}
		_, err = exec(ctx, tx, "DELETE FROM broken")
		return err
	})
	return entry, explain("acknowledge that the audit chain is broken", err)
}

// openNow locks the head, and says which breaks nobody has acknowledged by now.
func (s *Store) openNow(ctx context.Context, tx querier, v *inspection) ([]approvals.Break, error) {
	if _, err := s.lockHead(ctx, tx); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	since, err := collect(ctx, tx, scanRecord, selectRecord+" WHERE number > $1", v.last.number)
	if err != nil {
		return nil, err
	}
	for _, r := range since {
		v.learn(r.entry(r.number))
	}
	open := v.open()
	before, err := remembered(ctx, tx)
	if err == nil && before != nil {
		open = union(open, []approvals.Break{*before})
	}
	return open, err
}

// union appends the breaks that are not there yet.
func union(breaks, more []approvals.Break) []approvals.Break {
	for _, b := range more {
		if !slices.ContainsFunc(breaks, func(o approvals.Break) bool { return spotOf(o) == spotOf(b) }) {
			breaks = append(breaks, b)
		}
	}
	return breaks
}

// sealBehindAll appends a note behind the last entry that is there, also when
// that is not the one that the head names.
func (s *Store) sealBehindAll(ctx context.Context, tx querier, n approvals.Note) (approvals.Entry, error) {
	head, err := s.lockHead(ctx, tx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return head, err
	}
	last, err := lastRecord(ctx, tx)
	if err != nil {
		return head, err
	}
	if last.number > head.Number {
		head.Number, head.Hash = last.number, last.hash
	}
	entries := seal(head, []approvals.Note{n}, nil)
	if _, err := exec(ctx, tx, "INSERT INTO audit_head (one, number, hash) VALUES (1, 0, '') ON CONFLICT DO NOTHING"); err != nil {
		return head, err
	}
	return entries[0], putEntries(ctx, tx, entries)
}

func lastRecord(ctx context.Context, q querier) (record, error) {
	r, err := scanRecord(q.QueryRowContext(ctx, selectRecord+" ORDER BY number DESC LIMIT 1").Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return record{hash: approvals.Genesis}, nil
	}
	return r, err
}

// inspection reads the chain and the requests in one snapshot, page by page. With
// all it takes the last entry that is there for the end of the chain.
func (s *Store) inspection(ctx context.Context, all bool) (*inspection, error) {
	ctx, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	tx, err := s.reader.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	var head record
	err = tx.QueryRowContext(ctx, "SELECT number, hash FROM audit_head WHERE one = 1").Scan(&head.number, &head.hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	last, err := lastRecord(ctx, tx)
	if err != nil {
		return nil, err
	}
	if all && last.number > head.number {
		head = last
	}
	v := inspect(head)
	if err := s.readChain(ctx, tx, v, last.number); err != nil {
		return nil, err
	}
	if !all {
		v.end()
	}
	return v, s.readRows(ctx, tx, v)
}

// readChain goes by windows of numbers: so even an entry that is there twice is seen.
func (s *Store) readChain(ctx context.Context, tx querier, v *inspection, last int64) error {
	query := selectRecord + " WHERE number > $1 AND number <= $2 ORDER BY number"
	for from := int64(-1 << 63); from < last; {
		to := last
		switch {
		case from < 0:
			to = 0
		case from < v.head.number:
			to = min(from+page, v.head.number)
		}
		records, err := pageOf(ctx, s, tx, scanRecord, query, from, to)
		if err != nil {
			return err
		}
		for _, r := range records {
			v.next(r)
		}
		from = to
	}
	return nil
}

// readRows compares each request with what its last entry says.
func (s *Store) readRows(ctx context.Context, tx querier, v *inspection) error {
	query := `SELECT id, version, state, open, target, service, requester, channel, asked, body FROM requests
		WHERE id > $1 ORDER BY id LIMIT $2`
	for after := ""; ; {
		rows, err := pageOf(ctx, s, tx, scanPrint, query, after, page)
		if err != nil {
			return err
		}
		for _, r := range rows {
			v.row(r.id, r.print)
		}
		if len(rows) < page {
			v.rest()
			return nil
		}
		after = rows[len(rows)-1].id
	}
}

// pageOf reads one page within the deadline of one call.
func pageOf[T any](ctx context.Context, s *Store, q querier, scan func(func(...any) error) (T, error), query string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Deadline)
	defer cancel()
	return collect(ctx, q, scan, query, args...)
}

// printed is a stored request with the hash that the audit must have of it.
type printed struct{ id, print string }

// scanPrint hashes the body, and all columns with it when they do not say the same.
func scanPrint(scan func(...any) error) (printed, error) {
	var id, body, state, target, service, requester, channel string
	var version, asked int64
	var open int
	if err := scan(&id, &version, &state, &open, &target, &service, &requester, &channel, &asked, &body); err != nil {
		return printed{}, err
	}
	got := []any{version, state, open, target, service, requester, channel, asked, body}
	var r approvals.Request
	if json.Unmarshal([]byte(body), &r) == nil && r.ID == id && slices.Equal(got, columns(r, body)) {
		return printed{id, hashOf(body)}, nil
	}
	text, err := json.Marshal(append(got, id))
	return printed{id, hashOf(strings.ToValidUTF8(string(text), "?"))}, err
}

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tandem/approvals"
)

// defaultLimit is of a list of requests.
const defaultLimit = 50

const (
	selectRequest = "SELECT body, card_channel, card_ts, card_shown FROM requests"
	selectOne     = selectRequest + " WHERE id = $1"
)

func scanRequest(scan func(...any) error) (approvals.Request, error) {
	var body string
	var card approvals.Card
	if err := scan(&body, &card.Channel, &card.TS, &card.Shown); err != nil {
		return approvals.Request{}, err
	}
	var r approvals.Request
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return r, fmt.Errorf("a stored request is not what was written: run bot audit verify: %w", err)
	}
	r.Card = card
	return r, nil
}

// Request implements approvals.Store.
func (s *Store) Request(ctx context.Context, id string) (approvals.Request, error) {
	found, err := s.find(ctx, selectOne, safeText(id))
	if err == nil && len(found) == 0 {
		return approvals.Request{}, approvals.ErrNotFound
	}
	if err != nil {
		return approvals.Request{}, err
	}
	return found[0], nil
}

// Requests implements approvals.Store. The latest asked comes first.
func (s *Store) Requests(ctx context.Context, f approvals.Filter) ([]approvals.Request, error) {
	query, args := listing(f)
	return s.find(ctx, query, args...)
}

func (s *Store) find(ctx context.Context, query string, args ...any) ([]approvals.Request, error) {
	var found []approvals.Request
	err := s.again(ctx, func(ctx context.Context) error {
		var err error
		found, err = collect(ctx, s.reader, scanRequest, query, args...)
		return err
	})
	return found, explain("read requests", err)
}

// openOrEnded says which, when the states are all of one kind.
func openOrEnded(states []approvals.State) []string {
	open := 0
	for _, s := range states {
		if slices.Contains(approvals.Open(), s) {
			open++
		}
	}
	switch open {
	case len(states):
		return []string{"open = 1"}
	case 0:
		return []string{"open = 0"}
	default:
		return nil
	}
}

// listing is the query of a filter. Where an index is of some rows only, its
// condition is in the query word for word: so both databases see that it serves.
func listing(f approvals.Filter) (string, []any) {
	var where []string
	var args []any
	param := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	if len(f.States) > 0 {
		var names []string
		for _, state := range f.States {
			names = append(names, param(safeText(string(state))))
		}
		where = append(where, "state IN ("+strings.Join(names, ", ")+")")
		where = append(where, openOrEnded(f.States)...)
	}
	for _, equal := range []struct{ column, value string }{
		{"requester", f.Requester}, {"target", f.Target}, {"service", f.Service}, {"channel", f.Channel}, {"card_ts", f.Card},
	} {
		if equal.value != "" {
			where = append(where, equal.column+" = "+param(safeText(equal.value)))
		}
	}
	// What is found by its card, or open, are few: they are sorted, and SQLite is
	// kept from walking through all in their order instead, which the + does.
	order := "asked DESC, opened DESC"
	if slices.Contains(where, "open = 1") || f.Card != "" {
		order = "+asked DESC, +opened DESC"
	}
	if f.Card != "" {
		where = append(where, "card_ts <> ''")
	}
	if !f.Since.IsZero() {
		where = append(where, "asked >= "+param(f.Since.UnixMilli()))
	}
	if f.Behind {
		where = append(where, "behind = 1")
	}
	query := selectRequest
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	limit := f.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	return query + " ORDER BY " + order + " LIMIT " + param(limit), args
}

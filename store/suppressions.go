package store

import (
	"context"
	"time"

	"tandem/watches"
)

// Suppress implements watches.Hushes.
func (s *Store) Suppress(ctx context.Context, x watches.Suppression) error {
	return s.exec(ctx, "keep a suppression", `INSERT INTO suppressions (code, service, owner, who, reason, since, ends)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (code, service) DO UPDATE SET owner = excluded.owner, who = excluded.who, reason = excluded.reason,
			since = excluded.since, ends = excluded.ends`,
		safeText(x.Code), safeText(x.Service), safeText(x.Owner), safeText(x.By), safeText(x.Reason), x.Since.UnixMilli(), x.Until.UnixMilli())
}

// Unsuppress implements watches.Hushes.
func (s *Store) Unsuppress(ctx context.Context, code, service string) error {
	return s.drop(ctx, "end a suppression", "DELETE FROM suppressions WHERE code = $1 AND ($2 = '' OR service = $2) AND ends > $3",
		safeText(code), safeText(service), s.opts.Now().UnixMilli())
}

// Suppressions implements watches.Hushes.
func (s *Store) Suppressions(ctx context.Context, after time.Time) ([]watches.Suppression, error) {
	var all []watches.Suppression
	err := s.again(ctx, func(ctx context.Context) error {
		var err error
		all, err = collect(ctx, s.reader, scanSuppression,
			"SELECT code, service, owner, who, reason, since, ends FROM suppressions WHERE ends > $1 ORDER BY ends, code, service", after.UnixMilli())
		return err
	})
	return all, explain("read the suppressions", err)
}

func scanSuppression(scan func(...any) error) (watches.Suppression, error) {
	var x watches.Suppression
	var since, ends int64
	err := scan(&x.Code, &x.Service, &x.Owner, &x.By, &x.Reason, &since, &ends)
	x.Since, x.Until = moment(since), moment(ends)
	return x, err
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"tandem/i18n"
	"tandem/watches"
)

// How watches are worked.
const (
	watchQueue    = "watches"
	defaultAtOnce = 2
	remindAfter   = time.Minute // a watch that is due for so long has lost its job, or its replica
	alertGarbage  = 7 * 24 * time.Hour
)

const (
	watchColumns = "id, service, channel, every, who, lang, asked, alert, due, claimed, version, memory"
	selectWatch  = "SELECT " + watchColumns + " FROM watches"
	// Of a topic that is there already only what was asked now changes: whoever runs
	// it finds its row as it was.
	putWatch = `INSERT INTO watches (id, topic, service, channel, every, who, lang, asked, alert, due)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (topic) DO UPDATE SET every = excluded.every, who = excluded.who, lang = excluded.lang,
			asked = excluded.asked, alert = excluded.alert, due = excluded.due, channel = excluded.channel`
	claimWatch = `UPDATE watches SET claimed = $2, version = version + 1
		WHERE id = $1 AND version = $3 AND due > 0 AND due <= $4 AND claimed <= $4`
	finishWatch = `UPDATE watches SET memory = $3, claimed = 0, version = version + 1,
			due = CASE WHEN due = CAST($4 AS bigint) THEN CAST($5 AS bigint)
				WHEN CAST($5 AS bigint) = 0 OR due < CAST($5 AS bigint) THEN due ELSE CAST($5 AS bigint) END
		WHERE id = $1 AND version = $2`
	// An alert that is over is forgotten with the run that told it, unless it was
	// heard of again meanwhile.
	forgetAlert = "DELETE FROM watches WHERE id = $1 AND due = 0"
	remindOf    = `UPDATE watches SET reminded = $1 WHERE due > 0 AND due <= $2 AND claimed <= $1 AND reminded <= $2 RETURNING id`
)

// watchArgs are the run of a watch.
type watchArgs struct {
	Watch string `json:"watch"`
}

// Kind implements river.JobArgs.
func (watchArgs) Kind() string { return "watches" }

// remindJob is a job that reminds of a watch when it is due.
func (s *Store) remindJob(id string, due time.Time) river.InsertManyParams {
	return river.InsertManyParams{
		Args: watchArgs{Watch: id}, InsertOpts: &river.InsertOpts{Queue: watchQueue, ScheduledAt: s.after(due)},
	}
}

// PutWatch implements watches.Store.
func (s *Store) PutWatch(ctx context.Context, w watches.Watch) (watches.Watch, error) {
	alert := ""
	if w.Alert != nil {
		text, err := json.Marshal(w.Alert)
		if err != nil {
			return w, fmt.Errorf("marshal an alert: %w", err)
		}
		alert = string(text)
	}
	topic := safeText(w.Topic())
	err := s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var others int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM watches WHERE topic <> $1", topic).Scan(&others); err != nil {
			return err
		}
		if others >= watches.MaxWatches {
			return watches.ErrTooMany
		}
		if _, err := exec(ctx, tx, putWatch, safeText(w.ID), topic, safeText(w.Service), safeText(w.Channel), w.Every.Milliseconds(),
			safeText(w.By), string(w.Lang), w.Asked.UnixMilli(), safeText(alert), w.Due.UnixMilli()); err != nil {
			return err
		}
		var err error
		if w, err = scanWatch(tx.QueryRowContext(ctx, selectWatch+" WHERE topic = $1", topic).Scan); err != nil {
			return err
		}
		_, err = s.jobs.InsertManyFastTx(ctx, tx, []river.InsertManyParams{s.remindJob(w.ID, w.Due)})
		return err
	})
	return w, explain("keep a watch", err)
}

// EndWatch implements watches.Store.
func (s *Store) EndWatch(ctx context.Context, id string) error {
	return s.drop(ctx, "end a watch", "DELETE FROM watches WHERE id = $1", safeText(id))
}

// drop writes one statement that has to change something.
func (s *Store) drop(ctx context.Context, doing, query string, args ...any) error {
	err := s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, query, args...)
		if err == nil && n == 0 {
			return watches.ErrNone
		}
		return err
	})
	return explain(doing, err)
}

// Watches implements watches.Store.
func (s *Store) Watches(ctx context.Context) ([]watches.Watch, error) {
	var all []watches.Watch
	err := s.again(ctx, func(ctx context.Context) error {
		var err error
		all, err = collect(ctx, s.reader, scanWatch, selectWatch+" ORDER BY service, channel, asked, id")
		return err
	})
	return all, explain("read the watches", err)
}

// Claim implements watches.Store.
func (s *Store) Claim(ctx context.Context, id string, until time.Time) (watches.Watch, bool, error) {
	var w watches.Watch
	mine := false
	err := s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		w, err = scanWatch(tx.QueryRowContext(ctx, selectWatch+" WHERE id = $1", safeText(id)).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			mine = false
			return nil
		}
		if err != nil {
			return err
		}
		n, err := exec(ctx, tx, claimWatch, w.ID, until.UnixMilli(), w.Version, s.opts.Now().UnixMilli())
		mine = n == 1
		return err
	})
	if err != nil || !mine {
		return watches.Watch{}, false, explain("claim a watch", err)
	}
	w.Version++
	w.Retaken, w.Claimed = !w.Claimed.IsZero(), until
	return w, true, nil
}

// Finish implements watches.Store.
func (s *Store) Finish(ctx context.Context, w watches.Watch, due time.Time) error {
	memory, err := json.Marshal(w.Memory)
	if err != nil {
		return fmt.Errorf("marshal what a watch remembers: %w", err)
	}
	err = s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := exec(ctx, tx, finishWatch, w.ID, w.Version, safeText(string(memory)), milli(w.Due), milli(due))
		if err == nil && n == 0 {
			return watches.ErrNone
		}
		if err == nil && due.IsZero() && w.Alert != nil && w.Alert.Resolved {
			_, err = exec(ctx, tx, forgetAlert, w.ID)
		}
		if err != nil || due.IsZero() {
			return err
		}
		_, err = s.jobs.InsertManyFastTx(ctx, tx, []river.InsertManyParams{s.remindJob(w.ID, due)})
		return err
	})
	return explain("record the run of a watch", err)
}

// remind makes jobs for watches that are due for long and that nobody runs, and
// forgets alerts that nothing was heard of for long, and suppressions that are over
// for long.
func (s *Store) remind(ctx context.Context) error {
	now := s.opts.Now()
	err := s.transact(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := exec(ctx, tx, "DELETE FROM watches WHERE every = 0 AND claimed <= $1 AND asked < $2", now.UnixMilli(), now.Add(-alertGarbage).UnixMilli()); err != nil {
			return err
		}
		if _, err := exec(ctx, tx, "DELETE FROM suppressions WHERE ends < $1", now.Add(-alertGarbage).UnixMilli()); err != nil {
			return err
		}
		ids, err := collect(ctx, tx, scanText, remindOf, now.UnixMilli(), now.Add(-remindAfter).UnixMilli())
		if err != nil || len(ids) == 0 {
			return err
		}
		params := make([]river.InsertManyParams, 0, len(ids))
		for _, id := range ids {
			params = append(params, s.remindJob(id, time.Time{}))
		}
		_, err = s.jobs.InsertManyFastTx(ctx, tx, params)
		return err
	})
	return explain("remind of watches", err)
}

func scanText(scan func(...any) error) (string, error) {
	var text string
	err := scan(&text)
	return text, err
}

func scanWatch(scan func(...any) error) (watches.Watch, error) {
	var w watches.Watch
	var lang, alert, memory string
	var every, asked, due, claimed int64
	if err := scan(&w.ID, &w.Service, &w.Channel, &every, &w.By, &lang, &asked, &alert, &due, &claimed, &w.Version, &memory); err != nil {
		return w, err
	}
	w.Every, w.Lang = time.Duration(every)*time.Millisecond, i18n.Lang(lang)
	w.Asked, w.Due, w.Claimed = moment(asked), moment(due), moment(claimed)
	if err := json.Unmarshal([]byte(memory), &w.Memory); err != nil {
		return w, &failure{"what a watch remembers is not what was written: end it and ask for it again", err}
	}
	if alert == "" {
		return w, nil
	}
	if err := json.Unmarshal([]byte(alert), &w.Alert); err != nil {
		return w, &failure{"an alert is not what was written: end its watch", err}
	}
	return w, nil
}

// moment is a stored time; zero for none.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// milli is a time as it is stored.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// watcher has watches.Worker do River's jobs.
type watcher struct {
	river.WorkerDefaults[watchArgs]
	store *Store
	does  watches.Worker
}

// Work implements river.Worker.
func (w *watcher) Work(ctx context.Context, job *river.Job[watchArgs]) error {
	log := w.store.opts.Log.With("kind", "watch", "watch", job.Args.Watch, "attempt", job.Attempt)
	return guarded(ctx, log, func() error { return w.does.Work(ctx, job.Args.Watch) })
}

// Timeout implements river.Worker: a run has its own bounds.
func (*watcher) Timeout(*river.Job[watchArgs]) time.Duration { return -1 }

// NextRetry implements river.Worker.
func (w *watcher) NextRetry(job *river.Job[watchArgs]) time.Time { return w.store.retryAt(job.Attempt) }

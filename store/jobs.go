package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"tandem/approvals"
	"tandem/watches"
)

// How jobs are kept and worked.
const (
	jobWorkers     = 8 // at once, of each kind: a kind that is stuck stops no other
	jobTime        = time.Minute
	longestRetry   = time.Minute
	keepDone       = time.Hour
	keepGivenUp    = 24 * time.Hour
	shutdownMargin = 45 * time.Second // for jobs that were cancelled to record what they did
)

// errAgain is all that River hears of a job that failed: what it hears it stores.
var errAgain = errors.New("it is done again: the log says why")

// args are what a job is.
type args struct {
	Request string            `json:"request"`
	Do      approvals.JobKind `json:"do"`
}

// Kind implements river.JobArgs.
func (args) Kind() string { return "approvals" }

// queues have one for each kind: a long execution keeps no card from being shown.
var queues = map[approvals.JobKind]string{
	approvals.JobShow: "show", approvals.JobExecute: "execute", approvals.JobExpire: "expire",
}

// insertJobs adds jobs to a transaction. None is unique: a second one must not be
// dropped for the sake of a first that has read the row already, or whose
// replica was killed. One too many finds that nothing is to be done.
func (s *Store) insertJobs(ctx context.Context, tx *sql.Tx, jobs []approvals.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		queue, known := queues[j.Kind]
		if !known {
			queue = river.QueueDefault
		}
		params[i] = river.InsertManyParams{
			Args:       args{Request: j.Request, Do: j.Kind},
			InsertOpts: &river.InsertOpts{Queue: queue, ScheduledAt: s.after(j.At)},
		}
	}
	_, err := s.jobs.InsertManyFastTx(ctx, tx, params)
	return err
}

// after is a time of the store's clock by the clock of River.
func (s *Store) after(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return time.Now().Add(at.Sub(s.opts.Now()))
}

func (s *Store) riverConfig() *river.Config {
	return &river.Config{
		Logger:                      s.quiet(),
		JobTimeout:                  -1, // each kind has its own
		CompletedJobRetentionPeriod: keepDone,
		CancelledJobRetentionPeriod: keepDone,
		DiscardedJobRetentionPeriod: keepGivenUp,
		FetchPollInterval:           s.opts.Poll,
		FetchCooldown:               min(s.opts.Poll, 100*time.Millisecond),
		SoftStopTimeout:             s.opts.Grace,
	}
}

// Work is who does the jobs. What is nil is left to other replicas.
type Work struct {
	Requests approvals.Worker
	Watches  watches.Worker
	AtOnce   int // runs of watches; zero: 2
}

// Run works jobs, and sweeps while no other replica does, until the context is
// done. Jobs that run then may go on for Options.Grace; after that they are
// cancelled and waited for.
func (s *Store) Run(ctx context.Context, w Work) error {
	config := s.riverConfig()
	config.Workers = river.NewWorkers()
	config.Queues = map[string]river.QueueConfig{}
	if w.Requests != nil {
		river.AddWorker(config.Workers, &worker{store: s, does: w.Requests})
		config.Queues[river.QueueDefault] = river.QueueConfig{MaxWorkers: 1}
		for _, queue := range queues {
			config.Queues[queue] = river.QueueConfig{MaxWorkers: jobWorkers}
		}
	}
	if w.Watches != nil {
		river.AddWorker(config.Workers, &watcher{store: s, does: w.Watches})
		config.Queues[watchQueue] = river.QueueConfig{MaxWorkers: cmp.Or(w.AtOnce, defaultAtOnce)}
	}
	client, err := s.startJobs(ctx, config)
	if err != nil {
		return err
	}
	s.sweep(ctx, w)
	select {
	case <-client.Stopped():
		return nil
	case <-time.After(s.opts.Grace + shutdownMargin):
		return errors.New("jobs did not end in time: another replica takes them up")
	}
}

// startJobs starts to work jobs, and tries again while the database is away.
func (s *Store) startJobs(ctx context.Context, config *river.Config) (*river.Client[*sql.Tx], error) {
	for {
		client, err := river.NewClient(s.driver, config)
		if err != nil {
			return nil, err
		}
		err = client.Start(ctx)
		if ctx.Err() != nil { // it has stopped already
			err = nil
		}
		if err == nil || !transient(err) {
			return client, explain("start to work jobs", err)
		}
		s.opts.Log.WarnContext(ctx, "the jobs wait for the database", "error", explain("start to work jobs", err))
		_ = sleep(ctx, s.opts.Retry)
	}
}

// worker has approvals.Worker do River's jobs.
type worker struct {
	river.WorkerDefaults[args]
	store *Store
	does  approvals.Worker
}

// Work implements river.Worker.
func (w *worker) Work(ctx context.Context, job *river.Job[args]) error {
	log := w.store.opts.Log.With("kind", job.Args.Do, "request", job.Args.Request, "attempt", job.Attempt)
	return guarded(ctx, log, func() error {
		return w.does.Work(ctx, approvals.Job{Kind: job.Args.Do, Request: job.Args.Request})
	})
}

// guarded does a job, and has River hear no more than that it failed.
func guarded(ctx context.Context, log *slog.Logger, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.ErrorContext(ctx, "a job panicked and is done again")
			err = errAgain
		}
	}()
	if err := do(); err != nil {
		log.WarnContext(ctx, "a job failed and is done again", "error", err)
		return errAgain
	}
	return nil
}

// Timeout implements river.Worker: an execution has its own bounds.
func (w *worker) Timeout(job *river.Job[args]) time.Duration {
	if job.Args.Do == approvals.JobExecute {
		return -1
	}
	return jobTime
}

// NextRetry implements river.Worker.
func (w *worker) NextRetry(job *river.Job[args]) time.Time { return w.store.retryAt(job.Attempt) }

// retryAt is when a job that failed so often is done again.
func (s *Store) retryAt(attempt int) time.Time {
	pause := s.opts.Retry << min(max(attempt-1, 0), 10)
	return time.Now().Add(min(pause, longestRetry))
}

// quiet is the log for River, which may say what a driver said: of its warnings
// only the fields pass that are known to hold no such text.
func (s *Store) quiet() *slog.Logger { return slog.New(quiet{s.opts.Log.Handler()}) }

type quiet struct{ slog.Handler }

var quietFields = map[string]bool{"job_id": true, "job_kind": true, "queue": true, "attempt": true, "client_id": true}

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	told := slog.NewRecord(r.Time, r.Level, "jobs: "+r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if quietFields[a.Key] {
			told.AddAttrs(a)
		}
		return true
	})
	return q.Handler.Handle(ctx, told)
}

func (q quiet) WithAttrs([]slog.Attr) slog.Handler { return q }
func (q quiet) WithGroup(string) slog.Handler      { return q }

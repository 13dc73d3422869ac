package store_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/approvals"
	"tandem/store"
)

// benchRounds is how often each figure is taken beside its baseline: a busy
// machine makes single figures worthless.
const benchRounds = 25

func benchEach(b *testing.B, bench func(b *testing.B, open func(testing.TB) *database)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, sqliteFile) })
	b.Run("postgres", func(b *testing.B) { bench(b, postgresDatabase) })
}

// BenchmarkVotes compares votes through the service, each durable when it
// returns, with bare transactions of as many statements on the same database:
// one voter after the other, and eight at once, on as many requests. The goal is
// at least 0.5.
func BenchmarkVotes(b *testing.B) {
	for _, voters := range []int{1, 8} {
		b.Run(fmt.Sprintf("%d at once", voters), func(b *testing.B) {
			benchEach(b, func(b *testing.B, open func(testing.TB) *database) {
				for b.Loop() {
					compareVotes(b, open(b), voters)
				}
			})
		})
	}
}

// perRound is how many votes each voter gives in a round, on requests of a few
// votes each, as a quorum is.
const (
	perRound   = 24
	perRequest = 3
)

func compareVotes(b *testing.B, db *database, voters int) {
	w := newWorkspace(b, 1<<20)
	_, service := w.replica(db, "r1")
	bare := newBare(b, db)
	var votes, bares []time.Duration
	var ratios []float64
	for round := range benchRounds {
		requests := make([]approvals.Request, voters*perRound/perRequest)
		for i := range requests {
			requests[i] = w.asked(b, service, once, fmt.Sprintf("target %d %d", round, i))
		}
		votes = append(votes, took(voters, func(i, n int) {
			r := requests[i*perRound/perRequest+n/perRequest]
			if _, err := service.Vote(b.Context(), click(r, fmt.Sprint("voter", n), approvals.Approve)); err != nil {
				b.Error(err)
			}
		}))
		bares = append(bares, took(voters, func(i, n int) { bare.transact(b, i, round*perRound+n) }))
		ratios = append(ratios, float64(bares[round])/float64(votes[round]))
	}
	ratio := median(ratios) // of rounds beside each other, which saw the same machine
	each := func(d time.Duration) float64 { return float64(voters*perRound) / d.Seconds() }
	b.ReportMetric(ratio, "x-bare")
	b.ReportMetric(each(median(votes)), "votes/s")
	b.ReportMetric(0, "ns/op") // many rounds: no figure of its own
	b.Logf("%d at once: %.0f votes/s, %.0f bare transactions/s, ratio %.2f; goal at least 0.5",
		voters, each(median(votes)), each(median(bares)), ratio)
}

// took is how long so many workers need for a round.
func took(workers int, do func(worker, n int)) time.Duration {
	var all sync.WaitGroup
	begin := time.Now()
	for i := range workers {
		all.Go(func() {
			for n := range perRound {
				do(i, n)
			}
		})
	}
	all.Wait()
	return time.Since(begin)
}

func median[T cmp.Ordered](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// bare makes transactions of as many statements as a vote, through the same
// drivers with the same settings, with nothing else around: a vote reads its
// request twice, and then writes in BEGIN, the head of the chain read, request,
// entry, head and job written, and COMMIT. The rows are as long as those.
type bare struct{ write, read *sql.DB }

// texts are as long as what a vote writes: request, entry, head, job.
var texts = []string{strings.Repeat("r", 1600), strings.Repeat("e", 500), strings.Repeat("h", 64), strings.Repeat("j", 200)}

func newBare(b *testing.B, db *database) *bare {
	b.Helper()
	p := &bare{write: db.bare(b, "&_txlock=immediate", 1)}
	if p.read = p.write; db.schema == "" {
		p.read = db.bare(b, "&_query_only=1", 4)
	}
	if _, err := p.write.ExecContext(b.Context(), "CREATE TABLE bare (id bigint PRIMARY KEY, n text NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	for i := range 16 {
		if _, err := p.write.ExecContext(b.Context(), "INSERT INTO bare VALUES ($1, $2)", -1-i, texts[i%2*2]); err != nil {
			b.Fatal(err)
		}
	}
	return p
}

func (db *database) bare(b *testing.B, more string, connections int) *sql.DB {
	b.Helper()
	driver, address := "pgx", db.opts.Postgres
	if db.schema == "" {
		driver = "sqlite"
		address = "file:" + db.opts.SQLite + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" + more
	} else {
		connections = 10
	}
	opened, err := sql.Open(driver, address)
	if err != nil {
		b.Fatal(err)
	}
	opened.SetMaxOpenConns(connections)
	opened.SetMaxIdleConns(connections)
	b.Cleanup(func() { opened.Close() })
	return opened
}

func (p *bare) transact(b *testing.B, worker, n int) {
	ctx, request, head, fresh := b.Context(), -1-2*worker, -2-2*worker, (worker*1_000_000+n)*2
	var got string
	for range 2 {
		if err := p.read.QueryRowContext(ctx, "SELECT n FROM bare WHERE id = $1", request).Scan(&got); err != nil {
			b.Error(err)
		}
	}
	tx, err := p.write.BeginTx(ctx, nil)
	if err != nil {
		b.Error(err)
		return
	}
	errs := []error{tx.QueryRowContext(ctx, "SELECT n FROM bare WHERE id = $1", head).Scan(&got)}
	for i, id := range []int{request, fresh, head, fresh + 1} {
		query := "UPDATE bare SET n = $2 WHERE id = $1"
		if i%2 == 1 {
			query = "INSERT INTO bare VALUES ($1, $2)"
		}
		_, err := tx.ExecContext(ctx, query, id, texts[i])
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, tx.Commit())...); err != nil {
		b.Error(err)
	}
}

// BenchmarkHistory compares lists and votes on a store with a hundred thousand
// ended requests with the same on a store that has only the latest. The goal is
// at most 1.3.
func BenchmarkHistory(b *testing.B) {
	benchEach(b, func(b *testing.B, open func(testing.TB) *database) {
		for b.Loop() {
			compareHistory(b, open(b), open(b))
		}
	})
}

const (
	history = 100_000
	latest  = 120 // requests that are in both
)

func compareHistory(b *testing.B, long, short *database) {
	long.fill(b, history)
	var stores [2]*store.Store
	var services [2]*approvals.Service
	w := newWorkspace(b, 1<<20)
	for i, db := range []*database{long, short} {
		stores[i], services[i] = w.replica(db, "r1")
		lately(b, stores[i])
		if db.schema != "" { // as the server does by itself after a while
			postgres.say(b, "SET search_path = "+db.schema, "VACUUM ANALYZE requests", "VACUUM ANALYZE audit", "CHECKPOINT")
		}
	}
	now := time.Now()
	worst := 0.0
	for _, f := range []struct {
		name string
		approvals.Filter
	}{
		{"latest", approvals.Filter{}},
		{"open", approvals.Filter{States: approvals.Open(), Limit: 1000}},
		{"open for a target", approvals.Filter{Target: "thing 1", States: approvals.Open(), Limit: 1}},
		{"ended", approvals.Filter{States: []approvals.State{approvals.Verified, approvals.Denied}}},
		{"of a person", approvals.Filter{Requester: "ana"}},
		{"of a service", approvals.Filter{Service: "worker"}},
		{"of a channel", approvals.Filter{Channel: "C1"}},
		{"by card", approvals.Filter{Card: "card-l1", Channel: "C1"}},
		{"of the last hour", approvals.Filter{Since: now.Add(-time.Hour), Limit: 1000}},
		{"behind", approvals.Filter{Behind: true, Limit: 1000}},
	} {
		worst = max(worst, compare(b, f.name, func(i, _ int) {
			if found, err := stores[i].Requests(b.Context(), f.Filter); err != nil || len(found) == 0 {
				b.Error(f.name, len(found), err)
			}
		}))
	}
	var requests [2]approvals.Request
	for i := range requests {
		requests[i] = w.asked(b, services[i], once, "voted on")
	}
	worst = max(worst, compare(b, "vote", func(i, n int) {
		if _, err := services[i].Vote(b.Context(), click(requests[i], fmt.Sprint("voter", n), approvals.Approve)); err != nil {
			b.Error(err)
		}
	}))
	b.ReportMetric(worst, "x-empty")
	b.ReportMetric(0, "ns/op") // many rounds: no figure of its own
}

// compare does something on both stores in turn, and says how much longer it
// takes on the first.
func compare(b *testing.B, what string, do func(i, n int)) float64 {
	b.Helper()
	const times = 151
	var all [2][]time.Duration
	for n := range times {
		for i := range all {
			begin := time.Now()
			do(i, n)
			all[i] = append(all[i], time.Since(begin))
		}
	}
	long, short := median(all[0]), median(all[1])
	ratio := float64(long) / float64(short)
	b.Logf("%s: %v with the history, %v without, ratio %.2f; goal at most 1.3", what, long, short, ratio)
	return ratio
}

// lately are requests that both stores have.
func lately(b *testing.B, s *store.Store) {
	b.Helper()
	for i := range latest {
		r := request(fmt.Sprint("l", i), fmt.Sprint("thing ", i))
		r.Asked = time.Now().UTC().Truncate(time.Millisecond)
		r.Expires = r.Asked.Add(time.Hour)
		if i%2 == 0 {
			r.State = approvals.Verified
		}
		insert(b, s, r)
		if i%3 > 0 {
			commit(b, s, approvals.Change{Card: &approvals.CardChange{Request: r.ID, Card: approvals.Card{
				Channel: "C1", TS: "card-" + r.ID, Shown: 1 << 40,
			}}})
		}
	}
}

// fill writes a history of ended requests into a new database, at once, whose
// audit is whole.
func (db *database) fill(b *testing.B, n int) {
	b.Helper()
	s := db.open()
	raw := db.raw()
	tx, err := raw.BeginTx(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	var requests, entries inserts
	var head approvals.Entry
	head.Hash = approvals.Genesis
	for i := range n {
		r := request(fmt.Sprint("h", i), fmt.Sprint("thing ", i%200))
		r.Version, r.State, r.Asked = 1, approvals.Verified, start.AddDate(-1, 0, 0).Add(time.Duration(i)*time.Minute)
		body, err := json.Marshal(r)
		if err != nil {
			b.Fatal(err)
		}
		opened := head.Number + 1
		for range 3 {
			e := note(r.ID, approvals.DeedVoted)
			e.State, e.Row = r.State, hash(string(body))
			head = approvals.Seal(e, head.Number+1, head.Hash)
			text, err := json.Marshal(head.Note)
			if err != nil {
				b.Fatal(err)
			}
			entries.add(head.Number, head.Request, string(text), head.Before, head.Hash)
		}
		requests.add(r.ID, 1, string(r.State), 0, r.Plan.Target, r.Plan.Service, r.Requester.ID, r.Place.Channel, r.Asked.UnixMilli(),
			string(body), opened, head.Number, 0, "C1", "card-"+r.ID, head.Number)
		if i%500 == 499 || i == n-1 {
			requests.write(b, tx, "requests (id, version, state, open, target, service, requester, channel, asked, body, opened, noted, behind, card_channel, card_ts, card_shown)")
			entries.write(b, tx, "audit (number, request, note, before, hash)")
		}
	}
	if _, err := tx.ExecContext(b.Context(), "UPDATE audit_head SET number = $1, hash = $2", head.Number, head.Hash); err != nil {
		b.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	if broken, err := s.Verify(context.Background()); err != nil || broken != nil {
		b.Fatal(broken, err)
	}
	b.Logf("%d requests with %d entries are verified in %v", n, head.Number, time.Since(begin))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// inserts gathers rows for one statement.
type inserts struct {
	places []string
	args   []any
}

func (w *inserts) add(values ...any) {
	var names []string
	for _, v := range values {
		w.args = append(w.args, v)
		names = append(names, fmt.Sprintf("$%d", len(w.args)))
	}
	w.places = append(w.places, "("+strings.Join(names, ", ")+")")
}

func (w *inserts) write(b *testing.B, tx *sql.Tx, into string) {
	b.Helper()
	if _, err := tx.ExecContext(b.Context(), "INSERT INTO "+into+" VALUES "+strings.Join(w.places, ", "), w.args...); err != nil {
		b.Fatal(err)
	}
	*w = inserts{}
}

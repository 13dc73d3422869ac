package slack

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"tandem/approvals"
	"tandem/commands"
	"tandem/i18n"
	lab "tandem/lab/slack"
)

// What somebody could try against approvals in chat, and where it is tried:
//
//	own request, under any account        script/attack-self
//	not entitled, guessed ids             script/attack-strangers, attack-guess, approval-button
//	bots, guests, other organisations     script/attack-strangers
//	edited messages, spoofed cards, markup script/attack-guess, approval-markup
//	changed plan, truncated plan          script/approval-drift, approval-long
//	changed world                         script/approval-drift, approval-gone
//	forged, old, future, replayed         http_test.go; replayed votes below
//	twice, two ids, two replicas          script/approval-missed, and below
//	the same instant                      below
//	restart                               script/approval-restart
//	secrets                               below
//	approver gone between vote and run    script/approval-standing
//	stale cards                           script/approval-deny, approval-drift, approval-expiry

// onStage plays a conversation without a script.
func onStage(t *testing.T, change ...func(*Options, *lab.Config)) *play {
	t.Helper()
	s := newStage(t)
	w := open(t, s, append([]func(*Options, *lab.Config){s.on}, change...)...)
	return &play{workspace: w, stage: s, refs: map[string]string{}, seen: map[string]bool{}, cards: map[string]string{}}
}

// asks has bruno ask for a remedy, and returns its card.
func (p *play) asks(remedy string) postedCard {
	p.t.Helper()
	p.say(bruno, incidents, "/vault fix "+remedy+" worker")
	p.rest()
	all := p.allCards()
	if len(all) == 0 {
		p.t.Fatalf("there is no card\n%s", p.transcript())
	}
	return all[len(all)-1]
}

func (p *play) reacts(user string, card postedCard, emoji string) {
	if got := p.React(lab.Reacting{User: user, Channel: card.channel, TS: card.TS, Reaction: emoji}); got.Error != "" {
		p.t.Errorf("%s reacts: %s", user, got.Error)
	}
}

func (p *play) request(id string) approvals.Request {
	p.t.Helper()
	r, err := p.stage.store.Request(p.t.Context(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// deeds are what the audit has of a kind.
func (p *play) deeds(kind approvals.Deed) []approvals.Entry {
	p.t.Helper()
	trail, err := p.stage.store.Trail(p.t.Context(), approvals.TrailFilter{})
	if err != nil {
		p.t.Fatal(err)
	}
	var found []approvals.Entry
	before := approvals.Genesis
	for _, e := range trail {
		if !e.Intact(before) {
			p.t.Errorf("entry %d is not as it was sealed", e.Number)
		}
		if before = e.Hash; e.Deed == kind {
			found = append(found, e)
		}
	}
	return found
}

// everything is all that is on the screens of the workspace, also what was there
// before it was edited.
func (p *play) everything() string {
	text := p.transcript()
	for _, c := range p.State("").Calls {
		text += fmt.Sprintln(c.Method, c.Args)
	}
	return text
}

func TestApproveAndDenyInTheSameInstantHaveOneOutcome(t *testing.T) {
	p := onStage(t)
	for round := range 5 {
		p.stage.set(func() { p.stage.status = "fail" })
		card := p.asks("kv-undelete")
		var both sync.WaitGroup
		both.Go(func() { p.reacts(carla, card, "white_check_mark") })
		both.Go(func() { p.reacts(ana, card, "x") })
		both.Wait()
		p.rest()
		r := p.request(card.request)
		if r.State != approvals.Denied && r.State != approvals.Verified {
			t.Fatalf("round %d: the request is %s\n%s", round, r.State, p.transcript())
		}
		if ran := len(r.Run.Steps); ran != map[approvals.State]int{approvals.Verified: 1}[r.State] {
			t.Errorf("round %d: it is %s, and %d calls were made", round, r.State, ran)
		}
		p.waitInThread(incidents, card.TS, "Head of the audit")
	}
	if lost := 10 - len(p.deeds(approvals.DeedVoted)) - len(p.deeds(approvals.DeedRefused)); lost != 0 {
		t.Errorf("the audit lacks %d of the 10 votes", lost)
	}
}

func TestTwoBotsCountAVoteOnce(t *testing.T) {
	p := onStage(t)
	opts := p.bot.opts
	opts.Approvals = p.stage.newService()
	second, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	other := &workspace{Server: p.Server, t: t, bot: second, logs: p.logs}
	other.run()
	defer func() {
		if err := other.stop(); err != nil {
			t.Error(err)
		}
	}()
	p.eventually("both bots are connected", func() bool { return p.State("").Connections == 4 })
	card := p.asks("kv-rollback")
	p.eventually("the card is there for both", func() bool { return p.request(card.request).Card.TS == card.TS })
	for range 4 {
		p.must(p.SetFaults(lab.Faults{Events: lab.EventFaults{Duplicate: 1}}))
		p.reacts(carla, card, "white_check_mark")
		p.eventually("the vote is counted", func() bool { return len(p.request(card.request).Votes) == 1 })
		p.must(p.React(lab.Reacting{User: carla, Channel: card.channel, TS: card.TS, Reaction: "white_check_mark", Remove: true}))
		p.eventually("the vote is taken back", func() bool { return len(p.request(card.request).Votes) == 0 })
	}
	if got := len(p.deeds(approvals.DeedVoted)); got != 4 {
		t.Errorf("%d votes in the audit, want 4", got)
	}
}

// TestAReplayedVoteIsNoSecondVote holds that a signed click that somebody kept
// does nothing when it is sent again, and one that nobody signed nothing at all.
func TestAReplayedVoteIsNoSecondVote(t *testing.T) {
	p := onStage(t, byHTTP)
	p.rewire()
	card := p.asks("kv-rollback")
	payload := fmt.Sprintf(`{"type":"block_actions","team":{"id":"T0NEURALHV"},"user":{"id":%q,"team_id":"T0NEURALHV"},"channel":{"id":%q},`+
		`"container":{"message_ts":%q},"actions":[{"action_id":%q,"value":%q}]}`, carla, card.channel, card.TS, actionApprove, card.request)
	click := letter{
		method: http.MethodPost, path: pathInteractive, contentType: typeForm, at: p.stage.now(), secret: signingSecret,
		body: url.Values{"payload": {payload}}.Encode(),
	}
	forged, old := click, click
	forged.secret, old.at = "guess", click.at.Add(-10*time.Minute)
	for name, l := range map[string]letter{"forged": forged, "old": old} {
		if status, _ := send(t, p.bot.HTTPAddress(), l); status != http.StatusUnauthorized {
			t.Errorf("a click that is %s is answered with %d", name, status)
		}
	}
	p.rest()
	if got := len(p.deeds(approvals.DeedVoted)); got != 0 {
		t.Fatalf("%d votes of clicks that nobody signed", got)
	}
	for range 3 {
		send(t, p.bot.HTTPAddress(), click)
		p.rest()
	}
	if got := len(p.deeds(approvals.DeedVoted)); got != 1 {
		t.Errorf("%d votes in the audit, want 1\n%s", got, p.transcript())
	}
}

func TestSecretsOfARemedyAreNowhere(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics, err := NewApprovalMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	p := onStage(t)
	p.stage.set(func() { p.stage.broken = true })
	card := p.asks("kv-undelete")
	p.reacts(carla, card, "white_check_mark")
	p.rest()
	if r := p.request(card.request); r.State != approvals.Failed {
		t.Fatalf("the request is %s", r.State)
	}
	p.say(carla, incidents, "/vault requests "+card.request)
	p.say(carla, incidents, "/vault audit "+card.request)
	p.rest()
	for _, c := range p.stage.told {
		metrics.Told(c)
	}
	told, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{"slack": p.everything(), "the log": p.logs.String(), "metrics": fmt.Sprint(told)}
	for _, file := range p.stage.files() {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		places[filepath.Base(file)] = string(raw)
	}
	for place, text := range places {
		for _, secret := range []string{canaryValue, canaryError} {
			if strings.Contains(text, secret) {
				t.Errorf("%s has %q", place, secret)
			}
		}
		if text == "" {
			t.Errorf("%s is empty: this test looks at nothing", place)
		}
	}
}

func TestSlackFailsWhileARemedyRuns(t *testing.T) {
	for name, weather := range map[string][]lab.MethodFault{
		"500":          {{Method: methodPostMessage, Status: 500, Times: 2}, {Method: methodUpdate, Status: 500, Times: 1}},
		"429":          {{Method: methodPostMessage, Status: 429, RetryAfter: 1, Times: 1}, {Method: methodUpdate, Status: 429, RetryAfter: 1, Times: 1}},
		"taken anyhow": {{Method: methodPostMessage, Status: 500, Times: 2, AfterEffect: true}},
		"cut":          {{Method: methodPostMessage, Drop: true, Times: 2}, {Method: methodReplies, Status: 500, Times: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := onStage(t)
			card := p.asks("kv-undelete")
			p.stage.set(func() { p.stage.during = func() { p.must(p.SetFaults(lab.Faults{Methods: weather})) } })
			p.reacts(carla, card, "white_check_mark")
			p.rest()
			if r := p.request(card.request); r.State != approvals.Verified {
				t.Fatalf("the request is %s while Slack fails", r.State)
			}
			for range 6 { // jobs that failed are done again
				p.rest()
			}
			p.waitInThread(incidents, card.TS, "Head of the audit")
			p.hasToldOnce(card, "approved · 1 of 1", "were judged again", "▶️", "✔️", "Before and after", "Head of the audit")
			if now := render(p.card("1").Message); !strings.Contains(now, "done, and the checks pass") || strings.Contains(now, "[Approve]") {
				t.Errorf("the card is behind:\n%s", now)
			}
		})
	}
}

// hasToldOnce holds that a thread has each text once.
func (p *play) hasToldOnce(card postedCard, texts ...string) {
	p.t.Helper()
	all := ""
	for _, m := range p.replies(card.channel, card.TS) {
		all += render(m) + "\n"
	}
	for _, text := range texts {
		if got := strings.Count(all, text); got != 1 {
			p.t.Errorf("the thread has %q %d times:\n%s", text, got, all)
		}
	}
}

func TestACardWhosePostWasNotHeardOfIsFoundAgain(t *testing.T) {
	p := onStage(t)
	p.must(p.SetFaults(lab.Faults{Methods: []lab.MethodFault{{Method: methodPostMessage, Status: 500, Times: 1, AfterEffect: true}}}))
	p.say(bruno, incidents, "/vault fix kv-undelete worker")
	for range 3 {
		p.rest()
	}
	if got := p.allCards(); len(got) != 1 {
		t.Fatalf("%d cards, want 1\n%s", len(got), p.transcript())
	}
	card := p.card("1")
	p.reacts(carla, card, "white_check_mark")
	p.rest()
	if r := p.request(card.request); r.State != approvals.Verified || r.Card.TS != card.TS {
		t.Errorf("the request is %s on card %q, the card is %s", r.State, r.Card.TS, card.TS)
	}
}

// TestTheWorstRequestFitsOnACard holds a request that is as long as it can be
// against Slack's limits, in every state.
func TestTheWorstRequestFitsOnACard(t *testing.T) {
	long := strings.Repeat("a&<>\u00e7😀*_`: ", 300)
	r := approvals.Request{
		ID: "k3xq7m2v9a01", Reason: long, Requester: approvals.Voter{ID: ana}, Ending: long, Ender: ana, BrokeGlass: true, Reviews: "k3xq7m2v9a00",
		Replaces: "k3xq7m2v9a00", ReplacedBy: "k3xq7m2v9a02", Fingerprint: strings.Repeat("f", 64), Lang: "en", Asked: noon, Expires: noon,
		Plan: approvals.Plan{
			Remedy: long, Service: long, Target: long, Risk: approvals.High, Does: i18n.Text{EN: long, PT: long},
			Blast: i18n.Text{EN: long, PT: long}, WayBack: i18n.Text{EN: long, PT: long}, Proof: []string{long},
		},
		Terms: approvals.Terms{Quorum: 100},
	}
	for i := range 15 {
		id := fmt.Sprintf("U0PERSON%03d", i)
		r.Terms.Approvers.People = append(r.Terms.Approvers.People, id)
		r.Terms.Approvers.Groups = append(r.Terms.Approvers.Groups, "S"+id)
		r.Votes = append(r.Votes, approvals.Vote{Voter: approvals.Voter{ID: id}, Choice: approvals.Approve, Reason: long, At: noon})
		r.Plan.Calls = append(r.Plan.Calls, approvals.Call{System: "vault", What: long, ByHand: long})
		r.Plan.Why = append(r.Plan.Why, approvals.Evidence{Code: "C", Observed: long, Invocation: long})
		r.Plan.Preconditions = append(r.Plan.Preconditions, approvals.Precondition{Text: i18n.Text{EN: long, PT: long}, Observed: long})
	}
	for _, lang := range []i18n.Lang{i18n.English, i18n.Portuguese} {
		w := wordsIn(t, lang)
		for _, state := range []approvals.State{approvals.Pending, approvals.Verified, approvals.Denied, approvals.Superseded} {
			r.State = state
			p := newBallotPaper(r, stagePolicy(), w)
			checkLimits(t, p.draw())
			if p.sheet == nil {
				t.Error("the plan fits on a card")
			}
		}
		detail := map[string]string{
			approvals.KeyReason: long, approvals.KeyCall: long, approvals.KeyIdentity: long, approvals.KeyResult: long, approvals.KeyWaits: long,
			approvals.KeyApprovers: strings.Join(r.Terms.Approvers.People, ","), approvals.KeyFingerprint: r.Fingerprint,
		}
		for _, deed := range []approvals.Deed{approvals.DeedAsked, approvals.DeedVoted, approvals.DeedJudged, approvals.DeedCalling, approvals.DeedCalled, approvals.DeedState, approvals.DeedProved} {
			var trail []approvals.Entry
			for i := range 40 {
				trail = append(trail, approvals.Entry{Note: approvals.Note{Deed: deed, Actor: ana, Detail: detail, State: approvals.Denied}, Number: int64(i + 1)})
			}
			for _, m := range newBallotPaper(r, stagePolicy(), w).drawLines(trail) {
				checkLimits(t, m.message)
			}
		}
		page := commands.RequestPage(r, nil, "", w)
		for _, m := range drawPage(page, w) {
			checkLimits(t, m)
		}
	}
}

func TestMetricsOfApprovals(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := NewApprovalMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	p := onStage(t)
	p.reacts(bruno, p.asks("kv-undelete"), "white_check_mark")
	p.rest()
	p.reacts(carla, p.card("1"), "white_check_mark")
	p.rest()
	p.stage.set(func() { p.stage.status = "fail" })
	p.reacts(carla, p.asks("kv-rollback"), "x")
	p.say(carla, incidents, "/vault fix kv-undelete worker")
	p.say(bruno, incidents, "/vault freeze")
	p.rest()
	for _, c := range p.stage.told {
		m.Told(c)
	}
	m.Told(approvals.Change{Notes: []approvals.Note{{Deed: approvals.DeedRefused, Detail: map[string]string{"what": "<x>", "why": "<y>"}}}})
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	got := map[string]float64{}
	for name, c := range map[string]prometheus.Counter{
		"own request": m.votes.WithLabelValues("approve", "own_request"), "counted": m.votes.WithLabelValues("approve", "counted"),
		"denied": m.votes.WithLabelValues("deny", "counted"), "pending": m.requests.WithLabelValues("pending", "low"),
		"verified": m.requests.WithLabelValues("verified", "low"), "executing": m.requests.WithLabelValues("executing", "low"),
		"ran": m.executions.WithLabelValues("kv-undelete", "verified"), "asks": m.refusals.WithLabelValues("ask", "not_entitled"),
		"other": m.refusals.WithLabelValues("other", "other"), "froze": m.freezes.WithLabelValues("froze"),
	} {
		got[name] = testutil.ToFloat64(c)
	}
	want := map[string]float64{
		"own request": 1, "counted": 1, "denied": 1, "pending": 1, "verified": 1, "executing": 1, "ran": 1, "asks": 1, "other": 1, "froze": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tandem/lab/faults"
	"tandem/lab/slack"
	"tandem/lab/world"
)

// mending is a fault and the way in which people have it mended.
type mending struct {
	fault, remedy string
	high          bool // two people with a reason each, by command; else one by reaction
	// first is awaited before anything breaks.
	first func(*testing.T)
	// byHand is what a person does with their own identity when the bot asks for it.
	byHand func(*testing.T)
}

// rows are the rows of the runbook's matrix, each mended in its own way; some in
// several. Of a service that has just restarted nobody can tell yet whether its
// renewal task runs.
func rows() []mending {
	return []mending{
		{fault: "renewal-task-dead", remedy: "rollout-restart", first: hasRenewed},
		{fault: "kv-deleted", remedy: "kv-undelete"},
		{fault: "kv-destroyed", remedy: "kv-rollback"},
		{fault: "mongodb-uri-malformed", remedy: "kv-write", byHand: writeGoodURI},
		{fault: "spire-entry-missing", remedy: "spire-entry"},
		{fault: "spire-selector-mismatch", remedy: "spire-entry"},
		{fault: "svid-cached", remedy: "rollout-restart"},
		{fault: "renew-self-denied", remedy: "policy-fix"},
		{fault: "token-dead", remedy: "rollout-restart"},
		{fault: "database-role-missing", remedy: "database-role-write"},
		{fault: "agent-bundle-stale", remedy: "spire-agent-restart"},
		{fault: "verifier-bundle-stale", remedy: "rollout-restart"},
		{fault: "jwks-stale", remedy: "spire-server-restart", high: true},
	}
}

// TestEveryRowIsMendedInChat breaks the lab for real, has Ana ask for the remedy
// with buttons, sees her own approval refused, has others approve, and holds that
// the service recovers, with the proof in the thread.
func TestEveryRowIsMendedInChat(t *testing.T) {
	awaitHealthy(t)
	for _, row := range rows() {
		t.Run(row.fault, func(t *testing.T) {
			fault, err := faults.Find(row.fault)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := fault.Clear(context.WithoutCancel(t.Context()), lab); err != nil {
					t.Error(err)
				}
			})
			if row.first != nil {
				row.first(t)
			}
			if err := fault.Inject(t.Context(), lab); err != nil {
				t.Fatal(err)
			}
			eventually(t, settle, func() error { return isCause(t, fault) })
			mend(t, row, fault)
			awaitHealthy(t)
		})
	}
	out := run(t, "audit", "verify")
	if out.code != 0 {
		t.Errorf("bot audit verify: exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	noSecretIsKept(t)
}

// noSecretIsKept looks for every secret of the lab in all that the remedies left
// behind: the database, the audit, the workspace, the log and the metrics.
func noSecretIsKept(t *testing.T) {
	t.Helper()
	state := lab.State()
	_, left := slackState(t)
	left += botLog(t) + get(t, state.Bot.HealthURL+"/metrics") + run(t, "audit", "export").stdout
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(state.Bot.DatabaseFile + suffix)
		if err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			t.Fatal(err)
		}
		left += string(data)
	}
	if !strings.Contains(left, "tandem-kv-undelete") {
		t.Error("nothing tells of the remedies; this test proves nothing")
	}
	for name, secret := range secretsOf(t, state) {
		if i := strings.Index(left, secret); i >= 0 {
			t.Errorf("%s is kept: …%q…", name, left[max(0, i-200):i])
		}
	}
	if found := regexp.MustCompile(`hvs\.[A-Za-z0-9_-]{20,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.`).FindString(left); found != "" {
		t.Errorf("a token is kept: %s…", found[:12])
	}
}

func secretsOf(t *testing.T, state world.State) map[string]string {
	t.Helper()
	uri, err := url.Parse(state.MongoDB.URI)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := uri.User.Password()
	secrets := map[string]string{
		"MongoDB's password": password, "the root token": state.Vault.RootToken, "the unseal key": state.Vault.UnsealKey,
		"the bot token": state.Slack.BotToken, "the app token": state.Slack.AppToken,
	}
	files, err := filepath.Glob(filepath.Join(state.Bot.RemedySecretsDir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no secret ids: %v", err)
	}
	for _, file := range append(files, state.Bot.VaultTokenFile, state.Bot.AlertsTokenFile) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		secrets[file] = strings.TrimSpace(string(data))
	}
	return secrets
}

// TestProceduresAndTheKillSwitch has the runbook's end-to-end check run as a Job
// after an approval, and sees that nothing of it happens under the kill switch.
func TestProceduresAndTheKillSwitch(t *testing.T) {
	awaitHealthy(t)
	if out := run(t, "freeze", "--reason", "the auditors are here"); out.code != 0 {
		t.Fatalf("bot freeze: exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	say(t, "incidents", "/vault run end-to-end worker")
	frozen := latest(t)
	eventually(t, settle, func() error {
		_, err := newest(t, func(m slack.Message) bool {
			return m.VisibleTo == "U0ANA00001" && m.TS >= frozen && holds(t, m, "the auditors are here")
		})
		return err
	})
	if out := run(t, "unfreeze"); out.code != 0 {
		t.Fatalf("bot unfreeze: exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	for _, procedure := range []string{"end-to-end", "spire-entries", "database-role-write"} {
		t.Run(procedure, func(t *testing.T) { follow(t, procedure) })
	}
}

// follow asks for a procedure, approves it as another person, and awaits its end.
// One that has nothing to do says so.
func follow(t *testing.T, procedure string) {
	t.Helper()
	before, last := len(cards(t)), latest(t)
	say(t, "incidents", "/vault run "+procedure+" orchestrator")
	var card slack.Message
	eventually(t, settle, func() error {
		if all := cards(t); len(all) > before {
			card = all[len(all)-1]
			return nil
		}
		_, err := newest(t, func(m slack.Message) bool { return m.VisibleTo == "U0ANA00001" && m.TS > last && holds(t, m, "🚫") })
		return err
	})
	if card.TS == "" {
		if procedure == "end-to-end" {
			t.Fatal("the end-to-end check was refused")
		}
		return // all is as it is declared: there is nothing to ask for
	}
	react(t, "bruno", card)
	eventually(t, settle, func() error {
		state := request(t, requestOf(card))
		if strings.Contains(state, requestOf(card)+": done") {
			return nil
		}
		return errors.New(state)
	})
	if procedure == "end-to-end" { // whose output the thread has
		eventually(t, settle, func() error { return threadSays(t, card, "test_vault_accepts_the_jwt_svid PASSED") })
	}
}

func mend(t *testing.T, row mending, fault faults.Fault) {
	t.Helper()
	id, card := askInChat(t, row, fault)
	react(t, "ana", card)
	eventually(t, settle, func() error { return refusedPrivately(t, "U0ANA00001", card) })
	if state := request(t, id); !strings.Contains(state, "waits for approval") {
		t.Fatalf("after the requester's own approval: %s", state)
	}
	approve(t, row, id, card)
	if row.byHand != nil {
		eventually(t, settle, func() error { return threadSays(t, card, "vault kv ") })
		row.byHand(t)
	}
	eventually(t, 2*settle, func() error {
		state := request(t, id)
		if strings.Contains(state, id+": done, and the checks pass") {
			return nil
		}
		return fmt.Errorf("request %s: %s", id, state)
	})
	eventually(t, settle, func() error { return threadSays(t, card, `"type":"table"`) })
}

// askInChat diagnoses, and asks for the remedy that the card of the verdict offers. It
// returns the request's id and its card.
func askInChat(t *testing.T, row mending, fault faults.Fault) (id string, card slack.Message) {
	t.Helper()
	before, last := len(cards(t)), latest(t)
	say(t, "incidents", "/vault diagnose "+fault.Service+" --fresh")
	action := "ask/" + fault.Code() + "/" + row.remedy
	var verdict slack.Message
	eventually(t, settle, func() (err error) {
		verdict, err = newest(t, func(m slack.Message) bool { return m.TS > last && holds(t, m, `"action_id":"`+action) })
		return err
	})
	act(t, "click", map[string]string{"user": "ana", "channel": "incidents", "ts": verdict.TS, "action_id": action})
	view := ""
	eventually(t, settle, func() error {
		state, _ := slackState(t)
		for _, v := range state.Views {
			if raw, _ := json.Marshal(v); strings.Contains(string(raw), `"submit":{`) {
				view = v.ID
				return nil
			}
		}
		return fmt.Errorf("no form with a plan: %d views", len(state.Views))
	})
	submit(t, view, "the "+fault.Service+" is down")
	eventually(t, settle, func() error {
		all := cards(t)
		if len(all) == before {
			return fmt.Errorf("no card of a request")
		}
		card = all[len(all)-1]
		id = requestOf(card)
		return nil
	})
	return id, card
}

func react(t *testing.T, user string, card slack.Message) {
	t.Helper()
	act(t, "react", map[string]string{"user": user, "channel": "incidents", "ts": card.TS, "reaction": "white_check_mark"})
}

func submit(t *testing.T, view, reason string) {
	t.Helper()
	post(t, "submit", map[string]any{"user": "ana", "view_id": view, "values": map[string]any{"reason": map[string]any{"reason": reason}}})
}

// approve has others than Ana approve.
func approve(t *testing.T, row mending, id string, card slack.Message) {
	t.Helper()
	if !row.high {
		react(t, "bruno", card)
		return
	}
	for _, user := range []string{"bruno", "carla"} {
		act(t, "say", map[string]string{"user": user, "channel": "incidents", "text": `/vault approve ` + id + ` --reason "looked at both replicas"`})
	}
}

// request is what the terminal tells of a request.
func request(t *testing.T, id string) string {
	t.Helper()
	out := run(t, "requests", id, "--lang", "en")
	if out.code != 0 {
		t.Fatalf("bot requests %s: exit %d\n%s%s", id, out.code, out.stdout, out.stderr)
	}
	return out.stdout
}

// cards are those of all requests, the oldest first.
func cards(t *testing.T) []slack.Message {
	t.Helper()
	state, _ := slackState(t)
	var all []slack.Message
	for _, m := range messages(state) {
		if requestOf(m) != "" {
			all = append(all, m)
		}
	}
	return all
}

// requestOf is the request that a message is the card of, if it is one.
func requestOf(m slack.Message) string {
	var mark struct {
		Type    string            `json:"event_type"`
		Payload map[string]string `json:"event_payload"`
	}
	if json.Unmarshal(m.Metadata, &mark) != nil || mark.Type != "tandem_request" {
		return ""
	}
	return mark.Payload["request"]
}

// latest is the ts of the last message.
func latest(t *testing.T) string {
	t.Helper()
	m, err := newest(t, func(slack.Message) bool { return true })
	if err != nil {
		return ""
	}
	return m.TS
}

// newest is the last message that is meant.
func newest(t *testing.T, is func(slack.Message) bool) (slack.Message, error) {
	t.Helper()
	state, _ := slackState(t)
	var found slack.Message
	for _, m := range messages(state) {
		if m.TS > found.TS && is(m) {
			found = m
		}
	}
	if found.TS == "" {
		return found, fmt.Errorf("no such message")
	}
	return found, nil
}

// refusedPrivately says whether somebody was told alone, after the card, that
// they do not count.
func refusedPrivately(t *testing.T, user string, card slack.Message) error {
	t.Helper()
	_, err := newest(t, func(m slack.Message) bool {
		return m.Ephemeral && m.VisibleTo == user && m.TS > card.TS && holds(t, m, "🚫")
	})
	return err
}

// threadSays says whether the thread that the card is in, or that hangs from it,
// has the words.
func threadSays(t *testing.T, card slack.Message, words string) error {
	t.Helper()
	thread := card.ThreadTS
	if thread == "" {
		thread = card.TS
	}
	_, err := newest(t, func(m slack.Message) bool { return m.ThreadTS == thread && m.TS > card.TS && holds(t, m, words) })
	return err
}

// hasRenewed waits until the worker's renewal task is known to run.
func hasRenewed(t *testing.T) {
	eventually(t, settle, func() error {
		_, view := diagnose(t, "worker")
		if summary := check(t, view, "DBC-003").Summary; !strings.Contains(summary, "every one of") {
			return errors.New(summary)
		}
		return nil
	})
}

// writeGoodURI is a person who writes the secret with an identity of their own.
func writeGoodURI(t *testing.T) {
	client, err := lab.VaultAdmin()
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Logical().WriteWithContext(t.Context(), "secret/data/orchestrator/mongodb", map[string]any{
		"data": map[string]any{"uri": lab.State().MongoDB.URI},
	})
	if err != nil {
		t.Fatal(err)
	}
}

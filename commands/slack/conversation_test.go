package slack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"tandem/commands"
	"tandem/diagnostics"
	lab "tandem/lab/slack"
	"tandem/store"
)

// TestConversations plays what people do in testdata/script and holds that they
// read what is written there. A line that begins with a person's name is a deed:
//
//	ana @ #incidents: /vault diagnose worker
//	ana @ #incidents (thread 2): @tandem diagnose worker
//	ana @ tandem: help
//	ana clicks [Evidence] @ #incidents (message 2)
//	ana chooses [Diagnose this] @ #incidents (message 2)
//	ana submits @ modal: service=worker since=1h
//	ana opens @ home
//	ana clicks [Diagnose] @ home (button 3)
//	ana invites tandem @ #general
//	ana reacts :white_check_mark: @ card 1
//	ana unreacts :white_check_mark: @ card 1
//
// A thread and a message are named by the number of the message in its channel,
// a button on the Home tab by its number among those that say the same, the card
// of a request by the number of the request, and the newest answer that only one
// person sees as "whisper". A line that begins with * is what happens to the
// world: stage_play_test.go has them all.
// The lines below a deed, indented or of tandem, are what came of it, as it is
// when the bot has nothing left to do. With -update they are written anew.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { playFile(t, file) })
	}
}

func playFile(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rules []commands.Rule
	var chat *txtar.File
	var on *stage
	var kept *store.Store
	talks := &talker{}
	for i, part := range archive.Files {
		switch part.Name {
		case "rules":
			if err := json.Unmarshal(part.Data, &rules); err != nil {
				t.Fatalf("rules: %v", err)
			}
		case "approvals": // what it says is for people
			on = newStage(t)
		case "watches": // the same
			on = newStage(t, func(s *stage) { s.status = "pass" })
			on.watch()
		case "runs": // the same
			kept, talks.moves = keepsRuns(t), true
		case "chat":
			chat = &archive.Files[i]
		default:
			t.Fatalf("%s: what is the part %s?", file, part.Name)
		}
	}
	if chat == nil {
		t.Fatalf("%s has no part chat", file)
	}
	w := open(t, talks, func(o *Options, c *lab.Config) {
		o.Access, o.Guide = rules, shelf{}
		if on != nil {
			on.on(o, c)
		}
		if kept != nil {
			o.Runs = kept
		}
	})
	got := (&play{workspace: w, stage: on, talks: talks, refs: map[string]string{}, seen: map[string]bool{}, cards: map[string]string{}}).all(string(chat.Data))
	if *update {
		chat.Data = []byte(got)
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(strings.Split(string(bytes.TrimSpace(chat.Data)), "\n"), strings.Split(strings.TrimSpace(got), "\n")); diff != "" {
		t.Errorf("people read something else; after reading the difference, -update writes it (-want +got):\n%s", diff)
	}
}

// keepsRuns is a database of runs, in which it is always an hour after noon.
func keepsRuns(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{
		SQLite: filepath.Join(t.TempDir(), "runs.db"), Now: func() time.Time { return noon.Add(time.Hour) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// talker finds something wrong with worker, and nothing with the others.
type talker struct {
	moves bool // each diagnosis is a minute after the one before

	mu   sync.Mutex
	done int
	well bool // worker, too
}

func (*talker) Services() []string { return []string{"orchestrator", "service-registry", "worker"} }

func (*talker) Checks() []commands.CheckInfo {
	return []commands.CheckInfo{
		{Code: "TOK-002", Row: 3, Title: both("The token may renew itself", "O token pode se renovar"), Doc: commands.CheckDoc{
			Meaning: both("Whether a policy lets the token renew itself.", "Se uma policy deixa o token se renovar."),
		}},
		{Code: "VLT-001", Row: 1, Title: both("Vault answers and is unsealed", "O Vault responde e está aberto")},
	}
}

func (t *talker) Diagnose(_ context.Context, service string, _ commands.Options) (diagnostics.Report, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := failReport()
	switch {
	case service != "worker":
		r = passReport()
		r.Target = service
	case t.well:
		r = wellAgain(r)
	}
	if t.moves {
		r.At = r.At.Add(time.Duration(t.done) * time.Minute)
		t.done++
	}
	return r, nil
}

// wellAgain is a report in which all that failed passes.
func wellAgain(r diagnostics.Report) diagnostics.Report {
	r.Verdict = diagnostics.Verdict{Status: diagnostics.Pass, Headline: both("worker is healthy", "worker está saudável")}
	for i := range r.Checks {
		if r.Checks[i].Status != diagnostics.Pass {
			r.Checks[i] = diagnostics.Result{Code: r.Checks[i].Code, Title: r.Checks[i].Title, Status: diagnostics.Pass, Summary: both("mended", "consertado")}
		}
	}
	return r
}

func (t *talker) mend(well bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.well = well
}

// play is one conversation while it goes on.
type play struct {
	*workspace
	stage *stage // nil: without approvals
	talks *talker
	cards map[string]string // how the cards of requests looked last, by ts
	told  int               // audit entries that were told
	refs  map[string]string // of runs, which are others each time
	seen  map[string]bool   // the messages that were read already
}

// all plays the deeds of a text and returns the text as it should be.
func (p *play) all(script string) string {
	var out strings.Builder
	for line := range strings.Lines(script) {
		line = strings.TrimRight(line, "\n")
		deed, done := readDeed(line)
		switch {
		case strings.HasPrefix(line, "#"):
			fmt.Fprintf(&out, "\n%s\n", line)
		case strings.HasPrefix(line, "* "):
			fmt.Fprintf(&out, "\n%s\n", line)
			out.WriteString(p.happens(line[2:]))
			out.WriteString(p.news())
		case !done:
			continue // what is read: it is written anew
		default:
			fmt.Fprintf(&out, "\n%s\n", line)
			p.do(deed)
			out.WriteString(p.news())
			out.WriteString(p.views(deed.who))
		}
	}
	return strings.TrimLeft(out.String(), "\n")
}

func (p *play) userID(name string) string {
	for _, person := range p.State("").People {
		if person.Name == name {
			return person.ID
		}
	}
	p.t.Fatalf("nobody is called %s", name)
	return ""
}

// channelID is empty for a direct message that nobody sent yet, and for what is
// no channel.
func (p *play) channelID(name, where string) string {
	for _, c := range p.State("").Channels {
		if c.IsIM && where == "tandem" && c.User == p.userID(name) || "#"+c.Name == where {
			return c.ID
		}
	}
	if strings.HasPrefix(where, "#") {
		p.t.Fatalf("there is no %s", where)
	}
	return ""
}

// roots are the messages of a channel outside threads, without what only one
// person sees.
func (p *play) roots(channel string) []lab.Message {
	return slices.DeleteFunc(p.messages("", channel), func(m lab.Message) bool { return m.Ephemeral })
}

func (p *play) button(channel, ts, text string) string {
	p.t.Helper()
	roots := p.roots(channel)
	at := slices.IndexFunc(roots, func(m lab.Message) bool { return m.TS == ts })
	if at < 0 {
		p.t.Fatalf("there is no message %s", ts)
	}
	return actionIn(p.t.Fatalf, roots[at], text)
}

// news is what can be read since the last time.
func (p *play) news() string {
	type line struct{ ts, text string }
	var lines []line
	for _, c := range p.State("").Channels {
		number := map[string]int{}
		for _, m := range c.Messages {
			if !m.Ephemeral && (m.ThreadTS == "" || m.ThreadTS == m.TS) {
				number[m.TS] = len(number) + 1
			}
		}
		for _, m := range c.Messages {
			if !p.seen[c.ID+m.TS] && (m.User == "U0TANDEM01" || m.User == "USLACKBOT") {
				lines = append(lines, line{m.TS, p.say1(c, m, number)})
			} else if changed := p.changedCard(m); changed != "" {
				lines = append(lines, line{m.TS, changed})
			}
			p.noteCard(m)
			p.seen[c.ID+m.TS] = true
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.ts, b.ts) })
	var out strings.Builder
	for _, l := range lines {
		out.WriteString(l.text)
	}
	return out.String()
}

// say1 is one message as a line of the script, with more lines below it.
func (p *play) say1(c lab.ChannelState, m lab.Message, number map[string]int) string {
	where := "#" + c.Name
	if c.IsIM {
		where = p.name(c.User)
	}
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		where += fmt.Sprintf(" (thread %d)", number[m.ThreadTS])
	} else if !m.Ephemeral {
		where += fmt.Sprintf(" (message %d)", number[m.TS])
	}
	if n := p.cardNumber(m); n > 0 {
		where += fmt.Sprintf(" = card %d", n)
	}
	head := fmt.Sprintf("%s @ %s:", p.name(m.User), where)
	if m.VisibleTo != "" {
		head = fmt.Sprintf("%s → %s only @ %s:", p.name(m.User), p.name(m.VisibleTo), where)
	}
	return p.tidy(head + "\n" + indent(render(m)))
}

func (p *play) name(id string) string {
	if id == "" {
		return "tandem"
	}
	for _, person := range p.State("").People {
		if person.ID == id {
			return person.Name
		}
	}
	if id == "USLACKBOT" {
		return "slackbot"
	}
	return "tandem"
}

// What is another one each time: references, times of messages in addresses,
// and how long ago something was.
var (
	volatile = regexp.MustCompile(`\b[A-Z2-7]{8}\b`)
	ago      = regexp.MustCompile(`(há )\d+s|\d+s( ago| before)`)
	kept     = regexp.MustCompile(`\b` + diagnostics.NewRunID(noon, 0)[:5] + `[0-9a-z]{4}\b`)
	hashes   = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	moment   = regexp.MustCompile(`p\d{16}|\d{10}\.\d{6}|http://127\.0\.0\.1:\d+|<!date\^[^>]*>|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`)
	planned  = regexp.MustCompile(`(next in|próxima em) \d+\S*|(then at|depois às|until|até) [-0-9: ]+ UTC`)
)

func (p *play) tidy(text string) string {
	text = planned.ReplaceAllString(hashes.ReplaceAllString(text, "HASH"), "$1$2 …")
	text = ago.ReplaceAllString(moment.ReplaceAllString(text, "…"), "${1}…s$2")
	text = kept.ReplaceAllStringFunc(text, func(id string) string {
		if p.refs[id] == "" {
			p.refs[id] = fmt.Sprintf("kept%d", len(p.refs)+1)
		}
		return p.refs[id]
	})
	return volatile.ReplaceAllStringFunc(text, func(ref string) string {
		if !strings.ContainsAny(ref, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			return ref
		}
		if p.refs[ref] == "" {
			p.refs[ref] = fmt.Sprintf("RUN%d", len(p.refs)+1)
		}
		return p.refs[ref]
	})
}

func indent(text string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text)) {
		out.WriteString(strings.TrimRight("    "+strings.TrimRight(line, "\n"), " ") + "\n")
	}
	return out.String()
}

// render is what a person reads of a message.
func render(m lab.Message) string {
	var lines []string
	for _, b := range m.Blocks {
		lines = append(lines, renderBlock(b))
	}
	if len(m.Blocks) == 0 {
		lines = append(lines, m.Text)
	}
	for _, f := range m.Files {
		lines = append(lines, "📎 "+f.Name)
	}
	// What would call somebody or link, if it were not escaped, is shown as it is sent.
	const kept = "\x00"
	text := live.ReplaceAllString(strings.Join(lines, "\n"), kept+"$1")
	return strings.ReplaceAll(html.UnescapeString(text), kept, "&lt;")
}

var live = regexp.MustCompile(`&lt;([!@#]|https?:)`)

func renderBlock(b map[string]any) string {
	switch b["type"] {
	case "divider":
		return "────"
	case "table":
		return renderTable(b)
	}
	var lines []string
	if text := plainOf(b["text"]); text != "" {
		lines = append(lines, text)
	}
	fields, _ := b["fields"].([]any)
	for _, f := range fields {
		lines = append(lines, plainOf(f))
	}
	var row []string
	elements, _ := b["elements"].([]any)
	for _, e := range elements {
		row = append(row, plainOf(e))
	}
	if len(row) > 0 {
		lines = append(lines, strings.Join(row, " "))
	}
	for _, part := range []any{b["label"], b["hint"], b["accessory"], b["element"]} {
		if text := plainOf(part); text != "" {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

func renderTable(b map[string]any) string {
	var lines []string
	rows, _ := b["rows"].([]any)
	for _, r := range rows {
		var cells []string
		columns, _ := r.([]any)
		for _, c := range columns {
			cells = append(cells, plainOf(c))
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return strings.Join(lines, "\n")
}

// plainOf is the text of a text object or an element; a button stands in
// brackets.
func plainOf(v any) string {
	switch n := v.(type) {
	case string:
		return n
	case []any:
		var parts []string
		for _, e := range n {
			parts = append(parts, plainOf(e))
		}
		return strings.Join(parts, "")
	case map[string]any:
		switch n["type"] {
		case "button":
			return "[" + plainOf(n["text"]) + "]"
		case "static_select":
			return "[" + cmp.Or(plainOf(n["initial_option"]), plainOf(n["placeholder"])) + " ▾: " + optionsOf(n["options"]) + "]"
		}
		if n["text"] != nil {
			return plainOf(n["text"])
		}
		return plainOf(n["elements"])
	}
	return ""
}

// optionsOf are the choices of a menu.
func optionsOf(v any) string {
	var texts []string
	options, _ := v.([]any)
	for _, o := range options {
		texts = append(texts, plainOf(o))
	}
	return strings.Join(texts, ", ")
}

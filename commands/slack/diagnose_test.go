package slack

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tandem/commands"
)

// sent is what a request to the Web API would show.
type sent struct {
	method string
	blocks []string // kinds
	text   string
}

// recording answers a request and keeps what it asked for.
func recording(into *[]sent, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var blocks []struct {
			Type string `json:"type"`
		}
		_ = json.Unmarshal([]byte(r.FormValue("blocks")), &blocks)
		s := sent{method: strings.TrimPrefix(r.URL.Path, "/"), text: r.FormValue("text")}
		for _, b := range blocks {
			s.blocks = append(s.blocks, b.Type)
		}
		*into = append(*into, s)
		answer(w, r)
	}
}

func boardOn(t *testing.T, w *web) *board {
	t.Helper()
	bot, err := New(Options{Diagnoser: finds(failReport())})
	if err != nil {
		t.Fatal(err)
	}
	bot.web.close()
	bot.web = w
	a := ask{channel: incidents, ref: "K7PQ2M4X"}
	run, _ := bot.desk.Take(a.ref, commands.Question{Service: "worker"})
	bot.desk.Start(t.Context(), run)
	<-run.Done()
	at, _ := bot.spots.claim(run.ID, a)
	bot.spots.place(at, "1.2")
	return &board{bot: bot, ask: a, words: wordsIn(t, "en"), run: run, spot: at}
}

func TestACardThatSlackDislikesIsSaidInWords(t *testing.T) {
	var asked []sent
	w, _, _ := scripted(t,
		recording(&asked, answers(200, "", `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] x [json-pointer:/blocks/3]"]}}`)),
		recording(&asked, answers(200, "", `{"ok":true,"ts":"1.2"}`)))
	p := boardOn(t, w)
	card := drawCard(commands.NewCard(failReport(), 0, p.words), p.notes(), p.words)
	if !p.show(t.Context(), card) {
		t.Error("the verdict did not reach the channel")
	}
	if len(asked) != 2 || asked[1].method != methodUpdate || !slices.Equal(asked[1].blocks, []string{"section"}) ||
		!strings.Contains(asked[1].text, "worker: failing") {
		t.Errorf("asked %+v, want a second edit in words", asked)
	}
}

func TestAfterAStopTheVerdictComesWithoutEvidence(t *testing.T) {
	var asked []sent
	w, _, _ := scripted(t, recording(&asked, answers(200, "", `{"ok":true,"ts":"1.2"}`)))
	p := boardOn(t, w)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStopping)
	p.finish(ctx, commands.NewCard(failReport(), 0, p.words))
	if len(asked) != 1 || asked[0].method != methodUpdate {
		t.Errorf("asked %+v, want the card alone", asked)
	}
}

func TestWhenNothingReachesTheChannelTheAskerIsTold(t *testing.T) {
	var told string
	w, _, _ := scripted(t, answers(200, "", `{"ok":false,"error":"is_archived"}`))
	asker := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told = string(body)
	}))
	defer asker.Close()
	p := boardOn(t, w)
	p.ask.address = asker.URL
	if p.show(t.Context(), drawNotice("!", "x")) {
		t.Error("says that people can see it")
	}
	if !strings.Contains(told, "archived") || !strings.Contains(told, "ephemeral") {
		t.Errorf("the asker was told %q", told)
	}
}

func TestOutliveGivesTimeForLastWordsOnly(t *testing.T) {
	parent, cancel := context.WithCancelCause(t.Context())
	ctx, done := outlive(parent)
	cancel(errStopping)
	if ctx.Err() != nil {
		t.Error("it ends with its parent")
	}
	done()
	if ctx.Err() == nil {
		t.Error("it does not end when it is done")
	}
}

func TestBarNeverLeavesItsFrame(t *testing.T) {
	for _, c := range []struct{ done, total, full int }{{0, 5, 0}, {2, 5, 8}, {5, 5, 20}, {9, 5, 20}, {-1, 5, 0}} {
		got := bar(c.done, c.total)
		if n := strings.Count(got, "▰"); n != c.full || len([]rune(got)) != 20 {
			t.Errorf("bar(%d, %d) = %s, want %d full of 20", c.done, c.total, got, c.full)
		}
	}
}

func TestOnlyAnIdIsMentioned(t *testing.T) {
	for user, want := range map[string]string{ana: ana, "W012345": "W012345", "": "", "U1> <!channel": "", "here": ""} {
		if got := (ask{user: user}).asker(); got != want {
			t.Errorf("%q is mentioned as %q, want %q", user, got, want)
		}
	}
}

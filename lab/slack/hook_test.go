package slack

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
)

// respond posts to a response_url and checks the answer.
func respond(t *testing.T, _ *Server, url, body string, status int, code string) {
	t.Helper()
	resp, err := httpClient(t).Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		OK    bool
		Error string
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status || answer.Error != code || answer.OK != (code == "") {
		t.Errorf("%s: status %d, %+v", body, resp.StatusCode, answer)
	}
}

// commandURL is the response_url of a command that Ana typed.
func commandURL(t *testing.T, s *Server) string {
	t.Helper()
	a := connect(t, s, acknowledge)
	s.Say(Said{User: "ana", Channel: "incidents", Text: "/vault help"})
	return receive(t, a.events).Data.(slackgo.SlashCommand).ResponseURL
}

func TestResponseURL(t *testing.T) {
	s := open(t)
	url := commandURL(t, s)
	respond(t, s, url, `{"text":"for you"}`, http.StatusOK, "")
	if m := last(t, s, incidents, ana); m.Text != "for you" || !m.Ephemeral || len(messages(s, incidents, bruno)) != 0 {
		t.Errorf("got %+v", m)
	}
	respond(t, s, url, `{"text":"for all","response_type":"in_channel"}`, http.StatusOK, "")
	if m := last(t, s, incidents, bruno); m.Text != "for all" || m.Ephemeral {
		t.Errorf("got %+v", m)
	}
	respond(t, s, url, `{"text":""}`, http.StatusBadRequest, "no_text")
	respond(t, s, url, `{"blocks":[{"type":"nope"}]}`, http.StatusBadRequest, "invalid_blocks")
	respond(t, s, url, `{`, http.StatusBadRequest, "invalid_payload")
	respond(t, s, url, `{"text":"a sixth time"}`, http.StatusNotFound, "used_url")
	respond(t, s, url+"x", `{"text":"a"}`, http.StatusNotFound, "invalid_token")
}

func TestResponseURLOfAChannelThatIsGone(t *testing.T) {
	s := open(t)
	url := commandURL(t, s)
	do(t, s, "/lab/channel", `{"channel":"incidents","new_id":"C0SHARED01"}`)
	respond(t, s, url, `{"text":"for whom?"}`, http.StatusBadRequest, "channel_not_found")
}

func TestResponseURLByTheOfficialClient(t *testing.T) {
	s := open(t)
	url := commandURL(t, s)
	_, _, err := client(t, s).PostMessage("", slackgo.MsgOptionResponseURL(url, slackgo.ResponseTypeInChannel), slackgo.MsgOptionBlocks(card()...))
	if err != nil {
		t.Fatal(err)
	}
	if m := last(t, s, incidents, bruno); len(m.Blocks) != 6 {
		t.Errorf("got %+v", m)
	}
}

func TestResponseURLExpires(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	hs := newHooks()
	h := hs.open(hook{kind: "commands"}, now)
	if _, err := hs.use(h.id, h.secret, now.Add(hookLife-time.Second)); err != nil {
		t.Errorf("in time: %v", err)
	}
	if _, err := hs.use(h.id, h.secret, now.Add(hookLife)); codeOf(err) != "expired_url" {
		t.Errorf("too late: %v", err)
	}
}

func TestReplaceOriginal(t *testing.T) {
	s := open(t)
	a := connect(t, s, acknowledge)
	_, ts, _ := a.api.PostMessage(incidents, slackgo.MsgOptionBlocks(card()...))
	s.Click(Click{User: "ana", Channel: "incidents", TS: ts, ActionID: "again"})
	url := receive(t, a.events).Data.(slackgo.InteractionCallback).ResponseURL
	respond(t, s, url, `{"text":"done","replace_original":true}`, http.StatusOK, "")
	if m := last(t, s, incidents, ""); m.TS != ts || m.Text != "done" || len(m.Blocks) != 0 || m.Edited == nil {
		t.Errorf("got %+v", m)
	}
}

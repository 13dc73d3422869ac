package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"tandem/lab/faults"
	"tandem/lab/slack"
)

// saying is what the workspace tells about something that was said.
type saying struct {
	AckMS *float64 `json:"ack_ms"`
	Error string   `json:"error"`
}

// say types into a channel of the workspace as a person.
func say(t *testing.T, channel, text string) saying {
	t.Helper()
	return act(t, "say", map[string]string{"user": "ana", "channel": channel, "text": text})
}

// act does in the workspace what a person does there.
func act(t *testing.T, door string, what map[string]string) saying {
	t.Helper()
	return post(t, door, what)
}

// post sends what somebody does to one of the workspace's doors.
func post(t *testing.T, door string, what any) saying {
	t.Helper()
	body, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(lab.State().Slack.URL+"/lab/"+door, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var s saying
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	if s.Error != "" {
		t.Errorf("%s %v: %s", door, what, s.Error)
	}
	return s
}

// slackState is everything in the workspace.
func slackState(t *testing.T) (slack.Snapshot, string) {
	t.Helper()
	data := get(t, lab.State().Slack.URL+"/lab/state")
	var state slack.Snapshot
	if err := json.Unmarshal([]byte(data), &state); err != nil {
		t.Fatal(err)
	}
	return state, data
}

// get reads what an address answers.
func get(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %s", address, response.Status)
	}
	return string(data)
}

// messages lists what was said in all channels.
func messages(state slack.Snapshot) []slack.Message {
	var all []slack.Message
	for _, channel := range state.Channels {
		all = append(all, channel.Messages...)
	}
	return all
}

// holds says whether a message has the words anywhere.
func holds(t *testing.T, m slack.Message, words string) bool {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(data), words)
}

// TestSlackDiagnosesAFault types the command of the runbook's worst hour.
func TestSlackDiagnosesAFault(t *testing.T) {
	awaitHealthy(t)
	fault, err := faults.Find("spire-entry-missing")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fault.Clear(context.WithoutCancel(t.Context()), lab); err != nil {
			t.Error(err)
		}
	})
	if err := fault.Inject(t.Context(), lab); err != nil {
		t.Fatal(err)
	}
	if said := say(t, "incidents", "/vault diagnose worker"); said.Error != "" || said.AckMS == nil {
		t.Fatalf("the command was not acknowledged: %+v", said)
	}
	eventually(t, settle, func() error {
		_, state := slackState(t)
		for _, want := range []string{"O serviço tem uma entry de registro", "SPF-003", "spire-server entry show"} {
			if !strings.Contains(state, want) {
				return fmt.Errorf("%q is not in the workspace (Ana reads Portuguese)", want)
			}
		}
		return nil
	})
}

func TestSlackWrongWordsAreAnsweredPrivately(t *testing.T) {
	if said := say(t, "incidents", "/vault diagnose wroker"); said.Error != "" {
		t.Fatalf("not acknowledged: %s", said.Error)
	}
	eventually(t, settle, func() error {
		state, _ := slackState(t)
		for _, m := range messages(state) {
			if !holds(t, m, "wroker") || m.BotID == "" && !m.Ephemeral {
				continue
			}
			if !m.Ephemeral || m.VisibleTo == "" {
				t.Fatalf("everybody reads the answer: %+v", m)
			}
			if !holds(t, m, "worker") {
				return fmt.Errorf("the answer does not name the nearest service")
			}
			return nil
		}
		return fmt.Errorf("no answer")
	})
}

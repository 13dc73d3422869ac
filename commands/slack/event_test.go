package slack

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestEventsAreReadInAllTheirShapes(t *testing.T) {
	for raw, want := range map[string][3]string{
		`{"event":{"type":"app_mention","user":"U1","channel":"C1","ts":"1.2"}}`:                    {"app_mention", "U1", "C1"},
		`{"event":{"type":"team_join","user":{"id":"U1","name":"x"}}}`:                              {"team_join", "U1", ""},
		`{"event":{"type":"channel_created","channel":{"id":"C1","creator":"U1"}}}`:                 {"channel_created", "", "C1"},
		`{"type":"url_verification","challenge":"x"}`:                                               {"", "", ""},
		`{"event":{"type":"message","channel":"D1","user":null,"edited":{"user":"U1"}}}`:            {"message", "", "D1"},
		`{"event":{"ts":7,"text":{"a":1},"tokens":[],"type":"strange","user":"U1","channel":"C1"}}`: {"strange", "U1", "C1"},
		`{"event":{"user":7,"channel":{"id":7},"type":"stranger"}}`:                                 {"stranger", "", ""},
		`{"event":[]}`: {"", "", ""},
		`{"event":{"type":"an_event_of_tomorrow","user":"U1","blocks":[{"type":"tomorrow"}]}}`: {"an_event_of_tomorrow", "U1", ""},
	} {
		e, err := parseEvent([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if got := [3]string{e.Event.Type, string(e.Event.User), string(e.Event.Channel)}; got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
	for _, raw := range []string{``, `{`, `{"event":{]}`, `nothing`} {
		if _, err := parseEvent([]byte(raw)); err == nil {
			t.Errorf("%s is taken for an event", raw)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(`{"event_id":"Ev1","team_id":"T1","event":{"type":"app_mention","user":"U1","channel":{"id":"C1"},"ts":"1.2","text":"<@U0BOT> help"}}`)
	f.Add(`{"type":"url_verification","challenge":"x"}`)
	b, err := New(Options{Diagnoser: finds(passReport())})
	if err != nil {
		f.Fatal(err)
	}
	b.me.user = "U0BOT"
	f.Fuzz(func(t *testing.T, raw string) {
		e, err := parseEvent([]byte(raw))
		if (err == nil) != json.Valid([]byte(raw)) && err == nil {
			t.Errorf("%q is no JSON and taken for an event", raw)
		}
		if err != nil {
			return
		}
		d := delivery{event: e}
		if got := b.route(d); got.run != nil && got.drop != "" {
			t.Errorf("%q is dropped and acted on", raw)
		}
		for _, mark := range d.marks() {
			if strings.HasSuffix(mark, "\x00") && e.ID == "" && e.when() == "" {
				t.Errorf("%q is known by nothing: %q", raw, mark)
			}
		}
	})
}

func TestWhatPeopleWriteIsHeard(t *testing.T) {
	b, err := New(Options{Diagnoser: finds(passReport()), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	b.me.user = "U0BOT"
	for fields, heard := range map[string]bool{
		`"ts":"1.1"`:                                true,
		`"subtype":"file_share","files":[]`:         true,
		`"subtype":"thread_broadcast","root":{}`:    true,
		`"subtype":"me_message"`:                    true,
		`"subtype":"message_changed"`:               false,
		`"subtype":"message_deleted"`:               false,
		`"subtype":"bot_message"`:                   false,
		`"bot_id":"B1"`:                             false,
		`"subtype":"channel_topic","topic":"a b c"`: false,
	} {
		e, err := parseEvent([]byte(`{"event":{"type":"message","channel_type":"im","user":"U1","channel":"D1","text":"help",` + fields + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := b.route(delivery{event: e}).run != nil; got != heard {
			t.Errorf("%s: heard %v, want %v", fields, got, heard)
		}
	}
}

func TestAnOldEventIsDropped(t *testing.T) {
	b, err := New(Options{Diagnoser: finds(passReport()), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	for age, want := range map[time.Duration]drop{eventFor: "", eventFor + time.Second: dropStale, -time.Hour: ""} {
		e := &event{Time: noon.Add(-age).Unix()}
		e.Event.Type, e.Event.User = "app_mention", "U1"
		if got := b.route(delivery{event: e}); got.drop != want || (got.run == nil) != (want != "") {
			t.Errorf("%s old: dropped as %q, want %q", age, got.drop, want)
		}
	}
}

package slack

import (
	"context"
	"encoding/json"
	"testing"
)

func TestWhoWasTurnedAwayInVainMayComeAgain(t *testing.T) {
	b, err := New(Options{Diagnoser: finds(passReport()), PerMinute: 1})
	if err != nil {
		t.Fatal(err)
	}
	b.flood.enter("T1 " + bruno)
	e := &event{ID: "Ev1", Team: "T1"}
	e.Event.Type, e.Event.User, e.Event.TS = "app_mention", bruno, "1.1"
	answers := 0
	for _, acked := range []bool{false, true} {
		b.take(t.Context(), t.Context(), delivery{event: e}, func(any) bool { answers++; return acked })
		if first := b.seen.first(e.marks()...); first == acked {
			t.Errorf("acknowledged %v, and known %v", acked, !first)
		}
		if !acked {
			b.seen.forget(e.marks()...)
		}
	}
	b.apologists.wait()
	if answers != 2 {
		t.Errorf("%d acknowledgements", answers)
	}
}

func TestNobodyIsGivenAPlaceAfterTheEnd(t *testing.T) {
	c := newCrew(2, 1, 0)
	seat, ok := c.reserve()
	if !ok {
		t.Fatal("no place at the beginning")
	}
	ran := false
	seat.run(t.Context(), func(context.Context) { ran = true }, func(context.Context) {})
	c.wait()
	if !ran {
		t.Error("it was not waited for")
	}
	if _, ok := c.reserve(); ok {
		t.Error("a place after the end")
	}
}

func TestAnAcknowledgementIsWhatSlackTakes(t *testing.T) {
	e := envelope{ID: []byte(`"a-\u00e9-1"`)}
	for _, c := range []struct {
		answer any
		want   string
	}{
		{nil, `{"envelope_id":"a-\u00e9-1"}`},
		{json.RawMessage(nil), `{"envelope_id":"a-\u00e9-1"}`},
		{map[string]string{"text": "<x>"}, `{"envelope_id":"a-\u00e9-1","payload":{"text":"\u003cx\u003e"}}`},
	} {
		if got, err := e.response(c.answer); string(got) != c.want || err != nil {
			t.Errorf("got %s %v, want %s", got, err, c.want)
		}
	}
	if got, err := e.response(string(make([]byte, maxAck))); err == nil {
		t.Errorf("%d bytes, which Slack drops", len(got))
	}
}

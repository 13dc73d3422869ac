package bench

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWireReadsAnswersToTheirEnd(t *testing.T) {
	answers := []struct {
		path, body string
		status     int
		flushed    bool // before its length is known
		ok         bool
	}{
		{path: "/empty", status: http.StatusOK, ok: true},
		{path: "/text", status: http.StatusOK, body: strings.Repeat("text ", 100), ok: true},
		{path: "/again", status: http.StatusOK, body: "text", ok: true},
		{path: "/refused", status: http.StatusUnauthorized},
		{path: "/chunked", status: http.StatusOK, body: "text", flushed: true},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, a := range answers {
			if a.path != r.URL.Path {
				continue
			}
			w.WriteHeader(a.status)
			if a.flushed {
				w.(http.Flusher).Flush()
			}
			_, _ = io.WriteString(w, a.body)
		}
	}))
	defer server.Close()
	kept := dial(t, server.Listener.Addr().String())
	for _, a := range answers {
		w := kept
		if !a.ok {
			w = dial(t, server.Listener.Addr().String())
		}
		err := w.do([]byte("POST " + a.path + " HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n"))
		if (err == nil) != a.ok {
			t.Errorf("%s: %v", a.path, err)
		}
	}
}

func TestSlotOf(t *testing.T) {
	for _, c := range []struct {
		raw  string
		slot int
		ok   bool
	}{
		{raw: `{"envelope_id":"` + envelopeID(31, 7) + `","payload":{}}`, slot: 31, ok: true},
		{raw: `{"envelope_id":"` + envelopeID(maxSlots, 7) + `"}`},
		{raw: `{"envelope_id":"xyz"}`},
		{raw: `{}`},
	} {
		if slot, ok := slotOf([]byte(c.raw)); ok != c.ok || ok && slot != c.slot {
			t.Errorf("%s: slot %d, %t", c.raw, slot, ok)
		}
	}
}

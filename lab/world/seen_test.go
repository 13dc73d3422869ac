package world

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// answering is a server that gives every question the same answer.
func answering(t *testing.T, text string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
	t.Cleanup(server.Close)
	return server.URL
}

func TestScrapedNeedsEveryPod(t *testing.T) {
	vault := `{"metric":{"job":"vault","pod":"vault-0"}}`
	worker := `{"metric":{"job":"worker","pod":"worker-0"}}`
	for name, c := range map[string]struct{ result, missing string }{
		"all":         {vault + "," + worker, ""},
		"no service":  {vault, "worker"},
		"no vault":    {worker, "vault"},
		"another pod": {vault + "," + strings.ReplaceAll(worker, "worker-0", "worker-1"), "worker"},
		"nothing":     {"", "has not scraped"},
	} {
		state := State{
			Prometheus: ServerState{URL: answering(t, `{"data":{"result":[`+c.result+`]}}`)},
			Services:   map[string]ServiceState{"worker": {Pod: "worker-0"}},
		}
		err := state.scraped(t.Context())
		if (err == nil) != (c.missing == "") || err != nil && !strings.Contains(err.Error(), c.missing) {
			t.Errorf("%s: %v, want %q missing", name, err, c.missing)
		}
	}
}

func TestHeardNeedsALine(t *testing.T) {
	for answer, ok := range map[string]bool{
		`{"data":{"result":[]}}`:   false,
		`{"data":{"result":[{}]}}`: true,
		`not ready`:                false,
	} {
		err := State{Loki: ServerState{URL: answering(t, answer)}}.heard(t.Context(), "worker")
		if (err == nil) != ok {
			t.Errorf("%s: %v, want it heard: %t", answer, err, ok)
		}
	}
}

package slack

import (
	"errors"
	"testing"

	lab "tandem/lab/slack"
)

// TestTheBotIsNotReadyWhileItsTokenOpensNothing holds it for each way of taking
// deliveries.
func TestTheBotIsNotReadyWhileItsTokenOpensNothing(t *testing.T) {
	for name, way := range map[string]func(*Options, *lab.Config){
		"Socket Mode": func(*Options, *lab.Config) {},
		"HTTP":        byHTTP,
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, finds(passReport()), way)
			if w.bot.opts.AppToken == "" {
				w.rewire()
			}
			w.Token(lab.TokenChange{State: "expired"}) // no event tells of that
			w.say(bruno, incidents, "/vault version")
			w.waitFor(bruno, incidents, "Slack does not let me in any more", "installs the app")
			if err := w.bot.Ready(); !errors.Is(err, errShutOut) {
				t.Errorf("Ready = %v", err)
			}
			w.Token(lab.TokenChange{State: "ok"})
			w.say(bruno, incidents, "/vault version")
			w.waitFor(bruno, incidents, "tandem v1.2.3")
			if err := w.bot.Ready(); err != nil {
				t.Errorf("after that: %v", err)
			}
		})
	}
}

func TestTokensOfPeopleThatAreRevokedShutNobodyOut(t *testing.T) {
	w := open(t, finds(passReport()))
	for raw, out := range map[string]bool{
		`{"event":{"type":"tokens_revoked","tokens":{"oauth":["U1"],"bot":[]}}}`:         false,
		`{"event":{"type":"tokens_revoked","tokens":{"oauth":[],"bot":["U0TANDEM01"]}}}`: true,
		`{"event":{"type":"app_uninstalled"}}`:                                           true,
	} {
		w.bot.web.out.Store(false)
		e, err := parseEvent([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if j := w.bot.routeEvent(e); j.run != nil {
			j.run(t.Context())
		}
		if got := w.bot.Ready() != nil; got != out {
			t.Errorf("%s: shut out is %v, want %v", raw, got, out)
		}
	}
}

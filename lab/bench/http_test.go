package bench

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"tandem/commands/slack"
)

const commandsPath = "/slack/commands"

// overHTTP holds the bot against a handler that does what slack-go's examples
// show, by the same kept connections, so many at once.
func (t traffic) overHTTP(b *testing.B, connections int) {
	bareSide, botSide := httptest.NewServer(http.HandlerFunc(bareCommand)), newStandIn(b)
	b.Cleanup(bareSide.Close)
	bot := t.startBot(b, botSide, func(o *slack.Options) {
		o.AppToken, o.HTTP = "", slack.HTTP{Listen: "127.0.0.1:0", Secrets: []string{signingSecret}}
	})
	await(b, "the bot listens", func() bool { return bot.HTTPAddress() != "" })
	toBare := newRange(b, bareSide.Listener.Addr().String(), connections)
	toBot := newRange(b, bot.HTTPAddress(), connections)
	all := t.asks(botSide)
	duel(
		b, t.goals(),
		func() volley { return toBare.requests(b, all, t.volley) },
		func() volley { return t.settled(b, botSide, toBot.requests(b, all, t.volley)) },
	)
}

// bareCommand is the least that an app can do over HTTP: verify, parse and
// acknowledge.
func bareCommand(w http.ResponseWriter, r *http.Request) {
	verifier, err := slackgo.NewSecretsVerifier(r.Header, signingSecret)
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.Body = io.NopCloser(io.TeeReader(r.Body, &verifier))
	if _, err = slackgo.SlashCommandParse(r); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if err = verifier.Ensure(); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// firingRange is the kept connections to one server.
type firingRange struct {
	address string
	wires   []*wire
}

func newRange(b *testing.B, address string, connections int) *firingRange {
	b.Helper()
	r := &firingRange{address: address}
	for range connections {
		r.wires = append(r.wires, dial(b, address))
	}
	return r
}

// requests sends so many, each connection its next as soon as its last is
// answered. They are made and signed before the clock runs.
func (r *firingRange) requests(b *testing.B, a *asks, count int) volley {
	b.Helper()
	ready := make([][][]byte, len(r.wires))
	for n := range count {
		i := n % len(ready)
		ready[i] = append(ready[i], a.request(r.address))
	}
	return abreast(b, len(ready), count, func(i int) ([]time.Duration, error) { return r.wires[i].send(ready[i]) })
}

func (w *wire) send(ready [][]byte) ([]time.Duration, error) {
	each := make([]time.Duration, 0, len(ready))
	if err := w.conn.SetDeadline(time.Now().Add(soon)); err != nil {
		return nil, err
	}
	for _, request := range ready {
		start := time.Now()
		if err := w.do(request); err != nil {
			return nil, err
		}
		each = append(each, time.Since(start))
	}
	return each, nil
}

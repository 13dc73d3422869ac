package slack

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// The paths that Slack sends to.
const (
	pathCommands    = "/slack/commands"
	pathInteractive = "/slack/interactive"
	pathEvents      = "/slack/events"
)

const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 10 * time.Second // Slack waits 3 s for the answer
	idleTimeout   = time.Minute
	maxHeaders    = 16 << 10
	closeTimeout  = 3 * time.Second // for requests under way when the bot stops
)

// HTTP is where Slack's requests are taken, when they do not come by Socket Mode
// or not only.
type HTTP struct {
	Listen  string   // address and port
	Secrets []string // the app's signing secret; the one before it as well while it is being replaced

	bodyTimeout time.Duration // of a whole request; zero: 10 seconds
}

// httpIntake is where requests come in.
type httpIntake struct {
	requests sync.Pool     // of the requests to come
	big      chan struct{} // seats of those whose body is long
	verifier *verifier
	replays  *memory[[sha256.Size]byte] // the signatures that were used
	address  atomic.Pointer[string]     // while it is open
}

func newHTTPIntake(o Options) *httpIntake {
	return &httpIntake{
		requests: sync.Pool{New: newSignedRequest}, big: make(chan struct{}, maxBigOnes), verifier: newVerifier(o.HTTP.Secrets),
		replays: newMemory[[sha256.Size]byte](seenFor, maxSeen, o.Now),
	}
}

// HTTPAddress is where the bot listens for Slack; empty while it does not.
func (b *Bot) HTTPAddress() string {
	if address := b.http.address.Load(); address != nil {
		return *address
	}
	return ""
}

// serveHTTP takes requests until the context is done. It returns an error when
// it cannot listen.
func (b *Bot) serveHTTP(ctx, jobs context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", b.opts.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("listen for Slack's requests at slack.http.listen, is another bot running there? %w", err)
	}
	server := &http.Server{
		Handler:           b.endpoints(ctx, jobs),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: cmp.Or(b.opts.HTTP.bodyTimeout, bodyTimeout), WriteTimeout: bodyTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaders,
		ErrorLog:       slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	address := listener.Addr().String()
	b.http.address.Store(&address)
	defer b.http.address.Store(nil)
	b.log.InfoContext(ctx, "listening for slack", "address", address)
	select {
	case err := <-served:
		return fmt.Errorf("serve Slack's requests: %w", err)
	case <-ctx.Done():
	}
	return b.closeHTTP(ctx, server, served)
}

// closeHTTP lets the requests under way end, which takes no longer than an
// acknowledgement.
func (b *Bot) closeHTTP(ctx context.Context, server *http.Server, served <-chan error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		b.log.WarnContext(ctx, "cut requests of slack off", "error", errors.Join(err, server.Close()))
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve Slack's requests: %w", err)
	}
	return nil
}

// endpoints routes requests to what reads them.
func (b *Bot) endpoints(ctx, jobs context.Context) http.Handler {
	mux := http.NewServeMux()
	for path, format := range map[string]format{
		pathCommands:    {contentType: typeForm, parse: parseCommand},
		pathInteractive: {contentType: typeForm, parse: parseInteractionForm},
		pathEvents:      {contentType: typeJSON, parse: parseDelivery},
	} {
		mux.Handle(path, &endpoint{bot: b, ctx: ctx, jobs: jobs, format: format})
	}
	return mux
}

// endpoint takes the requests of one kind.
type endpoint struct {
	bot       *Bot
	ctx, jobs context.Context // of the bot: a job outlives its request
	format    format
}

// ServeHTTP answers with a status alone whoever is not Slack, and Slack with the
// acknowledgement.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signed := e.bot.http.requests.Get().(*signedRequest)
	defer signed.release(&e.bot.http.requests)
	if refused := e.open(signed, w, r); refused.status != 0 {
		e.refuse(w, r, refused)
		return
	}
	delivered, err := e.format.parse(signed.body())
	switch {
	case err != nil:
		e.refuse(w, r, refusedRequest{http.StatusBadRequest, dropMalformed})
	case delivered.event != nil && delivered.event.Type == "url_verification":
		e.answer(w, map[string]string{"challenge": delivered.event.Challenge})
	case delivered.command != nil && delivered.command.Name == "":
		e.answer(w, nil) // the check of a certificate
	default:
		e.bot.take(e.ctx, e.jobs, delivered, func(answer any) bool { return e.ack(w, signed, answer) })
	}
}

// ack sends the acknowledgement on its way. When that fails the same request is
// no replay.
func (e *endpoint) ack(w http.ResponseWriter, p *signedRequest, answer any) bool {
	ok := e.answer(w, answer)
	if !ok {
		e.bot.http.replays.forget(p.signature.sum)
	}
	return ok
}

// answer sends an answer and says whether it could.
func (e *endpoint) answer(w http.ResponseWriter, answer any) bool {
	err := writeAnswer(w, answer)
	if err != nil {
		e.bot.log.WarnContext(e.ctx, "answer a request of slack", "error", err)
	}
	return err == nil
}

// refusedRequest is why a request is not taken.
type refusedRequest struct {
	status int
	why    drop
}

func (e *endpoint) refuse(w http.ResponseWriter, r *http.Request, refused refusedRequest) {
	e.bot.metrics.dropped(refused.why)
	e.bot.log.DebugContext(e.ctx, "refused a request", "path", r.URL.Path, "why", string(refused.why), "status", refused.status)
	w.WriteHeader(refused.status)
}

// writeAnswer sends the whole answer before it returns.
func writeAnswer(w http.ResponseWriter, answer any) error {
	body, err := encodeAnswer(answer)
	if err != nil {
		return err
	}
	if len(body) > 0 {
		w.Header()["Content-Type"] = []string{typeJSON}
	}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write(body); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}

// encodeAnswer is the body of an acknowledgement: nothing, or JSON.
func encodeAnswer(answer any) ([]byte, error) {
	if answer == nil {
		return nil, nil
	}
	if encoded, ok := answer.(json.RawMessage); ok {
		return encoded, nil
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, fmt.Errorf("encode an acknowledgement: %w", err)
	}
	return body, nil
}

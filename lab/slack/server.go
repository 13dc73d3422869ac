package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// stopLimit is how long Close waits for open requests before it cuts them.
const stopLimit = time.Second

// Server is a running workspace. Its methods may be called from any goroutine.
type Server struct {
	cfg     Config
	timing  timing
	log     *slog.Logger
	state   *state
	hub     *hub
	rates   *rates
	access  *access
	hooks   *hooks
	files   *files
	tickets *tickets
	// wiring says how the app is reached; outbound reaches it over HTTP, hub over its websockets.
	wiring   *wiring
	outbound *outbound
	triggers *triggers
	weather  *weather
	api      map[string]method

	url    string
	http   *http.Server
	ctx    context.Context // ends with Close: everything the workspace does for itself runs in it
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	failed chan error
}

// Start opens the workspace's address and serves it until Close, which the caller calls even when ctx, in which all of
// the workspace runs, is done before. With port 0 it takes a free one.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg, timing, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("read the Slack workspace's configuration: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("open the Slack workspace's address %s, is another lab running? %w", cfg.Addr, err)
	}
	s := newServer(ctx, cfg, timing)
	s.url = "http://" + listener.Addr().String()
	s.spawn(func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	})
	s.log.Info("Slack workspace is open", "url", s.url)
	return s, nil
}

func newServer(ctx context.Context, cfg Config, timing timing) *Server {
	s := &Server{
		cfg: cfg, timing: timing, log: cfg.Log, state: newState(cfg), rates: newRates(cfg, cfg.Now), access: newAccess(cfg.Scopes),
		hooks: newHooks(), files: newFiles(), tickets: newTickets(), api: map[string]method{}, failed: make(chan error, 1),
		triggers: newTriggers(), weather: &weather{}, wiring: &wiring{current: Delivery{Mode: cfg.Delivery, HTTP: cfg.HTTP}},
	}
	s.outbound = newOutbound(cfg.SigningSecret, timing.ackLimit, cfg.Now, s.wiring)
	s.state.heard = s.heard
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.hub = newHub(s.log, timing.ackLimit, s.state.link)
	for _, m := range s.methods() {
		s.api[m.name] = m
	}
	s.http = &http.Server{
		Handler:           s.routes(),
		BaseContext:       func(net.Listener) context.Context { return s.ctx },
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	return s
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/{method}", s.serveAPI)
	mux.HandleFunc("POST /api/{method}", s.serveAPI)
	mux.HandleFunc("GET /link/", s.serveLink)
	mux.HandleFunc("POST /hooks/{kind}/{id}/{secret}", s.serveHook)
	mux.HandleFunc("POST /upload/v1/{secret}", s.serveUpload)
	mux.HandleFunc("GET /files/{id}/{name}", s.serveFile)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, http.StatusOK, object{"ok": true}) })
	s.labRoutes(mux)
	s.pageRoutes(mux)
	// Another site that a person has open must not be able to speak for them here.
	return s.counted(http.NewCrossOriginProtection().Handler(s.underWeather(mux)))
}

// counted makes Close wait for requests too: the HTTP server waits for none that holds a websocket, and not for ever for
// the others.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.tasks.Add(1)
		defer s.tasks.Done()
		next.ServeHTTP(w, r)
	})
}

// URL is the workspace's address without a slash at its end; the Web API is at URL()+"/api/".
func (s *Server) URL() string { return s.url }

// Close stops the workspace and waits until nothing of it runs any more.
func (s *Server) Close() error {
	s.cancel()
	for _, c := range s.hub.all() {
		c.kill()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	s.tasks.Wait()
	s.outbound.close()
	return err
}

// spawn runs task as one of the goroutines that Close waits for.
func (s *Server) spawn(task func()) { s.tasks.Go(task) }

package world

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// control serves a supervisor to other processes of the same user, over HTTP
// on a Unix socket:
//
//	GET  /status                 the parts, as JSON
//	POST /process/{name}/{action}  with an Override as JSON, or nothing
//	POST /down                   asks the owner to end the world
type control struct {
	server *http.Server
	served chan struct{}
	asked  chan struct{} // closed by the first /down
}

func serveControl(socket string, parts *supervisor) (*control, error) {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen for control: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("close the control socket to others: %w", err)
	}
	c := &control{served: make(chan struct{}), asked: make(chan struct{})}
	c.server = &http.Server{Handler: c.handler(parts), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(c.served)
		_ = c.server.Serve(listener) // it ends by close alone
	}()
	return c, nil
}

// close ends the service; requests under way are cut off.
func (c *control) close() error {
	err := c.server.Close()
	<-c.served
	return err
}

func (c *control) handler(parts *supervisor) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		list, err := parts.statuses(r.Context())
		answer(w, list, err)
	})
	mux.HandleFunc("POST /process/{name}/{action}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, actFor(r, parts))
	})
	once := sync.OnceFunc(func() { close(c.asked) })
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) {
		once()
		answer(w, struct{}{}, nil)
	})
	return mux
}

func actFor(r *http.Request, parts *supervisor) error {
	var override Override
	if r.ContentLength != 0 {
		decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&override); err != nil {
			return fmt.Errorf(`read the body, which may have "env" and "config": %w`, err)
		}
	}
	return parts.act(r.Context(), r.PathValue("name"), r.PathValue("action"), override)
}

// answer writes a value, or what went wrong as text.
func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // a caller that went away needs none
}

// remote is the supervisor of another process.
type remote struct {
	socket string
	home   folder
}

// downTimeout is a little more than all parts may take to stop.
const downTimeout = 3 * stopGrace

func (r remote) act(ctx context.Context, name, action string, override Override) error {
	body, err := json.Marshal(override)
	if err != nil {
		return fmt.Errorf("write the overrides: %w", err)
	}
	_, err = r.call(ctx, http.MethodPost, "/process/"+name+"/"+action, body)
	return err
}

func (r remote) statuses(ctx context.Context) ([]ProcessStatus, error) {
	content, err := r.call(ctx, http.MethodGet, "/status", nil)
	if err != nil {
		return nil, err
	}
	var list []ProcessStatus
	if err := json.Unmarshal(content, &list); err != nil {
		return nil, fmt.Errorf("read the lab's status: %w", err)
	}
	return list, nil
}

// down asks, and waits until the owner has let go of the folder.
func (r remote) down(ctx context.Context) error {
	if _, err := r.call(ctx, http.MethodPost, "/down", nil); err != nil {
		return err
	}
	return r.home.awaitEnd(ctx)
}

// call makes one request over the control socket.
func (r remote) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout+stopGrace)
	defer cancel()
	request, err := newRequest(ctx, method, "http://lab"+path, body)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", r.socket)
		},
	}}
	return send(client, request)
}

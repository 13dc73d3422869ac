package slack

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The names that MethodFault has for requests that are no method of the Web API.
const (
	hookFault   = "response_url"
	uploadFault = "upload"
	linkFault   = "link"
)

// Faults is bad weather on demand. The zero value is good weather.
type Faults struct {
	Methods []MethodFault `json:"methods,omitempty"`
	Events  EventFaults   `json:"events,omitzero"`
	// Link "refuse" cuts every websocket and lets no new one come.
	Link string `json:"link,omitempty"`
	// Down makes the workspace unreachable for the app: every connection is cut without an answer, nothing is delivered.
	Down bool `json:"down,omitempty"`
}

// MethodFault makes requests of the app fail. Method is a method of the Web API, "response_url", "upload",
// "link" (the websocket), or "*".
type MethodFault struct {
	Method string `json:"method"`
	// Status is that of the answer, 200 when there is an Error. With neither, nor Drop, the request is only delayed.
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
	// RetryAfter is the seconds of a Retry-After header; 0 sends none.
	RetryAfter int `json:"retry_after,omitempty"`
	// Drop cuts the connection instead of answering.
	Drop bool `json:"drop,omitempty"`
	// Delay is the time that passes first, such as "2s".
	Delay string `json:"delay,omitempty"`
	// Times is how often it happens; 0 is until the weather changes.
	Times int `json:"times,omitempty"`
	// AfterEffect does what was asked and then answers with the fault: the app cannot know.
	AfterEffect bool `json:"after_effect,omitempty"`
}

// EventFaults are how many of the next events meet each fate. An event meets one at most.
type EventFaults struct {
	Lose      int `json:"lose,omitempty"`
	Duplicate int `json:"duplicate,omitempty"` // again under a new event id
	Repeat    int `json:"repeat,omitempty"`    // again under the same event id
	Reorder   int `json:"reorder,omitempty"`   // held, and sent after the next one
}

func (f Faults) check() error {
	if f.Link != "" && f.Link != "refuse" {
		return fmt.Errorf(`link: %q is not "refuse"`, f.Link)
	}
	for i, m := range f.Methods {
		if _, err := time.ParseDuration(cmp.Or(m.Delay, "0s")); err != nil {
			return fmt.Errorf("methods[%d].delay: %q is not a duration such as \"2s\"", i, m.Delay)
		}
		if m.Method == "" || m.Times < 0 || (m.Status != 0 && (m.Status < 200 || m.Status > 599)) {
			return fmt.Errorf("methods[%d]: say the method, a status of HTTP or none, and how many times or 0", i)
		}
	}
	return nil
}

// weather holds the faults of now and counts them down.
type weather struct {
	mu   sync.Mutex
	now  Faults
	held []object // events that wait for the next one
}

// set makes f the weather and returns the events that the old one still held.
func (w *weather) set(f Faults) []object {
	w.mu.Lock()
	defer w.mu.Unlock()
	f.Methods = slices.Clone(f.Methods)
	held := w.held
	w.now, w.held = f, nil
	return held
}

func (w *weather) get() Faults {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.now
	f.Methods = slices.Clone(f.Methods)
	return f
}

// strike is the fault that the next request of this name meets, if any.
func (w *weather) strike(name string) (MethodFault, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.now.Methods, func(m MethodFault) bool { return m.Method == name || m.Method == "*" })
	if i < 0 {
		return MethodFault{}, false
	}
	struck := w.now.Methods[i]
	switch struck.Times {
	case 0: // for ever
	case 1:
		w.now.Methods = slices.Delete(w.now.Methods, i, i+1)
	default:
		w.now.Methods[i].Times--
	}
	return struck, true
}

// fate is what becomes of one event: the events to send now, in this order.
func (w *weather) fate(wrapped object) []object {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &w.now.Events
	var send []object
	switch {
	case spend(&f.Lose):
		return nil
	case spend(&f.Duplicate):
		again := maps.Clone(wrapped)
		again["event_id"] = newEventID()
		send = []object{wrapped, again}
	case spend(&f.Repeat):
		send = []object{wrapped, wrapped}
	case spend(&f.Reorder):
		w.held = append(w.held, wrapped)
		return nil
	default:
		send = []object{wrapped}
	}
	send, w.held = append(send, w.held...), nil
	return send
}

func spend(n *int) bool {
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

// SetFaults makes the weather. It replaces what was set before.
func (s *Server) SetFaults(f Faults) Outcome {
	if err := errors.Join(f.check(), s.named(f)); err != nil {
		return Outcome{Error: err.Error()}
	}
	for _, wrapped := range s.weather.set(f) {
		s.spawn(func() { _ = s.send(wrapped) }) // what fails is sent again by itself
	}
	if f.Down || f.Link != "" {
		for _, c := range s.hub.all() {
			c.kill()
		}
	}
	return Outcome{}
}

// named refuses faults of requests that do not exist: a test with one would see good weather.
func (s *Server) named(f Faults) error {
	for i, m := range f.Methods {
		_, known := s.api[m.Method]
		if !known && !slices.Contains([]string{"*", hookFault, uploadFault, linkFault}, m.Method) {
			return fmt.Errorf("methods[%d].method: %q is none of the workspace's", i, m.Method)
		}
	}
	return nil
}

// Weather is the faults that are still to come.
func (s *Server) Weather() Faults { return s.weather.get() }

// underWeather lets requests of the app meet the faults.
func (s *Server) underWeather(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ofApp := requestName(r.URL.Path)
		if !ofApp {
			next.ServeHTTP(w, r)
			return
		}
		switch now := s.weather.get(); {
		case now.Down:
			panic(http.ErrAbortHandler)
		case now.Link != "" && (name == linkFault || name == "apps.connections.open"):
			http.Error(w, "Socket Mode is not reachable", http.StatusServiceUnavailable)
			return
		}
		if fault, struck := s.weather.strike(name); struck {
			s.suffer(fault, name, next, w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// requestName is what faults call a request, if it is one of the app's.
func requestName(path string) (string, bool) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "api":
		return rest, true
	case "hooks":
		return hookFault, true
	case "upload":
		return uploadFault, true
	case "link":
		return linkFault, true
	}
	return "", false
}

func (s *Server) suffer(f MethodFault, name string, next http.Handler, w http.ResponseWriter, r *http.Request) {
	delay, _ := time.ParseDuration(cmp.Or(f.Delay, "0s")) // checked when it was set
	if !sleep(r.Context(), delay) {
		return
	}
	switch {
	case f.Status == 0 && f.Error == "" && !f.Drop:
		next.ServeHTTP(w, r)
		return
	case f.AfterEffect:
		next.ServeHTTP(unheard{header: http.Header{}}, r)
	default:
		s.recordFault(f, name, r)
	}
	if f.Drop {
		panic(http.ErrAbortHandler)
	}
	f.answer(s, w)
}

// recordFault puts a request that had no effect into the log.
func (s *Server) recordFault(f MethodFault, name string, r *http.Request) {
	failure := cmp.Or(f.Error, "connection dropped")
	if f.Error == "" && f.Status != 0 {
		failure = fmt.Sprintf("HTTP %d", f.Status)
	}
	call := Call{At: s.cfg.Now().UTC(), Method: name, Error: failure}
	if name != hookFault && name != uploadFault {
		req, _ := parseArgs(r)
		call.Args = req.args.logged()
	}
	s.state.record(call)
}

func (f MethodFault) answer(s *Server, w http.ResponseWriter) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	status := cmp.Or(f.Status, http.StatusOK)
	code := f.Error
	if status == http.StatusTooManyRequests {
		code = cmp.Or(code, "ratelimited")
	}
	if code == "" {
		http.Error(w, http.StatusText(status), status)
		return
	}
	s.writeJSON(w, status, reply{"ok": false, "error": code})
}

// unheard takes an answer that nobody gets.
type unheard struct{ header http.Header }

func (u unheard) Header() http.Header         { return u.header }
func (u unheard) Write(b []byte) (int, error) { return len(b), nil }
func (u unheard) WriteHeader(int)             {}

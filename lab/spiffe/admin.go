package spiffe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxFaultsBody is far more than the largest faults object.
const maxFaultsBody = 64 << 10

// State is what GET /admin/state shows: where each part stands, without any key.
type State struct {
	TrustDomain string         `json:"trust_domain"`
	Issuer      string         `json:"issuer"`
	Faults      Faults         `json:"faults"`
	Entries     int            `json:"entries"`
	Agent       *AgentState    `json:"agent"` // nil if evicted
	JWT         AuthorityState `json:"jwt_authority"`
	X509        AuthorityState `json:"x509_authority"`
	// Kids are the JWT authorities as each place publishes them.
	Kids KidSets `json:"kids"`
}

// AgentState is the attested agent as the server knows it.
type AgentState struct {
	ID        string `json:"id"`
	Serial    string `json:"serial"`
	ExpiresAt int64  `json:"expires_at"`
	Banned    bool   `json:"banned"`
}

// AuthorityState are the IDs of the server's slots of one kind.
type AuthorityState struct {
	Active   string `json:"active"`
	Prepared string `json:"prepared,omitempty"`
	Old      string `json:"old,omitempty"`
}

// KidSets are key IDs, oldest first.
type KidSets struct {
	Server []string `json:"server"`
	Agent  []string `json:"agent"`
	OIDC   []string `json:"oidc"`
}

func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /admin/state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.State()) })
	mux.HandleFunc("GET /admin/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.faults.get()) })
	mux.HandleFunc("PUT /admin/faults", s.putFaults)
	mux.HandleFunc("DELETE /admin/faults", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, s.Reset()) })
	mux.HandleFunc("POST /admin/rotate-jwt", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, s.RotateJWT()) })
	mux.HandleFunc("POST /admin/prune-jwt", func(w http.ResponseWriter, _ *http.Request) {
		s.PruneJWT()
		s.answer(w, nil)
	})
	mux.HandleFunc("POST /admin/restart-agent", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, s.RestartAgent()) })
	mux.HandleFunc("POST /admin/restart-server", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, s.RestartServer()) })
	return mux
}

func (s *Server) putFaults(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFaultsBody))
	if err != nil {
		http.Error(w, "read request: "+err.Error(), http.StatusBadRequest)
		return
	}
	merge := func(f Faults) (Faults, error) {
		merged, err := f.merge(body)
		if err != nil {
			return f, badRequest{err}
		}
		return merged, nil
	}
	s.answer(w, s.ChangeFaults(merge))
}

// badRequest marks an error as the caller's.
type badRequest struct{ error }

// answer is the state, or the error.
func (s *Server) answer(w http.ResponseWriter, err error) {
	var bad badRequest
	switch {
	case errors.As(err, &bad):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case err != nil:
		s.log.Error("admin request", "error", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		writeJSON(w, s.State())
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, "write answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// Faults are the faults that hold now.
func (s *Server) Faults() Faults { return s.faults.get() }

// SetFaults makes f hold, and nothing else, before it returns.
func (s *Server) SetFaults(f Faults) error {
	return s.ChangeFaults(func(Faults) (Faults, error) { return f, f.validate() })
}

// Reset takes every fault back, and a ban too. Keys and entries stay as they are.
func (s *Server) Reset() error {
	for _, n := range s.nodes() {
		n.unban()
	}
	return s.SetFaults(Faults{})
}

// ChangeFaults puts the result of f in place of the faults that hold.
func (s *Server) ChangeFaults(f func(Faults) (Faults, error)) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.closed {
		return errors.New("the SPIFFE world has ended: start it again")
	}
	old := s.faults.get()
	wanted, err := f(old)
	if err != nil {
		return err
	}
	return s.apply(old, wanted)
}

func (s *Server) apply(old, wanted Faults) error {
	if wanted.AgentBundleFrozen && !old.AgentBundleFrozen {
		s.agent.sync() // what is frozen is what holds now, not at the last tick
	}
	s.oidc.freeze(wanted.OIDCFrozen)
	s.faults.set(wanted)
	if wanted.AgentState == AgentExpired && old.AgentState != AgentExpired {
		s.node.expire(-time.Second)
	}
	if !wanted.sameSVIDs(old) {
		s.agent.forgetJWTs()
	}
	s.agent.sync()
	s.peers.set(wanted.Peers)
	for _, change := range []struct {
		end  *endpoint
		mode mode
	}{{s.workloadEnd, wanted.workloadMode()}, {s.serverEnd, wanted.serverMode()}, {s.oidcEnd, wanted.oidcMode()}} {
		if err := change.end.set(change.mode); err != nil {
			return fmt.Errorf("apply faults: %w", err)
		}
	}
	return nil
}

// State is where each part stands.
func (s *Server) State() State {
	return State{
		TrustDomain: s.td.Name(),
		Issuer:      s.OIDCURL(),
		Faults:      s.faults.get(),
		Entries:     len(s.entries.list(everyEntry)),
		Agent:       s.node.shown(),
		JWT:         s.authority.state(&s.authority.jwt),
		X509:        s.authority.state(&s.authority.x509),
		Kids: KidSets{
			Server: s.authority.bundle().kids(), Agent: s.agent.currentBundle().kids(), OIDC: s.oidc.bundle().kids(),
		},
	}
}

func (a *authority) state(r *ring) AuthorityState {
	current, next := a.slots(r)
	state := AuthorityState{Active: current.id}
	switch {
	case next == nil:
	case next.status == keyPrepared:
		state.Prepared = next.id
	default:
		state.Old = next.id
	}
	return state
}

package services

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// What the fields of Behaviour can say.
const (
	behaveOK          = "ok"
	behaveDead        = "dead"
	behaveStale       = "stale"
	behaveNeverLogin  = "never_relogin"
	behaveLive        = "live"
	behaveFrozen      = "frozen"
	behaveCached      = "cached"
	behavePlaceholder = "placeholder"
)

// Behaviour is how a service behaves. All of it can be changed while the service runs, and a restart forgets it. A field
// that says nothing to a service is ignored by it.
type Behaviour struct {
	// RenewalTask: "ok", or "dead": nothing renews the database credential, and the pool uses it until it dies.
	RenewalTask string `json:"renewal_task"`
	// Pool: "ok", or "stale": renewals take new credentials and succeed, but the pool keeps the old one.
	Pool string `json:"pool"`
	// TokenRenewal: "ok"; "dead": nothing renews the token; "never_relogin": renewal goes on for ever, also when the
	// token is past its maximum, and never logs in again.
	TokenRenewal string `json:"token_renewal"`
	// Audience replaces the audience of the JWT-SVID for the registry.
	Audience string `json:"audience"`
	// VaultRole replaces the role of the Vault login. A change logs in again at once.
	VaultRole string `json:"vault_role"`
	// VerifierBundle: "live", or "frozen": the verifier keeps the trust bundle of this moment.
	VerifierBundle string `json:"verifier_bundle"`
	// VerifierAudience replaces the audience that the verifier expects.
	VerifierAudience string `json:"verifier_audience"`
	// VerifierAllowList replaces the verifier's list of SPIFFE IDs; null keeps it, an empty list lets nobody in.
	VerifierAllowList []string `json:"verifier_allow_list"`
	// SVID: "ok"; "cached": the client sends the JWT-SVID it holds for ever; "placeholder": it sends no JWT at all.
	SVID string `json:"svid"`
}

// Configured is what of it a deployment configures, and so outlives a restart; the rest is in the memory of a process.
func (b Behaviour) Configured() Behaviour {
	kept := Behaviour{
		Audience: b.Audience, VaultRole: b.VaultRole, VerifierAudience: b.VerifierAudience, VerifierAllowList: b.VerifierAllowList,
	}
	if b.SVID == behavePlaceholder { // SPIFFE is switched off
		kept.SVID = b.SVID
	}
	return kept
}

// normalised fills in what is left out and refuses what is unknown.
func (b Behaviour) normalised() (Behaviour, error) {
	fields := []struct {
		name  string
		value *string
		known []string // the first is the default
	}{
		{"renewal_task", &b.RenewalTask, []string{behaveOK, behaveDead}},
		{"pool", &b.Pool, []string{behaveOK, behaveStale}},
		{"token_renewal", &b.TokenRenewal, []string{behaveOK, behaveDead, behaveNeverLogin}},
		{"verifier_bundle", &b.VerifierBundle, []string{behaveLive, behaveFrozen}},
		{"svid", &b.SVID, []string{behaveOK, behaveCached, behavePlaceholder}},
	}
	var errs []error
	for _, f := range fields {
		orDefault(f.value, f.known[0])
		if !slices.Contains(f.known, *f.value) {
			errs = append(errs, fmt.Errorf("%s %q: want one of %s", f.name, *f.value, strings.Join(f.known, ", ")))
		}
	}
	return b, errors.Join(errs...)
}

// switches holds the present behaviour and tells of changes.
type switches struct {
	mu      sync.Mutex
	current Behaviour
	changed chan struct{}
}

func newSwitches(start Behaviour) (*switches, error) {
	start, err := start.normalised()
	if err != nil {
		return nil, err
	}
	return &switches{current: start, changed: make(chan struct{})}, nil
}

// get returns the present behaviour and a channel that is closed at the next change.
func (s *switches) get() (Behaviour, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.changed
}

// now is get for those who do not wait.
func (s *switches) now() Behaviour {
	current, _ := s.get()
	return current
}

// merge lays a JSON object over the present behaviour: fields it does not name stay.
func (s *switches) merge(patch []byte) (Behaviour, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.current
	// Decoding into the shared backing array would change what readers already hold.
	next.VerifierAllowList = slices.Clone(next.VerifierAllowList)
	dec := json.NewDecoder(bytes.NewReader(patch))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&next); err != nil {
		return s.current, fmt.Errorf("decode behaviour: %w", err)
	}
	next, err := next.normalised()
	if err != nil {
		return s.current, err
	}
	s.current = next
	close(s.changed)
	s.changed = make(chan struct{})
	return next, nil
}

// ServeHTTP answers GET with the present behaviour, and PUT by merging the body first.
func (s *switches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	current := s.now()
	if r.Method == http.MethodPut {
		var patch bytes.Buffer
		_, err := patch.ReadFrom(http.MaxBytesReader(w, r.Body, 1<<16))
		if err == nil {
			current, err = s.merge(patch.Bytes())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(current) // the client is gone; nobody is left to tell
}

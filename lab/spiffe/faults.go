package spiffe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
)

// Values of Faults.AgentDown and Faults.AgentState; the empty text is the healthy one.
const (
	AgentMissing = "missing" // the socket's file is gone
	AgentRefused = "refused" // the file is there, nobody listens
	AgentHang    = "hang"    // accepts, never answers

	AgentExpired = "expired"
	AgentBanned  = "banned"
	AgentEvicted = "evicted"

	// Of peers alone.
	AgentStuck = "stuck" // has not renewed its SVID for some time, and does not: it ends by itself
	AgentOld   = "old"   // runs an older version
)

// Faults is what is wrong with the world. The zero value is a healthy one.
type Faults struct {
	// OIDCFrozen keeps the /keys document as it was when this was switched on.
	OIDCFrozen  bool `json:"oidc_frozen"`
	OIDCDown    bool `json:"oidc_down"`
	OIDCGarbage bool `json:"oidc_garbage"`

	// AgentBundleFrozen keeps the bundles of the Workload API as they were when this was switched on.
	AgentBundleFrozen bool   `json:"agent_bundle_frozen"`
	AgentDown         string `json:"agent_down"`
	// AgentState is the attested agent's; in each of these it gets nothing new from the server.
	AgentState string `json:"agent_state"`
	// Peers are the agents of further nodes, each by its state; the empty text is a healthy one. No workload is theirs.
	Peers []string `json:"peers"`

	ServerDown      bool `json:"server_down"`
	ServerHang      bool `json:"server_hang"`
	ServerUnhealthy bool `json:"server_unhealthy"`

	// SVIDExpired issues JWT-SVIDs whose end is already past, as a server with an expired signing key or a wrong clock does.
	SVIDExpired     bool `json:"svid_expired"`
	PlaceholderSVID bool `json:"placeholder_svid"`
	// JWTTTL overrides every JWT-SVID's life; zero does not.
	JWTTTL Duration `json:"jwt_ttl"`
}

// merge is f with the keys that the JSON object has. An unknown key or value is an error that says what is known.
func (f Faults) merge(object []byte) (Faults, error) {
	f.Peers = slices.Clone(f.Peers) // the decoder would write into those that hold
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return Faults{}, fmt.Errorf("read faults: %w: GET /admin/faults shows every key", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Faults{}, errors.New("read faults: send one JSON object only")
	}
	return f, f.validate()
}

func (f Faults) validate() error {
	var errs []error
	oneOf := func(key, value string, known ...string) {
		if value != "" && !slices.Contains(known, value) {
			errs = append(errs, fmt.Errorf("%s: %q is none of %q", key, value, known))
		}
	}
	oneOf("agent_down", f.AgentDown, AgentMissing, AgentRefused, AgentHang)
	oneOf("agent_state", f.AgentState, AgentExpired, AgentBanned, AgentEvicted)
	for i, peer := range f.Peers {
		oneOf(fmt.Sprintf("peers[%d]", i), peer, AgentExpired, AgentBanned, AgentEvicted, AgentStuck, AgentOld)
	}
	if f.JWTTTL < 0 {
		errs = append(errs, errors.New("jwt_ttl: is negative, use svid_expired for tokens that have ended"))
	}
	return errors.Join(errs...)
}

// workloadMode, serverMode and oidcMode are what the faults do to the addresses.
func (f Faults) workloadMode() mode {
	switch f.AgentDown {
	case AgentMissing:
		return modeMissing
	case AgentRefused:
		return modeRefused
	case AgentHang:
		return modeHang
	}
	return modeServe
}

func (f Faults) serverMode() mode {
	switch {
	case f.ServerDown:
		return modeRefused
	case f.ServerHang:
		return modeHang
	}
	return modeServe
}

func (f Faults) oidcMode() mode {
	if f.OIDCDown {
		return modeMissing
	}
	return modeServe
}

// sameSVIDs tells whether JWT-SVIDs issued under f would look the same under other.
func (f Faults) sameSVIDs(other Faults) bool {
	return f.SVIDExpired == other.SVIDExpired && f.JWTTTL == other.JWTTTL
}

// faultBox is the faults that hold now, for every part to read.
type faultBox struct{ p atomic.Pointer[Faults] }

func newFaultBox() *faultBox {
	b := new(faultBox)
	b.set(Faults{})
	return b
}

func (b *faultBox) get() Faults  { return *b.p.Load() }
func (b *faultBox) set(f Faults) { b.p.Store(&f) }

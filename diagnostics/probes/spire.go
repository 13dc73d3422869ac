package probes

import (
	"context"
	"time"

	"tandem/diagnostics"
)

// SPIREServer is the state of the SPIRE server.
type SPIREServer struct {
	Reachable       bool      `cel:"reachable"`
	Problem         string    `cel:"problem"` // "", refused, missing
	Serving         bool      `cel:"serving"`
	JWTKids         []string  `cel:"jwt_kids"` // of the bundle, sorted
	X509Authorities int64     `cel:"x509_authorities"`
	Sequence        int64     `cel:"sequence"`   // of the bundle
	ActiveKid       string    `cel:"active_kid"` // the key that signs JWT-SVIDs; "" when the bot may not ask
	ActiveExpiresAt time.Time `cel:"active_expires_at"`
	ActiveInBundle  bool      `cel:"active_in_bundle"`
}

// EntriesArgs name an identity and the selectors of the live workload.
type EntriesArgs struct {
	SPIFFEID  string   `cel:"spiffe_id"`
	Selectors []string `cel:"selectors"`
}

// Entries are the registration entries of an identity.
type Entries struct {
	Entries          []Entry  `cel:"entries"`
	Count            int64    `cel:"count"`
	Matching         int64    `cel:"matching"`          // entries that apply to the workload
	MissingSelectors []string `cel:"missing_selectors"` // of the nearest entry, that the workload lacks; empty when one matches
	OtherIDs         []string `cel:"other_ids"`         // identities of other entries that apply to the workload
}

// Entry is one registration entry.
type Entry struct {
	ID         string        `cel:"id"`
	ParentID   string        `cel:"parent_id"`
	Selectors  []string      `cel:"selectors"`
	JWTSVIDTTL time.Duration `cel:"jwt_svid_ttl"` // 0: the server's default
	ExpiresAt  time.Time     `cel:"expires_at"`   // zero: never
	Expired    bool          `cel:"expired"`
	Matches    bool          `cel:"matches"` // every selector is one of the workload's, and it has not expired
}

// Agents are the SPIRE agents.
type Agents struct {
	Agents  []Agent `cel:"agents"`
	Total   int64   `cel:"total"`
	Healthy int64   `cel:"healthy"` // neither banned nor expired
	Banned  int64   `cel:"banned"`
	Expired int64   `cel:"expired"`
}

// Agent is one SPIRE agent.
type Agent struct {
	ID        string    `cel:"id"`
	Banned    bool      `cel:"banned"`
	ExpiresAt time.Time `cel:"expires_at"`
	Expired   bool      `cel:"expired"`
	Serial    string    `cel:"serial"`
}

type spireProbes struct {
	SPIFFE
	now func() time.Time
}

func (p spireProbes) server(ctx context.Context, _ None) (SPIREServer, []diagnostics.Evidence, error) {
	return SPIREServer{}, nil, notReady()
}

func (p spireProbes) entries(ctx context.Context, args EntriesArgs) (Entries, []diagnostics.Evidence, error) {
	return Entries{}, nil, notReady()
}

func (p spireProbes) agents(ctx context.Context, _ None) (Agents, []diagnostics.Evidence, error) {
	return Agents{}, nil, notReady()
}

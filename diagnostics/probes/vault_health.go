package probes

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tandem/diagnostics"
)

// Health is what the nodes of a Vault cluster say of themselves.
type Health struct {
	Nodes     []Node `cel:"nodes"`
	Reachable int64  `cel:"reachable"` // nodes that answered
	Sealed    int64  `cel:"sealed"`
	Active    int64  `cel:"active"` // unsealed nodes that are not standbys
}

// Node is one Vault node.
type Node struct {
	Address     string        `cel:"address"`
	Reachable   bool          `cel:"reachable"`
	Problem     string        `cel:"problem"` // "", refused, timeout, dns, tls, certificate_expired, not_vault, error
	Initialized bool          `cel:"initialized"`
	Sealed      bool          `cel:"sealed"`
	Standby     bool          `cel:"standby"`
	Version     string        `cel:"version"`
	Cluster     string        `cel:"cluster"`
	ClockSkew   time.Duration `cel:"clock_skew"` // the node's clock minus ours

	CertificateIssuedAt  time.Time `cel:"certificate_issued_at"` // of its listener; zero without TLS
	CertificateExpiresAt time.Time `cel:"certificate_expires_at"`
	ForwardingBroken     bool      `cel:"forwarding_broken"` // a standby that hears nothing of the active node
	Removed              bool      `cel:"removed"`           // from the cluster of its storage

	// Of an unsealed node that has peers; zero when it does not tell.
	Leader      string `cel:"leader"`       // the address of the active node, as this one knows it
	RaftApplied int64  `cel:"raft_applied"` // index in the log of integrated storage

	// Of a sealed node; zero when it does not tell.
	SealType        string `cel:"seal_type"` // shamir, or the key service that unseals, like awskms
	SealMigration   bool   `cel:"seal_migration"`
	UnsealProgress  int64  `cel:"unseal_progress"` // key shares given
	UnsealThreshold int64  `cel:"unseal_threshold"`
}

// problemNotVault is a node where something else answers.
const problemNotVault = "not_vault"

// seen reports whether the node was seen, if only to be down: a refused
// connection or an expired certificate is an observation, silence is not.
func (n Node) seen() bool {
	return n.Reachable || n.Problem == problemRefused || n.Problem == problemCertExpired
}

// health is blind when no node answers and one of them could be well.
func (v vaultProbes) health(ctx context.Context, _ None) (Health, []diagnostics.Evidence, error) {
	if v.Client == nil {
		return Health{}, nil, notConfigured("Vault", vaultAddressKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	addresses := v.Nodes
	if len(addresses) == 0 {
		addresses = []string{v.Client.Address()}
	}
	nodes := make([]Node, len(addresses))
	trails := make([]*trail, len(addresses))
	parallel(len(addresses), func(i int) {
		trails[i] = v.trail()
		nodes[i] = v.node(ctx, trails[i], addresses[i])
		if len(addresses) > 1 {
			v.leader(ctx, trails[i], &nodes[i])
		}
	})
	facts := countNodes(nodes)
	return facts, joined(trails), blindNodes(facts)
}

func countNodes(nodes []Node) Health {
	facts := Health{Nodes: nodes}
	for _, n := range nodes {
		if !n.Reachable {
			continue
		}
		facts.Reachable++
		switch {
		case n.Sealed:
			facts.Sealed++
		case n.Initialized && !n.Standby:
			facts.Active++
		}
	}
	return facts
}

// blindNodes is nil when the facts suffice to judge.
func blindNodes(facts Health) error {
	if facts.Reachable > 0 {
		return nil
	}
	for _, n := range facts.Nodes {
		if n.seen() {
			continue
		}
		reason := problemReason(n.Problem)
		if n.Problem == problemNotVault {
			reason = diagnostics.ReasonGarbage
		}
		return &diagnostics.BlindError{
			Reason: reason,
			Detail: "GET " + n.Address + "/v1/sys/health: " + problemText(n.Problem),
			Next: diagnostics.Both("check the network between the bot and Vault, and the addresses under vault.nodes",
				"verifique a rede entre o bot e o Vault, e os endereços em vault.nodes"),
		}
	}
	return nil
}

// node asks one node, without a token.
func (v vaultProbes) node(ctx context.Context, t *trail, address string) Node {
	n := Node{Address: address}
	url := strings.TrimSuffix(address, "/") + "/v1/sys/health"
	show := shell("curl", "-sk", url)
	page, err := v.getPage(ctx, url)
	if err != nil {
		n.Problem = networkProblem(err)
		if n.Problem == problemMissing {
			n.Problem = problemRefused // an agent's socket that is gone
		}
		t.add(show, "%s", blindNetwork("GET "+url, diagnostics.Text{}, err).Detail)
		return n
	}
	var h vaultHealth
	if json.Unmarshal(page.body, &h) != nil || h.Initialized == nil || h.Sealed == nil {
		n.Problem = problemNotVault
		t.add(show, "status %d with %s: not Vault", page.status, kindOf(page.body))
		return n
	}
	n.Reachable, n.Initialized, n.Sealed, n.Standby = true, *h.Initialized, *h.Sealed, h.Standby
	n.Version, n.Cluster = clean(h.Version, maxDetail), clean(h.ClusterName, maxDetail)
	if h.ServerTime > 0 {
		n.ClockSkew = skew(time.Unix(h.ServerTime, 0), v.now())
	}
	n.CertificateIssuedAt, n.CertificateExpiresAt = page.issued, page.expires
	n.ForwardingBroken = h.HAHealthy != nil && !*h.HAHealthy
	n.Removed = h.Removed != nil && *h.Removed
	t.add(show, "status %d: %s", page.status, n.words())
	if n.Sealed {
		v.seal(ctx, t, &n)
	}
	return n
}

// seal asks a sealed node what it waits for. That it is sealed is known
// already, so that no answer leaves the rest unsaid.
func (v vaultProbes) seal(ctx context.Context, t *trail, n *Node) {
	url := strings.TrimSuffix(n.Address, "/") + "/v1/sys/seal-status"
	show := shell("curl", "-sk", url)
	page, err := v.getPage(ctx, url)
	if err != nil {
		t.add(show, "%s", blindNetwork("GET "+url, diagnostics.Text{}, err).Detail)
		return
	}
	var s struct {
		Type      string `json:"type"`
		Migration bool   `json:"migration"`
		Progress  int64  `json:"progress"`
		Threshold int64  `json:"t"`
	}
	if json.Unmarshal(page.body, &s) != nil || page.status != http.StatusOK {
		t.add(show, "status %d with %s", page.status, kindOf(page.body))
		return
	}
	n.SealType, n.SealMigration, n.UnsealProgress, n.UnsealThreshold = clean(s.Type, maxDetail), s.Migration, s.Progress, s.Threshold
	t.add(show, "seal %s, migration %t, %d of %d key shares", n.SealType, n.SealMigration, n.UnsealProgress, n.UnsealThreshold)
}

// leader asks a node whom it follows, and how far. That it is up is known
// already, so that no answer leaves the rest unsaid.
func (v vaultProbes) leader(ctx context.Context, t *trail, n *Node) {
	if !n.Reachable || n.Sealed || !n.Initialized {
		return
	}
	url := strings.TrimSuffix(n.Address, "/") + "/v1/sys/leader"
	show := shell("curl", "-sk", url)
	page, err := v.getPage(ctx, url)
	if err != nil {
		t.add(show, "%s", blindNetwork("GET "+url, diagnostics.Text{}, err).Detail)
		return
	}
	var l struct {
		Address string `json:"leader_address"`
		Applied int64  `json:"raft_applied_index"`
	}
	if json.Unmarshal(page.body, &l) != nil || page.status != http.StatusOK {
		t.add(show, "status %d with %s", page.status, kindOf(page.body))
		return
	}
	n.Leader, n.RaftApplied = clean(l.Address, maxDetail), l.Applied
	t.add(show, "leader %s, applied index %d", list(nonEmpty(n.Leader)), n.RaftApplied)
}

// vaultHealth is the body of sys/health.
type vaultHealth struct {
	Initialized *bool  `json:"initialized"`
	Sealed      *bool  `json:"sealed"`
	Standby     bool   `json:"standby"`
	Version     string `json:"version"`
	ClusterName string `json:"cluster_name"`
	ServerTime  int64  `json:"server_time_utc"`
	HAHealthy   *bool  `json:"ha_connection_healthy"` // of standbys
	Removed     *bool  `json:"removed_from_cluster"`
}

// skew is the difference of the clocks. Vault tells whole seconds, cut off, so
// that a difference below one second is none.
func skew(server, ours time.Time) time.Duration {
	d := server.Sub(ours)
	if d > -time.Second && d <= 0 {
		return 0
	}
	return d.Round(time.Second)
}

// vaultPage is what a node answers to anybody.
type vaultPage struct {
	status  int
	body    []byte
	issued  time.Time // of the node's certificate; zero without TLS
	expires time.Time
}

// getPage reads status and body alone: the status says standby or sealed in
// numbers that depend on the cluster's edition, the body says it in words.
func (v vaultProbes) getPage(ctx context.Context, url string) (vaultPage, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return vaultPage{}, fmt.Errorf("%q is not a URL", clean(url, maxDetail))
	}
	resp, err := v.httpClient().Do(req)
	if err != nil {
		return vaultPage{}, err
	}
	defer resp.Body.Close()
	page := vaultPage{status: resp.StatusCode}
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		page.issued, page.expires = resp.TLS.PeerCertificates[0].NotBefore.UTC(), resp.TLS.PeerCertificates[0].NotAfter.UTC()
	}
	page.body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return page, err
}

func (n Node) words() string {
	state := "active"
	switch {
	case !n.Initialized:
		state = "not initialised"
	case n.Sealed:
		state = "sealed"
	case n.Standby:
		state = "standby"
	}
	return fmt.Sprintf("%s, version %s, clock %s off", state, n.Version, n.ClockSkew)
}

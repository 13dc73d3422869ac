package probes

import (
	"context"
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
}

func (v vaultProbes) health(ctx context.Context, _ None) (Health, []diagnostics.Evidence, error) {
	return Health{}, nil, notReady()
}

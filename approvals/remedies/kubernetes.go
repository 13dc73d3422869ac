package remedies

import (
	"context"

	"k8s.io/client-go/kubernetes"

	"tandem/approvals"
)

// Kubernetes is how the remedies reach the cluster.
type Kubernetes struct {
	Client kubernetes.Interface // the standing identity's, which only reads; nil: no cluster is configured
	// Namespace is where the service accounts of the remedies are, and Account the
	// bot's own one there.
	Namespace, Account string
	// With makes a client that acts under a token.
	With func(ctx context.Context, token string) (kubernetes.Interface, error)
}

// Workload names a workload of the cluster; its kind follows from what it is for.
type Workload struct{ Namespace, Name string }

// beyondVault are the remedies that do not act on Vault.
func beyondVault(Deps) []approvals.Remedy { return nil }

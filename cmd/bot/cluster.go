package main

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"tandem/config"
)

// clusterConfig says how to enter the cluster, as the account that only reads: by
// a kubeconfig, or by the service account of the pod.
func clusterConfig(c *config.Cluster) (*rest.Config, error) {
	var entry *rest.Config
	var err error
	if c.Kubeconfig == "" {
		entry, err = rest.InClusterConfig()
	} else {
		entry, err = clientcmd.BuildConfigFromFlags("", string(c.Kubeconfig))
	}
	if err != nil {
		return nil, &setupError{fmt.Errorf("kubernetes: %w: expected kubernetes.kubeconfig, or a pod with a service account", err)}
	}
	return entry, nil
}

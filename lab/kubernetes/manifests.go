package kubernetes

import _ "embed"

//go:embed manifests/cluster.yaml
var clusterManifests []byte

// ClusterManifests are the namespaces, accounts and workloads of the lab. What
// the bot may do there the bot prints itself.
func ClusterManifests() []byte { return clusterManifests }

package kubernetes

import _ "embed"

//go:embed manifests/cluster.yaml
var clusterManifests []byte

//go:embed manifests/tandem.yaml
var tandemManifests []byte

// ClusterManifests are the namespaces, accounts and workloads of the lab.
func ClusterManifests() []byte { return clusterManifests }

// TandemManifests are the rights of the bot.
func TandemManifests() []byte { return tandemManifests }

package servers

import (
	"fmt"
	"regexp"
	"strconv"
)

// server says how one server is recognised and built.
type server struct {
	name     string
	variable string   // environment variable that names the binary
	version  []string // arguments that print the version
	suits    func(version [3]int) bool
	wants    string // the versions that suit, for people

	packaged string // the Debian package of one that is never built; it has none of what follows

	module string // folder of the nested module, from the root of the module
	pkg    string // package to build, in that module
	flags  []string
}

// known lists the servers but PostgreSQL, which is many programs in a folder.
func known() map[string]server {
	return map[string]server{
		Vault: {
			name: Vault, variable: "TANDEM_VAULT_BIN", version: []string{"version"},
			suits: func(v [3]int) bool { return v[0] == 1 && v[1] == 21 }, wants: "1.21",
			module: "lab/vault", pkg: ".", flags: []string{"-ldflags=-s -w"},
		},
		Prometheus: {
			name: Prometheus, variable: "TANDEM_PROMETHEUS_BIN", version: []string{"--version"},
			suits: func(v [3]int) bool { return v[0] > 2 || v[0] == 2 && v[1] >= 42 }, wants: "2.42 or later",
			module: "lab/servers/prometheus", pkg: "github.com/prometheus/prometheus/cmd/prometheus",
			// Without the clouds' service discovery it builds in half the time.
			flags: []string{"-tags=remove_all_sd", "-ldflags=-s -w -X github.com/prometheus/common/version.Version=3.16.0"},
		},
		Promtool: {
			name: Promtool, variable: "TANDEM_PROMTOOL_BIN", version: []string{"--version"},
			suits: func(v [3]int) bool { return v[0] > 2 || v[0] == 2 && v[1] >= 42 }, wants: "2.42 or later",
			module: "lab/servers/prometheus", pkg: "github.com/prometheus/prometheus/cmd/promtool",
			flags: []string{"-tags=remove_all_sd", "-ldflags=-s -w -X github.com/prometheus/common/version.Version=3.16.0"},
		},
		Loki: {
			name: Loki, variable: "TANDEM_LOKI_BIN", version: []string{"--version"},
			suits: func(v [3]int) bool { return v[0] >= 3 }, wants: "3.0 or later",
			module: "lab/servers/loki", pkg: "github.com/grafana/loki/v3/cmd/loki",
			flags: []string{"-ldflags=-s -w -X github.com/grafana/loki/v3/pkg/util/build.Version=3.7.8"},
		},
		KubeAPIServer: {
			name: KubeAPIServer, variable: "TANDEM_KUBE_APISERVER_BIN", version: []string{"--version"},
			suits: func(v [3]int) bool { return v[0] == 1 && v[1] >= 30 }, wants: "1.30 or later",
			module: "lab/servers/kubernetes", pkg: "k8s.io/kubernetes/cmd/kube-apiserver",
			flags: []string{"-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2"},
		},
		Etcd: {
			name: Etcd, variable: "TANDEM_ETCD_BIN", version: []string{"--version"},
			suits: func(v [3]int) bool { return v[0] == 3 && v[1] >= 4 }, wants: "3.4 or later",
			packaged: "etcd-server",
		},
	}
}

// parseVersion finds the first x.y or x.y.z in what a server prints about itself.
func parseVersion(text string) ([3]int, error) {
	found := regexp.MustCompile(`\bv?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?`).FindStringSubmatch(text)
	if found == nil {
		return [3]int{}, fmt.Errorf("no version in %.80q", text)
	}
	var version [3]int
	for i := range version {
		version[i], _ = strconv.Atoi(found[i+1]) // at most six digits; an absent patch is 0
	}
	return version, nil
}

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

	module string // folder of the nested module, from the root of the module
	pkg    string // package to build, in that module
	flags  []string
}

// known lists the servers that can be built.
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
		Loki: {
			name: Loki, variable: "TANDEM_LOKI_BIN", version: []string{"--version"},
			suits: func(v [3]int) bool { return v[0] >= 3 }, wants: "3.0 or later",
			module: "lab/servers/loki", pkg: "github.com/grafana/loki/v3/cmd/loki",
			flags: []string{"-ldflags=-s -w -X github.com/grafana/loki/v3/pkg/util/build.Version=3.7.8"},
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

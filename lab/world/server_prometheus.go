package world

import (
	"encoding/json"
	"fmt"
)

// scrapeInterval is short, since the lab's TTLs are.
const scrapeInterval = "2s"

// vaultPod is the pod label of Vault's metrics.
const vaultPod = "vault-0"

// scrapeJob is one job of Prometheus's configuration.
type scrapeJob struct {
	Name    string              `json:"job_name"`
	Path    string              `json:"metrics_path,omitempty"`
	Params  map[string][]string `json:"params,omitempty"`
	Targets []targetGroup       `json:"static_configs"`
}

type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels,omitempty"`
}

// prometheusSpec describes the Prometheus server.
func (b *builder) prometheusSpec() spec {
	file := b.folder.conf("prometheus")
	url := b.state.Prometheus.URL
	return spec{
		name: "prometheus", path: b.binaries.prometheus, address: url, logFile: b.folder.log("prometheus"),
		args: []string{
			"--config.file=" + file, "--storage.tsdb.path=" + b.folder.path("data", "prometheus"),
			"--web.listen-address=" + hostPort(url), "--web.enable-lifecycle", "--log.level=warn",
		},
		config: b.prometheusConfig(), configFile: file, ready: answersOK(url + "/-/ready"),
	}
}

// prometheusConfig scrapes Vault, the services and the bot.
func (b *builder) prometheusConfig() json.RawMessage {
	jobs := []scrapeJob{{
		Name: "vault", Path: "/v1/sys/metrics", Params: map[string][]string{"format": {"prometheus"}},
		Targets: []targetGroup{{Targets: []string{hostPort(b.state.Vault.URL)}, Labels: map[string]string{"pod": vaultPod}}},
	}}
	for _, service := range catalogue() {
		state := b.state.Services[service.name]
		jobs = append(jobs, scrapeJob{Name: service.name, Targets: []targetGroup{{
			Targets: []string{hostPort(state.AdminURL)},
			Labels:  map[string]string{"pod": state.Pod, "namespace": service.namespace},
		}}})
	}
	if !b.options.NoBot {
		jobs = append(jobs, scrapeJob{Name: "tandem", Targets: []targetGroup{{Targets: []string{hostPort(b.state.Bot.HealthURL)}}}})
	}
	// Prometheus reads YAML, of which JSON is a part.
	config, err := json.Marshal(map[string]any{
		"global":         map[string]any{"scrape_interval": scrapeInterval, "scrape_timeout": "1s"},
		"scrape_configs": jobs,
	})
	if err != nil {
		panic(fmt.Sprintf("marshal strings: %v", err))
	}
	return config
}

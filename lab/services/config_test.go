package services

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestConfigNamesEveryFault(t *testing.T) {
	err := Run(t.Context(), Config{Name: "broker", AdminAddr: "nowhere", LogLevel: "loud", TTL: -1})
	for _, want := range []string{
		`name "broker"`, `admin_addr "nowhere"`, "registry_addr", "vault_addr is empty", "workload_socket", `log_level "loud"`, "above zero",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want it to name %s", err, want)
		}
	}
}

func TestConfigRefusesAnUnknownBehaviour(t *testing.T) {
	cfg := Config{
		Name: ServiceRegistry, AdminAddr: freeAddr(t), GRPCAddr: freeAddr(t), WorkloadSocket: "/w.sock",
		Behaviour: Behaviour{Pool: "maybe"},
	}
	if err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), `pool "maybe"`) {
		t.Errorf("error = %v", err)
	}
}

func TestDefaultsAreThePublicSystems(t *testing.T) {
	for service, role := range map[string]string{
		Orchestrator: "orchestrator-dynamic", Worker: "worker-agents", ServiceRegistry: "service-registry",
	} {
		cfg := Config{Name: service}.withDefaults()
		if cfg.VaultRole != role || cfg.VaultAudience != "vault.neural-hive.local" || cfg.ttl() != time.Minute {
			t.Errorf("%s: role %q, audience %q, ttl %v", service, cfg.VaultRole, cfg.VaultAudience, cfg.ttl())
		}
	}
}

func TestDurationsAreText(t *testing.T) {
	var cfg Config
	if err := json.Unmarshal([]byte(`{"ttl":"20s"}`), &cfg); err != nil || cfg.ttl() != 20*time.Second {
		t.Errorf("ttl = %v, %v", cfg.ttl(), err)
	}
	if err := json.Unmarshal([]byte(`{"ttl":"soon"}`), &cfg); err == nil || !strings.Contains(err.Error(), "with a unit") {
		t.Errorf("error = %v, want the next step in it", err)
	}
	text, err := json.Marshal(Config{TTL: Duration(20 * time.Second)})
	if err != nil || !strings.Contains(string(text), `"ttl":"20s"`) {
		t.Errorf("config = %s, %v", text, err)
	}
}

package main

import (
	"tandem/config"
	"tandem/diagnostics/throttle"
)

// throttles are those of all systems that are asked over HTTP; nil for one that is
// not configured.
type throttles struct {
	vault, prometheus, loki *throttle.Throttle
	room                    *throttle.Room
}

func newThrottles(c *config.Config) throttles {
	var t throttles
	t.room = &throttle.Room{}
	add := func(key string, perSecond float64) *throttle.Throttle {
		one := throttle.New(key, perSecond, c.Watch.Parallel)
		t.room.Systems = append(t.room.Systems, one)
		return one
	}
	if c.Vault != nil {
		t.vault = add("vault.requests_per_second", c.Vault.RequestsPerSecond)
	}
	if c.Prometheus != nil {
		t.prometheus = add("prometheus.requests_per_second", c.Prometheus.RequestsPerSecond)
	}
	if c.Logs != nil && c.Logs.Loki != nil {
		t.loki = add("logs.loki.requests_per_second", c.Logs.Loki.RequestsPerSecond)
	}
	return t
}

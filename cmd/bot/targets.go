package main

import (
	"cmp"
	"slices"

	"tandem/config"
	"tandem/diagnostics"
)

// targets makes the services of the configuration what a diagnosis is about, by
// name.
func targets(c *config.Config) []diagnostics.Target {
	var all []diagnostics.Target
	for name, s := range c.Services {
		all = append(all, target(name, s))
	}
	slices.SortFunc(all, func(a, b diagnostics.Target) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func target(name string, s *config.Service) diagnostics.Target {
	t := diagnostics.Target{
		Name: name, SPIFFEID: s.SPIFFEID, Selectors: s.Selectors, Job: s.Job,
		MetricPrefix: s.MetricPrefix, AccessorFile: string(s.AccessorFile), Window: s.Window,
	}
	if s.Login != nil {
		t.Login = diagnostics.Login(*s.Login)
	}
	for _, secret := range s.Secrets {
		t.Secrets = append(t.Secrets, diagnostics.Secret(secret))
	}
	if s.Database != nil {
		t.Database = diagnostics.Database(*s.Database)
	}
	if s.MongoDB != nil {
		t.MongoDB = diagnostics.MongoDB(*s.MongoDB)
	}
	if s.Peer != nil {
		t.Peer = diagnostics.Peer(*s.Peer)
	}
	if s.Workload != nil {
		t.Workload = diagnostics.Workload(*s.Workload)
	}
	return t
}

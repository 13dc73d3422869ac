package faults

import "tandem/diagnostics"

// callFaults are row 2 as far as the services go: the worker has an identity,
// and the registry does not accept its calls.
func callFaults() []Fault {
	row := func(name, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: 2, Service: worker, Status: diagnostics.Fail, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	orchestratorID := "spiffe://" + trustDomain + "/ns/neural-hive-orchestration/sa/orchestrator-dynamic"
	return []Fault{
		row("audience-mismatch", "GRP-002", "The registry expects another audience than the worker uses.",
			behave(registry, map[string]any{"verifier_audience": "another.neural-hive.local"}), behave(registry, map[string]any{"verifier_audience": ""})),
		row("not-allowed", "GRP-003", "The worker is not on the registry's allow-list.",
			behave(registry, map[string]any{"verifier_allow_list": []string{orchestratorID}}), behave(registry, map[string]any{"verifier_allow_list": nil})),
		row("svid-cached", "GRP-001", "The worker keeps its JWT-SVID beyond its end.",
			behave(worker, map[string]any{"svid": "cached"}), behave(worker, map[string]any{"svid": "ok"})),
		row("svid-placeholder", "GRP-004", "The worker sends a placeholder instead of a JWT-SVID.",
			behave(worker, map[string]any{"svid": "placeholder"}), behave(worker, map[string]any{"svid": "ok"})),
		row("registry-down", "GRP-005", "The service registry is stopped.", stop(registry), restart(registry)),
	}
}

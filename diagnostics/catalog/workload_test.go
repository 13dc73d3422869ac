package catalog_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"tandem/diagnostics"
	"tandem/diagnostics/catalog"
	"tandem/diagnostics/probes"
)

// judged is what KUB-001 says of a workload, with everything else blind.
func judged(t *testing.T, facts probes.ClusterWorkload) diagnostics.Result {
	t.Helper()
	all := probes.All(probes.Deps{})
	i := slices.IndexFunc(all, func(p diagnostics.Probe) bool { return p.Name == "kubernetes.workload" })
	all[i] = diagnostics.NewProbe(all[i].Name, all[i].Doc, func(context.Context, probes.WorkloadArgs) (probes.ClusterWorkload, []diagnostics.Evidence, error) {
		return facts, nil, nil
	})
	loaded, err := diagnostics.LoadCatalog([]diagnostics.CatalogSource{{Name: "catalog", FS: catalog.FS}}, all)
	if err != nil {
		t.Fatal(err)
	}
	runner := diagnostics.Runner{Catalog: loaded, Now: time.Now}
	target := diagnostics.Target{Name: "worker", Workload: diagnostics.Workload{Namespace: "a", Name: "b"}}
	report, err := runner.Run(t.Context(), target, diagnostics.RunOptions{Only: []string{"KUB-001"}})
	if err != nil {
		t.Fatal(err)
	}
	return report.Checks[slices.IndexFunc(report.Checks, func(r diagnostics.Result) bool { return r.Code == "KUB-001" })]
}

// A restart is offered only to pods that run and do not serve: Kubernetes tries
// again by itself what does not start.
func TestWorkloadIsJudged(t *testing.T) {
	runs := []probes.ClusterPod{{Name: "b-1", Phase: "Running"}}
	for name, tt := range map[string]struct {
		facts   probes.ClusterWorkload
		want    diagnostics.Status
		restart bool
	}{
		"all ready":         {probes.ClusterWorkload{Exists: true, Desired: 2, Ready: 2}, diagnostics.Pass, false},
		"not there":         {probes.ClusterWorkload{}, diagnostics.Fail, false},
		"scaled to zero":    {probes.ClusterWorkload{Exists: true}, diagnostics.Fail, false},
		"some ready":        {probes.ClusterWorkload{Exists: true, Desired: 2, Ready: 1, Waiting: []string{"ErrImagePull"}}, diagnostics.Warn, false},
		"rolling":           {probes.ClusterWorkload{Exists: true, Desired: 1, Rolling: true, Waiting: []string{"ContainerCreating"}}, diagnostics.Warn, false},
		"rolling, for long": {probes.ClusterWorkload{Exists: true, Desired: 1, Rolling: true, Stuck: true, Pods: runs}, diagnostics.Fail, false},
		"paused":            {probes.ClusterWorkload{Exists: true, Desired: 1, Paused: true, Pods: runs}, diagnostics.Fail, false},
		"does not start":    {probes.ClusterWorkload{Exists: true, Desired: 1, Waiting: []string{"CrashLoopBackOff"}, Pods: runs}, diagnostics.Fail, false},
		"no pods":           {probes.ClusterWorkload{Exists: true, Desired: 1}, diagnostics.Fail, false},
		"does not serve":    {probes.ClusterWorkload{Exists: true, Desired: 1, Pods: runs}, diagnostics.Fail, true},
	} {
		got := judged(t, tt.facts)
		offered := slices.ContainsFunc(got.Fixes, func(f diagnostics.Fix) bool { return f.Remedy == "rollout-restart" })
		if got.Status != tt.want || offered != tt.restart {
			t.Errorf("%s: %s (%s), restart offered %t", name, got.Status, got.Summary.EN, offered)
		}
	}
}

package remedies

import (
	"slices"
	"strings"
	"testing"

	agentv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/agent/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tandem/approvals"
)

// podOf is the only pod of a label.
func (b *clusterBench) podOf(t *testing.T, namespace, app string) corev1.Pod {
	t.Helper()
	found := must[*corev1.PodList](t)(b.deps.Kubernetes.Client.CoreV1().Pods(namespace).List(soon(t), metav1.ListOptions{LabelSelector: "app=" + app}))
	if len(found.Items) != 1 {
		t.Fatalf("%d pods of %s", len(found.Items), app)
	}
	return found.Items[0]
}

func (b *clusterBench) testPodFence(t *testing.T) {
	b.fenced(t)
	agent, server := b.podOf(t, spireNamespace, "spire-agent"), b.podOf(t, spireNamespace, "spire-server")
	worker := b.podOf(t, executionNamespace, "worker")
	dry := metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}
	for account, pods := range map[string]struct{ own, other corev1.Pod }{
		"spire-agent-restart":  {agent, server},
		"spire-server-restart": {server, agent},
	} {
		own := b.as(t, account)
		check(t, own.CoreV1().Pods(spireNamespace).Delete(soon(t), pods.own.Name, dry))
		err := own.CoreV1().Pods(spireNamespace).Delete(soon(t), pods.other.Name, dry)
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "may be deleted") {
			t.Errorf("%s deletes another pod: %v", account, err)
		}
		wantForbidden(t, "a pod of another namespace", own.CoreV1().Pods(executionNamespace).Delete(soon(t), worker.Name, dry))
		wantForbidden(t, "deleting all", own.CoreV1().Pods(spireNamespace).DeleteCollection(soon(t), dry, metav1.ListOptions{}))
		_, err = own.CoreV1().Pods(spireNamespace).Patch(soon(t), pods.own.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"x":"y"}}}`), dryRun())
		wantForbidden(t, "changing a pod", err)
	}
}

func (b *clusterBench) testPodRestart(t *testing.T, name, param, value string, p *process) {
	plan := b.plan(t, name, nil)
	if unmet, ok := plan.Unmet(); ok {
		t.Fatalf("unmet: %+v", unmet)
	}
	if named := b.plan(t, name, map[string]string{param: value}); named.Target != plan.Target {
		t.Errorf("targets %s and %s", plan.Target, named.Target)
	}
	starts := p.starts.Load()
	act := b.carryOut(t, plan)
	if p.starts.Load() != starts+1 || len(act.Said) == 0 {
		t.Errorf("%d starts more, said %q", p.starts.Load()-starts, act.Said)
	}
	want := "service account tandem/tandem-" + name + ", impersonated by tandem/tandem"
	if !slices.Equal(act.Calls, []string{plan.Calls[0].What}) || !slices.Equal(act.Identities, []string{want}) {
		t.Errorf("calls %q under %q", act.Calls, act.Identities)
	}
	// Once more, as after a crash: the new pod stays.
	if act = b.carryOut(t, plan); p.starts.Load() != starts+1 || act.Results[0] != "done already, as a look shows" {
		t.Errorf("the second time: %d starts more, %q", p.starts.Load()-starts, act.Results)
	}
	if b.plan(t, name, nil).Fingerprint() == plan.Fingerprint() {
		t.Error("the plan for the new pod has the fingerprint of the old one's")
	}
	_, err := b.remedy(t, name).Plan(soon(t), approvals.Want{Service: "worker", Params: map[string]string{param: "nowhere"}})
	if why := refusal(t, err); why != approvals.WhyParameters {
		t.Errorf("a %s that is not there: %s", param, why)
	}
}

// unmetOf is what the first precondition that does not hold observed; empty: all
// hold.
func unmetOf(t *testing.T, remedy approvals.Remedy) string {
	t.Helper()
	unmet, _ := must[approvals.Plan](t)(remedy.Plan(soon(t), approvals.Want{Service: "worker"})).Unmet()
	return unmet.Observed
}

func (b *clusterBench) testAttests(t *testing.T) {
	s := b.startSPIRE(t)
	restart := spireAgentRestart(s.deps).Remedy
	if got := unmetOf(t, restart); got != "" {
		t.Errorf("an agent that attests: %s", got)
	}
	if p := must[approvals.Plan](t)(restart.Plan(soon(t), approvals.Want{Service: "worker"})); !slices.Equal(p.Proof, []string{"SPF-005"}) {
		t.Errorf("proof %q", p.Proof)
	}
	list := must[*agentv1.ListAgentsResponse](t)(s.agents.ListAgents(soon(t), &agentv1.ListAgentsRequest{}))
	_, err := s.agents.BanAgent(soon(t), &agentv1.BanAgentRequest{Id: list.Agents[0].Id})
	check(t, err)
	if got := unmetOf(t, restart); got != "the agent of neural-hive-node-1 is banned, which was somebody's decision" {
		t.Errorf("a banned agent: %q", got)
	}
	s.deps.SPIRE.Server += "-missing"
	if got := unmetOf(t, spireAgentRestart(s.deps).Remedy); got != "no answer: look at the SPIRE server: spire-server healthcheck" {
		t.Errorf("no server: %q", got)
	}
}

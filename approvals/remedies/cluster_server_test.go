package remedies

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"tandem/approvals"
	lab "tandem/lab/kubernetes"
)

const (
	executionNamespace = "neural-hive-execution"
	spireNamespace     = "spire-system"
	workerSPIFFEID     = "spiffe://neural-hive.local/ns/neural-hive-execution/sa/worker-agents"
)

// process is one that a pod of the cluster is.
type process struct {
	starts atomic.Int32
	down   atomic.Bool
}

func (p *process) workload(kind lab.Kind, namespace, name string) lab.Workload {
	return lab.Workload{
		Kind: kind, Namespace: namespace, Name: name,
		Restart: func(context.Context) error { p.starts.Add(1); return nil },
		Ready: func(context.Context) error {
			if p.down.Load() {
				return errors.New("down")
			}
			return nil
		},
	}
}

// clusterBench is a real API server with the rights that ClusterPolicy prints,
// the lab's controllers, and remedies that see it as a bot does.
type clusterBench struct {
	deps                         Deps
	admin                        *lab.Client
	script                       string // that the end-to-end Job runs
	orchestrator, worker         process
	registry, agent, spireServer process
}

func startCluster(t *testing.T) *clusterBench {
	t.Helper()
	dir := t.TempDir()
	server := must[*lab.Server](t)(lab.StartServer(t.Context(), dir, func(line string) { t.Log(line) }))
	t.Cleanup(server.Close)
	b := &clusterBench{script: filepath.Join(dir, "run.sh"), admin: must[*lab.Client](t)(lab.NewClient(lab.Admin(server.URL, server.Files)))}
	t.Cleanup(b.admin.Close)
	b.deps = Deps{
		Now:        time.Now,
		Kubernetes: Kubernetes{Namespace: "tandem", Account: "tandem"},
		Services: []Service{
			{Name: "orchestrator", Workload: &Workload{"neural-hive-orchestration", "orchestrator-dynamic"}},
			{Name: "worker", Workload: &Workload{executionNamespace, "worker-agents"}, SPIFFEID: workerSPIFFEID},
			{Name: "service-registry", Workload: &Workload{"neural-hive-core", "service-registry"}},
		},
		SPIRE: SPIRE{AgentSet: &Workload{spireNamespace, "spire-agent"}, ServerSet: &Workload{spireNamespace, "spire-server"}},
		EndToEnd: EndToEnd{Job: &Job{
			Namespace: "tandem", Image: "lab/end-to-end", Args: []string{b.script}, Env: map[string]string{"TARGET": "the \"lab\""}, Deadline: 20 * time.Second,
		}},
	}
	policy := must[[]byte](t)(ClusterPolicy(b.deps))
	for range 2 { // it may be repeated
		check(t, b.admin.Apply(soon(t), lab.ClusterManifests()))
		check(t, b.admin.Apply(soon(t), policy))
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	check(t, b.admin.WriteAccount(soon(t), kubeconfig, server.Files, "tandem", "tandem"))
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	check(t, err)
	reached, closeAll, err := NewKubernetes(config, "tandem", "tandem")
	check(t, err)
	t.Cleanup(closeAll)
	b.deps.Kubernetes = reached
	b.keep(t, server.Files, dir)
	return b
}

// keep starts the controllers, and waits until every pod is ready.
func (b *clusterBench) keep(t *testing.T, files lab.Files, dir string) {
	t.Helper()
	workloads := []lab.Workload{
		b.orchestrator.workload(lab.Deployment, "neural-hive-orchestration", "orchestrator-dynamic"),
		b.worker.workload(lab.Deployment, executionNamespace, "worker-agents"),
		b.registry.workload(lab.Deployment, "neural-hive-core", "service-registry"),
		b.agent.workload(lab.DaemonSet, spireNamespace, "spire-agent"),
		b.spireServer.workload(lab.StatefulSet, spireNamespace, "spire-server"),
	}
	cluster := must[*lab.Cluster](t)(lab.Start(t.Context(), b.admin, lab.Config{
		Files: files, LogDir: dir, Log: slog.New(slog.DiscardHandler), Workloads: workloads,
		Programs: map[string]lab.Program{"lab/end-to-end": {Path: "/bin/sh"}},
	}))
	t.Cleanup(cluster.Close)
	await(t, func() error { return b.admin.Available(soon(t), workloads) })
}

func (b *clusterBench) remedy(t *testing.T, name string) approvals.Remedy {
	t.Helper()
	i := slices.IndexFunc(All(b.deps), func(r approvals.Remedy) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no remedy is called %s", name)
	}
	return All(b.deps)[i]
}

// plan plans for the worker, and holds what is true of every plan.
func (b *clusterBench) plan(t *testing.T, remedy string, params map[string]string) approvals.Plan {
	t.Helper()
	p := must[approvals.Plan](t)(b.remedy(t, remedy).Plan(soon(t), approvals.Want{Service: "worker", Params: params}))
	for what, text := range map[string]string{
		"does": p.Does.EN, "does in Portuguese": p.Does.PT, "blast": p.Blast.EN, "blast in Portuguese": p.Blast.PT,
		"way back": p.WayBack.EN, "way back in Portuguese": p.WayBack.PT, "target": p.Target,
	} {
		if text == "" {
			t.Errorf("the plan of %s lacks: %s", remedy, what)
		}
	}
	if len(p.Calls) == 0 || len(p.Why) == 0 || len(p.Basis) == 0 {
		t.Errorf("the plan of %s lacks something: %+v", remedy, p)
	}
	again := must[approvals.Plan](t)(b.remedy(t, remedy).Plan(soon(t), approvals.Want{Service: "worker", Params: params}))
	if again.Fingerprint() != p.Fingerprint() {
		t.Errorf("the same plan of %s has another fingerprint", remedy)
	}
	return p
}

func (b *clusterBench) carryOut(t *testing.T, p approvals.Plan) *record {
	t.Helper()
	act := &record{}
	check(t, b.remedy(t, p.Remedy).Execute(soon(t), p, act))
	return act
}

// as acts as the account of a remedy, from the bot's standing identity.
func (b *clusterBench) as(t *testing.T, remedy string) ClusterAPI {
	t.Helper()
	return must[acting](t)(b.deps.Kubernetes.as(remedy)).client
}

func (b *clusterBench) deployment(t *testing.T) *appsv1.Deployment {
	t.Helper()
	return must[*appsv1.Deployment](t)(b.deps.Kubernetes.Client.AppsV1().Deployments(executionNamespace).Get(soon(t), "worker-agents", metav1.GetOptions{}))
}

func wantForbidden(t *testing.T, what string, err error) {
	t.Helper()
	if !apierrors.IsForbidden(err) {
		t.Errorf("%s is not forbidden: %v", what, err)
	}
}

func TestCluster(t *testing.T) {
	b := startCluster(t)
	t.Run("the standing identity changes nothing", b.testStanding)
	t.Run("an account restarts and does nothing else", b.testRolloutFence)
	t.Run("a rollout restart", b.testRollout)
	t.Run("a rollout restart has preconditions", b.testRolloutPreconditions)
	t.Run("an account deletes pods of its set and does nothing else", b.testPodFence)
	t.Run("a restart of the SPIRE agent", func(t *testing.T) {
		b.testPodRestart(t, "spire-agent-restart", "node", "neural-hive-node-1", &b.agent)
	})
	t.Run("a restart of the SPIRE server", func(t *testing.T) {
		b.testPodRestart(t, "spire-server-restart", "pod", "spire-server-0", &b.spireServer)
	})
	t.Run("an agent that could not attest is not restarted", b.testAttests)
	t.Run("a SPIRE entry is made once", b.testEntry)
	t.Run("a SPIRE entry does not reach the wrong pods", b.testEntryReach)
	t.Run("all SPIRE entries", b.testEntries)
	t.Run("an account makes the one Job and does nothing else", b.testJobFence)
	t.Run("an end-to-end run as a Job", b.testJob)
	t.Run("an end-to-end run is followed once it runs", b.testJobIsFollowed)
}

// restart is a patch of the annotation and nothing else.
const restart = `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}}}`

func (b *clusterBench) testStanding(t *testing.T) {
	standing := b.deps.Kubernetes.Client
	pods := must[*corev1.PodList](t)(standing.CoreV1().Pods(executionNamespace).List(soon(t), metav1.ListOptions{}))
	if len(pods.Items) != 1 {
		t.Fatalf("%d pods", len(pods.Items))
	}
	_, err := standing.AppsV1().Deployments(executionNamespace).Patch(soon(t), "worker-agents", types.MergePatchType, []byte(restart), metav1.PatchOptions{})
	wantForbidden(t, "a patch", err)
	wantForbidden(t, "deleting a pod", standing.CoreV1().Pods(executionNamespace).Delete(soon(t), pods.Items[0].Name, metav1.DeleteOptions{}))
	_, err = standing.BatchV1().Jobs("tandem").Create(soon(t), &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})
	wantForbidden(t, "a Job", err)
	_, err = standing.CoreV1().Secrets("tandem").List(soon(t), metav1.ListOptions{})
	wantForbidden(t, "reading Secrets", err)
	// It acts as the accounts of the remedies alone.
	for _, account := range []string{"default", "tandem-rollout-restart-2"} {
		other := must[ClusterAPI](t)(b.deps.Kubernetes.As(account))
		_, err := other.CoreV1().Pods("tandem").List(soon(t), metav1.ListOptions{})
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "impersonate") {
			t.Errorf("acting as %s: %v", account, err)
		}
	}
}

func (b *clusterBench) testRolloutFence(t *testing.T) {
	b.fenced(t)
	own := b.as(t, "rollout-restart")
	for what, patch := range map[string]string{
		"another image":                    `{"spec":{"template":{"spec":{"containers":[{"name":"worker","image":"evil"}]}}}}`,
		"another environment":              `{"spec":{"template":{"spec":{"containers":[{"name":"worker","env":[{"name":"A","value":"b"}]}]}}}}`,
		"another service account":          `{"spec":{"template":{"spec":{"serviceAccountName":"default"}}}}`,
		"more replicas":                    `{"spec":{"replicas":2}}`,
		"a pause":                          `{"spec":{"paused":true}}`,
		"another annotation of the pods":   `{"spec":{"template":{"metadata":{"annotations":{"vault.hashicorp.com/agent-inject":"true"}}}}}`,
		"another label of the pods":        `{"spec":{"template":{"metadata":{"labels":{"x":"y"}}}}}`,
		"a label of the Deployment":        `{"metadata":{"labels":{"x":"y"}}}`,
		"an annotation of the Deployment":  `{"metadata":{"annotations":{"x":"y"}}}`,
		"a label taken away":               `{"metadata":{"labels":{"app":null}}}`,
		"the restart, and another image":   `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"x"}},"spec":{"containers":[{"name":"worker","image":"evil"}]}}}}`,
		"the restart, and a finalizer too": `{"metadata":{"finalizers":["x/y"]},"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"x"}}}}}`,
	} {
		_, err := own.AppsV1().Deployments(executionNamespace).Patch(soon(t), "worker-agents", types.StrategicMergePatchType, []byte(patch), dryRun())
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "only the restart annotation") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := own.AppsV1().Deployments(executionNamespace).Patch(soon(t), "worker-agents", types.StrategicMergePatchType, []byte(restart), dryRun())
	check(t, err)
	_, err = own.AppsV1().Deployments(executionNamespace).Get(soon(t), "worker-agents", metav1.GetOptions{})
	wantForbidden(t, "reading", err)
	_, err = own.AppsV1().Deployments(spireNamespace).Patch(soon(t), "worker-agents", types.MergePatchType, []byte(restart), metav1.PatchOptions{})
	wantForbidden(t, "a Deployment of another namespace", err)
	_, err = own.AppsV1().Deployments(executionNamespace).Patch(soon(t), "worker-agents", types.MergePatchType, []byte(`{"spec":{"replicas":0}}`), metav1.PatchOptions{}, "scale")
	wantForbidden(t, "scaling", err)
}

func (b *clusterBench) testRollout(t *testing.T) {
	p := b.plan(t, "rollout-restart", nil)
	if unmet, ok := p.Unmet(); ok {
		t.Fatalf("unmet: %+v", unmet)
	}
	if !strings.Contains(p.Blast.EN, "is away until") {
		t.Errorf("the blast radius of one pod that is recreated: %s", p.Blast.EN)
	}
	before, starts := b.deployment(t), b.worker.starts.Load()
	act := b.carryOut(t, p)
	if !slices.Equal(act.Calls, []string{p.Calls[0].What}) ||
		!slices.Equal(act.Identities, []string{"service account tandem/tandem-rollout-restart, impersonated by tandem/tandem"}) {
		t.Errorf("calls %q under %q", act.Calls, act.Identities)
	}
	after := b.deployment(t)
	if after.Generation != before.Generation+1 || b.worker.starts.Load() != starts+1 || !rolloutOf(after).whole() {
		t.Errorf("generation %d, %d starts, %+v", after.Generation, b.worker.starts.Load(), after.Status)
	}
	if len(act.Said) == 0 {
		t.Error("nothing was said on the way")
	}
	// Once more, as after a crash: nothing happens.
	act = b.carryOut(t, p)
	if b.deployment(t).Generation != after.Generation || !strings.HasPrefix(act.Results[0], "done already") {
		t.Errorf("the second time: %q, generation %d", act.Results, b.deployment(t).Generation)
	}
	if b.plan(t, "rollout-restart", nil).Fingerprint() == p.Fingerprint() {
		t.Error("the plan of a second restart has the fingerprint of the first")
	}
}

func (b *clusterBench) testRolloutPreconditions(t *testing.T) {
	p := b.plan(t, "rollout-restart", nil)
	b.patch(t, `{"spec":{"paused":true}}`)
	if unmet, ok := b.plan(t, "rollout-restart", nil).Unmet(); !ok || unmet.Text.EN != "The Deployment is not paused." {
		t.Errorf("paused: %+v", unmet)
	}
	b.patch(t, `{"spec":{"paused":false,"template":{"metadata":{"annotations":{"somebody":"else"}}}}}`)
	act := &record{}
	err := b.remedy(t, "rollout-restart").Execute(soon(t), p, act)
	var trouble *approvals.Trouble
	if !errors.As(err, &trouble) || !strings.HasPrefix(trouble.Text, "nothing was changed: somebody rolled") {
		t.Errorf("a Deployment that was rolled meanwhile: %v", err)
	}
	await(t, func() error {
		if is := rolloutOf(b.deployment(t)); !is.whole() {
			return errors.New(is.words())
		}
		return nil
	})
	// A pod that is not ready is what a restart is for.
	b.worker.down.Store(true)
	await(t, func() error {
		if is := rolloutOf(b.deployment(t)); is.available > 0 {
			return errors.New(is.words())
		}
		return nil
	})
	if unmet, ok := b.plan(t, "rollout-restart", nil).Unmet(); ok {
		t.Errorf("a service that is not ready cannot be restarted: %+v", unmet)
	}
	b.worker.down.Store(false)
	if _, err := b.remedy(t, "rollout-restart").Plan(soon(t), approvals.Want{Service: "nobody"}); refusal(t, err) != approvals.WhyParameters {
		t.Errorf("a service that nobody knows: %v", err)
	}
}

// patch changes the worker's Deployment as its operators do, and returns when
// the controllers have seen it.
func (b *clusterBench) patch(t *testing.T, patch string) {
	t.Helper()
	check(t, b.admin.Patch(soon(t), lab.Deployment, executionNamespace, "worker-agents", []byte(patch)))
	await(t, func() error {
		if is := rolloutOf(b.deployment(t)); is.observed < is.generation {
			return errors.New("the controllers have not seen it")
		}
		return nil
	})
}

// fenced waits until the API server has taken up the admission policies.
func (b *clusterBench) fenced(t *testing.T) {
	t.Helper()
	own := b.as(t, "rollout-restart")
	await(t, func() error {
		_, err := own.AppsV1().Deployments(executionNamespace).Patch(soon(t), "worker-agents", types.MergePatchType, []byte(`{"spec":{"replicas":2}}`), dryRun())
		if !apierrors.IsForbidden(err) {
			return fmt.Errorf("not fenced yet: %w", err)
		}
		return nil
	})
}

func dryRun() metav1.PatchOptions { return metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}} }

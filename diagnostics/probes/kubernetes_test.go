package probes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"tandem/diagnostics"
	lab "tandem/lab/kubernetes"
)

// kubernetesAt makes a client whose connections end with the test.
func kubernetesAt(t *testing.T, config *rest.Config) Kubernetes {
	t.Helper()
	transport, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := kubernetes.NewForConfigAndClient(config, transport)
	if err != nil {
		t.Fatal(err)
	}
	return Kubernetes{Client: client}
}

func workloadOf(ctx context.Context, k Kubernetes, args WorkloadArgs) (ClusterWorkload, []diagnostics.Evidence, error) {
	return kubernetesProbes{Kubernetes: k, now: time.Now}.workload(ctx, args)
}

// startCluster is a real API server with the lab's workloads, of which the
// worker's process is as told.
func startCluster(t *testing.T, worker func() error) (*lab.Client, Kubernetes) {
	t.Helper()
	admin, k, _ := startClusterIn(t, t.TempDir(), worker)
	return admin, k
}

// startClusterIn also says how others enter. The worker logs to worker.log in
// the folder.
func startClusterIn(t *testing.T, dir string, worker func() error) (*lab.Client, Kubernetes, *rest.Config) {
	t.Helper()
	server, err := lab.StartServer(t.Context(), dir, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	admin, err := lab.NewClient(lab.Admin(server.URL, server.Files))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	if err := admin.Apply(soon(t), lab.ClusterManifests()); err != nil {
		t.Fatal(err)
	}
	nothing := func(context.Context) error { return nil }
	workloads := []lab.Workload{
		{Kind: lab.Deployment, Namespace: "neural-hive-execution", Name: "worker-agents", LogFile: filepath.Join(dir, "worker.log"), Restart: nothing, Ready: func(context.Context) error { return worker() }},
		{Kind: lab.DaemonSet, Namespace: "spire-system", Name: "spire-agent", Restart: nothing, Ready: nothing},
		{Kind: lab.StatefulSet, Namespace: "spire-system", Name: "spire-server", Restart: nothing, Ready: nothing},
	}
	cluster, err := lab.Start(t.Context(), admin, lab.Config{Files: server.Files, LogDir: dir, Log: slog.New(slog.DiscardHandler), Workloads: workloads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	eventually(t, func() error { return admin.Available(soon(t), workloads) })
	entry := lab.Admin(server.URL, server.Files)
	return admin, kubernetesAt(t, entry), entry
}

func eventually(t *testing.T, try func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	ctx := deadline(t, time.Minute)
	for err := try(); err != nil; err = try() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

func TestWorkloadOfARealCluster(t *testing.T) {
	var down atomic.Bool
	admin, k := startCluster(t, func() error {
		if down.Load() {
			return errors.New("down")
		}
		return nil
	})
	worker := WorkloadArgs{Namespace: "neural-hive-execution", Name: "worker-agents", Kind: "deployment"}
	got, evidence, err := workloadOf(soon(t), k, worker)
	if err != nil {
		t.Fatal(err)
	}
	want := ClusterWorkload{
		Exists: true, Desired: 1, Ready: 1, Updated: 1, Available: 1, Generation: 1, ObservedGeneration: 1,
		Images: []string{"neural-hive/worker-agents"}, Nodes: []string{"neural-hive-node-1"},
		Pods: []ClusterPod{{Phase: "Running", Ready: true, Node: "neural-hive-node-1", ServiceAccount: "worker-agents"}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(ClusterWorkload{}, "OldestPodAge"), cmpopts.IgnoreFields(ClusterPod{}, "Name", "StartedAt"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if len(evidence) != 2 || evidence[0].Invocation != "kubectl -n neural-hive-execution get deployment worker-agents -o wide" || !strings.HasPrefix(evidence[1].Observed, "worker-agents-") {
		t.Errorf("evidence %+v", evidence)
	}
	for kind, name := range map[string]string{"daemonset": "spire-agent", "statefulset": "spire-server"} {
		got, _, err := workloadOf(soon(t), k, WorkloadArgs{Namespace: "spire-system", Name: name, Kind: kind})
		if err != nil || !got.Exists || got.Desired != 1 || got.Ready != 1 || got.Rolling || len(got.Pods) != 1 {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
	}
	missing := worker
	missing.Name = "nobody"
	if got, evidence, err := workloadOf(soon(t), k, missing); err != nil || got.Exists || len(evidence) != 1 {
		t.Errorf("one that is not there: %+v, %v", got, err)
	}
	down.Store(true)
	eventually(t, func() error {
		got, _, err := workloadOf(soon(t), k, worker)
		if err == nil && (got.Ready != 0 || got.Rolling || got.Pods[0].Ready || got.Pods[0].Phase != "Running") {
			err = errors.New("it is still ready, or a rollout")
		}
		return err
	})
	if err := admin.Patch(soon(t), lab.Deployment, worker.Namespace, worker.Name, []byte(`{"spec":{"paused":true,"template":{"metadata":{"annotations":{"x":"y"}}}}}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		got, _, err := workloadOf(soon(t), k, worker)
		if err == nil && (!got.Paused || !got.Rolling || got.Generation != 2) {
			err = errors.New("nothing of the new template is seen")
		}
		return err
	})
}

func TestWorkloadTellsOfPods(t *testing.T) {
	began := metav1.NewTime(at.Add(-time.Hour))
	pod := func(name string, phase corev1.PodPhase, restarts int32, waiting string) corev1.Pod {
		status := corev1.ContainerStatus{RestartCount: restarts}
		if waiting != "" {
			status.State.Waiting = &corev1.ContainerStateWaiting{Reason: waiting, Message: canary}
		}
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: began},
			Spec:       corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Image: "i", Env: []corev1.EnvVar{{Name: "PASSWORD", Value: canary}}}}},
			Status:     corev1.PodStatus{Phase: phase, StartTime: &began, ContainerStatuses: []corev1.ContainerStatus{status}},
		}
	}
	got := ClusterWorkload{}
	got.take([]corev1.Pod{
		pod("b", corev1.PodRunning, 7, "CrashLoopBackOff"), pod("a", corev1.PodPending, 0, "ImagePullBackOff"), pod("c", corev1.PodRunning, 1, "CrashLoopBackOff"),
		pod("gone", corev1.PodFailed, 99, ""),
	}, at)
	want := ClusterWorkload{
		Restarts: 8, OldestPodAge: time.Hour, Waiting: []string{"CrashLoopBackOff", "ImagePullBackOff"}, Images: []string{"i"}, Nodes: []string{"n"},
		Pods: []ClusterPod{
			{Name: "a", Phase: "Pending", Node: "n", StartedAt: began.UTC()},
			{Name: "b", Phase: "Running", Restarts: 7, Node: "n", StartedAt: began.UTC()},
			{Name: "c", Phase: "Running", Restarts: 1, Node: "n", StartedAt: began.UTC()},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	a, b := pod("a", corev1.PodRunning, 3, ""), pod("b", corev1.PodRunning, 0, "")
	for i, p := range []corev1.Pod{a, b} {
		p.Status.ContainerStatuses[0].Image, p.Status.ContainerStatuses[0].ImageID = "worker:stable", fmt.Sprintf("sha256:%d", i)
	}
	ended := corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 2, FinishedAt: began, Message: canary}
	a.Status.ContainerStatuses[0].LastTerminationState.Terminated = &ended
	differ := ClusterWorkload{}
	differ.take([]corev1.Pod{a, b}, at)
	if diff := cmp.Diff([]string{"worker:stable"}, differ.Mixed); diff != "" || differ.Pods[0].LastEnd != "Error, exit code 2" || !differ.Pods[0].LastEndAt.Equal(began.Time) || differ.Pods[1].LastEnd != "" {
		t.Errorf("pods that differ give %+v", differ)
	}
	if words := differ.podWords(); !strings.Contains(words, "last ended") || strings.Contains(words, canary) {
		t.Errorf("words are %s", words)
	}
	stuck := &appsv1.Deployment{Status: appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Reason: "ProgressDeadlineExceeded"}}}}
	if facts := deploymentFacts(stuck); !facts.Stuck || !facts.Rolling || facts.Desired != 1 {
		t.Errorf("a rollout that does not end: %+v", facts)
	}
}

func TestWorkloadIsBlind(t *testing.T) {
	answer := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Message: canary, Code: int32(code)})
		}
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		kind    string
		want    diagnostics.Reason
	}{
		"its own right is missing": {answer(http.StatusForbidden), "deployment", diagnostics.ReasonDenied},
		"its token is dead":        {answer(http.StatusUnauthorized), "deployment", diagnostics.ReasonDenied},
		"too many requests":        {answer(http.StatusTooManyRequests), "deployment", diagnostics.ReasonThrottled},
		"a broken server":          {answer(http.StatusServiceUnavailable), "deployment", diagnostics.ReasonUnavailable},
		"no answer":                {never, "deployment", diagnostics.ReasonTimeout},
		"another page":             {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "deployment", diagnostics.ReasonGarbage},
		"no such kind":             {never, "cronjob", diagnostics.ReasonNotConfigured},
	} {
		k := kubernetesAt(t, &rest.Config{Host: serve(t, tt.handler).URL})
		_, evidence, err := workloadOf(short(t), k, WorkloadArgs{Namespace: "a", Name: "b", Kind: tt.kind})
		var blind *diagnostics.BlindError
		if !errors.As(err, &blind) || blind.Reason != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
		if len(evidence) != 1 || strings.Contains(evidence[0].Observed+err.Error(), canary) {
			t.Errorf("%s: evidence %+v, %v", name, evidence, err)
		}
	}
	_, _, err := workloadOf(soon(t), Kubernetes{}, WorkloadArgs{})
	var blind *diagnostics.BlindError
	if !errors.As(err, &blind) || blind.Reason != diagnostics.ReasonNotConfigured {
		t.Errorf("no cluster: %v", err)
	}
}

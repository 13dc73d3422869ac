package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	workerNamespace = "neural-hive-execution"
	workerName      = "worker-agents"
)

// part is a process of a test: it counts its starts.
type part struct {
	starts atomic.Int32
	down   atomic.Bool
}

func (p *part) workload(kind Kind, namespace, name, log string) Workload {
	return Workload{
		Kind: kind, Namespace: namespace, Name: name, LogFile: log,
		Restart: func(context.Context) error { p.starts.Add(1); p.down.Store(false); return nil },
		Ready: func(context.Context) error {
			if p.down.Load() {
				return errors.New("down")
			}
			return nil
		},
	}
}

// testCluster is a cluster whose workloads are parts.
type testCluster struct {
	server
	*Client
	worker, agent, spire part
	workerLog            string
}

func startCluster(t *testing.T) *testCluster {
	t.Helper()
	c := &testCluster{server: startServer(t)}
	var err error
	if c.Client, err = NewClient(c.admin); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for range 2 { // it may be repeated
		if err := c.Apply(t.Context(), ClusterManifests()); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	c.workerLog = filepath.Join(dir, "worker.jsonl")
	if err := os.WriteFile(c.workerLog, []byte("before the pod\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cluster, err := Start(t.Context(), c.Client, Config{
		Files: c.files, LogDir: dir, Log: slog.New(slog.DiscardHandler),
		Workloads: []Workload{
			c.worker.workload(Deployment, workerNamespace, workerName, c.workerLog),
			c.agent.workload(DaemonSet, "spire-system", "spire-agent", ""),
			c.spire.workload(StatefulSet, "spire-system", "spire-server", ""),
		},
		Programs: map[string]Program{"lab/test": {Path: "/bin/sh", Args: []string{"-c"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	await(t, "the worker is rolled out", func(ctx context.Context) error { return c.rolledOut(ctx, 1) })
	return c
}

// rolledOut says whether the worker's Deployment is whole at a generation.
func (c *testCluster) rolledOut(ctx context.Context, generation int64) error {
	d, err := get[appsv1.Deployment](ctx, c.Client, deployments, workerNamespace, workerName)
	if err != nil {
		return err
	}
	s := d.Status
	progressing := deploymentCondition(s.Conditions, appsv1.DeploymentProgressing)
	if s.ObservedGeneration != generation || s.UpdatedReplicas != 1 || s.AvailableReplicas != 1 || s.UnavailableReplicas != 0 ||
		progressing.Reason != progressComplete {
		return fmt.Errorf("generation %d, status %+v", d.Generation, s)
	}
	return nil
}

// pod returns the only pod of a label.
func (c *testCluster) pod(ctx context.Context, namespace, app string) (corev1.Pod, error) {
	found, err := list[corev1.Pod](ctx, c.Client, pods, namespace, "app="+app)
	if err != nil || len(found) != 1 {
		return corev1.Pod{}, fmt.Errorf("%d pods of %s, %w", len(found), app, err)
	}
	return found[0], nil
}

func (c *testCluster) replaced(namespace, app string, old types.UID) func(context.Context) error {
	return func(ctx context.Context) error {
		pod, err := c.pod(ctx, namespace, app)
		if err == nil && (pod.UID == old || !isReady(pod)) {
			err = fmt.Errorf("pod %s is not a new one that is ready", pod.Name)
		}
		return err
	}
}

func isReady(pod corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func TestCluster(t *testing.T) {
	c := startCluster(t)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *testCluster)
	}{
		{"the first pod is the process that runs", checkAdopted},
		{"a rollout restart restarts", checkRollout},
		{"a deleted pod comes back", checkDeletedPod},
		{"a pod is ready while its process serves", checkReadiness},
		{"logs are read through the API server", checkLogs},
		{"a job runs its program", checkJob},
		{"a job ends at its deadline", checkDeadline},
		{"a job of no known image does not run", checkUnknownImage},
		{"a job that has outlived its end is gone with its pod", checkOutlived},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, c) })
	}
}

func checkAdopted(t *testing.T, c *testCluster) {
	pod, err := c.pod(t.Context(), workerNamespace, "worker")
	if err != nil {
		t.Fatal(err)
	}
	if pod.Spec.ServiceAccountName != workerName || pod.Spec.NodeName != nodeName || !isReady(pod) || c.worker.starts.Load() != 0 {
		t.Errorf("pod %+v after %d starts", pod.Spec, c.worker.starts.Load())
	}
}

func checkRollout(t *testing.T, c *testCluster) {
	old, err := c.pod(t.Context(), workerNamespace, "worker")
	if err != nil {
		t.Fatal(err)
	}
	patch := `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-11-24T05:00:00Z"}}}}}`
	_, err = c.in(deployments, workerNamespace).Patch(t.Context(), workerName, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the new template is rolled out", func(ctx context.Context) error { return c.rolledOut(ctx, 2) })
	await(t, "the pod is a new one", c.replaced(workerNamespace, "worker", old.UID))
	if got := c.worker.starts.Load(); got != 1 {
		t.Errorf("%d restarts of the process, want 1", got)
	}
	sets, err := list[appsv1.ReplicaSet](t.Context(), c.Client, replicaSets, workerNamespace, "app=worker")
	if err != nil || len(sets) != 2 {
		t.Errorf("%d ReplicaSets, %v, want the old one and the new one", len(sets), err)
	}
}

func checkDeletedPod(t *testing.T, c *testCluster) {
	for app, p := range map[string]*part{"spire-agent": &c.agent, "spire-server": &c.spire} {
		old, err := c.pod(t.Context(), "spire-system", app)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.in(pods, "spire-system").Delete(t.Context(), old.Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		await(t, app+" comes back", c.replaced("spire-system", app, old.UID))
		if got := p.starts.Load(); got != 1 {
			t.Errorf("%s: %d restarts, want 1", app, got)
		}
	}
}

func checkReadiness(t *testing.T, c *testCluster) {
	c.worker.down.Store(true)
	await(t, "the Deployment tells of it", func(ctx context.Context) error {
		d, err := get[appsv1.Deployment](ctx, c.Client, deployments, workerNamespace, workerName)
		if err == nil && (d.Status.AvailableReplicas != 0 || d.Status.UnavailableReplicas != 1) {
			err = fmt.Errorf("status %+v", d.Status)
		}
		return err
	})
	c.worker.down.Store(false)
	await(t, "and of its recovery", func(ctx context.Context) error { return c.rolledOut(ctx, 2) })
}

// podLog reads a log as anybody would: through the API server.
func (c *testCluster) podLog(t *testing.T, namespace, pod, query string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		c.server.url+"/api/v1/namespaces/"+namespace+"/pods/"+pod+"/log?"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("read the log of %s: %s, %v: %s", pod, response.Status, err, content)
	}
	return string(content)
}

func checkLogs(t *testing.T, c *testCluster) {
	file, err := os.OpenFile(c.workerLog, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fmt.Fprint(file, "one\ntwo\nthree\n")
	pod, err := c.pod(t.Context(), workerNamespace, "worker")
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"": "one\ntwo\nthree\n", "tailLines=2": "two\nthree\n", "tailLines=9": "one\ntwo\nthree\n", "limitBytes=4": "one\n",
	} {
		if got := c.podLog(t, workerNamespace, pod.Name, query); got != want {
			t.Errorf("log with %q: %q, want %q", query, got, want)
		}
	}
}

// startJob creates a Job that runs a shell script, and returns its name.
func (c *testCluster) startJob(t *testing.T, name, image, script string, deadline int64) {
	t.Helper()
	var never int32
	job := &batchv1.Job{Spec: batchv1.JobSpec{BackoffLimit: &never, ActiveDeadlineSeconds: &deadline}}
	job.APIVersion, job.Kind, job.Name, job.Namespace = "batch/v1", "Job", name, "tandem"
	job.Spec.Template.Spec = corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "run", Image: image, Args: []string{script}}},
	}
	if err := create(t.Context(), c.Client, jobs, "tandem", job); err != nil {
		t.Fatal(err)
	}
}

// ended waits for a condition of a Job.
func (c *testCluster) ended(t *testing.T, name string, kind batchv1.JobConditionType) batchv1.JobCondition {
	t.Helper()
	var found batchv1.JobCondition
	await(t, "job "+name+" is "+string(kind), func(ctx context.Context) error {
		job, err := get[batchv1.Job](ctx, c.Client, jobs, "tandem", name)
		if err != nil {
			return err
		}
		for _, condition := range job.Status.Conditions {
			if condition.Type == kind {
				found = condition
				return nil
			}
		}
		return fmt.Errorf("status %+v", job.Status)
	})
	return found
}

func (c *testCluster) podOfJob(t *testing.T, name string) corev1.Pod {
	t.Helper()
	found, err := list[corev1.Pod](t.Context(), c.Client, pods, "tandem", batchv1.JobNameLabel+"="+name)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d pods of job %s, %v", len(found), name, err)
	}
	return found[0]
}

func checkJob(t *testing.T, c *testCluster) {
	c.startJob(t, "good", "lab/test", "echo it works; sleep 0.3; echo still", 30)
	await(t, "the job has a pod", func(ctx context.Context) error {
		found, err := list[corev1.Pod](ctx, c.Client, pods, "tandem", batchv1.JobNameLabel+"=good")
		if err == nil && (len(found) == 0 || found[0].Status.Phase == corev1.PodPending) {
			err = errors.New("no pod that runs")
		}
		return err
	})
	if got := c.podLog(t, "tandem", c.podOfJob(t, "good").Name, "follow=true"); got != "it works\nstill\n" {
		t.Errorf("the log followed to its end is %q", got)
	}
	c.ended(t, "good", batchv1.JobComplete)
	c.startJob(t, "bad", "lab/test", "echo it does not >&2; exit 3", 30)
	c.ended(t, "bad", batchv1.JobFailed)
	pod := c.podOfJob(t, "bad")
	if code := pod.Status.ContainerStatuses[0].State.Terminated.ExitCode; code != 3 || pod.Status.Phase != corev1.PodFailed {
		t.Errorf("pod is %s with code %d, want Failed with 3", pod.Status.Phase, code)
	}
}

func checkDeadline(t *testing.T, c *testCluster) {
	c.startJob(t, "late", "lab/test", "sleep 60 & wait", 1)
	if got := c.ended(t, "late", batchv1.JobFailed); got.Reason != batchv1.JobReasonDeadlineExceeded {
		t.Errorf("it failed by %s", got.Reason)
	}
}

func checkUnknownImage(t *testing.T, c *testCluster) {
	c.startJob(t, "unknown", "docker.io/anything", "echo never", 1)
	c.ended(t, "unknown", batchv1.JobFailed)
	if pod := c.podOfJob(t, "unknown"); pod.Status.Phase != corev1.PodFailed {
		t.Errorf("pod is %s", pod.Status.Phase)
	}
	background := metav1.DeletePropagationBackground
	if err := c.in(jobs, "tandem").Delete(t.Context(), "unknown", metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		t.Error(err)
	}
}

func checkOutlived(t *testing.T, c *testCluster) {
	c.startJob(t, "brief", "lab/test", "echo short", 30)
	pod := c.podOfJobWhenItIsThere(t, "brief")
	patch := []byte(`{"spec":{"ttlSecondsAfterFinished":0}}`)
	if _, err := c.in(jobs, "tandem").Patch(t.Context(), "brief", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "the pod is gone", func(ctx context.Context) error {
		_, err := get[corev1.Pod](ctx, c.Client, pods, "tandem", pod)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there: %w", err)
	})
	if _, err := get[batchv1.Job](t.Context(), c.Client, jobs, "tandem", "brief"); !apierrors.IsNotFound(err) {
		t.Errorf("the job: %v", err)
	}
}

func (c *testCluster) podOfJobWhenItIsThere(t *testing.T, name string) string {
	t.Helper()
	var pod string
	await(t, "the job has a pod", func(ctx context.Context) error {
		found, err := list[corev1.Pod](ctx, c.Client, pods, "tandem", batchv1.JobNameLabel+"="+name)
		if err == nil && len(found) == 0 {
			return errors.New("none")
		}
		if err == nil {
			pod = found[0].Name
		}
		return err
	})
	return pod
}

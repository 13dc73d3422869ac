package probes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"

	"tandem/diagnostics"
)

// Kubernetes is where to ask the API server, as an account that only reads.
type Kubernetes struct {
	Client ClusterAPI
}

// ClusterAPI is what of the cluster's API the probes ask.
type ClusterAPI interface {
	AppsV1() appsclient.AppsV1Interface
	CoreV1() coreclient.CoreV1Interface
}

// WorkloadArgs name a workload.
type WorkloadArgs struct {
	Namespace string `cel:"namespace"`
	Name      string `cel:"name"`
	Kind      string `cel:"kind"` // deployment, daemonset or statefulset
}

// ClusterWorkload is a workload of the cluster with its pods.
type ClusterWorkload struct {
	Exists             bool          `cel:"exists"`
	Desired            int64         `cel:"desired"`
	Ready              int64         `cel:"ready"`
	Updated            int64         `cel:"updated"` // pods of the newest template
	Available          int64         `cel:"available"`
	Generation         int64         `cel:"generation"`
	ObservedGeneration int64         `cel:"observed_generation"`
	Paused             bool          `cel:"paused"`
	Rolling            bool          `cel:"rolling"` // a rollout is under way; pods that fail after one are not one
	Stuck              bool          `cel:"stuck"`   // the rollout did not end within the Deployment's deadline
	Restarts           int64         `cel:"restarts"`
	OldestPodAge       time.Duration `cel:"oldest_pod_age"` // 0: there is no pod
	Waiting            []string      `cel:"waiting"`        // why containers do not run, like CrashLoopBackOff; sorted, each once
	Images             []string      `cel:"images"`         // sorted, each once
	Mixed              []string      `cel:"mixed"`          // of the images, those of which pods run different builds; sorted
	Nodes              []string      `cel:"nodes"`          // sorted, each once
	Pods               []ClusterPod  `cel:"pods"`           // by name, the first 200
}

// ClusterPod is one pod.
type ClusterPod struct {
	Name           string    `cel:"name"`
	Phase          string    `cel:"phase"`
	Ready          bool      `cel:"ready"`
	Restarts       int64     `cel:"restarts"`
	Node           string    `cel:"node"`
	ServiceAccount string    `cel:"service_account"`
	StartedAt      time.Time `cel:"started_at"` // zero: not yet
	// Of the container that ended last; zero and empty: none has.
	LastEndAt time.Time `cel:"last_end_at"`
	LastEnd   string    `cel:"last_end"` // like OOMKilled, or Error with the exit code
}

const (
	kubernetesKey = "kubernetes"
	maxPods       = 200
)

type kubernetesProbes struct {
	Kubernetes
	now func() time.Time
}

// workloadState is what the kinds of workload have in common.
type workloadState struct {
	facts    ClusterWorkload
	selector *metav1.LabelSelector
}

// workload is blind when the API server does not answer or refuses; that there
// is no such workload is a fact.
func (p kubernetesProbes) workload(ctx context.Context, args WorkloadArgs) (ClusterWorkload, []diagnostics.Evidence, error) {
	if p.Client == nil {
		return ClusterWorkload{}, nil, notConfigured("the cluster", kubernetesKey)
	}
	ctx, cancel := within(ctx)
	defer cancel()
	t := &trail{source: "kubernetes", now: p.now}
	show := shell("kubectl", "-n", args.Namespace, "get", args.Kind, args.Name, "-o", "wide")
	state, err := p.read(ctx, args)
	switch {
	case apierrors.IsNotFound(err):
		t.add(show, "there is no such %s", args.Kind)
		return ClusterWorkload{}, t.list, nil
	case err != nil:
		return ClusterWorkload{}, t.list, t.fail(show, blindCluster("read the "+args.Kind, err))
	}
	facts := state.facts
	selector := metav1.FormatLabelSelector(state.selector)
	showPods := shell("kubectl", "-n", args.Namespace, "get", "pods", "-l", selector, "-o", "wide")
	pods, err := p.Client.CoreV1().Pods(args.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return ClusterWorkload{}, t.list, t.fail(showPods, blindCluster("list the pods", err))
	}
	facts.take(pods.Items, p.now())
	t.add(show, "%s", facts.words())
	t.add(showPods, "%s", facts.podWords())
	return facts, t.list, nil
}

func (p kubernetesProbes) read(ctx context.Context, args WorkloadArgs) (workloadState, error) {
	apps := p.Client.AppsV1()
	switch args.Kind {
	case "deployment":
		d, err := apps.Deployments(args.Namespace).Get(ctx, args.Name, metav1.GetOptions{})
		if err != nil {
			return workloadState{}, err
		}
		return workloadState{deploymentFacts(d), d.Spec.Selector}, nil
	case "daemonset":
		d, err := apps.DaemonSets(args.Namespace).Get(ctx, args.Name, metav1.GetOptions{})
		if err != nil {
			return workloadState{}, err
		}
		s := d.Status
		return workloadState{counted(s.DesiredNumberScheduled, s.CurrentNumberScheduled, s.UpdatedNumberScheduled, s.NumberReady, s.NumberAvailable, d.Generation, s.ObservedGeneration), d.Spec.Selector}, nil
	case "statefulset":
		d, err := apps.StatefulSets(args.Namespace).Get(ctx, args.Name, metav1.GetOptions{})
		if err != nil {
			return workloadState{}, err
		}
		s := d.Status
		return workloadState{counted(replicas(d.Spec.Replicas), s.Replicas, s.UpdatedReplicas, s.ReadyReplicas, s.AvailableReplicas, d.Generation, s.ObservedGeneration), d.Spec.Selector}, nil
	default:
		return workloadState{}, &diagnostics.BlindError{
			Reason: diagnostics.ReasonNotConfigured, Detail: fmt.Sprintf("%q is no kind of workload", clean(args.Kind, maxDetail)),
			Next: diagnostics.Both("name a deployment, daemonset or statefulset in the check", "indique na verificação um deployment, daemonset ou statefulset"),
		}
	}
}

func replicas(n *int32) int32 {
	if n == nil {
		return 1 // Kubernetes' own default
	}
	return *n
}

// counted makes facts of the numbers of a status.
func counted(desired, pods, updated, ready, available int32, generation, observed int64) ClusterWorkload {
	return ClusterWorkload{
		Exists: true, Desired: int64(desired), Ready: int64(ready), Updated: int64(updated), Available: int64(available),
		Generation: generation, ObservedGeneration: observed,
		Rolling: observed < generation || updated < desired || pods > updated,
	}
}

// deploymentFacts adds what only a Deployment tells.
func deploymentFacts(d *appsv1.Deployment) ClusterWorkload {
	s := d.Status
	facts := counted(replicas(d.Spec.Replicas), s.Replicas, s.UpdatedReplicas, s.ReadyReplicas, s.AvailableReplicas, d.Generation, s.ObservedGeneration)
	facts.Paused = d.Spec.Paused
	for _, c := range s.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			facts.Stuck = c.Reason == "ProgressDeadlineExceeded"
			facts.Rolling = facts.Rolling || c.Reason != "NewReplicaSetAvailable"
		}
	}
	return facts
}

// take adds what the pods tell. Those that have ended are not the workload's any
// more.
func (f *ClusterWorkload) take(pods []corev1.Pod, now time.Time) {
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	builds := map[string]string{} // by image
	for _, pod := range pods {
		if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		one := podFacts(pod)
		f.Restarts += one.Restarts
		f.OldestPodAge = max(f.OldestPodAge, now.Sub(pod.CreationTimestamp.Time))
		f.Nodes = append(f.Nodes, nonEmpty(one.Node)...)
		for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			if c.State.Waiting != nil {
				f.Waiting = append(f.Waiting, clean(c.State.Waiting.Reason, maxDetail))
			}
		}
		for _, c := range pod.Status.ContainerStatuses {
			if build := builds[c.Image]; c.ImageID != "" && build != "" && build != c.ImageID {
				f.Mixed = append(f.Mixed, clean(c.Image, maxDetail))
			}
			if c.ImageID != "" {
				builds[c.Image] = c.ImageID
			}
		}
		for _, c := range pod.Spec.Containers {
			f.Images = append(f.Images, clean(c.Image, maxDetail))
		}
		if len(f.Pods) < maxPods {
			f.Pods = append(f.Pods, one)
		}
	}
	for _, list := range []*[]string{&f.Nodes, &f.Waiting, &f.Images, &f.Mixed} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

func podFacts(pod corev1.Pod) ClusterPod {
	one := ClusterPod{Name: pod.Name, Phase: string(pod.Status.Phase), Node: pod.Spec.NodeName, ServiceAccount: pod.Spec.ServiceAccountName}
	if pod.Status.StartTime != nil {
		one.StartedAt = pod.Status.StartTime.UTC()
	}
	for _, c := range pod.Status.Conditions {
		one.Ready = one.Ready || c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	}
	for _, c := range pod.Status.ContainerStatuses {
		one.Restarts += int64(c.RestartCount)
		if end := c.LastTerminationState.Terminated; end != nil && end.FinishedAt.After(one.LastEndAt) {
			one.LastEndAt, one.LastEnd = end.FinishedAt.UTC(), endWords(end)
		}
	}
	return one
}

func endWords(end *corev1.ContainerStateTerminated) string {
	reason := clean(end.Reason, maxDetail)
	if reason == "" || reason == "Error" {
		return fmt.Sprintf("Error, exit code %d", end.ExitCode)
	}
	return reason
}

func (f ClusterWorkload) words() string {
	text := fmt.Sprintf("%d wanted, %d of the newest template, %d ready, %d available", f.Desired, f.Updated, f.Ready, f.Available)
	for _, state := range []struct {
		holds bool
		word  string
	}{{f.Paused, "paused"}, {f.Rolling, "a rollout is under way"}, {f.Stuck, "it did not end within its deadline"}} {
		if state.holds {
			text += "; " + state.word
		}
	}
	return text
}

func (f ClusterWorkload) podWords() string {
	var lines []string
	for _, p := range f.Pods {
		ready := "not ready"
		if p.Ready {
			ready = "ready"
		}
		line := fmt.Sprintf("%s: %s, %s, %d restarts, on %s", p.Name, p.Phase, ready, p.Restarts, p.Node)
		if p.LastEnd != "" {
			line += fmt.Sprintf(", last ended %s (%s)", p.LastEndAt.Format(time.RFC3339), p.LastEnd)
		}
		lines = append(lines, line)
	}
	if len(f.Waiting) > 0 {
		lines = append(lines, "waiting: "+list(f.Waiting))
	}
	if len(lines) == 0 {
		return "no pods"
	}
	return strings.Join(lines, "\n")
}

// nextKubernetes is what to do when the API server does not answer.
func nextKubernetes() diagnostics.Text {
	return diagnostics.Both("check that the bot reaches the API server: kubectl get --raw /readyz",
		"verifique se o bot alcança o servidor da API: kubectl get --raw /readyz")
}

// blindCluster says why the API server gave no answer, by the kind of its
// status.
func blindCluster(doing string, err error) *diagnostics.BlindError {
	var status apierrors.APIStatus
	var own *diagnostics.BlindError
	if errors.As(err, &own) {
		return own
	}
	if !errors.As(err, &status) || status.Status().Code == 0 {
		if networkProblem(err) == problemOther && !reached(err) {
			return blindGarbage(doing, "Kubernetes", "no object of its API")
		}
		return blindNetwork(doing, nextKubernetes(), err)
	}
	code := status.Status().Code
	blind := &diagnostics.BlindError{Reason: diagnostics.ReasonError, Detail: fmt.Sprintf("%s: the API server answers %d", doing, code), Next: nextKubernetes(), Err: redacted{err}}
	switch {
	case code == 401 || code == 403:
		blind.Reason, blind.Next = diagnostics.ReasonDenied, diagnostics.Both("compare the bot's rights with the output of: bot policy kubernetes",
			"compare as permissões do bot com a saída de: bot policy kubernetes")
	case code == 429:
		blind.Reason = diagnostics.ReasonThrottled
	case code >= 500:
		blind.Reason = diagnostics.ReasonUnavailable
	}
	return blind
}

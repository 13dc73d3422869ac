package kubernetes

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// readyEvery is how often a process is asked whether it serves.
const readyEvery = time.Second

// Kind is a kind of workload.
type Kind string

// The kinds that there are.
const (
	Deployment  Kind = "Deployment"
	DaemonSet   Kind = "DaemonSet"
	StatefulSet Kind = "StatefulSet"
)

// Workload is an object of the cluster and the process of the lab that is its
// one pod.
type Workload struct {
	Kind            Kind
	Namespace, Name string
	// LogFile is what the process writes, a line an event; it may be empty.
	LogFile string
	// Restart does to the process what a new pod is: it ends, and starts again.
	// It returns when that is done, or has failed.
	Restart func(context.Context) error
	// Ready is nil while the process serves.
	Ready func(context.Context) error
}

// runner keeps one workload: it is the only one that writes its pods and
// statuses.
type runner struct {
	Workload
	client *Client
	logs   *logs
	log    *slog.Logger
	now    func() time.Time
	poked  chan struct{} // holds one

	adopted bool        // the process was there before its first pod
	running types.UID   // the pod that the process is
	began   metav1.Time // when it became that
	broken  error       // why the last start failed
	ready   bool
}

// poke has the runner look again.
func (r *runner) poke() {
	select {
	case r.poked <- struct{}{}:
	default:
	}
}

// run keeps the workload until ctx ends.
func (r *runner) run(ctx context.Context) {
	ticker := time.NewTicker(readyEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := r.reconcile(ctx); err != nil && ctx.Err() == nil {
			if !apierrors.IsConflict(err) { // somebody else was faster: look again
				r.log.WarnContext(ctx, "workload not reconciled", "workload", r.Name, "error", err)
			}
			pause(ctx, watchRetry)
			continue
		}
		r.await(ctx, ticker.C)
	}
}

// await returns when something has changed: an object, or the process.
func (r *runner) await(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.poked:
			return
		case <-tick:
			if r.serves(ctx) != r.ready {
				return
			}
		}
	}
}

func (r *runner) serves(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.Ready(ctx) == nil
}

// reconcile brings pods, process and statuses in line with the object.
func (r *runner) reconcile(ctx context.Context) error {
	o, err := r.read(ctx)
	if err != nil || o == nil {
		return err
	}
	pod, err := r.sweep(ctx, o)
	if err != nil {
		return err
	}
	if pod == nil {
		if err := r.report(ctx, o, nil); err != nil {
			return err
		}
		if pod, err = r.create(ctx, o); err != nil {
			return err
		}
	}
	if pod.UID != r.running {
		if err := r.report(ctx, o, pod); err != nil {
			return err
		}
		r.begin(ctx, pod)
	}
	return r.report(ctx, o, pod)
}

// owner is what the kinds of workload have in common.
type owner struct {
	object   *unstructured.Unstructured
	selector string
	template corev1.PodTemplateSpec
	replicas int32
	hash     string
	set      *appsv1.ReplicaSet // of a Deployment
}

// read is nil if there is no such object.
func (r *runner) read(ctx context.Context) (*owner, error) {
	object, err := r.client.in(resourceOf(r.Kind), r.Namespace).Get(ctx, r.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// A DaemonSet and a StatefulSet have these fields in the same places.
	deployment := new(appsv1.Deployment)
	spec := &unstructured.Unstructured{Object: map[string]any{"spec": object.Object["spec"]}}
	if err := fromUnstructured(spec, deployment); err != nil {
		return nil, err
	}
	o := &owner{object: object, template: deployment.Spec.Template, replicas: 1}
	if deployment.Spec.Replicas != nil {
		o.replicas = *deployment.Spec.Replicas
	}
	o.selector = metav1.FormatLabelSelector(deployment.Spec.Selector)
	if o.hash, err = templateHash(o.template); err != nil {
		return nil, err
	}
	if r.Kind == Deployment {
		o.set, err = r.replicaSet(ctx, o)
	}
	return o, err
}

// sweep deletes the pods that are not of the template, or that somebody deleted,
// and returns the one that is left.
func (r *runner) sweep(ctx context.Context, o *owner) (*corev1.Pod, error) {
	found, err := list[corev1.Pod](ctx, r.client, pods, r.Namespace, o.selector)
	if err != nil {
		return nil, err
	}
	var current *corev1.Pod
	for i := range found {
		pod := &found[i]
		if current == nil && pod.DeletionTimestamp == nil && pod.Labels[r.hashLabel()] == o.hash {
			current = pod
			continue
		}
		if err := r.client.in(pods, r.Namespace).Delete(ctx, pod.Name, gone()); err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("delete pod %s: %w", pod.Name, err)
		}
		r.logs.close(r.Namespace, pod.Name)
	}
	return current, nil
}

// hashLabel is where the kinds keep the hash of the template.
func (r *runner) hashLabel() string {
	if r.Kind == Deployment {
		return appsv1.DefaultDeploymentUniqueLabelKey
	}
	return appsv1.ControllerRevisionHashLabelKey
}

func (r *runner) create(ctx context.Context, o *owner) (*corev1.Pod, error) {
	pod := newPod(r.Namespace, r.podName(o), o.template, r.reference(o), map[string]string{r.hashLabel(): o.hash})
	if err := create(ctx, r.client, pods, r.Namespace, pod); err != nil {
		return nil, fmt.Errorf("create pod %s: %w", pod.Name, err)
	}
	return pod, nil
}

// begin makes the process the pod. The first pod takes the process as it is: it
// was started with the lab.
func (r *runner) begin(ctx context.Context, pod *corev1.Pod) {
	r.logs.open(r.Namespace, pod.Name, r.LogFile)
	if r.adopted {
		r.log.InfoContext(ctx, "process restarts", "workload", r.Name, "pod", pod.Name)
		if r.broken = r.Restart(ctx); r.broken != nil {
			r.log.WarnContext(ctx, "process did not start", "workload", r.Name, "error", r.broken)
		}
	}
	r.adopted, r.running, r.began = true, pod.UID, metav1.NewTime(r.now())
}

// report writes what is so into the pod and the object; there may be no pod.
func (r *runner) report(ctx context.Context, o *owner, pod *corev1.Pod) error {
	begun := pod != nil && pod.UID == r.running
	r.ready = begun && r.serves(ctx)
	if pod != nil {
		if err := r.reportPod(ctx, pod, begun); err != nil {
			return err
		}
	}
	return r.reportOwner(ctx, o, rollout{
		generation: o.object.GetGeneration(), desired: o.replicas, pods: count(pod != nil), ready: count(r.ready), hash: o.hash,
	})
}

func (r *runner) reportPod(ctx context.Context, pod *corev1.Pod, begun bool) error {
	state := podState{phase: corev1.PodPending, reason: "ContainerCreating", began: pod.CreationTimestamp}
	if begun {
		state = podState{phase: corev1.PodRunning, ready: r.ready, began: r.began}
		if r.broken != nil && !r.ready {
			state.reason, state.message = "CrashLoopBackOff", "the process does not start"
		}
	}
	return setPodStatus(ctx, r.client, pod, state, r.now())
}

func count(holds bool) int32 {
	if holds {
		return 1
	}
	return 0
}

// Available says whether every workload has a pod that is ready.
func (c *Client) Available(ctx context.Context, workloads []Workload) error {
	for _, w := range workloads {
		object, err := c.in(resourceOf(w.Kind), w.Namespace).Get(ctx, w.Name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("read %s %s: %w", w.Kind, w.Name, err)
		}
		field := "availableReplicas"
		if w.Kind == DaemonSet {
			field = "numberAvailable"
		}
		if n, _, err := unstructured.NestedInt64(object.Object, "status", field); err != nil || n == 0 {
			return fmt.Errorf("%s %s has no pod that is ready", w.Kind, w.Name)
		}
	}
	return nil
}

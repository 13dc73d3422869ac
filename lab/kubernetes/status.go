package kubernetes

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
)

// Reasons of the condition Progressing that others are judged by.
const (
	progressComplete = "NewReplicaSetAvailable"
	progressOverdue  = "ProgressDeadlineExceeded"
)

// rollout is how far a workload is; its pods are all of the present template.
type rollout struct {
	generation           int64
	desired, pods, ready int32
	hash                 string
}

func resourceOf(kind Kind) schema.GroupVersionResource {
	switch kind {
	case Deployment:
		return deployments
	case DaemonSet:
		return daemonSets
	default:
		return statefulSets
	}
}

// podName names a pod as the controllers of its kind do.
func (r *runner) podName(o *owner) string {
	switch r.Kind {
	case Deployment:
		return o.set.Name + "-" + rand.String(5)
	case DaemonSet:
		return r.Name + "-" + rand.String(5)
	default:
		return r.Name + "-0"
	}
}

func (r *runner) reference(o *owner) metav1.OwnerReference {
	if o.set != nil {
		return *metav1.NewControllerRef(o.set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
	}
	return *metav1.NewControllerRef(o.object, o.object.GroupVersionKind())
}

// reportOwner writes the status of the object if it says something new.
func (r *runner) reportOwner(ctx context.Context, o *owner, is rollout) error {
	status, err := r.statusOf(o, is)
	if err != nil {
		return err
	}
	if o.set != nil {
		if err := r.reportSet(ctx, o.set, is); err != nil {
			return err
		}
	}
	if equality.Semantic.DeepEqual(o.object.Object["status"], status) {
		return nil
	}
	o.object.Object["status"] = status
	written, err := r.client.in(resourceOf(r.Kind), r.Namespace).UpdateStatus(ctx, o.object, updateOptions())
	if err != nil {
		return fmt.Errorf("write the status of %s: %w", r.Name, err)
	}
	o.object = written
	return nil
}

// statusOf is the status as JSON objects.
func (r *runner) statusOf(o *owner, is rollout) (map[string]any, error) {
	var status any
	switch r.Kind {
	case Deployment:
		old := new(appsv1.Deployment)
		if err := fromUnstructured(o.object, old); err != nil {
			return nil, err
		}
		made := deploymentStatus(*old, is, r.now())
		status = &made
	case DaemonSet:
		status = &appsv1.DaemonSetStatus{
			ObservedGeneration: is.generation, DesiredNumberScheduled: 1, CurrentNumberScheduled: is.pods,
			UpdatedNumberScheduled: is.pods, NumberReady: is.ready, NumberAvailable: is.ready, NumberUnavailable: 1 - is.ready,
		}
	default:
		revision := r.Name + "-" + is.hash
		status = &appsv1.StatefulSetStatus{
			ObservedGeneration: is.generation, Replicas: is.pods, CurrentReplicas: is.pods, UpdatedReplicas: is.pods,
			ReadyReplicas: is.ready, AvailableReplicas: is.ready, CurrentRevision: revision, UpdateRevision: revision,
		}
	}
	return runtime.DefaultUnstructuredConverter.ToUnstructured(status)
}

// deploymentStatus is the status of a Deployment, with its conditions.
func deploymentStatus(old appsv1.Deployment, is rollout, now time.Time) appsv1.DeploymentStatus {
	status := appsv1.DeploymentStatus{
		ObservedGeneration: is.generation, Replicas: is.pods, UpdatedReplicas: is.pods,
		ReadyReplicas: is.ready, AvailableReplicas: is.ready, UnavailableReplicas: max(is.desired-is.ready, 0),
	}
	available := appsv1.DeploymentCondition{
		Type: appsv1.DeploymentAvailable, Status: corev1.ConditionFalse, Reason: "MinimumReplicasUnavailable",
		Message: "Deployment does not have minimum availability.",
	}
	if is.ready >= is.desired {
		available.Status, available.Reason = corev1.ConditionTrue, "MinimumReplicasAvailable"
		available.Message = "Deployment has minimum availability."
	}
	for _, c := range []appsv1.DeploymentCondition{available, progress(old, is, now)} {
		status.Conditions = append(status.Conditions, unlessSame(old.Status.Conditions, c, now))
	}
	return status
}

// progress says how the rollout goes. One that was complete stays so when a pod
// fails later.
func progress(old appsv1.Deployment, is rollout, now time.Time) appsv1.DeploymentCondition {
	c := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue}
	before := deploymentCondition(old.Status.Conditions, c.Type)
	set := fmt.Sprintf("ReplicaSet %q", old.Name+"-"+is.hash)
	complete := set + " has successfully progressed."
	switch {
	case is.ready >= is.desired || before.Message == complete:
		c.Reason, c.Message = progressComplete, complete
	case overdue(old, before, now):
		c.Status, c.Reason, c.Message = corev1.ConditionFalse, progressOverdue, set+" has timed out progressing."
	default:
		c.Reason, c.Message = "ReplicaSetUpdated", set+" is progressing."
	}
	return c
}

// overdue says whether a rollout has made no progress for its deadline.
func overdue(d appsv1.Deployment, before appsv1.DeploymentCondition, now time.Time) bool {
	if d.Spec.ProgressDeadlineSeconds == nil || before.Reason == "" || before.Reason == progressComplete {
		return false
	}
	deadline := time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second
	return now.Sub(before.LastUpdateTime.Time) > deadline || before.Reason == progressOverdue
}

func deploymentCondition(conditions []appsv1.DeploymentCondition, kind appsv1.DeploymentConditionType) appsv1.DeploymentCondition {
	for _, c := range conditions {
		if c.Type == kind {
			return c
		}
	}
	return appsv1.DeploymentCondition{}
}

// unlessSame keeps the times of a condition that says what it said before.
func unlessSame(old []appsv1.DeploymentCondition, c appsv1.DeploymentCondition, now time.Time) appsv1.DeploymentCondition {
	before := deploymentCondition(old, c.Type)
	c.LastUpdateTime, c.LastTransitionTime = metav1.NewTime(now), metav1.NewTime(now)
	if before.Status == c.Status {
		c.LastTransitionTime = before.LastTransitionTime
		if before.Reason == c.Reason && before.Message == c.Message {
			c.LastUpdateTime = before.LastUpdateTime
		}
	}
	return c
}

// setPodStatus writes a pod's status if it says something new.
func setPodStatus(ctx context.Context, c *Client, pod *corev1.Pod, state podState, now time.Time) error {
	status := state.status(pod, now)
	if equality.Semantic.DeepEqual(pod.Status, status) {
		return nil
	}
	pod.Status = status
	if err := updateStatus(ctx, c, pods, pod.Namespace, pod); err != nil {
		return fmt.Errorf("write the status of pod %s: %w", pod.Name, err)
	}
	return nil
}

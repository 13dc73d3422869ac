package kubernetes

import (
	"context"
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// revisionAnnotation numbers the templates that a Deployment has had.
const revisionAnnotation = "deployment.kubernetes.io/revision"

// replicaSet returns the set of the Deployment's present template, made if need
// be, and takes the replicas from all others.
func (r *runner) replicaSet(ctx context.Context, o *owner) (*appsv1.ReplicaSet, error) {
	sets, err := list[appsv1.ReplicaSet](ctx, r.client, replicaSets, r.Namespace, o.selector)
	if err != nil {
		return nil, err
	}
	var current *appsv1.ReplicaSet
	latest := 0
	for i := range sets {
		latest = max(latest, revision(&sets[i]))
		if sets[i].Labels[appsv1.DefaultDeploymentUniqueLabelKey] == o.hash {
			current = &sets[i]
		} else if err := r.scale(ctx, &sets[i], 0); err != nil {
			return nil, err
		}
	}
	if current == nil {
		return r.newSet(ctx, o, latest+1)
	}
	if number := revision(current); number < latest { // a template that was before is again
		current.Annotations[revisionAnnotation] = strconv.Itoa(latest + 1)
	}
	return current, r.scale(ctx, current, o.replicas)
}

func revision(set *appsv1.ReplicaSet) int {
	number, _ := strconv.Atoi(set.Annotations[revisionAnnotation]) // no number is no revision
	return number
}

func (r *runner) newSet(ctx context.Context, o *owner, number int) (*appsv1.ReplicaSet, error) {
	labels := map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: o.hash}
	template := *o.template.DeepCopy()
	for key, value := range template.Labels {
		labels[key] = value
	}
	template.Labels = labels
	set := &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{
		Replicas: &o.replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template,
	}}
	set.APIVersion, set.Kind = "apps/v1", "ReplicaSet"
	set.Namespace, set.Name, set.Labels = r.Namespace, r.Name+"-"+o.hash, labels
	set.Annotations = map[string]string{revisionAnnotation: strconv.Itoa(number)}
	set.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(o.object, o.object.GroupVersionKind())}
	if err := create(ctx, r.client, replicaSets, r.Namespace, set); err != nil {
		return nil, fmt.Errorf("create ReplicaSet %s: %w", set.Name, err)
	}
	return set, nil
}

func (r *runner) scale(ctx context.Context, set *appsv1.ReplicaSet, replicas int32) error {
	if set.Spec.Replicas != nil && *set.Spec.Replicas == replicas {
		return nil
	}
	set.Spec.Replicas = &replicas
	if err := update(ctx, r.client, replicaSets, r.Namespace, set); err != nil {
		return fmt.Errorf("scale ReplicaSet %s: %w", set.Name, err)
	}
	if replicas == 0 {
		return r.reportSet(ctx, set, rollout{})
	}
	return nil
}

func (r *runner) reportSet(ctx context.Context, set *appsv1.ReplicaSet, is rollout) error {
	status := appsv1.ReplicaSetStatus{
		ObservedGeneration: set.Generation, Replicas: is.pods, FullyLabeledReplicas: is.pods,
		ReadyReplicas: is.ready, AvailableReplicas: is.ready,
	}
	if equality.Semantic.DeepEqual(set.Status, status) {
		return nil
	}
	set.Status = status
	if err := updateStatus(ctx, r.client, replicaSets, r.Namespace, set); err != nil {
		return fmt.Errorf("write the status of ReplicaSet %s: %w", set.Name, err)
	}
	return nil
}

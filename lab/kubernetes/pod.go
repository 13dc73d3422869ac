package kubernetes

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
)

// nodeName is the cluster's only node.
const nodeName = "neural-hive-node-1"

// podAddress is where every pod of the lab listens.
const podAddress = "127.0.0.1"

// templateHash names a pod template, as a ReplicaSet's label does.
func templateHash(template corev1.PodTemplateSpec) (string, error) {
	content, err := json.Marshal(template)
	if err != nil {
		return "", fmt.Errorf("hash the pod template: %w", err)
	}
	sum := fnv.New32a()
	_, _ = sum.Write(content) // it never fails
	return rand.SafeEncodeString(fmt.Sprint(sum.Sum32())), nil
}

// newPod is a pod of the template that is bound to the node.
func newPod(namespace, name string, template corev1.PodTemplateSpec, owner metav1.OwnerReference, labels map[string]string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: *template.Spec.DeepCopy()}
	pod.APIVersion, pod.Kind = "v1", "Pod"
	pod.Namespace, pod.Name = namespace, name
	pod.OwnerReferences = []metav1.OwnerReference{owner}
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	for key, value := range labels {
		pod.Labels[key] = value
	}
	pod.Spec.NodeName = nodeName
	return pod
}

// podState is what the process of a pod is, as a kubelet would tell it.
type podState struct {
	phase     corev1.PodPhase
	ready     bool
	reason    string // of waiting or of the end
	message   string
	exitCode  int32
	began     metav1.Time
	finished  metav1.Time
	restarted int32
}

// status is what a kubelet writes about a pod in that state.
func (s podState) status(pod *corev1.Pod, now time.Time) corev1.PodStatus {
	status := corev1.PodStatus{
		Phase: s.phase, HostIP: podAddress, PodIP: podAddress, PodIPs: []corev1.PodIP{{IP: podAddress}},
		StartTime: &s.began, QOSClass: corev1.PodQOSBestEffort,
	}
	for kind, holds := range map[corev1.PodConditionType]bool{
		corev1.PodScheduled: true, corev1.PodInitialized: true, corev1.ContainersReady: s.ready, corev1.PodReady: s.ready,
	} {
		status.Conditions = append(status.Conditions, s.condition(pod, kind, holds, now))
	}
	slices.SortFunc(status.Conditions, func(a, b corev1.PodCondition) int { return strings.Compare(string(a.Type), string(b.Type)) })
	for _, c := range pod.Spec.Containers {
		started := s.phase == corev1.PodRunning
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: s.ready, Started: &started, State: s.container(), RestartCount: s.restarted,
		})
	}
	return status
}

// condition keeps the time of the last change.
func (s podState) condition(pod *corev1.Pod, kind corev1.PodConditionType, holds bool, now time.Time) corev1.PodCondition {
	condition := corev1.PodCondition{Type: kind, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now)}
	if holds {
		condition.Status = corev1.ConditionTrue
	} else {
		condition.Reason = s.conditionReason()
	}
	for _, old := range pod.Status.Conditions {
		if old.Type == kind && old.Status == condition.Status {
			condition.LastTransitionTime = old.LastTransitionTime
		}
	}
	return condition
}

func (s podState) conditionReason() string {
	if s.phase == corev1.PodSucceeded {
		return "PodCompleted"
	}
	return "ContainersNotReady"
}

func (s podState) container() corev1.ContainerState {
	switch {
	case !s.finished.IsZero():
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: s.exitCode, Reason: s.reason, Message: s.message, StartedAt: s.began, FinishedAt: s.finished,
		}}
	case s.phase == corev1.PodRunning && s.reason == "":
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: s.began}}
	default:
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: s.reason, Message: s.message}}
	}
}

package remedies

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// judgement says whether the selectors of an entry reach the pods that are meant,
// and what was seen.
type judgement struct {
	holds    bool
	observed string
}

func not(format string, args ...any) judgement {
	return judgement{observed: fmt.Sprintf(format, args...)}
}

// intended judges the selectors of a declared entry by the living pods of the
// cluster: they must reach a pod of the service that has the identity, and none
// that runs as another service account. What cannot be judged does not hold.
func (d Deps) intended(ctx context.Context, e Entry) judgement {
	i := slices.IndexFunc(d.Services, func(s Service) bool { return s.SPIFFEID == e.SPIFFEID && s.Workload != nil })
	switch {
	case i < 0:
		return not("no service with a Deployment has this identity in the configuration, so nobody can say which pods are meant")
	case d.Kubernetes.Client == nil:
		return not("Kubernetes is not configured, so nobody can say which pods it would reach")
	}
	namespace, wanted, problem := podSelectors(e.Selectors)
	if problem != "" {
		return not("%s", problem)
	}
	deployment, err := d.deployment(ctx, d.Services[i].Name, "")
	if err != nil {
		return not("the Deployment of %s cannot be read", d.Services[i].Name)
	}
	pods, err := lookAll(ctx, d.Kubernetes.Client.CoreV1().Pods(namespace).List, "")
	if err != nil {
		return not("the pods of %s cannot be listed: %s", namespace, clusterReason(err))
	}
	own, err := metav1.LabelSelectorAsSelector(deployment.Spec.Selector)
	if err != nil {
		return not("the Deployment of %s selects no pods", d.Services[i].Name)
	}
	account := accountOf(deployment.Spec.Template.Spec)
	reached := slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool {
		return !living(p) || slices.ContainsFunc(wanted, func(matches podMatch) bool { return !matches(p) })
	})
	return reach(reached, func(p corev1.Pod) (mine, foreign bool) {
		sameAccount := p.Namespace == deployment.Namespace && accountOf(p.Spec) == account
		return sameAccount && own.Matches(labels.Set(p.Labels)), !sameAccount
	})
}

// reach judges the pods that are reached.
func reach(pods []corev1.Pod, is func(corev1.Pod) (mine, foreign bool)) judgement {
	mine, foreign := 0, []string{}
	for _, pod := range pods {
		own, other := is(pod)
		if own {
			mine++
		}
		if other {
			foreign = append(foreign, fmt.Sprintf("%s (service account %s)", pod.Name, accountOf(pod.Spec)))
		}
	}
	switch {
	case len(foreign) > 0:
		return not("they also match %d pods of others, like %s", len(foreign), strings.Join(foreign[:min(len(foreign), 3)], ", "))
	case mine == 0:
		return not("they match no living pod of the service")
	default:
		return judgement{holds: true, observed: fmt.Sprintf("%d living pods match, all of the service account", len(pods))}
	}
}

func accountOf(s corev1.PodSpec) string {
	if s.ServiceAccountName == "" {
		return "default"
	}
	return s.ServiceAccountName
}

// podMatch says whether a pod has what a selector asks for.
type podMatch func(corev1.Pod) bool

// podSelectors takes the selectors of SPIRE's Kubernetes attestor apart. Without
// one namespace they would reach pods that the bot does not see; of a kind that
// is not known here nobody can say what they would reach.
func podSelectors(selectors []string) (namespace string, all []podMatch, problem string) {
	for _, text := range selectors {
		kind, value, _ := strings.Cut(strings.TrimPrefix(text, "k8s:"), ":")
		match := podMatcher(kind, value)
		switch {
		case !strings.HasPrefix(text, "k8s:") || match == nil:
			return "", nil, fmt.Sprintf("the selector %q cannot be compared with pods", text)
		case kind == "ns" && namespace != "":
			return "", nil, "they name two namespaces, and no pod has two"
		case kind == "ns":
			namespace = value
		}
		all = append(all, match)
	}
	if namespace == "" {
		return "", nil, "they name no namespace (k8s:ns), and would reach pods that the bot does not see"
	}
	return namespace, all, ""
}

// podMatcher is nil for a kind of selector that is not known here.
func podMatcher(kind, value string) podMatch {
	switch kind {
	case "ns":
		return func(p corev1.Pod) bool { return p.Namespace == value }
	case "sa":
		return func(p corev1.Pod) bool { return accountOf(p.Spec) == value }
	case "pod-name":
		return func(p corev1.Pod) bool { return p.Name == value }
	case "pod-uid":
		return func(p corev1.Pod) bool { return string(p.UID) == value }
	case "node-name":
		return func(p corev1.Pod) bool { return p.Spec.NodeName == value }
	case "pod-label":
		key, label, _ := strings.Cut(value, ":")
		return func(p corev1.Pod) bool { have, ok := p.Labels[key]; return ok && have == label }
	case "pod-owner":
		kind, name, _ := strings.Cut(value, ":")
		return func(p corev1.Pod) bool {
			return slices.ContainsFunc(p.OwnerReferences, func(o metav1.OwnerReference) bool { return o.Kind == kind && o.Name == name })
		}
	case "container-name":
		return func(p corev1.Pod) bool {
			return slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool { return c.Name == value })
		}
	default:
		return nil
	}
}

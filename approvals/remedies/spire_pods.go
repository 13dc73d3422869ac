package remedies

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"tandem/approvals"
)

// podTime is how long a new pod may take to be ready.
const podTime = 5 * time.Minute

// spireAgentRestart restarts the SPIRE agent of one node.
func spireAgentRestart(d Deps) clusterRemedy {
	return d.podRestart(agentPods(), approvals.Remedy{
		Name: "spire-agent-restart", Risk: approvals.Medium,
		Title: both("Restart a SPIRE agent", "Reiniciar um agente SPIRE"),
		About: both("Ends the pod of the SPIRE agent on one node, so that a new one attests and fetches entries and bundles anew.",
			"Encerra o pod do agente SPIRE de um nó, para que um novo se ateste e busque entries e bundles outra vez."),
		Params: []approvals.Param{{Name: "node", About: both("name of the node; may be left out where there is only one", "nome do nó; pode faltar quando só há um")}},
	})
}

// spireServerRestart restarts one replica of the SPIRE server.
func spireServerRestart(d Deps) clusterRemedy {
	return d.podRestart(serverPods(), approvals.Remedy{
		Name: "spire-server-restart", Risk: approvals.High,
		Title: both("Restart a replica of the SPIRE server", "Reiniciar uma réplica do servidor SPIRE"),
		About: both("Ends the pod of one replica of the SPIRE server, so that a new one reads its entries anew and signs with a living key.",
			"Encerra o pod de uma réplica do servidor SPIRE, para que uma nova leia as entries outra vez e assine com uma chave viva."),
		Params: []approvals.Param{{Name: "pod", About: both("name of the pod; may be left out where there is only one", "nome do pod; pode faltar quando só há um")}},
	})
}

// podKind is what the two restarts of a pod do not have in common.
type podKind struct {
	kind  string // of the owner
	param string // that chooses the pod
	value func(corev1.Pod) string
	set   func(Deps) *Workload
	key   string // of the configuration
	read  func(context.Context, Deps, Workload) (podSet, error)
	plan  func(context.Context, Deps, *approvals.Plan, approvals.Want, podSet, corev1.Pod)
}

func agentPods() podKind {
	return podKind{
		kind: "DaemonSet", param: "node", value: func(p corev1.Pod) string { return p.Spec.NodeName },
		set: func(d Deps) *Workload { return d.SPIRE.AgentSet }, key: "remedies.spire.agents", read: readAgents, plan: planAgent,
	}
}

func serverPods() podKind {
	return podKind{
		kind: "StatefulSet", param: "pod", value: func(p corev1.Pod) string { return p.Name },
		set: func(d Deps) *Workload { return d.SPIRE.ServerSet }, key: "remedies.spire.server", read: readServers, plan: planServer,
	}
}

// podSet is a set of pods with its state.
type podSet struct {
	uid             types.UID
	selector        *metav1.LabelSelector
	wanted, updated int32
	observed        bool // the controllers have seen its newest generation
	pods            []corev1.Pod
}

func readAgents(ctx context.Context, d Deps, w Workload) (podSet, error) {
	found, err := look(ctx, d.Kubernetes.Client.AppsV1().DaemonSets(w.Namespace).Get, w.Name)
	if err != nil {
		return podSet{}, err
	}
	s := found.Status
	return podSet{
		uid: found.UID, selector: found.Spec.Selector, wanted: s.DesiredNumberScheduled, updated: s.UpdatedNumberScheduled,
		observed: s.ObservedGeneration >= found.Generation,
	}, nil
}

func readServers(ctx context.Context, d Deps, w Workload) (podSet, error) {
	found, err := look(ctx, d.Kubernetes.Client.AppsV1().StatefulSets(w.Namespace).Get, w.Name)
	if err != nil {
		return podSet{}, err
	}
	set := podSet{
		uid: found.UID, selector: found.Spec.Selector, wanted: 1, updated: found.Status.UpdatedReplicas,
		observed: found.Status.ObservedGeneration >= found.Generation,
	}
	if found.Spec.Replicas != nil {
		set.wanted = *found.Spec.Replicas
	}
	return set, nil
}

// podRestart makes the remedy of a kind. A second execution changes nothing: the
// pod is deleted by its UID.
func (d Deps) podRestart(k podKind, r approvals.Remedy) clusterRemedy {
	r.Repeatable, r.Settle = true, 5*time.Minute
	r.Plan = func(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
		return d.planPod(ctx, k, r, want)
	}
	r.Execute = func(ctx context.Context, p approvals.Plan, act approvals.Act) error {
		return d.restartPod(ctx, k, p, act)
	}
	made := clusterRemedy{Remedy: r}
	if set := k.set(d); set != nil {
		made.rights = []clusterRight{{set.Namespace, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"delete"}}}}
		made.fence = fence{group: "", resource: "pods", operation: "DELETE", rules: []fenceRule{{
			expression: fmt.Sprintf(`oldObject.metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false) && o.apiVersion == "apps/v1" && o.kind == %q && o.name == %q)`, k.kind, set.Name),
			message:    "only a pod of the " + k.kind + " " + set.Name + " may be deleted",
		}}}
	}
	return made
}

// pods finds the set of a kind and its living pods.
func (d Deps) pods(ctx context.Context, k podKind) (Workload, podSet, error) {
	w := k.set(d)
	if w == nil {
		return Workload{}, podSet{}, refuse(approvals.WhyNoRemedy, "SPIRE is not configured as part of the cluster: set "+k.key+" in the configuration")
	}
	if err := d.Kubernetes.ready(); err != nil {
		return *w, podSet{}, err
	}
	set, err := k.read(ctx, d, *w)
	if err != nil {
		return *w, set, unseen("GET "+k.kind+" "+w.String(), err)
	}
	found, err := lookAll(ctx, d.Kubernetes.Client.CoreV1().Pods(w.Namespace).List, metav1.FormatLabelSelector(set.selector))
	if err != nil {
		return *w, set, unseen("GET the pods of "+w.String(), err)
	}
	for _, pod := range found.Items {
		if owner := metav1.GetControllerOf(&pod); owner != nil && owner.UID == set.uid && living(pod) {
			set.pods = append(set.pods, pod)
		}
	}
	return *w, set, nil
}

// living says whether a pod runs or is about to.
func living(pod corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}

func isReady(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// choose is the pod that is meant.
func (s podSet) choose(k podKind, wanted string) (corev1.Pod, error) {
	var values []string
	var chosen []corev1.Pod
	for _, pod := range s.pods {
		values = append(values, k.value(pod))
		if wanted == "" || k.value(pod) == wanted {
			chosen = append(chosen, pod)
		}
	}
	if len(chosen) != 1 {
		slices.Sort(values)
		return corev1.Pod{}, refuse(approvals.WhyParameters, fmt.Sprintf("expected the %s of one of its %d pods, like %s", k.param, len(values), strings.Join(values[:min(len(values), 3)], ", ")))
	}
	return chosen[0], nil
}

func (d Deps) planPod(ctx context.Context, k podKind, r approvals.Remedy, want approvals.Want) (approvals.Plan, error) {
	w, set, err := d.pods(ctx, k)
	if err != nil {
		return approvals.Plan{}, err
	}
	pod, err := set.choose(k, want.Params[k.param])
	if err != nil {
		return approvals.Plan{}, err
	}
	ready := "is not ready"
	if isReady(pod) {
		ready = "is ready"
	}
	p := approvals.Plan{
		Remedy: r.Name, Service: want.Service, Params: want.Params, Target: target(strings.ToLower(k.kind), w, k.value(pod)), Risk: r.Risk,
		Calls: []approvals.Call{{
			System: "kubernetes", What: fmt.Sprintf(`DELETE /api/v1/namespaces/%s/pods/%s {"preconditions":{"uid":%q}}`, w.Namespace, pod.Name, pod.UID),
			ByHand: fmt.Sprintf("kubectl -n %s delete pod %s", w.Namespace, pod.Name),
		}},
		Why: append(d.saw(want), d.seen(fmt.Sprintf("kubectl -n %s get pod %s -o wide", w.Namespace, pod.Name), "pod "+pod.Name+" on "+pod.Spec.NodeName+" "+ready)),
		Basis: []approvals.Fact{
			{Name: "pod", Value: pod.Name}, {Name: "pod uid", Value: string(pod.UID)}, {Name: "node", Value: pod.Spec.NodeName},
		},
		Preconditions: []approvals.Precondition{{
			Text: both("All its pods are of the present version, so that the pod comes back as what it is.",
				"Todos os pods são da versão atual, para que o pod volte como é."),
			Holds: set.observed && set.updated >= set.wanted, Observed: fmt.Sprintf("%d of %d", set.updated, set.wanted),
		}},
		WayBack: both("There is none: the pod that ended does not come back; its set makes a new one.",
			"Não há: o pod que terminou não volta; o conjunto dele cria um novo."),
	}
	k.plan(ctx, d, &p, want, set, pod)
	return p, nil
}

// planAgent adds what is so of agents alone.
func planAgent(ctx context.Context, d Deps, p *approvals.Plan, want approvals.Want, _ podSet, pod corev1.Pod) {
	node := pod.Spec.NodeName
	p.Does = both("Restart the SPIRE agent on the node "+node+": end its pod "+pod.Name+".", "Reiniciar o agente SPIRE do nó "+node+": encerrar o pod "+pod.Name+".")
	p.Preconditions = append(p.Preconditions, d.attests(ctx, node)...)
	p.Blast = both("The workloads of the node "+node+" get no new SVIDs until the new agent has attested; those that they hold go on until they expire.",
		"Os workloads do nó "+node+" não recebem SVIDs novos até o novo agente se atestar; os que já têm valem até expirar.")
	p.Proof = d.spireProof(want, "SPF-005")
}

// planServer adds what is so of replicas of the server alone.
func planServer(_ context.Context, d Deps, p *approvals.Plan, want approvals.Want, set podSet, pod corev1.Pod) {
	others := 0
	for _, other := range set.pods {
		if other.UID != pod.UID && isReady(other) {
			others++
		}
	}
	p.Does = both("Restart one replica of the SPIRE server: end its pod "+pod.Name+".", "Reiniciar uma réplica do servidor SPIRE: encerrar o pod "+pod.Name+".")
	p.Preconditions = append(p.Preconditions, approvals.Precondition{
		Text:  both("All other replicas are ready.", "Todas as outras réplicas estão prontas."),
		Holds: int32(others) >= set.wanted-1, Observed: fmt.Sprintf("%d of %d", others, set.wanted-1), //nolint:gosec // a few pods
	})
	p.Blast = both("Nobody can see from outside where this replica keeps its keys: know it before you approve. With the KeyManager `memory` its signing keys are lost, and what it signs afterwards verifies nowhere until the new bundle has spread.",
		"Ninguém vê de fora onde esta réplica guarda as chaves: saiba isso antes de aprovar. Com o KeyManager `memory` as chaves de assinatura se perdem, e o que ela assinar depois não é verificado em lugar nenhum até o bundle novo se espalhar.")
	if set.wanted < 2 {
		p.Blast.EN = "It is the only replica: no SVID is issued until the new one is ready. " + p.Blast.EN
		p.Blast.PT = "É a única réplica: nenhum SVID é emitido até a nova ficar pronta. " + p.Blast.PT
	}
	p.Proof = d.spireProof(want, "SPR-001", "SPR-002")
}

// restartPod deletes the pod that was planned, and waits for the next one.
func (d Deps) restartPod(ctx context.Context, k podKind, p approvals.Plan, act approvals.Act) error {
	own, err := d.Kubernetes.as(p.Remedy)
	if err != nil {
		return err
	}
	w, name, uid := k.set(d), fact(p, "pod"), types.UID(fact(p, "pod uid"))
	if w == nil || name == "" || uid == "" {
		return &approvals.Trouble{Text: "nothing was changed: the plan names no pod"}
	}
	err = attempt{
		call: p.Calls[0].What, why: ofCluster,
		do: func(ctx context.Context) (string, error) {
			err := own.client.CoreV1().Pods(w.Namespace).Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
			return "the pod ends", err
		},
		done: func(ctx context.Context) (bool, error) {
			_, set, err := d.pods(ctx, k)
			return err == nil && !slices.ContainsFunc(set.pods, func(pod corev1.Pod) bool { return pod.UID == uid }), err
		},
	}.make(ctx, act, own.identity)
	if err != nil {
		return err
	}
	return d.awaitPod(ctx, k, p, uid, act)
}

// awaitPod waits for the pod that comes after another.
func (d Deps) awaitPod(ctx context.Context, k podKind, p approvals.Plan, old types.UID, act approvals.Act) error {
	state := "there is no new one"
	overdue := func() *approvals.Trouble {
		return &approvals.Trouble{Text: "the pod was ended, and the one after it is not ready: " + state + "; look at it: kubectl describe pod"}
	}
	return waitUntil(ctx, podTime, overdue, func(ctx context.Context) (bool, error) {
		_, set, err := d.pods(ctx, k)
		if err != nil {
			return false, err
		}
		for _, pod := range set.pods {
			if pod.UID == old || k.value(pod) != fact(p, k.param) {
				continue
			}
			if is := "pod " + pod.Name + " is " + string(pod.Status.Phase); is != state {
				state = is
				say(ctx, act, both("The new pod is "+pod.Name+": "+string(pod.Status.Phase)+".", "O pod novo é "+pod.Name+": "+string(pod.Status.Phase)+"."))
			}
			if isReady(pod) {
				return true, nil
			}
		}
		return false, nil
	})
}

package remedies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"tandem/approvals"
	"tandem/i18n"
)

// restartedAt is the annotation of a pod template whose change restarts its pods.
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// rolloutTime is how long a rollout may take. A Deployment's own deadline may end
// the wait before.
const rolloutTime = 10 * time.Minute

// manager is the name under which the remedies write objects.
const manager = "tandem"

// rolloutRestart restarts a service by a rollout of its Deployment.
//
// The value of the annotation follows from the template that was seen: the second
// time it changes nothing, and a template that somebody else changed is not
// restarted.
func rolloutRestart(d Deps) clusterRemedy {
	r := clusterRemedy{Remedy: approvals.Remedy{
		Name: "rollout-restart", Risk: approvals.Medium, Repeatable: true, Settle: 5 * time.Minute,
		Params: []approvals.Param{{Name: "of", About: both("the service's peer, when that is what is to restart", "o par (peer) do serviço, quando é ele que deve reiniciar")}},
		Title:  both("Restart a service", "Reiniciar um serviço"),
		About: both("Restarts the pods of the service's Deployment, so that it logs in again and reads its secrets and credentials anew.",
			"Reinicia os pods do Deployment do serviço, para que ele faça login de novo e leia outra vez os secrets e credenciais."),
		Plan: d.planRollout, Execute: d.rollout,
	}}
	for _, s := range d.Services {
		if s.Workload != nil {
			r.rights = append(r.rights, clusterRight{s.Workload.Namespace, rbacv1.PolicyRule{
				APIGroups: []string{"apps"}, Resources: []string{"deployments"}, ResourceNames: []string{s.Workload.Name}, Verbs: []string{"patch"},
			}})
		}
	}
	r.fence = fence{group: "apps", resource: "deployments", operation: "UPDATE", rules: []fenceRule{
		{sameBut("metadata", "managedFields", "generation", "resourceVersion"), "only the restart annotation of the pod template may change, not the Deployment's metadata"},
		{sameBut("spec", "template"), "only the restart annotation of the pod template may change, not the Deployment's spec"},
		{sameBut("spec.template", "metadata"), "only the restart annotation of the pod template may change, not the pods' spec"},
		{sameBut("spec.template.metadata", "annotations"), "only the restart annotation of the pod template may change, not its metadata"},
		{sameBut("spec.template.metadata.annotations", restartedAt), "only the restart annotation of the pod template may change, no other"},
	}}
	return r
}

// restarting is the service that restarts: the one that was asked about, or its
// peer.
func (d Deps) restarting(service, of string) (Service, error) {
	s, err := d.service(service)
	switch {
	case err != nil || of == "" || of == service:
		return s, err
	case of != s.Peer:
		return s, refuse(approvals.WhyParameters, "of: "+quoted(of)+" is not the peer of "+service)
	}
	return d.service(of)
}

// deployment finds the Deployment of a service, or of its peer.
func (d Deps) deployment(ctx context.Context, service, of string) (*appsv1.Deployment, error) {
	s, err := d.restarting(service, of)
	if err != nil {
		return nil, err
	}
	if s.Workload == nil {
		return nil, refuse(approvals.WhyNoRemedy, "no Deployment of "+s.Name+" is configured: set its workload in the configuration")
	}
	if err := d.Kubernetes.ready(); err != nil {
		return nil, err
	}
	found, err := look(ctx, d.Kubernetes.Client.AppsV1().Deployments(s.Workload.Namespace).Get, s.Workload.Name)
	if err != nil {
		return nil, unseen("GET deployment "+s.Workload.String(), err)
	}
	return found, nil
}

func (d Deps) planRollout(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	found, err := d.deployment(ctx, want.Service, want.Params["of"])
	if err != nil {
		return approvals.Plan{}, err
	}
	w := Workload{Namespace: found.Namespace, Name: found.Name}
	template, is := templateHash(found), rolloutOf(found)
	show := fmt.Sprintf("kubectl -n %s get deployment %s -o wide", w.Namespace, w.Name)
	return approvals.Plan{
		Remedy: "rollout-restart", Service: want.Service, Target: target("deployment", w), Risk: approvals.Medium,
		Does: both("Restart the pods of the Deployment "+w.String()+", as its strategy says.", "Reiniciar os pods do Deployment "+w.String()+", como manda a estratégia dele."),
		Calls: []approvals.Call{{
			System: "kubernetes", What: fmt.Sprintf("PATCH /apis/apps/v1/namespaces/%s/deployments/%s %s", w.Namespace, w.Name, restartPatch(found, "as it was just read")),
			ByHand: fmt.Sprintf("kubectl -n %s rollout restart deployment/%s", w.Namespace, w.Name),
		}},
		Why:           append(d.saw(want), d.seen(show, is.words())),
		Basis:         []approvals.Fact{{Name: "deployment uid", Value: string(found.UID)}, {Name: "pod template", Value: template}},
		Preconditions: append(d.unsealed(ctx), is.preconditions()...),
		Blast:         is.blast(w),
		WayBack: both("There is none: pods that ended do not come back. `kubectl rollout undo` would start them once more and bring back no credential.",
			"Não há: pods que terminaram não voltam. `kubectl rollout undo` os reiniciaria mais uma vez e não traz de volta nenhuma credencial."),
		Proof: proof(want, "KUB-001"),
	}, nil
}

// restartPatch is the body of the restart. The version makes it fail when somebody
// changed the object since it was read.
func restartPatch(found *appsv1.Deployment, version string) string {
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": found.UID, "resourceVersion": version},
		"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
			"annotations": map[string]string{restartedAt: restartValue(templateHash(found))},
		}}},
	})
	if err != nil { // strings only
		panic(fmt.Sprintf("marshal a patch: %v", err))
	}
	return string(body)
}

func restartValue(template string) string { return "tandem-" + template }

// templateHash names a pod template.
func templateHash(found *appsv1.Deployment) string {
	content, err := json.Marshal(found.Spec.Template)
	if err != nil { // it was read from JSON
		panic(fmt.Sprintf("marshal a pod template: %v", err))
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6])
}

func (d Deps) rollout(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	planned := fact(p, "pod template")
	generation, err := d.restart(ctx, p, planned, act)
	if err != nil {
		return err
	}
	return d.awaitRollout(ctx, p, generation, act)
}

// restart makes the patch, unless it is made, and returns the generation that it
// led to.
func (d Deps) restart(ctx context.Context, p approvals.Plan, planned string, act approvals.Act) (int64, error) {
	own, err := d.Kubernetes.as(p.Remedy)
	if err != nil {
		return 0, err
	}
	var generation int64
	look := func(ctx context.Context) (*appsv1.Deployment, bool, error) {
		found, err := d.deployment(ctx, p.Service, p.Params["of"])
		if err != nil {
			return nil, false, err
		}
		generation = found.Generation
		return found, found.Spec.Template.Annotations[restartedAt] == restartValue(planned), nil
	}
	err = attempt{
		call: p.Calls[0].What, why: ofCluster,
		do: func(ctx context.Context) (string, error) {
			found, made, err := look(ctx)
			switch {
			case err != nil:
				return "", err
			case made:
				return "done already: the template has this restart", nil
			case templateHash(found) != planned || string(found.UID) != fact(p, "deployment uid"):
				return "", &approvals.Trouble{Text: "nothing was changed: somebody rolled the Deployment out since the plan was made; ask again if it is still needed"}
			}
			patched, err := own.client.AppsV1().Deployments(found.Namespace).Patch(ctx, found.Name, types.MergePatchType,
				[]byte(restartPatch(found, found.ResourceVersion)), metav1.PatchOptions{FieldManager: manager})
			if err != nil {
				return "", err
			}
			generation = patched.Generation
			return fmt.Sprintf("the pod template is changed: generation %d", generation), nil
		},
		done: func(ctx context.Context) (bool, error) {
			_, made, err := look(ctx)
			return made, err
		},
	}.make(ctx, act, own.identity)
	return generation, err
}

// awaitRollout waits until all pods are of the new template and available, and
// tells how far it is.
func (d Deps) awaitRollout(ctx context.Context, p approvals.Plan, generation int64, act approvals.Act) error {
	var last rollout
	overdue := func() *approvals.Trouble {
		return &approvals.Trouble{Text: "the Deployment was changed, and its rollout has not ended: " + last.words() + "; look at its pods: kubectl rollout status"}
	}
	return waitUntil(ctx, rolloutTime, overdue, func(ctx context.Context) (bool, error) {
		found, err := d.deployment(ctx, p.Service, p.Params["of"])
		if err != nil {
			return false, err
		}
		if is := rolloutOf(found); is != last {
			last = is
			say(ctx, act, is.progress())
		}
		if last.stuck && last.observed >= generation {
			return false, overdue()
		}
		return last.observed >= generation && last.whole(), nil
	})
}

// rollout is how far the rollout of a Deployment is.
type rollout struct {
	generation, observed                     int64
	desired, pods, updated, ready, available int32
	paused, recreates, away, complete, stuck bool
}

func rolloutOf(d *appsv1.Deployment) rollout {
	r := rollout{
		generation: d.Generation, observed: d.Status.ObservedGeneration, desired: 1,
		pods: d.Status.Replicas, updated: d.Status.UpdatedReplicas, ready: d.Status.ReadyReplicas, available: d.Status.AvailableReplicas,
		paused: d.Spec.Paused, recreates: d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType,
	}
	if d.Spec.Replicas != nil {
		r.desired = *d.Spec.Replicas
	}
	r.away = mayBeAway(d, r.desired) >= r.desired
	r.complete = true
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			r.complete = c.Status == corev1.ConditionTrue && c.Reason == "NewReplicaSetAvailable"
			r.stuck = c.Reason == "ProgressDeadlineExceeded"
		}
	}
	return r
}

// mayBeAway is how many pods the strategy takes away at once.
func mayBeAway(d *appsv1.Deployment, desired int32) int32 {
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return desired
	}
	rolling := d.Spec.Strategy.RollingUpdate
	if rolling == nil || rolling.MaxUnavailable == nil {
		return desired / 4 // Kubernetes' own default
	}
	away, err := intstr.GetScaledValueFromIntOrPercent(rolling.MaxUnavailable, int(desired), false)
	if err != nil {
		return desired
	}
	return int32(away) //nolint:gosec // a part of desired
}

// whole says whether all pods are of the newest template and available.
func (r rollout) whole() bool {
	return r.observed >= r.generation && r.updated >= r.desired && r.pods == r.updated && r.available >= r.desired
}

// rolling says whether a rollout is under way. Pods that became unavailable
// after the last one ended do not make it so: they are what a restart is for.
func (r rollout) rolling() bool {
	return r.observed < r.generation || r.updated < r.desired || r.pods > r.updated || !r.complete
}

func (r rollout) words() string {
	return fmt.Sprintf("%d pods wanted, %d there, %d of the newest template, %d ready, %d available", r.desired, r.pods, r.updated, r.ready, r.available)
}

func (r rollout) progress() i18n.Text {
	return both(fmt.Sprintf("%d of %d pods are new, %d are available.", r.updated, r.desired, r.available),
		fmt.Sprintf("%d de %d pods são novos, %d estão disponíveis.", r.updated, r.desired, r.available))
}

func (r rollout) preconditions() []approvals.Precondition {
	under := "none"
	if r.rolling() {
		under = r.words()
	}
	if r.stuck {
		under = "the last rollout did not end within its deadline: " + r.words()
	}
	return []approvals.Precondition{
		{Text: both("The Deployment is not paused.", "O Deployment não está pausado."), Holds: !r.paused},
		{Text: both("The Deployment wants at least one pod.", "O Deployment quer ao menos um pod."), Holds: r.desired > 0, Observed: fmt.Sprintf("%d wanted", r.desired)},
		{Text: both("No rollout is under way.", "Nenhum rollout está em andamento."), Holds: !r.rolling(), Observed: under},
	}
}

// blast says honestly whether the service is away meanwhile.
func (r rollout) blast(w Workload) i18n.Text {
	switch {
	case r.recreates:
		return both(fmt.Sprintf("The service is away until its new pods are ready: the strategy of %s ends all pods first (%d).", w, r.desired),
			fmt.Sprintf("O serviço fica fora até os pods novos ficarem prontos: a estratégia de %s encerra todos primeiro (%d).", w, r.desired))
	case r.away:
		return both(fmt.Sprintf("The service may be away until its new pods are ready: the strategy of %s may end all pods at once (%d).", w, r.desired),
			fmt.Sprintf("O serviço pode ficar fora até os pods novos ficarem prontos: a estratégia de %s pode encerrar todos de uma vez (%d).", w, r.desired))
	case r.ready < 2:
		return both(fmt.Sprintf("%d pod of %s is ready now. A new one starts before the old one ends; what the old one has under way breaks off.", r.ready, w),
			fmt.Sprintf("%d pod de %s está pronto agora. Um novo sobe antes de o antigo terminar; o que o antigo tem em andamento é interrompido.", r.ready, w))
	default:
		return both(fmt.Sprintf("The %d pods of %s restart a few at a time; what each has under way breaks off.", r.desired, w),
			fmt.Sprintf("Os %d pods de %s reiniciam aos poucos; o que cada um tem em andamento é interrompido.", r.desired, w))
	}
}

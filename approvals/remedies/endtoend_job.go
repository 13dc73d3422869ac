package remedies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tandem/approvals"
)

const (
	// jobName is that of the only Job there can be: a second one cannot be made
	// while the first is there.
	jobName = "tandem-end-to-end"
	// jobPlan is the annotation with the digest of what was approved.
	jobPlan = "tandem/plan"
	// jobLeft is how long the cluster keeps a Job that the bot could not delete.
	jobLeft = 10 * time.Minute
	// jobSlack is how much longer than the run its start and its end may take.
	jobSlack = 2 * time.Minute
)

// Job is what the Job runs. Its environment is shown to people: it holds no
// secret.
type Job struct {
	Namespace, Image, ServiceAccount string
	Args                             []string
	Env                              map[string]string
	Deadline                         time.Duration // zero: 10 minutes
}

// object is the Job as it is made: one pod, once.
func (j Job) object() *batchv1.Job {
	never, one, left := int32(0), int32(1), int32(jobLeft/time.Second)
	seconds := int64(deadline(j.Deadline) / time.Second)
	container := corev1.Container{Name: "run", Image: j.Image, Args: j.Args}
	for _, name := range sortedKeys(j.Env) {
		container.Env = append(container.Env, corev1.EnvVar{Name: name, Value: j.Env[name]})
	}
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: jobName, Namespace: j.Namespace, Annotations: map[string]string{jobPlan: j.digest()}},
		Spec: batchv1.JobSpec{
			BackoffLimit: &never, Parallelism: &one, Completions: &one, ActiveDeadlineSeconds: &seconds, TTLSecondsAfterFinished: &left,
			Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever, ServiceAccountName: j.ServiceAccount, Containers: []corev1.Container{container},
			}},
		},
	}
}

// digest names what is run.
func (j Job) digest() string {
	raw, err := json.Marshal(j)
	if err != nil { // strings and numbers only
		panic(fmt.Sprintf("marshal a job: %v", err))
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// rights are what the account needs: RBAC knows no names where something is made.
func (j Job) rights() []clusterRight {
	batch := func(verb string, names ...string) clusterRight {
		return clusterRight{j.Namespace, rbacv1.PolicyRule{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, ResourceNames: names, Verbs: []string{verb}}}
	}
	return []clusterRight{batch("create"), batch("delete", jobName)}
}

// fence lets only this very Job be made.
func (j Job) fence() fence {
	const pod = "object.spec.template.spec"
	const container = pod + ".containers[0]"
	args, env := []string{}, []string{}
	for _, arg := range j.Args {
		args = append(args, quoted(arg))
	}
	for _, name := range sortedKeys(j.Env) {
		env = append(env, fmt.Sprintf(`{"name": %q, "value": %q}`, name, j.Env[name]))
	}
	account := j.ServiceAccount
	if account == "" {
		account = "default"
	}
	return fence{group: "batch", resource: "jobs", operation: "CREATE", rules: []fenceRule{
		{"object.metadata.name == " + quoted(jobName), "only the Job " + jobName + " may be made"},
		{
			onlyKeys("object.spec", "template", "selector", "backoffLimit", "parallelism", "completions", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "completionMode", "suspend", "podReplacementPolicy", "manualSelector") +
				fmt.Sprintf(" && object.spec.backoffLimit == 0 && object.spec.parallelism == 1 && object.spec.completions == 1 && has(object.spec.activeDeadlineSeconds) && object.spec.activeDeadlineSeconds <= %d", int64(deadline(j.Deadline)/time.Second)),
			"the Job runs one pod, once, with a deadline",
		},
		{
			onlyKeys(pod, "containers", "restartPolicy", "serviceAccountName", "serviceAccount", "terminationGracePeriodSeconds", "dnsPolicy", "schedulerName", "securityContext") +
				fmt.Sprintf(` && dyn(%s.?securityContext.orValue({})).size() == 0 && %s.?serviceAccountName.orValue("default") == %q && %s.containers.size() == 1`, pod, pod, account, pod),
			"the Job has one container, no volumes and the configured service account",
		},
		{
			onlyKeys(container, "name", "image", "args", "env", "resources", "imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy") +
				fmt.Sprintf(` && %s.image == %q && %s.?args.orValue([]) == [%s]`, container, j.Image, container, strings.Join(args, ", ")),
			"the container runs the configured image with the configured arguments",
		},
		{fmt.Sprintf(`dyn(%s.?env.orValue([])) == dyn([%s])`, container, strings.Join(env, ", ")), "the container has the configured environment"},
	}}
}

func (d Deps) planJob(ctx context.Context, want approvals.Want) (approvals.Plan, error) {
	j := d.EndToEnd.Job
	if err := d.Kubernetes.ready(); err != nil {
		return approvals.Plan{}, err
	}
	there, err := look(ctx, d.Kubernetes.Client.BatchV1().Jobs(j.Namespace).Get, jobName)
	if err != nil && !apierrors.IsNotFound(err) {
		return approvals.Plan{}, unseen("GET job "+jobName, err)
	}
	left := "none"
	if err == nil {
		left = "one from " + there.CreationTimestamp.UTC().Format(time.RFC3339) + "; an ended one is deleted by itself within " + jobLeft.String()
	}
	show := fmt.Sprintf("kubectl -n %s get job %s", j.Namespace, jobName)
	p := endToEndPlan(want, "kubernetes:"+j.Namespace+"/job/"+jobName)
	p.Does = both("Run the end-to-end tests as a Job in the cluster, for at most "+deadline(j.Deadline).String()+".",
		"Rodar os testes ponta a ponta como um Job no cluster, por no máximo "+deadline(j.Deadline).String()+".")
	p.Calls = []approvals.Call{j.call(), {
		System: "kubernetes", What: fmt.Sprintf("DELETE /apis/batch/v1/namespaces/%s/jobs/%s", j.Namespace, jobName),
		ByHand: fmt.Sprintf("kubectl -n %s delete job %s", j.Namespace, jobName),
	}}
	p.Why = []approvals.Evidence{d.seen(show, "Jobs of an earlier run: "+left)}
	p.Basis = []approvals.Fact{{Name: "job", Value: j.digest()}}
	p.Preconditions = []approvals.Precondition{{
		Text: both("No run is under way or left over.", "Nenhuma execução está em andamento ou sobrando."), Holds: err != nil, Observed: left,
	}}
	return p, nil
}

// call is what is run, with the names of its environment.
func (j Job) call() approvals.Call {
	raw, err := json.Marshal(map[string]any{
		"name": jobName, "image": j.Image, "args": append([]string{}, j.Args...), "env": sortedKeys(j.Env), "serviceAccountName": j.ServiceAccount,
		"backoffLimit": 0, "activeDeadlineSeconds": int64(deadline(j.Deadline) / time.Second),
	})
	if err != nil { // strings and numbers only
		panic(fmt.Sprintf("marshal a job: %v", err))
	}
	return approvals.Call{System: "kubernetes", What: fmt.Sprintf("POST /apis/batch/v1/namespaces/%s/jobs %s", j.Namespace, raw)}
}

// runJob makes the Job, unless this plan has made it before, follows it to its
// end, and deletes it.
func (d Deps) runJob(ctx context.Context, p approvals.Plan, act approvals.Act) error {
	j := d.EndToEnd.Job
	own, err := d.Kubernetes.as(p.Remedy)
	if err != nil {
		return err
	}
	if fact(p, "job") != j.digest() {
		return &approvals.Trouble{Text: "nothing was run: the configured Job is not the one that was approved any more"}
	}
	run := &jobRun{d: d, j: *j, out: output{act: act}}
	err = attempt{
		call: p.Calls[0].What, why: ofCluster,
		do: func(ctx context.Context) (string, error) {
			_, err := own.client.BatchV1().Jobs(j.Namespace).Create(ctx, j.object(), metav1.CreateOptions{FieldManager: manager})
			return "the Job is made", err
		},
		done: func(ctx context.Context) (bool, error) {
			err := run.look(ctx)
			return err == nil && run.job.Annotations[jobPlan] == j.digest(), err
		},
	}.make(ctx, act, own.identity)
	if err != nil {
		return err
	}
	verdict := run.follow(ctx)
	if ctx.Err() != nil { // another replica follows it to its end
		return &approvals.Trouble{Text: "the run was left before its end; its Job goes on", Err: ctx.Err()}
	}
	d.dropJob(ctx, p, own, act)
	return verdict
}

// dropJob deletes the Job, so that there can be a next one. Its trouble is no
// trouble of the run's: the cluster deletes it some time later.
func (d Deps) dropJob(ctx context.Context, p approvals.Plan, own acting, act approvals.Act) {
	j := d.EndToEnd.Job
	err := attempt{
		call: p.Calls[1].What, why: ofCluster,
		do: func(ctx context.Context) (string, error) {
			background := metav1.DeletePropagationBackground
			return "the Job is deleted", own.client.BatchV1().Jobs(j.Namespace).Delete(ctx, jobName, metav1.DeleteOptions{PropagationPolicy: &background})
		},
		done: func(ctx context.Context) (bool, error) {
			_, err := look(ctx, d.Kubernetes.Client.BatchV1().Jobs(j.Namespace).Get, jobName)
			return apierrors.IsNotFound(err), ignoreMissing(err)
		},
	}.make(ctx, act, own.identity)
	if err != nil {
		say(ctx, act, both("The Job could not be deleted; the cluster does it within "+jobLeft.String()+".", "Não foi possível apagar o Job; o cluster o faz em até "+jobLeft.String()+"."))
	}
}

func ignoreMissing(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// jobRun is one run that is followed.
type jobRun struct {
	d   Deps
	j   Job
	job *batchv1.Job
	pod *corev1.Pod // nil: there is none yet
	out output
}

// look reads the Job and its pod.
func (r *jobRun) look(ctx context.Context) error {
	client := r.d.Kubernetes.Client
	job, err := look(ctx, client.BatchV1().Jobs(r.j.Namespace).Get, jobName)
	if err != nil {
		return err
	}
	pods, err := lookAll(ctx, client.CoreV1().Pods(r.j.Namespace).List, batchv1.ControllerUidLabel+"="+string(job.UID))
	if err != nil {
		return err
	}
	r.job = job
	if len(pods.Items) > 0 {
		r.pod = &pods.Items[0]
	}
	return nil
}

// ended is the condition that ended the Job; nil: it goes on.
func (r *jobRun) ended() *batchv1.JobCondition {
	for i, c := range r.job.Status.Conditions {
		if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
			return &r.job.Status.Conditions[i]
		}
	}
	return nil
}

// follow tells the output on the way, waits for the end, and judges the report.
func (r *jobRun) follow(ctx context.Context) error {
	limit := deadline(r.j.Deadline) + jobSlack
	if err := r.await(ctx, limit, func() bool { return r.ended() != nil || r.pod != nil && r.pod.Status.Phase != corev1.PodPending }); err != nil {
		return err
	}
	if r.pod != nil && r.ended() == nil {
		r.tell(ctx, limit)
	}
	if err := r.await(ctx, limit, func() bool { return r.ended() != nil }); err != nil {
		return err
	}
	if r.ended().Reason == batchv1.JobReasonDeadlineExceeded {
		return &approvals.Trouble{Text: "unknown: the run did not end within its deadline and was stopped" + r.waiting()}
	}
	return r.judge(ctx)
}

// await waits until the run is as wanted.
func (r *jobRun) await(ctx context.Context, limit time.Duration, so func() bool) error {
	overdue := func() *approvals.Trouble {
		return &approvals.Trouble{Text: "unknown: the Job has not ended and its deadline is over" + r.waiting() + "; look at it: kubectl describe job " + jobName}
	}
	return waitUntil(ctx, limit, overdue, func(ctx context.Context) (bool, error) {
		err := r.look(ctx)
		if apierrors.IsNotFound(err) {
			return false, &approvals.Trouble{Text: "unknown: somebody deleted the Job before its end", Err: err}
		}
		return err == nil && so(), err
	})
}

// waiting says why a pod does not run, in the words of the kubelet's own reasons.
func (r *jobRun) waiting() string {
	if r.pod == nil {
		return ": it has no pod"
	}
	for _, c := range r.pod.Status.ContainerStatuses {
		if c.State.Waiting != nil {
			return ": its pod waits (" + plain(c.State.Waiting.Reason, maxNameRunes) + ")"
		}
	}
	return ""
}

// tell tells the output while it is written. What is missed of it is told, and
// judged by, at the end, when the log is read once more.
func (r *jobRun) tell(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	log, err := r.log(ctx, true)
	if err != nil {
		say(ctx, r.out.act, both("The output cannot be followed.", "Não é possível acompanhar a saída."))
		return
	}
	defer log.Close()
	_ = r.out.drain(ctx, log) // the last reading says what is so
}

func (r *jobRun) log(ctx context.Context, follow bool) (io.ReadCloser, error) {
	return r.d.Kubernetes.Client.CoreV1().Pods(r.j.Namespace).GetLogs(r.pod.Name, &corev1.PodLogOptions{Follow: follow}).Stream(ctx)
}

// judge reads the whole log again, tells what was not told of it on the way (all
// of it, when the run was over at the first look), and judges the report in it.
func (r *jobRun) judge(ctx context.Context) error {
	if r.pod == nil {
		return &approvals.Trouble{Text: "unknown: the Job ended without a pod"}
	}
	limited, cancel := context.WithTimeout(ctx, jobSlack)
	defer cancel()
	log, err := r.log(limited, false)
	if err != nil {
		return &approvals.Trouble{Text: "unknown: the log of the run cannot be read: " + clusterReason(err), Err: err}
	}
	defer log.Close()
	whole := &output{act: r.out.act, told: r.out.lines}
	if err := whole.drain(limited, log); err != nil {
		return &approvals.Trouble{Text: "unknown: the log of the run cannot be read to its end", Err: err}
	}
	whole.rest(ctx)
	return judge(ctx, r.out.act, &whole.report, r.bad())
}

// bad says what was bad about the end of the run; empty: nothing.
func (r *jobRun) bad() string {
	for _, c := range r.pod.Status.ContainerStatuses {
		if t := c.State.Terminated; t != nil && t.ExitCode != 0 {
			return "the program ended with exit code " + strconv.Itoa(int(t.ExitCode))
		}
	}
	if r.ended().Type == batchv1.JobFailed {
		return "the Job failed"
	}
	return ""
}

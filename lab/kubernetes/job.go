package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
)

// jobsAtOnce is how many Jobs may run; the others wait for a place on the node.
const jobsAtOnce = 4

// jobsEvery is how often Jobs are looked at when nothing happens to them: their
// time may be over.
const jobsEvery = 5 * time.Second

// statusTries is how often a status is written anew when somebody else was faster.
const statusTries = 5

// jobRunner runs the Jobs of the cluster.
type jobRunner struct {
	client   *Client
	logs     *logs
	log      *slog.Logger
	now      func() time.Time
	programs map[string]Program
	dir      string
	poked    chan struct{} // holds one
	places   chan struct{}

	running map[types.UID]context.CancelFunc // of run's goroutine alone
	ended   sync.WaitGroup
}

func newJobRunner(c *Cluster, config Config) *jobRunner {
	return &jobRunner{
		client: c.client, logs: c.logs, log: c.log, now: time.Now, programs: config.Programs, dir: config.LogDir,
		poked: make(chan struct{}, 1), places: make(chan struct{}, jobsAtOnce), running: map[types.UID]context.CancelFunc{},
	}
}

func (j *jobRunner) poke() {
	select {
	case j.poked <- struct{}{}:
	default:
	}
}

// run keeps the Jobs until ctx ends, and returns when none runs.
func (j *jobRunner) run(ctx context.Context) {
	defer j.ended.Wait()
	tick := time.NewTicker(jobsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.poked:
		case <-tick.C:
		}
		if err := j.reconcile(ctx); err != nil && ctx.Err() == nil {
			j.log.WarnContext(ctx, "jobs not reconciled", "error", err)
			pause(ctx, watchRetry)
			j.poke()
		}
	}
}

// reconcile starts the Jobs that are new, ends those that were deleted, and
// deletes those whose time after their end is over.
func (j *jobRunner) reconcile(ctx context.Context) error {
	all, err := list[batchv1.Job](ctx, j.client, jobs, "", "")
	if err != nil {
		return fmt.Errorf("list jobs: %w", err)
	}
	there := map[types.UID]bool{}
	for i := range all {
		job := &all[i]
		if job.DeletionTimestamp != nil {
			if err := j.release(ctx, job); err != nil {
				return err
			}
			continue
		}
		there[job.UID] = true
		if _, known := j.running[job.UID]; !known && job.Status.StartTime == nil {
			j.start(ctx, job)
		}
		if outlived(job, j.now()) {
			if err := j.client.in(jobs, job.Namespace).Delete(ctx, job.Name, gone()); err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("delete job %s: %w", job.Name, err)
			}
		}
	}
	for uid, cancel := range j.running {
		if !there[uid] {
			cancel()
			delete(j.running, uid)
		}
	}
	return j.collect(ctx, there)
}

// outlived says whether the time that a Job is kept after its end is over.
func outlived(job *batchv1.Job, now time.Time) bool {
	if job.Spec.TTLSecondsAfterFinished == nil {
		return false
	}
	kept := time.Duration(*job.Spec.TTLSecondsAfterFinished) * time.Second
	for _, c := range job.Status.Conditions {
		if c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed {
			return now.Sub(c.LastTransitionTime.Time) > kept
		}
	}
	return false
}

// collect deletes the pods whose Job is gone, as the collector of garbage does.
func (j *jobRunner) collect(ctx context.Context, there map[types.UID]bool) error {
	all, err := list[corev1.Pod](ctx, j.client, pods, "", batchv1.ControllerUidLabel)
	if err != nil {
		return fmt.Errorf("list the pods of jobs: %w", err)
	}
	for _, pod := range all {
		if there[types.UID(pod.Labels[batchv1.ControllerUidLabel])] {
			continue
		}
		if err := j.client.in(pods, pod.Namespace).Delete(ctx, pod.Name, gone()); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete pod %s: %w", pod.Name, err)
		}
		j.logs.close(pod.Namespace, pod.Name)
	}
	return nil
}

// release lets a deleted Job go: the finalizers are for a collector of garbage,
// of which the lab has none.
func (j *jobRunner) release(ctx context.Context, job *batchv1.Job) error {
	job.Finalizers = nil
	err := update(ctx, j.client, jobs, job.Namespace, job)
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("release job %s: %w", job.Name, err)
	}
	return nil
}

func (j *jobRunner) start(ctx context.Context, job *batchv1.Job) {
	ctx, cancel := context.WithCancel(ctx)
	j.running[job.UID] = cancel
	j.ended.Go(func() {
		defer cancel()
		if err := j.whole(ctx, job); err != nil && ctx.Err() == nil {
			j.log.WarnContext(ctx, "job not run", "job", job.Name, "error", err)
		}
	})
}

// whole runs one Job from its start to its end.
func (j *jobRunner) whole(ctx context.Context, job *batchv1.Job) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case j.places <- struct{}{}:
	}
	defer func() { <-j.places }()
	began := metav1.NewTime(j.now())
	if err := j.report(ctx, job, func(s *batchv1.JobStatus) { s.StartTime, s.Active = &began, 1 }); err != nil {
		return err
	}
	pod, err := j.pod(ctx, job)
	if err != nil {
		return err
	}
	defer j.sweep(ctx, job, pod)
	end := j.execute(ctx, job, pod)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(
		setPodStatus(ctx, j.client, pod, end.pod(), j.now()),
		j.report(ctx, job, func(s *batchv1.JobStatus) { end.job(s, metav1.NewTime(j.now())) }),
	)
}

func (j *jobRunner) pod(ctx context.Context, job *batchv1.Job) (*corev1.Pod, error) {
	owner := *metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))
	pod := newPod(job.Namespace, job.Name+"-"+rand.String(5), job.Spec.Template, owner, nil)
	if err := create(ctx, j.client, pods, job.Namespace, pod); err != nil {
		return nil, fmt.Errorf("create the pod of job %s: %w", job.Name, err)
	}
	return pod, nil
}

// sweep deletes the pod of a Job that was deleted. That of one that ended stays,
// with its log, as in a cluster.
func (j *jobRunner) sweep(ctx context.Context, job *batchv1.Job, pod *corev1.Pod) {
	if ctx.Err() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	if err := j.client.in(pods, job.Namespace).Delete(ctx, pod.Name, gone()); err == nil {
		j.logs.close(job.Namespace, pod.Name)
	}
}

// execute runs the container's program, at most until the Job's deadline.
func (j *jobRunner) execute(ctx context.Context, job *batchv1.Job, pod *corev1.Pod) ending {
	if seconds := job.Spec.ActiveDeadlineSeconds; seconds != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*seconds)*time.Second)
		defer cancel()
	}
	file := filepath.Join(j.dir, pod.Namespace+"."+pod.Name+".log")
	source := j.logs.open(pod.Namespace, pod.Name, file)
	defer source.end()
	end := ending{began: metav1.NewTime(j.now())}
	program, reason := j.program(pod)
	state := podState{phase: corev1.PodRunning, ready: true, began: end.began}
	if reason != "" {
		state = podState{phase: corev1.PodPending, began: end.began, reason: reason, message: "the lab has no such program"}
	}
	if err := setPodStatus(ctx, j.client, pod, state, j.now()); err != nil {
		j.log.WarnContext(ctx, "pod of a job not reported", "pod", pod.Name, "error", err)
	}
	if reason != "" {
		<-ctx.Done() // as a kubelet, which would try again until the deadline
	} else {
		end.code = program.run(ctx, file)
	}
	end.late = errors.Is(ctx.Err(), context.DeadlineExceeded)
	end.finished = metav1.NewTime(j.now())
	return end
}

// report changes the status of a Job as it is now.
func (j *jobRunner) report(ctx context.Context, job *batchv1.Job, change func(*batchv1.JobStatus)) error {
	for range statusTries {
		latest, err := get[batchv1.Job](ctx, j.client, jobs, job.Namespace, job.Name)
		if err != nil {
			return fmt.Errorf("read job %s: %w", job.Name, err)
		}
		change(&latest.Status)
		err = updateStatus(ctx, j.client, jobs, job.Namespace, latest)
		if err == nil {
			return nil
		}
		if !apierrors.IsConflict(err) {
			return fmt.Errorf("write the status of job %s: %w", job.Name, err)
		}
	}
	return fmt.Errorf("write the status of job %s: others keep changing it", job.Name)
}

// ending is how a Job's program ended.
type ending struct {
	began, finished metav1.Time
	code            int
	late            bool // the deadline ended it
}

func (e ending) pod() podState {
	state := podState{phase: corev1.PodSucceeded, reason: "Completed", began: e.began, finished: e.finished, exitCode: int32(e.code)}
	if e.late || e.code != 0 {
		state.phase, state.reason = corev1.PodFailed, "Error"
	}
	return state
}

// job writes the end as the Job controller does: the criterion, then the end.
func (e ending) job(s *batchv1.JobStatus, now metav1.Time) {
	s.Active, s.Ready = 0, new(int32)
	condition := func(kind batchv1.JobConditionType, reason, message string) {
		s.Conditions = append(s.Conditions, batchv1.JobCondition{
			Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastProbeTime: now, LastTransitionTime: now,
		})
	}
	switch {
	case e.late:
		s.Failed = 1
		for _, kind := range []batchv1.JobConditionType{batchv1.JobFailureTarget, batchv1.JobFailed} {
			condition(kind, batchv1.JobReasonDeadlineExceeded, "Job was active longer than specified deadline")
		}
	case e.code != 0:
		s.Failed = 1
		for _, kind := range []batchv1.JobConditionType{batchv1.JobFailureTarget, batchv1.JobFailed} {
			condition(kind, batchv1.JobReasonBackoffLimitExceeded, "Job has reached the specified backoff limit")
		}
	default:
		s.Succeeded, s.CompletionTime = 1, &now
		for _, kind := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
			condition(kind, batchv1.JobReasonCompletionsReached, "Reached expected number of succeeded pods")
		}
	}
}

package remedies

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tandem/approvals"
	"tandem/i18n"
)

func (b *clusterBench) testJobFence(t *testing.T) {
	own := b.as(t, "end-to-end")
	create := func(change func(*batchv1.Job)) error {
		job := b.deps.EndToEnd.Job.object()
		change(job)
		_, err := own.BatchV1().Jobs("tandem").Create(soon(t), job, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	await(t, func() error {
		if err := create(func(j *batchv1.Job) { j.Name = "another" }); !apierrors.IsForbidden(err) {
			return errors.New("not fenced yet")
		}
		return nil
	})
	check(t, create(func(*batchv1.Job) {}))
	pod := func(change func(*corev1.PodSpec)) func(*batchv1.Job) {
		return func(j *batchv1.Job) { change(&j.Spec.Template.Spec) }
	}
	run := func(change func(*corev1.Container)) func(*batchv1.Job) {
		return pod(func(s *corev1.PodSpec) { change(&s.Containers[0]) })
	}
	many := int32(5)
	long := int64(86400)
	for what, change := range map[string]func(*batchv1.Job){
		"another name":        func(j *batchv1.Job) { j.Name = "another" },
		"repeats":             func(j *batchv1.Job) { j.Spec.BackoffLimit = &many },
		"many pods":           func(j *batchv1.Job) { j.Spec.Parallelism = &many },
		"no deadline":         func(j *batchv1.Job) { j.Spec.ActiveDeadlineSeconds = nil },
		"a long deadline":     func(j *batchv1.Job) { j.Spec.ActiveDeadlineSeconds = &long },
		"another image":       run(func(c *corev1.Container) { c.Image = "evil" }),
		"other arguments":     run(func(c *corev1.Container) { c.Args = []string{"-c", "evil"} }),
		"a command":           run(func(c *corev1.Container) { c.Command = []string{"/bin/sh"} }),
		"another environment": run(func(c *corev1.Container) { c.Env[0].Value = "evil" }),
		"more environment":    run(func(c *corev1.Container) { c.Env = append(c.Env, corev1.EnvVar{Name: "LD_PRELOAD", Value: "x"}) }),
		"a Secret as environment": run(func(c *corev1.Container) {
			c.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "x"}}}}
		}),
		"a container as root":     run(func(c *corev1.Container) { c.SecurityContext = &corev1.SecurityContext{RunAsUser: new(int64)} }),
		"another service account": pod(func(s *corev1.PodSpec) { s.ServiceAccountName = "tandem" }),
		"the host's network":      pod(func(s *corev1.PodSpec) { s.HostNetwork = true }),
		"the host's processes":    pod(func(s *corev1.PodSpec) { s.HostPID = true }),
		"a second container": pod(func(s *corev1.PodSpec) {
			s.Containers = append(s.Containers, corev1.Container{Name: "b", Image: "evil"})
		}),
		"an init container":    pod(func(s *corev1.PodSpec) { s.InitContainers = []corev1.Container{{Name: "b", Image: "evil"}} }),
		"a node of its choice": pod(func(s *corev1.PodSpec) { s.NodeName = "neural-hive-node-1" }),
		"a volume": pod(func(s *corev1.PodSpec) {
			s.Volumes = []corev1.Volume{{Name: "x", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
		}),
		"a user of its choice": pod(func(s *corev1.PodSpec) { s.SecurityContext = &corev1.PodSecurityContext{RunAsUser: new(int64)} }),
	} {
		if err := create(change); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantForbidden(t, "another Job deleted", own.BatchV1().Jobs("tandem").Delete(soon(t), "another", metav1.DeleteOptions{}))
	_, err := own.CoreV1().Pods("tandem").Create(soon(t), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "x"}}, metav1.CreateOptions{})
	wantForbidden(t, "a pod", err)
}

// writes has the Job run a script.
func (b *clusterBench) writes(t *testing.T, script string) {
	t.Helper()
	check(t, os.WriteFile(b.script, []byte(script), 0o600))
}

func (b *clusterBench) testJob(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"passes": {`echo "testing $TARGET"; echo "token hvs.CAESICanaryCanary"; echo '<testsuite tests="1"><testcase name="a"/></testsuite>'`, ""},
		"fails":  {`echo '<testsuite><testcase name="login works"><failure/></testcase></testsuite>'; exit 1`, "1 of 1 tests failed: login works"},
		"skips":  {`echo '<testsuite><testcase name="a"><skipped/></testcase></testsuite>'`, "unknown: 1 of 1 tests were skipped"},
		"breaks": {`echo '<testsuite><testcase name="a"/></testsuite>'; exit 3`, "unknown: no test failed, and yet the program ended with exit code 3"},
		"silent": {`exit 2`, "unknown: no report of the tests: it is not a JUnit report: it is cut off or not XML; the program ended with exit code 2"},
	} {
		b.writes(t, tt.script)
		p := b.plan(t, "end-to-end", nil)
		if unmet, ok := p.Unmet(); ok {
			t.Fatalf("%s: unmet: %+v", name, unmet)
		}
		act := &record{}
		err := b.remedy(t, "end-to-end").Execute(soon(t), p, act)
		var trouble *approvals.Trouble
		if got := ""; err != nil && (!errors.As(err, &trouble) || trouble.Text != tt.want) || err == nil && tt.want != got {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if !slices.Equal(act.Calls, []string{p.Calls[0].What, p.Calls[1].What}) {
			t.Errorf("%s: calls %q", name, act.Calls)
		}
		said := strings.Join(act.Said, "\n")
		if strings.Contains(said, "Canary") || strings.Contains(said, "<test") {
			t.Errorf("%s: said %q", name, said)
		}
		if name == "passes" && !strings.HasSuffix(said, "1 test ran, and all passed.") {
			t.Errorf("said %q", said)
		}
	}
}

// leaving is an Act whose listener hears of the first line and stops the bot.
type leaving struct {
	record
	stop func()
}

func (l *leaving) Say(ctx context.Context, line i18n.Text) error {
	l.stop()
	return l.record.Say(ctx, line)
}

// A bot that is stopped in the middle of a run: the next one follows the same run.
func (b *clusterBench) testJobIsFollowed(t *testing.T) {
	flag := b.script + ".go"
	b.writes(t, `echo begun; while [ ! -e `+flag+` ]; do sleep 0.05; done; echo '<testsuite><testcase name="a"/></testsuite>'`)
	p := b.plan(t, "end-to-end", nil)
	ctx, cancel := context.WithCancel(soon(t))
	first := &leaving{stop: cancel}
	if err := b.remedy(t, "end-to-end").Execute(ctx, p, first); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was left: %v", err)
	}
	if unmet, ok := b.plan(t, "end-to-end", nil).Unmet(); !ok {
		t.Errorf("a second run could be asked for: %+v", unmet)
	}
	check(t, os.WriteFile(flag, nil, 0o600))
	second := &record{}
	check(t, b.remedy(t, "end-to-end").Execute(soon(t), p, second))
	if second.Results[0] != "done already, as a look shows" {
		t.Errorf("results: %q", second.Results)
	}
	if unmet, ok := b.plan(t, "end-to-end", nil).Unmet(); ok {
		t.Errorf("unmet: %+v", unmet)
	}
}

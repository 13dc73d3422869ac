package probes

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"tandem/diagnostics"
	"tandem/diagnostics/guide"
)

func workerPods(k Kubernetes, now func() time.Time) *PodLogs {
	return NewPodLogs(k.Client, map[string]diagnostics.Workload{"worker": {Namespace: "neural-hive-execution", Name: "worker-agents"}, "away": {}}, "", now)
}

func TestPodLogsOfARealCluster(t *testing.T) {
	dir := t.TempDir()
	_, k, _ := startClusterIn(t, dir, func() error { return nil })
	log, err := os.OpenFile(filepath.Join(dir, "worker.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	begin := time.Now().Add(-10 * time.Minute).UTC()
	for i, line := range []string{
		`{"event":"vault_token_renewed_successfully","timestamp":%q,"request_id":"r1"}`,
		`{"event":"jwt_invalid","level":"error","timestamp":%q,"reason":"expired","token":"` + canary + `"}`,
		`{"event":"old","timestamp":%q}`,
	} {
		written := begin.Add(time.Duration(i) * time.Minute)
		if i == 2 {
			written = begin.Add(-time.Hour)
		}
		fmt.Fprintf(log, line+"\n", written.Format(time.RFC3339Nano))
	}
	fmt.Fprintln(log, "Traceback (most recent call last):")
	source := workerPods(k, time.Now)
	q := LogQuery{Service: "worker", Events: []string{"jwt_invalid"}, Since: begin.Add(-time.Minute), Until: time.Now().Add(time.Hour), Limit: 10}
	page, err := source.Search(soon(t), q)
	if err != nil {
		t.Fatal(err)
	}
	if page.Lines != 2 || page.Bad != 0 || len(page.Pods) != 1 || len(page.Matches) != 1 || page.Truncated || page.Unseen != nil || !page.Matches[0].At.Equal(begin.Add(time.Minute)) {
		t.Errorf("page %+v", page)
	}
	facts, evidence, err := logProbes{source: source, now: time.Now}.events(soon(t), EventsArgs{Service: "worker", Events: []string{"jwt_invalid"}, Since: time.Hour / 2})
	if err != nil || facts.Matched != 1 || facts.Last.Reason != "expired" || !strings.HasPrefix(facts.Last.Pod, "worker-agents-") {
		t.Errorf("facts %+v", facts)
	}
	want := "kubectl -n neural-hive-execution logs deployment/worker-agents --all-pods --prefix --timestamps --since=30m0s | grep -F -e jwt_invalid | tail -n 1000"
	if evidence[0].Invocation != want {
		t.Errorf("the command is %s", evidence[0].Invocation)
	}
	logs, err := NewLogGuide(source, time.Now).Logs(soon(t), guide.LogsAsk{Service: "worker", Since: time.Hour / 2})
	if err != nil || len(logs.Failures) != 1 || logs.Lines != 2 || logs.Pods != 1 {
		t.Errorf("the guide says %+v, %v", logs, err)
	}
	trace, err := NewLogGuide(source, time.Now).Trace(soon(t), guide.TraceAsk{ID: "r1", Services: []string{"worker"}, Since: time.Hour / 2})
	if err != nil || len(trace.Steps) != 1 || trace.Unseen() {
		t.Errorf("the trace is %+v, %v", trace, err)
	}
}

// kubelets is an API server with pods, each with what its log says.
type kubelets struct {
	mu    sync.Mutex
	pods  []corev1.Pod
	logs  map[string]http.HandlerFunc // by pod, with /previous
	asked []string
}

func (s *kubelets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	name, isLog := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/neural-hive-execution/pods/"), "/log")
	switch {
	case isLog:
		if r.URL.Query().Get("previous") == "true" {
			name += "/previous"
		}
		s.asked = append(s.asked, name)
		s.logs[name](w, r)
	case strings.HasSuffix(r.URL.Path, "/pods"):
		_ = json.NewEncoder(w).Encode(corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: s.pods})
	default:
		d := appsv1.Deployment{TypeMeta: metav1.TypeMeta{Kind: "Deployment", APIVersion: "apps/v1"}}
		d.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "worker"}}
		_ = json.NewEncoder(w).Encode(d)
	}
}

// says is a log of lines that end some seconds ago, one each.
func says(ago ...int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, n := range ago {
			fmt.Fprintf(w, "%s {\"event\":\"e%d\"}\n", at.Add(-time.Duration(n)*time.Second).Format(time.RFC3339Nano), n)
		}
	}
}

func refuses(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Message: canary, Code: int32(code)})
	}
}

func running(name string, restarts int32) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"kubectl.kubernetes.io/default-container": "main"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "proxy"}, {Name: "main"}}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "proxy"}, {
			Name: "main", RestartCount: restarts, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}}},
	}
}

func TestPodLogsOfSeveralPods(t *testing.T) {
	pending := running("c", 0)
	pending.Status.ContainerStatuses[1].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}
	crashing := running("d", 5)
	crashing.Status.ContainerStatuses[1].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	api := &kubelets{
		pods: []corev1.Pod{running("a", 0), running("b", 1), pending, crashing, running("e", 1)},
		logs: map[string]http.HandlerFunc{
			"a": says(9, 5, 1), "b": says(2), "b/previous": says(8, 7), "d/previous": says(6), "e": says(3), "e/previous": refuses(400),
		},
	}
	source := workerPods(kubernetesAt(t, &rest.Config{Host: serve(t, api.ServeHTTP).URL}), now)
	page, err := source.Search(soon(t), query(100))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range page.Matches {
		got = append(got, line.Pod+line.Text)
	}
	want := []string{`a{"event":"e1"}`, `b{"event":"e2"}`, `e{"event":"e3"}`, `a{"event":"e5"}`, `d{"event":"e6"}`, `b{"event":"e7"}`, `b{"event":"e8"}`, `a{"event":"e9"}`}
	if diff := cmp.Diff(want, got); diff != "" || len(page.Unseen) != 0 || page.Truncated || page.Lines != 8 {
		t.Errorf("%s%+v", diff, page)
	}
	if _, err := source.Search(soon(t), query(3, "e1", "e6")); err != nil {
		t.Fatal(err)
	}
	if n := len(api.asked); n != 6 {
		t.Errorf("the kubelets were asked %d times for %v", n, api.asked)
	}
	if page, err := source.Search(soon(t), query(2)); err != nil || len(page.Matches) != 2 || !page.Truncated {
		t.Errorf("the newest two are %+v, %v", page, err)
	}
}

func TestPodLogsSayWhatIsNotSeen(t *testing.T) {
	api := &kubelets{pods: []corev1.Pod{running("a", 0), running("b", 0)}, logs: map[string]http.HandlerFunc{"a": says(1), "b": refuses(403)}}
	source := workerPods(kubernetesAt(t, &rest.Config{Host: serve(t, api.ServeHTTP).URL}), now)
	p := logProbes{source: source, now: now}
	volume, evidence, err := p.volume(soon(t), VolumeArgs{Service: "worker", Since: time.Hour})
	wantSeen(t, volume, evidence, err)
	if want := []string{"b: read the logs of b: the API server answers 403"}; !slices.Equal(volume.Unseen, want) {
		t.Errorf("unseen is %q", volume.Unseen)
	}
	found, evidence, err := p.events(soon(t), EventsArgs{Service: "worker", Events: []string{"e1"}, Since: time.Hour})
	wantSeen(t, found, evidence, err)
	if found.Matched != 1 || !found.Truncated {
		t.Errorf("facts %+v", found)
	}
	_, evidence, err = p.events(soon(t), EventsArgs{Service: "worker", Events: []string{"e2"}, Since: time.Hour})
	wantBlind(t, err, evidence, diagnostics.ReasonNoData)
	trace, err := NewLogGuide(source, now).Trace(soon(t), guide.TraceAsk{ID: "r1", Services: []string{"worker"}, Since: time.Hour})
	if err != nil || !trace.Unseen() {
		t.Errorf("the trace is %+v, %v", trace, err)
	}
}

func TestPodLogsAreBlind(t *testing.T) {
	for name, tt := range map[string]struct {
		pods []corev1.Pod
		log  http.HandlerFunc
		want diagnostics.Reason
	}{
		"no pod":      {nil, nil, diagnostics.ReasonNoData},
		"all refused": {[]corev1.Pod{running("a", 0)}, refuses(403), diagnostics.ReasonDenied},
		"all broken":  {[]corev1.Pod{running("a", 0)}, refuses(502), diagnostics.ReasonUnavailable},
		"no answer":   {[]corev1.Pod{running("a", 0)}, never, diagnostics.ReasonTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			api := &kubelets{pods: tt.pods, logs: map[string]http.HandlerFunc{"a": tt.log}}
			source := workerPods(kubernetesAt(t, &rest.Config{Host: serve(t, api.ServeHTTP).URL}), now)
			_, evidence, err := logProbes{source: source, now: now}.volume(short(t), VolumeArgs{Service: "worker", Since: time.Hour})
			if blind := blindOf(t, err); blind.Reason != tt.want || len(evidence) != 1 || strings.Contains(evidence[0].Observed+err.Error(), canary) {
				t.Errorf("%v, evidence %+v", err, evidence)
			}
		})
	}
	_, err := workerPods(Kubernetes{}, now).Search(soon(t), LogQuery{Service: "away"})
	if blind := blindOf(t, err); blind.Reason != diagnostics.ReasonNotConfigured {
		t.Errorf("no workload: %v", blind)
	}
}

func TestPodLogsAreBounded(t *testing.T) {
	line := strings.Repeat("x", 1<<20)
	body, writer := io.Pipe()
	go func() {
		for i := range 40 {
			fmt.Fprintf(writer, "%s %d%s\n", at.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano), i, line)
		}
		_ = writer.Close()
	}()
	s := &stream{pod: "a"}
	if err := s.take(body); err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, l := range s.lines {
		size += len(l.Text)
	}
	if size > maxPodBytes || !s.cut || !strings.HasPrefix(s.lines[0].Text, "39x") {
		t.Errorf("%d bytes are kept, cut %t, the newest begins with %.10s", size, s.cut, s.lines[0].Text)
	}
}

// What one question waits for must not end with another question.
func TestPodLogsOutliveWhoAskedFirst(t *testing.T) {
	held, asked := make(chan struct{}), make(chan struct{})
	var count atomic.Int64
	api := &kubelets{pods: []corev1.Pod{running("a", 0)}, logs: map[string]http.HandlerFunc{"a": func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) == 1 {
			close(asked)
		}
		<-held
		says(1)(w, r)
	}}}
	source := workerPods(kubernetesAt(t, &rest.Config{Host: serve(t, api.ServeHTTP).URL}), now)
	first, cancel := context.WithCancel(soon(t))
	ended := make(chan error, 2)
	search := func(ctx context.Context) {
		page, err := source.Search(ctx, query(1))
		if err == nil && len(page.Matches) != 1 {
			err = fmt.Errorf("found %+v", page)
		}
		ended <- err
	}
	go search(first)
	<-asked
	go search(soon(t))
	await(t, func() error {
		source.kept.mu.Lock()
		defer source.kept.mu.Unlock()
		if n := source.kept.reads["worker"].waiting; n != 2 {
			return fmt.Errorf("%d wait", n)
		}
		return nil
	})
	cancel()
	if err := <-ended; err == nil {
		t.Error("the one that gave up got an answer")
	}
	close(held)
	if err := <-ended; err != nil || count.Load() != 1 {
		t.Errorf("the other got %v after %d questions", err, count.Load())
	}
}

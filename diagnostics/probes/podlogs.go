package probes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"tandem/diagnostics"
)

const (
	podLogsKey  = "logs.kubernetes"
	maxPodLines = 20_000   // of a container, the newest
	maxPodBytes = 16 << 20 // of those, the newest
	maxPodLogs  = 30       // pods that are read
	// podLogsFresh is how long what was read answers further questions: those of
	// one diagnosis, which all read the same lines.
	podLogsFresh = 3 * time.Second

	defaultContainer = "kubectl.kubernetes.io/default-container"
)

// PodLogs is a LogSource over the logs that the cluster keeps of the pods of a
// service's Deployment, and of their containers before a restart. It holds what
// it read for moments only.
type PodLogs struct {
	client    ClusterAPI
	workloads map[string]diagnostics.Workload
	container string
	now       func() time.Time
	kept      *keptReads
}

// keptReads is what was read of services a moment ago, or is being read.
type keptReads struct {
	mu    sync.Mutex
	reads map[string]*podRead // by service
}

// NewPodLogs makes a source of the workloads of services. The container is the
// one that is read of each pod; empty: the one that kubectl reads.
func NewPodLogs(client ClusterAPI, workloads map[string]diagnostics.Workload, container string, now func() time.Time) *PodLogs {
	return &PodLogs{client: client, workloads: workloads, container: container, now: now, kept: &keptReads{reads: map[string]*podRead{}}}
}

// podRead is what was read of a service at a time.
type podRead struct {
	since time.Time

	cancel  context.CancelFunc
	waiting int  // for it; under the lock of the source
	left    bool // by all who waited, perhaps before it was done

	done   chan struct{} // closed when the rest may be read
	at     time.Time     // when that was
	lines  []LogLine     // newest first
	unseen []string      // pods that could not be read, each with why
	cut    bool          // there are older lines in the window
	err    error
}

// System implements LogSource.
func (p *PodLogs) System() string { return "kubernetes" }

// Command implements LogSource.
func (p *PodLogs) Command(q LogQuery) string {
	w := p.workloads[q.Service]
	words := []string{"kubectl", "-n", w.Namespace, "logs", "deployment/" + w.Name, "--all-pods", "--prefix", "--timestamps", "--since=" + window(q).String()}
	if p.container != "" {
		words = append(words, "-c", p.container)
	}
	command := shell(words...)
	if len(q.Events) > 0 {
		filter := []string{"grep", "-F"}
		for _, name := range q.Events {
			filter = append(filter, "-e", name)
		}
		command += " | " + shell(filter...)
	}
	if q.Reason != "" {
		command += " | " + shell("grep", "-F", "-e", q.Reason)
	}
	for _, id := range q.ids() {
		command += " | " + shell("grep", "-F", "-e", id)
	}
	if q.Text != "" {
		command += " | " + shell("grep", "-iF", "-e", q.Text)
	}
	return fmt.Sprintf("%s | tail -n %d", command, q.Limit)
}

// Search implements LogSource.
func (p *PodLogs) Search(ctx context.Context, q LogQuery) (LogPage, error) {
	w, known := p.workloads[q.Service]
	if !known || w.Name == "" {
		return LogPage{}, notConfigured("the workload of "+q.Service, "services."+q.Service+".workload")
	}
	read, err := p.read(ctx, q.Service, w, q.Since)
	if err != nil {
		return LogPage{}, err
	}
	page := LogPage{Pods: map[string]int64{}, Truncated: read.cut, Unseen: read.unseen}
	for _, line := range read.lines {
		if line.At.Before(q.Since) || line.At.After(q.Until) {
			continue
		}
		page.take(line, q)
	}
	if len(page.Matches) > q.Limit {
		page.Matches, page.Truncated = page.Matches[:q.Limit], true
	}
	return page, nil
}

// take counts a line, which comes newest first.
func (page *LogPage) take(line LogLine, q LogQuery) {
	if !q.MatchesOnly {
		if _, err := logFields(line.Text); err != nil {
			page.Bad++
		}
	}
	page.Lines++
	page.Read++
	page.Pods[line.Pod]++
	if line.At.After(page.Newest) {
		page.Newest = line.At
	}
	if len(page.Matches) <= q.Limit && q.matches([]byte(line.Text)) {
		page.Matches = append(page.Matches, line)
	}
}

// read reads the pods, or takes what was read for another question of the same
// moment. The reading ends early only when nobody waits for it any more.
func (p *PodLogs) read(ctx context.Context, service string, w diagnostics.Workload, since time.Time) (*podRead, error) {
	read := p.join(ctx, service, w, since)
	select {
	case <-read.done:
		p.leave(read)
		return read, read.err
	case <-ctx.Done():
		p.leave(read)
		return nil, blindNetwork("read the logs of the pods", nextKubernetes(), ctx.Err())
	}
}

func (p *PodLogs) join(ctx context.Context, service string, w diagnostics.Workload, since time.Time) *podRead {
	p.kept.mu.Lock()
	defer p.kept.mu.Unlock()
	read := p.kept.reads[service]
	if read == nil || !read.serves(since, p.now()) {
		read = &podRead{since: since, done: make(chan struct{})}
		p.kept.reads[service] = read
		var own context.Context
		own, read.cancel = context.WithTimeout(context.WithoutCancel(ctx), slowTimeout*9/10)
		go p.fill(own, read, service, w)
	}
	read.waiting++
	return read
}

func (p *PodLogs) leave(read *podRead) {
	p.kept.mu.Lock()
	defer p.kept.mu.Unlock()
	if read.waiting--; read.waiting == 0 {
		read.left = true
		read.cancel()
	}
}

// fill reads, and says so when it is done.
func (p *PodLogs) fill(ctx context.Context, read *podRead, service string, w diagnostics.Workload) {
	defer close(read.done)
	defer func() {
		if broken := recover(); broken != nil {
			read.err = &diagnostics.BlindError{Reason: diagnostics.ReasonPanic, Detail: fmt.Sprintf("reading the logs of pods broke (%T)", broken)}
		}
	}()
	read.err = read.pods(ctx, p, w)
	read.at = p.now()
	kept := p.kept // and nothing of the client's
	time.AfterFunc(podLogsFresh, func() { kept.forget(service, read) })
}

// forget lets go of the lines.
func (k *keptReads) forget(service string, read *podRead) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reads[service] == read {
		delete(k.reads, service)
	}
}

// serves says whether what is or was read answers a question about a window.
func (r *podRead) serves(since, now time.Time) bool {
	if since.Before(r.since.Add(-podLogsFresh)) {
		return false
	}
	select {
	case <-r.done:
		return r.err == nil && now.Sub(r.at) < podLogsFresh
	default:
		return !r.left
	}
}

// pods reads every pod, some at a time, and puts their lines in order.
func (r *podRead) pods(ctx context.Context, p *PodLogs, w diagnostics.Workload) error {
	d, err := p.client.AppsV1().Deployments(w.Namespace).Get(ctx, w.Name, metav1.GetOptions{})
	if err != nil {
		return blindCluster("read the deployment", err)
	}
	list, err := p.client.CoreV1().Pods(w.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)})
	if err != nil {
		return blindCluster("list the pods", err)
	}
	streams, rest := p.streams(list.Items)
	if len(streams) == 0 {
		return &diagnostics.BlindError{
			Reason: diagnostics.ReasonNoData, Detail: "no pod of " + w.Name + " has begun to log",
			Next: diagnostics.Both("see why no pod runs: kubectl -n "+w.Namespace+" get pods", "veja por que nenhum pod roda: kubectl -n "+w.Namespace+" get pods"),
		}
	}
	var failed []error
	parallel(len(streams), func(i int) { streams[i].err = streams[i].read(ctx, p.client, w.Namespace, r.since) })
	for _, s := range streams {
		r.lines, r.cut = append(r.lines, s.lines...), r.cut || s.cut
		if s.err != nil {
			blind := blindCluster("read the logs of "+s.pod, s.err)
			failed = append(failed, blind)
			r.unseen = append(r.unseen, s.pod+": "+clean(blind.Detail, maxDetail))
		}
	}
	if rest > 0 {
		r.unseen = append(r.unseen, fmt.Sprintf("%d more pods, beyond the first %d", rest, maxPodLogs))
	}
	if len(failed) == len(streams) {
		return failed[0]
	}
	newestFirst(r.lines)
	return nil
}

// stream is the log of one container, or of what it was before a restart.
type stream struct {
	pod, container string
	previous       bool

	lines []LogLine // newest first
	cut   bool
	err   error
}

// streams are what there is to read of pods, the youngest first, and how many
// pods are too many.
func (p *PodLogs) streams(pods []corev1.Pod) (all []*stream, rest int) {
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return b.CreationTimestamp.Compare(a.CreationTimestamp.Time) })
	read := 0
	for _, pod := range pods {
		name := p.containerOf(pod)
		var status corev1.ContainerStatus
		for _, s := range pod.Status.ContainerStatuses {
			if s.Name == name {
				status = s
			}
		}
		running := status.State.Running != nil || status.State.Terminated != nil
		if !running && status.RestartCount == 0 {
			continue // it has never begun
		}
		if read++; read > maxPodLogs {
			rest++
			continue
		}
		if running {
			all = append(all, &stream{pod: pod.Name, container: name})
		}
		if status.RestartCount > 0 {
			all = append(all, &stream{pod: pod.Name, container: name, previous: true})
		}
	}
	return all, rest
}

func (p *PodLogs) containerOf(pod corev1.Pod) string {
	switch named := pod.Annotations[defaultContainer]; {
	case p.container != "":
		return p.container
	case named != "":
		return named
	case len(pod.Spec.Containers) > 0:
		return pod.Spec.Containers[0].Name
	default:
		return ""
	}
}

// read takes the newest lines since a time.
func (s *stream) read(ctx context.Context, client ClusterAPI, namespace string, since time.Time) error {
	from, tail := metav1.NewTime(since), int64(maxPodLines)
	body, err := client.CoreV1().Pods(namespace).GetLogs(s.pod, &corev1.PodLogOptions{
		Container: s.container, Previous: s.previous, SinceTime: &from, TailLines: &tail, Timestamps: true,
	}).Stream(ctx)
	if s.previous && gone(err) {
		return nil // the node has cleared it away: that is no news of the service
	}
	if err != nil {
		return err
	}
	defer body.Close()
	return s.take(body)
}

// gone reports whether a kubelet says that it keeps no log of that container.
func gone(err error) bool { return apierrors.IsBadRequest(err) || apierrors.IsNotFound(err) }

// take reads lines to their end. Of too many bytes the oldest go.
func (s *stream) take(body io.Reader) error {
	reader := bufio.NewReaderSize(body, 64<<10)
	var lines []LogLine
	size, count := 0, 0
	for {
		raw, err := readLine(reader)
		if stamp, text, found := bytes.Cut(raw, []byte(" ")); found {
			if at, bad := time.Parse(time.RFC3339Nano, string(stamp)); bad == nil && len(bytes.TrimSpace(text)) > 0 {
				lines = append(lines, LogLine{At: at.UTC(), Pod: s.pod, Text: string(text)})
				size, count = size+len(text), count+1
			}
		}
		for size > maxPodBytes {
			size -= len(lines[0].Text)
			lines, s.cut = lines[1:], true
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	s.cut = s.cut || count >= maxPodLines
	slices.Reverse(lines)
	s.lines = lines
	return nil
}

// readLine is the next line without its end, of which no more than is ours is
// kept.
func readLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, more, err := reader.ReadLine()
		if len(line) < maxLogLine {
			line = append(line, part...)
		}
		if err != nil || !more {
			return line, err
		}
	}
}

// halfSeen says that not all pods could be read, of which the words say why.
func halfSeen(service string, unseen []string) *diagnostics.BlindError {
	return &diagnostics.BlindError{
		Reason: diagnostics.ReasonNoData,
		Detail: "nothing was found in the logs of " + service + " that could be read, and not all could be: " + strings.Join(unseen, "; "),
		Next:   diagnostics.Both("see why those pods' logs cannot be read: kubectl logs POD", "veja por que os logs desses pods não podem ser lidos: kubectl logs POD"),
	}
}

package kubernetes

import (
	"os"
	"sync"
)

// logs knows where the pods of the node write. It is safe for concurrent use.
type logs struct {
	mu      sync.Mutex
	sources map[string]*source // by namespace/pod
}

// source is what one pod writes.
type source struct {
	file  string
	from  int64         // what was there before the pod is not the pod's
	ended chan struct{} // closed when nothing more comes
}

func newLogs() *logs { return &logs{sources: map[string]*source{}} }

// open begins the log of a pod where the file ends now.
func (l *logs) open(namespace, pod, file string) *source {
	s := &source{file: file, ended: make(chan struct{})}
	if info, err := os.Stat(file); err == nil {
		s.from = info.Size()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sources[namespace+"/"+pod] = s
	return s
}

// close ends the log of a pod that is gone.
func (l *logs) close(namespace, pod string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.sources[namespace+"/"+pod]; ok {
		delete(l.sources, namespace+"/"+pod)
		s.end()
	}
}

func (l *logs) find(namespace, pod string) (*source, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.sources[namespace+"/"+pod]
	return s, ok
}

// end says that nothing more comes; it may be said again.
func (s *source) end() {
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
}

package kubernetes

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a real API server of one test.
type server struct {
	url   string
	files Files
	admin *rest.Config
}

// startServer starts etcd and the API server; on a machine that has never built
// it, that takes minutes.
func startServer(t *testing.T) server {
	t.Helper()
	dir := t.TempDir()
	s, err := StartServer(t.Context(), dir, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			content, _ := os.ReadFile(filepath.Join(dir, "kube-apiserver.log"))
			t.Logf("kube-apiserver: %s", content[max(0, len(content)-4000):])
		}
	})
	return server{url: s.URL, files: s.Files, admin: Admin(s.URL, s.Files)}
}

// await polls until there is no error.
func await(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestServerRefusesStrangers(t *testing.T) {
	s := startServer(t)
	anonymous, err := rest.HTTPClientFor(rest.AnonymousClientConfig(s.admin))
	if err != nil {
		t.Fatal(err)
	}
	defer anonymous.CloseIdleConnections()
	response, err := anonymous.Get(s.url + "/api/v1/namespaces")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger gets %s", response.Status)
	}
}

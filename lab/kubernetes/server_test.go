package kubernetes

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"tandem/lab/servers"
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
	files, err := MakeFiles(filepath.Join(dir, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	etcdURL, addr := "http://"+freeAddr(t), freeAddr(t)
	run(t, dir, servers.Etcd, EtcdArgs(etcdURL, "http://"+freeAddr(t), filepath.Join(dir, "etcd")))
	run(t, dir, servers.KubeAPIServer, ServerArgs(addr, etcdURL, files))
	s := server{url: "https://" + addr, files: files}
	s.admin = Admin(s.url, files)
	await(t, "the API server is ready", func(ctx context.Context) error { return ServerReady(ctx, s.admin) })
	return s
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// run starts a server that ends with the test.
func run(t *testing.T, dir, name string, args []string) {
	t.Helper()
	path, err := servers.Find(t.Context(), name, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			content, _ := os.ReadFile(log.Name())
			t.Logf("%s: %s", name, content[max(0, len(content)-4000):])
		}
	})
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

func readKubeconfig(file string) (*rest.Config, error) {
	return clientcmd.BuildConfigFromFlags("", file)
}

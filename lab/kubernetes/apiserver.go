package kubernetes

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"k8s.io/client-go/rest"
)

// ServerArgs are the arguments of kube-apiserver: TLS with the lab's own
// authority, RBAC, admission policies, and tokens of service accounts.
func ServerArgs(addr, etcdURL string, f Files) []string {
	host, port, _ := net.SplitHostPort(addr) // of the lab's own making
	return []string{
		"--bind-address=" + host, "--secure-port=" + port, "--advertise-address=" + host,
		"--etcd-servers=" + etcdURL, "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/24",
		"--client-ca-file=" + f.CA(), "--tls-cert-file=" + f.ServerCert(), "--tls-private-key-file=" + f.ServerKey(),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + f.AccountsKey(), "--service-account-signing-key-file=" + f.AccountsKey(),
		"--kubelet-certificate-authority=" + f.CA(),
		"--kubelet-client-certificate=" + f.ToKubeletCert(), "--kubelet-client-key=" + f.ToKubeletKey(),
		"--authorization-mode=RBAC", "--anonymous-auth=false",
		"--enable-priority-and-fairness=false", "--profiling=false",
	}
}

// EtcdArgs are the arguments of etcd: one member, nothing synced to the disk.
func EtcdArgs(url, peerURL, dataDir string) []string {
	return []string{
		"--name=lab", "--data-dir=" + dataDir, "--listen-client-urls=" + url, "--advertise-client-urls=" + url,
		"--listen-peer-urls=" + peerURL, "--initial-advertise-peer-urls=" + peerURL, "--initial-cluster=lab=" + peerURL,
		"--logger=zap", "--log-level=warn", "--unsafe-no-fsync",
	}
}

// ServerReady says whether the API server has started all it starts.
func ServerReady(ctx context.Context, config *rest.Config) error {
	client, err := httpClient(config)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.Host+"/readyz", http.NoBody)
	if err != nil {
		return fmt.Errorf("ask the API server whether it is ready: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the API server whether it is ready: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the API server is not ready: %s", response.Status)
	}
	return nil
}

package kubernetes

import (
	"context"
	"fmt"
	"os"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// callTimeout bounds one call to the API server, but for watches.
const callTimeout = 10 * time.Second

// tokenLife is longer than a lab runs; a real kubelet renews tokens, this has none.
const tokenLife = 7 * 24 * time.Hour

// Admin is how the lab itself enters the API server.
func Admin(url string, f Files) *rest.Config {
	return &rest.Config{
		Host: url, QPS: 200, Burst: 400, // many small writes at the start, on loopback
		TLSClientConfig: rest.TLSClientConfig{CAFile: f.CA(), CertFile: f.AdminCert(), KeyFile: f.AdminKey()},
	}
}

// WriteAdmin writes the lab's own kubeconfig, with what it names inside.
func WriteAdmin(file, url string, f Files) error {
	cert, err := os.ReadFile(f.AdminCert())
	if err != nil {
		return fmt.Errorf("write the lab's kubeconfig: %w", err)
	}
	key, err := os.ReadFile(f.AdminKey())
	if err != nil {
		return fmt.Errorf("write the lab's kubeconfig: %w", err)
	}
	return writeKubeconfig(file, url, f, "admin", &clientcmdapi.AuthInfo{ClientCertificateData: cert, ClientKeyData: key})
}

// WriteAccount writes a kubeconfig with a token of a service account.
func (c *Client) WriteAccount(ctx context.Context, file string, f Files, namespace, account string) error {
	token, err := c.token(ctx, namespace, account)
	if err != nil {
		return err
	}
	return writeKubeconfig(file, c.url, f, account, &clientcmdapi.AuthInfo{Token: token})
}

// token asks for a token of a service account.
func (c *Client) token(ctx context.Context, namespace, account string) (string, error) {
	seconds := int64(tokenLife / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	request.APIVersion, request.Kind, request.Name = "authentication.k8s.io/v1", "TokenRequest", account
	object, err := toUnstructured(request)
	if err != nil {
		return "", err
	}
	made, err := c.in(serviceAccounts, namespace).Create(ctx, object, createOptions(), "token")
	if err != nil {
		return "", fmt.Errorf("ask for a token of %s/%s: %w", namespace, account, err)
	}
	token, _, err := unstructured.NestedString(made.Object, "status", "token")
	return token, err
}

func writeKubeconfig(file, url string, f Files, user string, auth *clientcmdapi.AuthInfo) error {
	ca, err := os.ReadFile(f.CA())
	if err != nil {
		return fmt.Errorf("write the kubeconfig of %s: %w", user, err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["lab"] = &clientcmdapi.Cluster{Server: url, CertificateAuthorityData: ca}
	config.AuthInfos[user] = auth
	config.Contexts["lab"] = &clientcmdapi.Context{Cluster: "lab", AuthInfo: user}
	config.CurrentContext = "lab"
	content, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("write the kubeconfig of %s: %w", user, err)
	}
	return os.WriteFile(file, content, 0o600)
}

package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"tandem/lab/services"
)

func apps(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: resource}
}

func podResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "pods"}
}

// kubernetesClient enters the cluster as a kubeconfig says.
func kubernetesClient(t *testing.T, kubeconfig string) dynamic.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	t.Cleanup(client.CloseIdleConnections)
	dynamicClient, err := dynamic.NewForConfigAndClient(config, client)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicClient
}

// rollOut patches the annotation that a rollout restart sets, as the lab's admin.
func rollOut(t *testing.T, w *World, s service) {
	t.Helper()
	client := kubernetesClient(t, w.State().Kubernetes.AdminKubeconfig)
	deployments := client.Resource(apps("deployments")).Namespace(s.namespace)
	patch := `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-11-24T05:00:00Z"}}}}}`
	asked, err := deployments.Patch(t.Context(), s.serviceAccount, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rollout of "+s.serviceAccount+" ends", func(ctx context.Context) error {
		object, err := deployments.Get(ctx, s.serviceAccount, metav1.GetOptions{})
		if err != nil {
			return err
		}
		var d appsv1.Deployment
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &d); err != nil {
			return err
		}
		if d.Status.ObservedGeneration < asked.GetGeneration() || d.Status.UpdatedReplicas != 1 || d.Status.AvailableReplicas != 1 {
			return fmt.Errorf("status %+v", d.Status)
		}
		return nil
	})
}

// checkRollout asks for a restart, and finds another process that has lost what
// was in memory, and kept what is configured.
func checkRollout(t *testing.T, w *World) {
	worker := catalogue()[1]
	before := pidOf(t, w, worker.name)
	fault := map[string]any{"renewal_task": "dead", "pool": "stale", "audience": "elsewhere"}
	if err := w.Behaviour(t.Context(), worker.name, fault); err != nil {
		t.Fatal(err)
	}
	rollOut(t, w, worker)
	if after := pidOf(t, w, worker.name); after == before || after == 0 {
		t.Errorf("process %d became %d", before, after)
	}
	var got services.Behaviour
	if err := getJSON(t.Context(), w.State().Services[worker.name].AdminURL+"/lab/behaviour", &got); err != nil {
		t.Fatal(err)
	}
	if got.RenewalTask != "ok" || got.Pool != "ok" || got.Audience != "elsewhere" {
		t.Errorf("after the restart it behaves %+v", got)
	}
	if err := w.Behaviour(t.Context(), worker.name, map[string]any{"audience": ""}); err != nil {
		t.Error(err)
	}
}

// checkSpirePods deletes pods of SPIRE, which mends what is in their memory.
func checkSpirePods(t *testing.T, w *World) {
	broken := map[string]any{"agent_bundle_frozen": true, "agent_state": "expired", "server_unhealthy": true, "oidc_frozen": true}
	if _, err := w.SPIFFEAdmin(t.Context(), http.MethodPut, "/admin/faults", broken); err != nil {
		t.Fatal(err)
	}
	pods := kubernetesClient(t, w.State().Kubernetes.AdminKubeconfig).Resource(podResource()).Namespace("spire-system")
	found, err := pods.List(t.Context(), metav1.ListOptions{})
	if err != nil || len(found.Items) != 2 {
		t.Fatalf("%v, %v: want the agent's pod and the server's", found, err)
	}
	for _, pod := range found.Items {
		if err := pods.Delete(t.Context(), pod.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "SPIRE is mended", func(ctx context.Context) error {
		content, err := w.SPIFFEAdmin(ctx, http.MethodGet, "/admin/faults", nil)
		if text := string(content); err == nil && (strings.Contains(text, "true") || strings.Contains(text, `"expired"`)) {
			err = errors.New(text)
		}
		return err
	})
}

func pidOf(t *testing.T, w *World, name string) int {
	t.Helper()
	parts, err := w.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if part.Name == name {
			return part.PID
		}
	}
	return 0
}

package kubernetes

import (
	"context"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// fieldManager is the name under which the lab writes objects.
const fieldManager = "tandem-lab"

// The resources that the lab reads and writes.
var (
	pods            = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	nodes           = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
	serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	replicaSets     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}
	daemonSets      = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"}
	statefulSets    = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
	jobs            = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}
)

// Client calls the API server. Its methods may be called from several
// goroutines.
type Client struct {
	url     string
	http    *http.Client
	dynamic *dynamic.DynamicClient
	mapper  func() (meta.RESTMapper, error)
}

// NewClient returns a client for the configuration; it calls nobody yet.
func NewClient(config *rest.Config) (*Client, error) {
	transport, err := httpClient(config)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfigAndClient(config, transport)
	if err != nil {
		return nil, fmt.Errorf("make the client of the API server: %w", err)
	}
	return &Client{url: config.Host, http: transport, dynamic: client, mapper: discovered(config, transport)}, nil
}

// Close lets go of the client's connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// httpClient has connections of its own: those of client-go's are shared by all
// of a process, and never end.
func httpClient(config *rest.Config) (*http.Client, error) {
	secrets, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, fmt.Errorf("read the keys of the API server's client: %w", err)
	}
	transport := &http.Transport{
		TLSClientConfig: secrets, TLSHandshakeTimeout: callTimeout, ResponseHeaderTimeout: callTimeout,
		ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4,
	}
	authenticated, err := rest.HTTPWrappersForConfig(config, transport)
	if err != nil {
		return nil, fmt.Errorf("read the token of the API server's client: %w", err)
	}
	return &http.Client{Transport: authenticated}, nil
}

func (c *Client) in(resource schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	if namespace == "" {
		return c.dynamic.Resource(resource)
	}
	return c.dynamic.Resource(resource).Namespace(namespace)
}

func createOptions() metav1.CreateOptions { return metav1.CreateOptions{FieldManager: fieldManager} }

func updateOptions() metav1.UpdateOptions { return metav1.UpdateOptions{FieldManager: fieldManager} }

// gone deletes without a grace: here nobody but the lab would keep it.
func gone() metav1.DeleteOptions {
	var now int64
	background := metav1.DeletePropagationBackground
	return metav1.DeleteOptions{GracePeriodSeconds: &now, PropagationPolicy: &background}
}

func toUnstructured(object any) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("convert %T: %w", object, err)
	}
	return &unstructured.Unstructured{Object: content}, nil
}

func fromUnstructured(object *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into); err != nil {
		return fmt.Errorf("read %s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
	}
	return nil
}

// create writes a new object and reads back into it what the server made of it.
func create[T any](ctx context.Context, c *Client, r schema.GroupVersionResource, namespace string, object *T) error {
	return send(ctx, object, func(ctx context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		return c.in(r, namespace).Create(ctx, u, createOptions())
	})
}

// updateStatus writes an object's status, if nobody changed the object meanwhile.
func updateStatus[T any](ctx context.Context, c *Client, r schema.GroupVersionResource, namespace string, object *T) error {
	return send(ctx, object, func(ctx context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		return c.in(r, namespace).UpdateStatus(ctx, u, updateOptions())
	})
}

func update[T any](ctx context.Context, c *Client, r schema.GroupVersionResource, namespace string, object *T) error {
	return send(ctx, object, func(ctx context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		return c.in(r, namespace).Update(ctx, u, updateOptions())
	})
}

func send[T any](
	ctx context.Context, object *T, do func(context.Context, *unstructured.Unstructured) (*unstructured.Unstructured, error),
) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	u, err := toUnstructured(object)
	if err != nil {
		return err
	}
	answer, err := do(ctx, u)
	if err != nil {
		return err
	}
	*object = *new(T) // or what the server left out would stay
	return fromUnstructured(answer, object)
}

// get reads one object; of one that is not there the error says so.
func get[T any](ctx context.Context, c *Client, r schema.GroupVersionResource, namespace, name string) (*T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	u, err := c.in(r, namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	object := new(T)
	return object, fromUnstructured(u, object)
}

// list reads the objects of a selector.
func list[T any](ctx context.Context, c *Client, r schema.GroupVersionResource, namespace, selector string) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := c.in(r, namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	objects := make([]T, len(answer.Items))
	for i := range answer.Items {
		if err := fromUnstructured(&answer.Items[i], &objects[i]); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// Patch changes a workload as its operators do, by a merge patch.
func (c *Client) Patch(ctx context.Context, kind Kind, namespace, name string, patch []byte) error {
	_, err := c.in(resourceOf(kind), namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager})
	return err
}

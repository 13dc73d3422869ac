package kubernetes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// Apply makes the cluster have the objects of a multi-document YAML, in their
// order, by server-side apply. It may be repeated.
func (c *Client) Apply(ctx context.Context, manifests []byte) error {
	objects, err := decode(manifests)
	if err != nil {
		return err
	}
	mapper, err := c.mapper()
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := c.apply(ctx, mapper, object); err != nil {
			return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

func (c *Client) apply(ctx context.Context, mapper meta.RESTMapper, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	_, err = c.in(mapping.Resource, object.GetNamespace()).Apply(ctx, object.GetName(), object, options)
	return err
}

// decode reads the objects of a multi-document YAML; empty documents are none.
func decode(manifests []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifests)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the manifests: %w", err)
		}
		object := new(unstructured.Unstructured)
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return nil, fmt.Errorf("read manifest %d: %w", len(objects)+1, err)
		}
		if len(object.Object) == 0 {
			continue
		}
		if object.GetKind() == "" || object.GetName() == "" {
			return nil, fmt.Errorf("manifest %d has no kind or no name", len(objects)+1)
		}
		objects = append(objects, object)
	}
}

// discovered asks the server once which kinds it has.
func discovered(config *rest.Config, transport *http.Client) func() (meta.RESTMapper, error) {
	return sync.OnceValues(func() (meta.RESTMapper, error) {
		client, err := discovery.NewDiscoveryClientForConfigAndClient(config, transport)
		if err != nil {
			return nil, fmt.Errorf("make the client of the API server: %w", err)
		}
		groups, err := restmapper.GetAPIGroupResources(client)
		if err != nil {
			return nil, fmt.Errorf("ask the API server for its kinds: %w", err)
		}
		return restmapper.NewDiscoveryRESTMapper(groups), nil
	})
}

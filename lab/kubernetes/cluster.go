package kubernetes

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Config says what a cluster runs.
type Config struct {
	Files     Files
	Workloads []Workload
	// Programs are what the containers of Jobs may run, by image.
	Programs map[string]Program
	// LogDir gets the output of Jobs.
	LogDir string
	// Log is slog's own when nil.
	Log *slog.Logger
}

// Cluster is the node and the controllers of the lab. Close ends it.
type Cluster struct {
	client  *Client
	cancel  context.CancelFunc
	loops   sync.WaitGroup
	kubelet *kubelet
	logs    *logs
	log     *slog.Logger
}

// Start registers the node and begins to keep the workloads and Jobs. It does
// not wait for them. The caller closes the Cluster, and the client after it.
func Start(ctx context.Context, client *Client, config Config) (*Cluster, error) {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	c := &Cluster{client: client, logs: newLogs(), log: config.Log}
	var err error
	if c.kubelet, err = startKubelet(ctx, config.Files, c.logs); err != nil {
		return nil, err
	}
	if err := c.register(ctx); err != nil {
		c.kubelet.close()
		return nil, err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	c.keep(life, config)
	return c, nil
}

// Close returns when nothing of the cluster runs any more.
func (c *Cluster) Close() {
	c.cancel()
	c.kubelet.close()
	c.loops.Wait()
}

// keep starts a loop for each workload, one for Jobs, and the watches that wake
// them.
func (c *Cluster) keep(ctx context.Context, config Config) {
	wake := map[schema.GroupVersionResource][]func(){}
	for _, w := range config.Workloads {
		r := &runner{
			Workload: w, client: c.client, logs: c.logs, log: c.log, now: time.Now, poked: make(chan struct{}, 1),
		}
		for _, resource := range []schema.GroupVersionResource{pods, resourceOf(w.Kind)} {
			wake[resource] = append(wake[resource], r.poke)
		}
		c.loops.Go(func() { r.run(ctx) })
	}
	j := newJobRunner(c, config)
	wake[jobs] = append(wake[jobs], j.poke)
	c.loops.Go(func() { j.run(ctx) })
	for resource, pokes := range wake {
		c.loops.Go(func() {
			c.client.follow(ctx, c.log, resource, func() {
				for _, poke := range pokes {
					poke()
				}
			})
		})
	}
}

// register makes the node known: that pods run on it, and where its kubelet is.
func (c *Cluster) register(ctx context.Context) error {
	node := &corev1.Node{}
	node.APIVersion, node.Kind, node.Name = "v1", "Node", nodeName
	node.Labels = map[string]string{corev1.LabelHostname: nodeName}
	if err := create(ctx, c.client, nodes, "", node); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("register the node: %w", err)
	}
	now := metav1.Now()
	node.Status = corev1.NodeStatus{
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: podAddress}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(c.kubelet.port)}},
		Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: now, LastTransitionTime: now,
		}},
	}
	if err := updateStatus(ctx, c.client, nodes, "", node); err != nil {
		return fmt.Errorf("report the node ready: %w", err)
	}
	return nil
}

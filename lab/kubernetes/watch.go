package kubernetes

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// How long one watch lasts, and how long to wait before the next one after an
// error.
const (
	watchLife  = 5 * time.Minute
	watchRetry = 500 * time.Millisecond
)

// follow calls changed after every change of a resource, until ctx ends. What
// changed is not told: who is called looks for itself.
func (c *Client) follow(ctx context.Context, log *slog.Logger, r schema.GroupVersionResource, changed func()) {
	for ctx.Err() == nil {
		if err := c.followOnce(ctx, r, changed); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "watch ended", "resource", r.Resource, "error", err)
			pause(ctx, watchRetry)
		}
	}
}

func (c *Client) followOnce(ctx context.Context, r schema.GroupVersionResource, changed func()) error {
	ctx, cancel := context.WithTimeout(ctx, watchLife+callTimeout)
	defer cancel()
	now, err := c.in(r, "").List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return fmt.Errorf("list %s: %w", r.Resource, err)
	}
	seconds := int64(watchLife / time.Second)
	events, err := c.in(r, "").Watch(ctx, metav1.ListOptions{ResourceVersion: now.GetResourceVersion(), TimeoutSeconds: &seconds})
	if err != nil {
		return fmt.Errorf("watch %s: %w", r.Resource, err)
	}
	defer events.Stop()
	changed() // what happened between two watches
	for event := range events.ResultChan() {
		if event.Type == watch.Error {
			return fmt.Errorf("watch %s: %v", r.Resource, event.Object)
		}
		changed()
	}
	return nil
}

// pause waits unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

package services

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// stopWithin is how long calls under way may take once the registry stops.
const stopWithin = time.Second

// planBook is the registry's whole memory: the latest plan.
type planBook struct {
	log *slog.Logger

	mu     sync.Mutex
	latest string
}

func (b *planBook) announce(ctx context.Context, planID string) (string, error) {
	b.mu.Lock()
	b.latest = clip(planID)
	b.mu.Unlock()
	b.log.InfoContext(ctx, "plan_announced", flowOf(ctx).fields()...)
	return "accepted", nil
}

func (b *planBook) discover(ctx context.Context, _ string) (string, error) {
	b.mu.Lock()
	latest := b.latest
	b.mu.Unlock()
	b.log.DebugContext(ctx, "service_discovered", flow{requestID: flowOf(ctx).requestID, planID: latest}.fields()...)
	return latest, nil
}

// serveRegistry serves the registry until ctx ends.
func serveRegistry(ctx context.Context, listener net.Listener, guard *verifier, log *slog.Logger) error {
	srv := grpc.NewServer(grpc.UnaryInterceptor(guard.intercept), grpc.MaxRecvMsgSize(1<<16), grpc.ConnectionTimeout(5*time.Second))
	srv.RegisterService(registryDesc(), &planBook{log: log})
	var stopping sync.WaitGroup
	defer stopping.Wait()
	stopping.Go(func() {
		<-ctx.Done()
		force := time.AfterFunc(stopWithin, srv.Stop)
		defer force.Stop()
		srv.GracefulStop()
	})
	if err := srv.Serve(listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve registry: %w", err)
	}
	return nil
}

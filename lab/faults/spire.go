package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	entryv1 "github.com/spiffe/spire-api-sdk/proto/spire/api/server/entry/v1"
	"github.com/spiffe/spire-api-sdk/proto/spire/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"tandem/diagnostics"
	"tandem/lab/world"
)

const (
	trustDomain     = "neural-hive.local"
	workerPath      = "/ns/neural-hive-execution/sa/worker-agents"
	entryParentPath = "/cluster/neural-hive"
)

// identityFaults are row 2 as far as SPIRE goes: the worker has no identity.
func identityFaults() []Fault {
	row := func(name, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: 2, Service: worker, Status: diagnostics.Fail, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	healthy := spiffe(map[string]any{"agent_down": "", "agent_state": "", "svid_expired": false})
	return []Fault{
		row("spire-entry-missing", "SPF-003", "The worker has no registration entry.", entries(deleteWorker), entries(createWorker)),
		row("spire-selector-mismatch", "SPF-004", "The entry asks for a label that the worker does not have.",
			entries(func(ctx context.Context, c entryv1.EntryClient) error {
				other := append(workerSelectors(), &types.Selector{Type: "k8s", Value: "pod-label:app:worker-v2"})
				return updateWorker(ctx, c, &types.EntryMask{Selectors: true}, func(e *types.Entry) { e.Selectors = other })
			}), entries(createWorker)),
		row("agent-missing", "SPF-001", "The agent's socket is gone.", spiffe(map[string]any{"agent_down": "missing"}), healthy),
		row("agent-dead", "SPF-001", "The agent's socket is there, and nobody listens.", spiffe(map[string]any{"agent_down": "refused"}), healthy),
		row("agent-expired", "SPF-005", "The agent's own SVID expired.", spiffe(map[string]any{"agent_state": "expired"}), healthy),
		row("agent-banned", "SPF-005", "Somebody banned the agent.", spiffe(map[string]any{"agent_state": "banned"}), healthy),
		row("svid-issued-expired", "SPF-002", "JWT-SVIDs are issued already expired.", spiffe(map[string]any{"svid_expired": true}), healthy),
	}
}

// bundleFaults are row 5: a trust bundle that is out of date.
func bundleFaults() []Fault {
	row := func(name, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: 5, Service: worker, Status: diagnostics.Fail, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	return []Fault{
		row("jwks-stale", "BND-001", "The OIDC provider keeps the keys of before a rotation.",
			all(spiffe(map[string]any{"oidc_frozen": true}), rotate), spiffe(map[string]any{"oidc_frozen": false})),
		row("agent-bundle-stale", "BND-002", "The agent keeps the bundle of before a rotation.",
			all(spiffe(map[string]any{"agent_bundle_frozen": true}), rotate), spiffe(map[string]any{"agent_bundle_frozen": false})),
		row("verifier-bundle-stale", "BND-004", "The registry keeps the bundle of before a rotation.",
			all(behave(registry, map[string]any{"verifier_bundle": "frozen"}), rotate), behave(registry, map[string]any{"verifier_bundle": "live"})),
		row("oidc-garbage", "JWK-001", "The key document is an HTML page.",
			spiffe(map[string]any{"oidc_garbage": true}), spiffe(map[string]any{"oidc_garbage": false})),
		row("oidc-down", "JWK-001", "The OIDC provider does not answer.",
			spiffe(map[string]any{"oidc_down": true}), spiffe(map[string]any{"oidc_down": false})),
		row("spire-server-down", "SPR-001", "The SPIRE server refuses connections.",
			spiffe(map[string]any{"server_down": true}), spiffe(map[string]any{"server_down": false})),
		row("spire-server-unhealthy", "SPR-001", "The SPIRE server says that it is not healthy.",
			spiffe(map[string]any{"server_unhealthy": true}), spiffe(map[string]any{"server_unhealthy": false})),
	}
}

// spiffe changes what is wrong with SPIRE and the OIDC provider.
func spiffe(faults map[string]any) act {
	return func(ctx context.Context, w *world.World) error {
		_, err := w.SPIFFEAdmin(ctx, http.MethodPut, "/admin/faults", faults)
		return err
	}
}

// rotate makes SPIRE sign with a new key.
func rotate(ctx context.Context, w *world.World) error {
	_, err := w.SPIFFEAdmin(ctx, http.MethodPost, "/admin/rotate-jwt", map[string]any{})
	return err
}

// entries acts on the registration entries through the SPIRE server's API.
func entries(do func(context.Context, entryv1.EntryClient) error) act {
	return func(ctx context.Context, w *world.World) (err error) {
		conn, err := grpc.NewClient("unix://"+w.State().SPIFFE.ServerSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return fmt.Errorf("connect to the SPIRE server: %w", err)
		}
		defer func() { err = errors.Join(err, conn.Close()) }()
		return do(ctx, entryv1.NewEntryClient(conn))
	}
}

func workerSelectors() []*types.Selector {
	return []*types.Selector{
		{Type: "k8s", Value: "ns:neural-hive-execution"},
		{Type: "k8s", Value: "sa:worker-agents"},
	}
}

func workerEntries(ctx context.Context, c entryv1.EntryClient) ([]*types.Entry, error) {
	list, err := c.ListEntries(ctx, &entryv1.ListEntriesRequest{Filter: &entryv1.ListEntriesRequest_Filter{
		BySpiffeId: &types.SPIFFEID{TrustDomain: trustDomain, Path: workerPath},
	}})
	if err != nil {
		return nil, fmt.Errorf("list the worker's entries: %w", err)
	}
	return list.Entries, nil
}

func deleteWorker(ctx context.Context, c entryv1.EntryClient) error {
	found, err := workerEntries(ctx, c)
	if err != nil {
		return err
	}
	request := &entryv1.BatchDeleteEntryRequest{}
	for _, e := range found {
		request.Ids = append(request.Ids, e.Id)
	}
	response, err := c.BatchDeleteEntry(ctx, request)
	if err != nil {
		return fmt.Errorf("delete the worker's entry: %w", err)
	}
	for _, r := range response.Results {
		if r.Status.Code != int32(codes.OK) {
			return fmt.Errorf("delete entry %s: %s", r.Id, r.Status.Message)
		}
	}
	return nil
}

// createWorker makes the worker's entry as it was, whatever is there now.
func createWorker(ctx context.Context, c entryv1.EntryClient) error {
	if err := deleteWorker(ctx, c); err != nil {
		return err
	}
	response, err := c.BatchCreateEntry(ctx, &entryv1.BatchCreateEntryRequest{Entries: []*types.Entry{{
		SpiffeId:  &types.SPIFFEID{TrustDomain: trustDomain, Path: workerPath},
		ParentId:  &types.SPIFFEID{TrustDomain: trustDomain, Path: entryParentPath},
		Selectors: workerSelectors(),
	}}})
	if err != nil {
		return fmt.Errorf("create the worker's entry: %w", err)
	}
	if status := response.Results[0].Status; status.Code != int32(codes.OK) {
		return fmt.Errorf("create the worker's entry: %s", status.Message)
	}
	return nil
}

// updateWorker changes the fields of the mask in each entry of the worker.
func updateWorker(ctx context.Context, c entryv1.EntryClient, mask *types.EntryMask, change func(*types.Entry)) error {
	found, err := workerEntries(ctx, c)
	if err != nil {
		return err
	}
	for _, e := range found {
		change(e)
	}
	response, err := c.BatchUpdateEntry(ctx, &entryv1.BatchUpdateEntryRequest{Entries: found, InputMask: mask})
	if err != nil {
		return fmt.Errorf("update the worker's entry: %w", err)
	}
	for _, r := range response.Results {
		if r.Status.Code != int32(codes.OK) {
			return fmt.Errorf("update the worker's entry: %s", r.Status.Message)
		}
	}
	return nil
}

// entryJWTTTL sets how many seconds the worker's JWT-SVIDs live; zero is the
// server's default.
func entryJWTTTL(seconds int32) act {
	return entries(func(ctx context.Context, c entryv1.EntryClient) error {
		return updateWorker(ctx, c, &types.EntryMask{JwtSvidTtl: true}, func(e *types.Entry) { e.JwtSvidTtl = seconds })
	})
}

// restartAgent has the agent attest anew.
func restartAgent(ctx context.Context, w *world.World) error {
	_, err := w.SPIFFEAdmin(ctx, http.MethodPost, "/admin/restart-agent", map[string]any{})
	return err
}

package faults

import (
	"context"
	"fmt"

	"github.com/hashicorp/vault/api"

	"tandem/diagnostics"
	"tandem/lab/world"
)

// harmless are changes and faults of others, after which the service is as well
// as before: whoever names a cause is wrong.
func harmless() []Fault {
	well := func(name, service, about string, inject, clear act) Fault {
		return Fault{Name: name, Service: service, Status: diagnostics.Pass, About: about, Inject: inject, Clear: clear}
	}
	return []Fault{
		well("key-rotated", worker, "SPIRE signs with a new key, and everybody heard of it.", rotate, nothing),
		well("worker-restarted", worker, "The worker was restarted, in good order.", restart(worker), nothing),
		well("registry-restarted", worker, "The registry was restarted, in good order.", restart(registry), nothing),
		well("secret-written-anew", orchestrator, "The secret has a new version with the same URI.", kv(rewrite), nothing),
		well("old-version-destroyed", orchestrator, "Of the secret's two versions the older one was destroyed.", kv(destroyOlder), nothing),
		well("neighbour-without-secret", worker, "The orchestrator's secret is gone; the worker has none.", kv(deleteMetadata), kv(rewrite)),
		well("neighbour-without-mongodb", worker, "MongoDB refuses connections; the worker does not use it.",
			mongodb(map[string]any{"down": "refused"}), mongodb(map[string]any{"down": ""})),
		well("neighbour-refused", worker, "The registry refuses the orchestrator's tokens, and lets the worker in.",
			behave(orchestrator, map[string]any{"svid": "placeholder"}), behave(orchestrator, map[string]any{"svid": "ok"})),
		well("neighbour-not-renewing", worker, "The orchestrator's renewal task stopped; the worker's runs.",
			behave(orchestrator, map[string]any{"renewal_task": "dead"}), behave(orchestrator, map[string]any{"renewal_task": "ok"})),
		well("another-policy-deleted", worker, "A policy that nobody of the runbook has was written and deleted.",
			all(writeAt("sys/policies/acl/lab-another", map[string]any{"policy": "# nothing\n"}), deleteAt("sys/policies/acl/lab-another")), nothing),
		well("another-role-missing", worker, "A database role of another system is gone.", deleteAt("database/roles/another"), nothing),
		well("stranger-refused", worker, "Somebody tries to log in to the worker's role with words that are no JWT.", strangers, nothing),
	}
}

func nothing(context.Context, *world.World) error { return nil }

func destroyOlder(ctx context.Context, kv *api.KVv2, uri string) error {
	if err := rewrite(ctx, kv, uri); err != nil {
		return err
	}
	metadata, err := kv.GetMetadata(ctx, mongoSecret)
	if err != nil {
		return fmt.Errorf("read the metadata of secret/%s: %w", mongoSecret, err)
	}
	return kv.Destroy(ctx, mongoSecret, []int{metadata.CurrentVersion - 1})
}

// strangers are logins that Vault must refuse.
func strangers(ctx context.Context, w *world.World) error {
	for range 20 {
		if err := useUpLogins(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

package faults

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/hashicorp/vault/api"

	"tandem/diagnostics"
	"tandem/lab/world"
)

const mongoSecret = "orchestrator/mongodb"

// mongodbFaults are row 1: the orchestrator does not connect to MongoDB.
func mongodbFaults() []Fault {
	row := func(name, code, about string, inject, clear act) Fault {
		return Fault{Name: name, Row: 1, Service: orchestrator, Status: diagnostics.Fail, Codes: []string{code}, About: about, Inject: inject, Clear: clear}
	}
	return []Fault{
		row("kv-missing", "KVS-001", "The secret was never written.", kv(deleteMetadata), kv(rewrite)),
		row("kv-deleted", "KVS-002", "The current version is deleted; it can be undeleted.", kv(deleteLatest), kv(rewrite)),
		row("kv-destroyed", "KVS-002", "The current version is destroyed; an older one is left.", kv(destroyLatest), kv(rewrite)),
		row("kv-key-missing", "KVS-003", "The secret has no key uri.", kv(writeWithoutURI), kv(rewrite)),
		row("kv-denied", "KVS-004", "The policy of the orchestrator does not grant the secret.",
			policyWithout("orchestrator-dynamic-policy", "secret/data/orchestrator/*"), policyAsWritten("orchestrator-dynamic-policy")),
		row("mongodb-uri-malformed", "MDB-002", "The password in the URI is not percent-encoded.", kv(writeMalformed), kv(rewrite)),
		row("mongodb-wrong-authsource", "MDB-003", "The URI names the wrong authSource.", kv(writeWrongAuthSource), kv(rewrite)),
		row("mongodb-down", "MDB-001", "MongoDB refuses connections.", mongodb(map[string]any{"down": "refused"}), mongodb(map[string]any{"down": ""})),
	}
}

// kv acts on the KV engine with the lab's root token.
func kv(do func(ctx context.Context, kv *api.KVv2, uri string) error) act {
	return func(ctx context.Context, w *world.World) error {
		client, err := w.VaultAdmin()
		if err != nil {
			return err
		}
		return do(ctx, client.KVv2("secret"), w.State().MongoDB.URI)
	}
}

func put(ctx context.Context, kv *api.KVv2, data map[string]any) error {
	if _, err := kv.Put(ctx, mongoSecret, data); err != nil {
		return fmt.Errorf("write secret/%s: %w", mongoSecret, err)
	}
	return nil
}

func rewrite(ctx context.Context, kv *api.KVv2, uri string) error {
	return put(ctx, kv, map[string]any{"uri": uri})
}

func deleteMetadata(ctx context.Context, kv *api.KVv2, _ string) error {
	return kv.DeleteMetadata(ctx, mongoSecret)
}

func deleteLatest(ctx context.Context, kv *api.KVv2, _ string) error {
	return kv.Delete(ctx, mongoSecret)
}

func destroyLatest(ctx context.Context, kv *api.KVv2, uri string) error {
	if err := rewrite(ctx, kv, uri); err != nil { // so that an older version is left
		return err
	}
	metadata, err := kv.GetMetadata(ctx, mongoSecret)
	if err != nil {
		return fmt.Errorf("read the metadata of secret/%s: %w", mongoSecret, err)
	}
	return kv.Destroy(ctx, mongoSecret, []int{metadata.CurrentVersion})
}

func writeWithoutURI(ctx context.Context, kv *api.KVv2, uri string) error {
	return put(ctx, kv, map[string]any{"url": uri})
}

func writeMalformed(ctx context.Context, kv *api.KVv2, uri string) error {
	host := uri[strings.LastIndex(uri, "@")+1:]
	return put(ctx, kv, map[string]any{"uri": "mongodb://orchestrator:100%/p@ss@" + host})
}

func writeWrongAuthSource(ctx context.Context, kv *api.KVv2, uri string) error {
	parsed, err := url.Parse(uri)
	if err != nil {
		return fmt.Errorf("the lab's own MongoDB URI does not parse")
	}
	query := parsed.Query()
	query.Set("authSource", "elsewhere")
	parsed.RawQuery = query.Encode()
	return put(ctx, kv, map[string]any{"uri": parsed.String()})
}

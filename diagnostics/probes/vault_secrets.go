package probes

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/diagnostics"
)

// SecretsArgs name the secrets to look at.
type SecretsArgs struct {
	Service string               `cel:"service"`
	Secrets []diagnostics.Secret `cel:"secrets"`
}

// Secrets is the state of secrets, in the order in which they were named.
type Secrets struct {
	Secrets []SecretState `cel:"secrets"`
}

// States of a secret.
const (
	SecretPresent   = "present"
	SecretMissing   = "missing"   // never written, or all of it deleted for good
	SecretDeleted   = "deleted"   // the current version can be undeleted
	SecretDestroyed = "destroyed" // the current version cannot
)

// SecretState is the state of the current version of one secret.
type SecretState struct {
	Mount            string    `cel:"mount"`
	Path             string    `cel:"path"`
	State            string    `cel:"state"`
	Version          int64     `cel:"version"` // 0 when missing
	UpdatedAt        time.Time `cel:"updated_at"`
	DeletedAt        time.Time `cel:"deleted_at"`         // zero unless deleted
	Keys             []string  `cel:"keys"`               // names of the top-level keys, when present
	MissingKeys      []string  `cel:"missing_keys"`       // asked for and not there, when present
	OlderLiveVersion int64     `cel:"older_live_version"` // the newest older version that can be read; 0: none
}

func secretsGrants(args SecretsArgs) []diagnostics.Grant {
	var grants []diagnostics.Grant
	for _, s := range args.Secrets {
		grants = append(grants, reads(kvPath(s, "metadata")), reads(kvPath(s, "subkeys")))
	}
	return grants
}

func reads(path string) diagnostics.Grant {
	return diagnostics.Grant{Path: path, Capabilities: []string{"read"}}
}

// kvPath is the path of one side of a KV version 2 secret.
func kvPath(s diagnostics.Secret, side string) string {
	return below(s.Mount, side, s.Path)
}

// below joins a mount, as people write it, with the rest of a path.
func below(mount string, rest ...string) string {
	return strings.Trim(strings.Trim(mount, "/")+"/"+strings.Join(rest, "/"), "/")
}

func (v vaultProbes) secrets(ctx context.Context, args SecretsArgs) (Secrets, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	states := make([]SecretState, len(args.Secrets))
	trails := make([]*trail, len(args.Secrets))
	errs := make([]error, len(args.Secrets))
	parallel(len(args.Secrets), func(i int) {
		trails[i] = v.trail()
		states[i], errs[i] = v.secret(ctx, trails[i], args.Secrets[i])
	})
	for _, err := range errs {
		if err != nil {
			return Secrets{}, joined(trails), err
		}
	}
	return Secrets{Secrets: states}, joined(trails), nil
}

// kvMetadata is the metadata of a secret.
type kvMetadata struct {
	CurrentVersion int64                `json:"current_version"`
	UpdatedTime    time.Time            `json:"updated_time"`
	Versions       map[int64]*kvVersion `json:"versions"`
}

type kvVersion struct {
	DeletionTime string `json:"deletion_time"` // empty: none; can be in the future
	Destroyed    bool   `json:"destroyed"`
}

// deletedAt is when the version was deleted; zero when it was not.
func (k *kvVersion) deletedAt(now time.Time) time.Time {
	at, err := time.Parse(time.RFC3339Nano, k.DeletionTime)
	if err != nil || at.After(now) {
		return time.Time{}
	}
	return at
}

func (k *kvVersion) live(now time.Time) bool { return !k.Destroyed && k.deletedAt(now).IsZero() }

// secret reads the metadata and, of a live version, the names of the keys.
func (v vaultProbes) secret(ctx context.Context, t *trail, s diagnostics.Secret) (SecretState, error) {
	state := SecretState{Mount: s.Mount, Path: s.Path, State: SecretMissing}
	var meta kvMetadata
	show := v.command("kv", "metadata", "get", "-mount="+strings.Trim(s.Mount, "/"), s.Path)
	found, err := v.read(ctx, t, vaultQuestion{path: kvPath(s, "metadata"), mount: s.Mount, show: show}, &meta)
	if err != nil || !found {
		return state, err
	}
	state.judge(meta, v.now())
	t.add(show, "%s", state.words())
	if state.State != SecretPresent {
		return state, nil
	}
	return v.secretKeys(ctx, t, s, state)
}

// judge fills in what the metadata tell.
func (s *SecretState) judge(meta kvMetadata, now time.Time) {
	current := meta.Versions[meta.CurrentVersion]
	if current == nil {
		return
	}
	s.Version, s.UpdatedAt = meta.CurrentVersion, meta.UpdatedTime
	s.DeletedAt = current.deletedAt(now)
	switch {
	case current.Destroyed:
		s.State = SecretDestroyed
	case !s.DeletedAt.IsZero():
		s.State = SecretDeleted
	default:
		s.State = SecretPresent
	}
	for version, k := range meta.Versions {
		if version < meta.CurrentVersion && version > s.OlderLiveVersion && k != nil && k.live(now) {
			s.OlderLiveVersion = version
		}
	}
}

func (s *SecretState) words() string {
	text := fmt.Sprintf("version %d is %s", s.Version, s.State)
	if s.State == SecretMissing {
		text = "no version was ever written"
	}
	if !s.DeletedAt.IsZero() {
		text += " since " + s.DeletedAt.Format(time.RFC3339)
	}
	if s.State != SecretPresent && s.OlderLiveVersion > 0 {
		text += fmt.Sprintf("; version %d can still be read", s.OlderLiveVersion)
	}
	return text
}

// secretKeys reads the names of the keys: the endpoint gives no values.
func (v vaultProbes) secretKeys(ctx context.Context, t *trail, s diagnostics.Secret, state SecretState) (SecretState, error) {
	var keys struct {
		Subkeys map[string]json.RawMessage `json:"subkeys"`
	}
	q := vaultQuestion{path: kvPath(s, "subkeys"), mount: s.Mount, show: v.command("read", kvPath(s, "subkeys"))}
	found, err := v.read(ctx, t, q, &keys)
	if err != nil {
		return state, err
	}
	if !found {
		return state, &diagnostics.BlindError{
			Reason: diagnostics.ReasonNoData,
			Detail: "GET /v1/" + q.path + ": there is metadata, but no key names",
			Next: diagnostics.Both("ask again; if it stays so, this Vault is older than 1.10 and cannot name keys without their values",
				"peça de novo; se continuar assim, este Vault é anterior ao 1.10 e não sabe dizer o nome das chaves sem os valores"),
		}
	}
	for key := range keys.Subkeys {
		state.Keys = append(state.Keys, clean(key, maxDetail))
	}
	slices.Sort(state.Keys)
	for _, key := range s.Keys {
		if _, ok := keys.Subkeys[key]; !ok {
			state.MissingKeys = append(state.MissingKeys, key)
		}
	}
	t.add(q.show, "keys: %s; missing: %s", list(state.Keys), list(state.MissingKeys))
	return state, nil
}

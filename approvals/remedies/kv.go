package remedies

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/approvals"
)

// kvSettle is how long a service may take to read a new value.
const kvSettle = 5 * time.Minute

// Secret is a secret of the KV engine, version 2.
type Secret struct {
	Mount, Path string
	Keys        []string // that the service reads
}

func (s Secret) at(side string) string { return below(s.Mount, side, s.Path) }

// target names the secret among the things that are changed.
func (s Secret) target() string { return "vault:" + below(s.Mount, s.Path) }

func (s Secret) String() string { return below(s.Mount, s.Path) }

// kvParams name the secret; of a service that has only one, both may be left
// out.
func kvParams() []approvals.Param {
	return []approvals.Param{
		{Name: "mount", About: both("mount of the KV engine, like secret", "mount do KV, como secret")},
		{Name: "path", About: both("path of the secret below the mount", "caminho do secret abaixo do mount")},
	}
}

// secret is the secret that is wanted: only one that the configuration names for
// the service.
func (d Deps) secret(want approvals.Want) (Secret, error) {
	s, err := d.service(want.Service)
	if err != nil {
		return Secret{}, err
	}
	mount, path := want.Params["mount"], want.Params["path"]
	fits := slices.DeleteFunc(slices.Clone(s.Secrets), func(s Secret) bool {
		return mount != "" && mount != s.Mount || path != "" && path != s.Path
	})
	if len(fits) != 1 {
		return Secret{}, refuse(approvals.WhyParameters, fmt.Sprintf("expected mount and path of one of the secrets of %s in the configuration: %s", want.Service, names(s.Secrets)))
	}
	return fits[0], nil
}

// lookAtSecret is the secret that is wanted, and how it is now. able says whether
// the remedy could go to work at all.
func (d Deps) lookAtSecret(ctx context.Context, want approvals.Want, able func() error) (Secret, kvState, error) {
	s, err := d.secret(want)
	if err != nil {
		return s, kvState{}, err
	}
	if err := able(); err != nil {
		return s, kvState{}, err
	}
	k, err := d.Vault.kvState(ctx, s)
	return s, k, err
}

// planned is the secret of a plan, if the configuration still names it.
func (d Deps) planned(p approvals.Plan) (Secret, error) {
	s, err := d.service(p.Service)
	i := slices.IndexFunc(s.Secrets, func(s Secret) bool { return s.target() == p.Target })
	if err != nil || i < 0 {
		return Secret{}, strange(p)
	}
	return s.Secrets[i], nil
}

// number is a fact of a plan that is a number.
func number(p approvals.Plan, name string) (int64, error) {
	n, err := strconv.ParseInt(fact(p, name), 10, 64)
	if err != nil {
		return 0, strange(p)
	}
	return n, nil
}

func names(secrets []Secret) string {
	all := make([]string, 0, len(secrets))
	for _, s := range secrets {
		all = append(all, s.String())
	}
	if len(all) == 0 {
		return "it has none"
	}
	return strings.Join(all, ", ")
}

// The facts that a plan for a secret rests on.
const (
	factCurrent = "current version"
	factState   = "its state"
)

// The states of a version.
const (
	live      = "live"
	deleted   = "deleted"
	destroyed = "destroyed"
	missing   = "missing"
)

// kvState is what the metadata of a secret tell.
type kvState struct {
	Current  int64                `json:"current_version"` // 0: never written
	Versions map[int64]*kvVersion `json:"versions"`
}

type kvVersion struct {
	DeletionTime string `json:"deletion_time"` // empty: none; can be in the future
	Destroyed    bool   `json:"destroyed"`
}

// state says how a version is: live, deleted, destroyed or missing.
func (k kvState) state(version int64, now time.Time) string {
	v := k.Versions[version]
	if v == nil {
		return missing
	}
	at, err := time.Parse(time.RFC3339Nano, v.DeletionTime)
	switch {
	case v.Destroyed:
		return destroyed
	case err == nil && !at.After(now):
		return deleted
	default:
		return live
	}
}

// olderLive is the newest version before the current one that can be read; 0:
// none.
func (k kvState) olderLive(now time.Time) int64 {
	var newest int64
	for version := range k.Versions {
		if version < k.Current && version > newest && k.state(version, now) == live {
			newest = version
		}
	}
	return newest
}

func (v Vault) kvState(ctx context.Context, s Secret) (kvState, error) {
	var state kvState
	_, err := v.read(ctx, s.at("metadata"), nil, &state)
	return state, err
}

// kvKeys are the names of the keys of a version: the endpoint gives no values.
func (v Vault) kvKeys(ctx context.Context, s Secret, version int64) ([]string, error) {
	var answer struct {
		Subkeys map[string]any `json:"subkeys"`
	}
	_, err := v.read(ctx, s.at("subkeys"), url.Values{"version": {strconv.FormatInt(version, 10)}}, &answer)
	return sortedKeys(answer.Subkeys), err
}

// seen is evidence that a remedy looked for itself.
func (d Deps) seen(invocation, observed string) approvals.Evidence {
	return approvals.Evidence{Invocation: invocation, Observed: observed, At: d.Now()}
}

// metadataSeen tells what the findings and the metadata said.
func (d Deps) metadataSeen(want approvals.Want, s Secret, k kvState) []approvals.Evidence {
	observed := "no version was ever written"
	if k.Current > 0 {
		observed = fmt.Sprintf("version %d is %s", k.Current, k.state(k.Current, d.Now()))
	}
	return append(d.saw(want), d.seen(s.kv("metadata get"), observed))
}

// kv is a command about the secret.
func (s Secret) kv(verb string, flags ...string) string {
	words := append(strings.Fields("vault kv "+verb), "-mount="+s.Mount)
	return shell(append(append(words, flags...), s.Path)...)
}

// kvProof are the checks that prove a readable secret.
func (d Deps) kvProof(want approvals.Want) []string {
	codes := []string{"KVS-001", "KVS-002", "KVS-003"}
	if s, err := d.service(want.Service); err == nil && s.MongoDB {
		codes = append(codes, "MDB-004")
	}
	return proof(want, codes...)
}

// secrets are all secrets of all services.
func (d Deps) secrets() []Secret {
	var all []Secret
	for _, s := range d.Services {
		all = append(all, s.Secrets...)
	}
	return all
}

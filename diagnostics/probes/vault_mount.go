package probes

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"tandem/diagnostics"
)

// MountArgs name a secrets engine.
type MountArgs struct {
	Mount string `cel:"mount"` // like secret or database
}

// Mount is how a secrets engine is mounted. A mount that
// is not there, or of which the bot may read nothing, is blindness: Vault does not
// tell the two apart.
type Mount struct {
	Type    string        `cel:"type"`    // like kv or database
	Version string        `cel:"version"` // of kv: 1 or 2
	MaxTTL  time.Duration `cel:"max_ttl"` // of leases; 0: not told
}

// mount asks an endpoint that needs no right of its own: Vault tells of a mount
// to whoever may do anything below it.
func (v vaultProbes) mount(ctx context.Context, args MountArgs) (Mount, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	t := v.trail()
	name := strings.Trim(args.Mount, "/")
	q := vaultQuestion{
		method: http.MethodGet, path: "sys/internal/ui/mounts/" + name, mount: name, right: "read",
		show: v.command("read", "sys/internal/ui/mounts/"+name),
	}
	a, err := v.ask(ctx, q)
	switch {
	case err != nil:
		return Mount{}, t.list, t.fail(q.show, blindNetwork(q.doing(), diagnostics.Text{}, err))
	case !a.ok():
		return Mount{}, t.list, t.fail(q.show, v.refused(q, a))
	}
	var data struct {
		Type    string `json:"type"`
		Options struct {
			Version string `json:"version"`
		} `json:"options"`
		Config struct {
			MaxTTL seconds `json:"max_lease_ttl"`
		} `json:"config"`
	}
	if json.Unmarshal(a.data, &data) != nil || data.Type == "" {
		return Mount{}, t.list, t.fail(q.show, blindGarbage(q.doing(), "Vault", "its data have another shape"))
	}
	facts := Mount{Type: clean(data.Type, maxDetail), Version: clean(data.Options.Version, maxDetail), MaxTTL: data.Config.MaxTTL.duration()}
	if facts.Type == "kv" && facts.Version == "" {
		facts.Version = "1"
	}
	t.add(q.show, "type %s, version %s, leases at most %s", facts.Type, facts.Version, facts.MaxTTL)
	return facts, t.list, nil
}

package probes

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tandem/diagnostics"
)

// Rights is the state of the bot's own token.
type Rights struct {
	Valid    bool          `cel:"valid"` // false: Vault does not know the token any more
	TTL      time.Duration `cel:"ttl"`   // 0 for a token that never expires
	Policies []string      `cel:"policies"`
	Missing  []string      `cel:"missing"` // like "read secret/metadata/orchestrator/mongodb"
}

// rights looks at the bot's token itself: that it is dead, or may not do
// something, is what this probe is there to see.
func (v vaultProbes) rights(ctx context.Context, _ None) (Rights, []diagnostics.Evidence, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	t := v.trail()
	facts := Rights{Valid: true}
	lookup, err := v.lookupSelf(ctx, t, &facts)
	if err != nil || !facts.Valid {
		return facts, t.list, err
	}
	if lookup.status == http.StatusForbidden {
		facts.Missing = append(facts.Missing, "read auth/token/lookup-self")
	}
	err = v.ownCapabilities(ctx, t, &facts)
	return facts, t.list, err
}

// lookupSelf looks the bot's token up. A 403 means a dead token only where
// Vault says so: a token may lack the right to look itself up.
func (v vaultProbes) lookupSelf(ctx context.Context, t *trail, facts *Rights) (vaultAnswer, error) {
	q := vaultQuestion{method: http.MethodGet, path: "auth/token/lookup-self", right: "read", show: v.command("token", "lookup")}
	a, err := v.ask(ctx, q)
	if err != nil {
		return a, t.fail(q.show, blindNetwork(q.doing(), diagnostics.Text{}, err))
	}
	if a.status == http.StatusForbidden {
		facts.Valid = !deadToken(a)
		t.add(q.show, "%s", a.words())
		return a, nil
	}
	var token struct {
		TTL      seconds  `json:"ttl"`
		Policies []string `json:"policies"`
	}
	if !a.ok() {
		return a, t.fail(q.show, v.refused(q, a))
	}
	if err := json.Unmarshal(a.data, &token); err != nil {
		return a, t.fail(q.show, blindGarbage(q.doing(), "Vault", "its data have another shape"))
	}
	facts.TTL, facts.Policies = token.TTL.duration(), cleanAll(token.Policies)
	t.add(q.show, "ttl %s, policies %s", facts.TTL, list(facts.Policies))
	return a, nil
}

// deadToken tells a token that Vault does not know from one that may not do
// something. Vault has only words for it.
func deadToken(a vaultAnswer) bool {
	return a.status == http.StatusForbidden && (a.says("invalid token") || a.says("bad token") || a.says("missing client token"))
}

// ownCapabilities compares what the bot may do with what the checks need.
func (v vaultProbes) ownCapabilities(ctx context.Context, t *trail, facts *Rights) error {
	grants := v.grants()
	if len(grants) == 0 {
		return nil
	}
	paths := make([]string, 0, len(grants))
	for _, g := range grants {
		if !slices.Contains(paths, g.Path) {
			paths = append(paths, g.Path)
		}
	}
	q := vaultQuestion{
		method: http.MethodPost,
		path:   "sys/capabilities-self",
		body:   map[string]any{"paths": paths},
		right:  "update",
		show:   v.command(append([]string{"write", "sys/capabilities-self"}, pathWords(paths)...)...),
	}
	has, a, err := v.capabilities(ctx, t, q, paths)
	switch {
	case err != nil:
		return err
	case deadToken(a):
		facts.Valid = false
		t.add(q.show, "%s", a.words())
		return nil
	case a.status == http.StatusForbidden:
		facts.Missing = append(facts.Missing, "update sys/capabilities-self")
		t.add(q.show, "%s", a.words())
		return nil
	case has == nil:
		return t.fail(q.show, v.refused(q, a))
	}
	missing := missingGrants(grants, has)
	t.add(q.show, "missing: %s", list(missing))
	facts.Missing = append(facts.Missing, missing...)
	return nil
}

// missingGrants are those that the capabilities do not cover, each once.
func missingGrants(grants []diagnostics.Grant, has map[string][]string) []string {
	var missing []string
	for _, g := range grants {
		for _, c := range g.Capabilities {
			word := c + " " + g.Path
			if !may(has[g.Path], c) && !slices.Contains(missing, word) {
				missing = append(missing, word)
			}
		}
	}
	return missing
}

// may reports whether capabilities include one, as Vault judges it.
func may(capabilities []string, one string) bool {
	if slices.Contains(capabilities, "deny") {
		return false
	}
	return slices.Contains(capabilities, one) || slices.Contains(capabilities, "root")
}

// capabilities asks one of the capabilities endpoints. The map is nil when
// Vault answered something else than capabilities; the answer then says what.
func (v vaultProbes) capabilities(ctx context.Context, t *trail, q vaultQuestion, paths []string) (map[string][]string, vaultAnswer, error) {
	a, err := v.ask(ctx, q)
	if err != nil {
		return nil, a, t.fail(q.show, blindNetwork(q.doing(), diagnostics.Text{}, err))
	}
	if !a.ok() {
		return nil, a, nil
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal(a.data, &data); err != nil {
		return nil, a, t.fail(q.show, blindGarbage(q.doing(), "Vault", "its data have another shape"))
	}
	has := make(map[string][]string, len(paths))
	for _, path := range paths {
		var capabilities []string
		if err := json.Unmarshal(data[path], &capabilities); err != nil {
			return nil, a, t.fail(q.show, blindGarbage(q.doing(), "Vault", fmt.Sprintf("no capabilities of %q", path)))
		}
		has[path] = capabilities
	}
	return has, a, nil
}

// pathWords are paths as the vault command takes them.
func pathWords(paths []string) []string {
	words := make([]string, len(paths))
	for i, p := range paths {
		words[i] = "paths=" + p
	}
	return words
}

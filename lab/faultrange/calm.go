package faultrange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"

	"tandem/diagnostics"
)

// Calm is how often a healthy lab was called what it is, while it lived: under
// load, with restarts and with everything that is renewed.
type Calm struct {
	Diagnoses int
	Given     map[diagnostics.Status]int
	Wrong     []string // what was said besides healthy, and after what
	Disturbed map[string]int
}

// disturbEvery is how many diagnoses come between two disturbances.
const disturbEvery = 5

// disturbance is something that happens to healthy systems.
type disturbance struct {
	name string
	do   func(context.Context) error
}

func (r Range) disturbances() []disturbance {
	restart := func(part string) disturbance {
		return disturbance{"restart of " + part, func(ctx context.Context) error { return r.World.Restart(ctx, part) }}
	}
	return []disturbance{
		restart("worker"),
		{"rotation of SPIRE's key", func(ctx context.Context) error {
			_, err := r.World.SPIFFEAdmin(ctx, http.MethodPost, "/admin/rotate-jwt", map[string]any{})
			return err
		}},
		restart("service-registry"),
		{"a new version of the secret", r.rewriteSecret},
		restart("orchestrator"),
		{"the SPIRE agent's restart", func(ctx context.Context) error {
			_, err := r.World.SPIFFEAdmin(ctx, http.MethodPost, "/admin/restart-agent", map[string]any{})
			return err
		}},
	}
}

// Calm diagnoses each service in turn, so many times in all.
func (r Range) Calm(ctx context.Context, times int, tell io.Writer) (calm Calm, err error) {
	calm = Calm{Given: map[diagnostics.Status]int{}, Disturbed: map[string]int{}}
	loading, stop := context.WithCancel(ctx)
	var load sync.WaitGroup
	for range 2 {
		load.Go(func() { r.load(loading) })
	}
	defer load.Wait()
	defer stop()
	services := slices.Sorted(maps.Keys(r.World.State().Services))
	disturbances := r.disturbances()
	last := "nothing"
	for i := range times {
		if i%disturbEvery == 0 {
			d := disturbances[i/disturbEvery%len(disturbances)]
			if err := d.do(ctx); err != nil {
				return calm, fmt.Errorf("%s: %w", d.name, err)
			}
			last = d.name
			calm.Disturbed[d.name]++
		}
		view, err := r.Bot.Diagnose(ctx, services[i%len(services)])
		if err != nil {
			return calm, err
		}
		calm.Diagnoses++
		calm.Given[view.Verdict.Status]++
		if view.Verdict.Status != diagnostics.Pass {
			said := fmt.Sprintf("%s after %s: %s", view.Target, last, NotPassing(view))
			calm.Wrong = append(calm.Wrong, said)
			fmt.Fprintln(tell, "healthy, and called otherwise:", said)
		}
	}
	return calm, nil
}

func (r Range) rewriteSecret(ctx context.Context) error {
	client, err := r.World.VaultAdmin()
	if err != nil {
		return err
	}
	_, err = client.KVv2("secret").Put(ctx, "orchestrator/mongodb", map[string]any{"uri": r.World.State().MongoDB.URI})
	return err
}

// load keeps Vault and Prometheus busy until the context is done, as other
// clients do. What it is answered is not looked at.
func (r Range) load(ctx context.Context) {
	vault, err := r.World.VaultAdmin()
	if err != nil {
		return
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		_ = errors.Join(useVault(ctx, vault), useHTTP(ctx, r.World.State().Prometheus.URL+"/api/v1/query?query=sum(up)"))
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// useVault makes a token and lets go of it.
func useVault(ctx context.Context, client *api.Client) error {
	secret, err := client.Auth().Token().CreateWithContext(ctx, &api.TokenCreateRequest{Policies: []string{"default"}, TTL: "1m"})
	if err != nil {
		return err
	}
	return client.Auth().Token().RevokeAccessorWithContext(ctx, secret.Auth.Accessor)
}

func useHTTP(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/lab/servers"
)

// awaitSeen returns when Prometheus has scraped every service and Loki has a
// line of each: a diagnosis before that would find a world without metrics and
// logs, and call it unknown.
func (b *builder) awaitSeen(ctx context.Context) error {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return poll(ctx, b.state.scraped) })
	for _, s := range catalogue() {
		group.Go(func() error {
			return poll(ctx, func(ctx context.Context) error { return b.state.heard(ctx, s.name) })
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("wait until metrics and logs show the services: %w", err)
	}
	b.say("metrics and logs show every service (%s)", time.Since(began).Round(10*time.Millisecond))
	return nil
}

// scraped says whether Prometheus's last scrape of Vault and of every service
// was good.
func (s State) scraped(ctx context.Context) error {
	var answer struct {
		Data struct {
			Result []struct{ Metric map[string]string }
		}
	}
	if err := getJSON(ctx, s.Prometheus.URL+"/api/v1/query?query="+url.QueryEscape("up == 1"), &answer); err != nil {
		return err
	}
	up := map[string]bool{}
	for _, r := range answer.Data.Result {
		up[r.Metric["job"]+" "+r.Metric["pod"]] = true
	}
	pods := map[string]string{servers.Vault: vaultPod}
	for name, service := range s.Services {
		pods[name] = service.Pod
	}
	for job, pod := range pods {
		if !up[job+" "+pod] {
			return fmt.Errorf("prometheus has not scraped %s: only %v", job, up)
		}
	}
	return nil
}

// heard says whether Loki has a line of the service.
func (s State) heard(ctx context.Context, service string) error {
	var answer struct {
		Data struct{ Result []json.RawMessage }
	}
	query := url.QueryEscape(fmt.Sprintf(`{job=%q}`, service))
	if err := getJSON(ctx, s.Loki.URL+"/loki/api/v1/query_range?query="+query, &answer); err != nil {
		return err
	}
	if len(answer.Data.Result) == 0 {
		return errors.New("loki has no line of " + service)
	}
	return nil
}

func getJSON(ctx context.Context, target string, into any) error {
	content, err := call(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, into)
}

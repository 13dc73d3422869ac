// Package slack is a Slack workspace on one machine: a Web API, events and interactions over Socket Mode or signed HTTP,
// faults on demand, and a web page that looks and works like a channel. It promises to the app under test what Slack
// promises (names, payloads, errors, limits) and keeps to the stricter number where Slack's own sources disagree, so that
// what works here works there.
//
// Everything lives in memory and on one loopback address: /api/ for the app, /link for its websocket, /hooks/ and
// /upload/ for the addresses that Slack hands out, / for people, /lab/ for tests.
package slack

import (
	"context"
	"fmt"
)

// Run serves the workspace until ctx is done. It returns nil after an orderly stop.
func Run(ctx context.Context, cfg Config) error {
	s, err := Start(ctx, cfg)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case err = <-s.failed:
	}
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("serve the Slack workspace on %s: %w", cfg.Addr, err)
	}
	return nil
}

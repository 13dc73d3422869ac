package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tandem/lab/world"
)

// upCmd brings the world up and stays until it is asked to go.
type upCmd struct {
	where
	TTL       time.Duration `default:"1m" name:"ttl" help:"Life of tokens, leases and SVIDs."`
	NoBot     bool          `help:"Leave Slack without a bot, to run one by hand: bot run --config .lab/tandem.yaml."`
	FreePorts bool          `help:"Take any free ports, not the well-known ones."`
}

// Run is called by kong.
func (c upCmd) Run(ctx context.Context) error {
	binary, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's own file: %w", err)
	}
	began := time.Now()
	progress := func(line string) { fmt.Printf("%6.1fs  %s\n", time.Since(began).Seconds(), line) }
	w, err := world.Start(ctx, world.Options{
		Dir: c.Dir, TTL: c.TTL, FreePorts: c.FreePorts, LabBinary: binary, NoBot: c.NoBot, Progress: progress,
	})
	if ctx.Err() != nil && err != nil {
		return errors.New("interrupted before all was up; everything is down again")
	}
	if err != nil {
		return err
	}
	fmt.Printf("\nThe lab is up (%.1f s).\n\n%s\n", time.Since(began).Seconds(), next(w.State()))
	select {
	case <-ctx.Done():
	case <-w.Asked():
	}
	fmt.Println("Taking everything down.")
	return w.Close()
}

// next tells people where to go from here.
func next(state world.State) string {
	dir := state.Dir
	if working, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(working, dir); err == nil {
			dir = short
		}
	}
	return fmt.Sprintf(`  Slack page   %s   (type /vault diagnose worker)
  Prometheus   %s
  Vault        %s   (addresses and tokens for a shell: . %s/env)
  bot config   %s/tandem.yaml

  %s/bin/bot diagnose worker --config %s/tandem.yaml   the same in a terminal
  go run ./lab fault list  ways to break it, then: fault inject NAME, fault clear
  go run ./lab status      what runs where
  go run ./lab down        take it down (or Ctrl-C here)
`, state.Slack.URL, state.Prometheus.URL, state.Vault.URL, dir, dir, dir, dir)
}

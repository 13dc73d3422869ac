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
	NoBot     bool          `help:"Leave Slack without a bot, to run one by hand: go run ./cmd/bot run --config .lab/tandem.yaml."`
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
	fmt.Printf("\nThe lab is up (%.1f s).\n\n%s\n", time.Since(began).Seconds(), c.next(w.State()))
	select {
	case <-ctx.Done():
	case <-w.Asked():
	}
	fmt.Println("Taking everything down.")
	return w.Close()
}

// next tells people where to go from here.
func (c upCmd) next(state world.State) string {
	dir, flag := state.Dir, world.DirFlag(state.Dir)
	if working, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(working, dir); err == nil {
			dir = short
		}
	}
	bot := filepath.Join(dir, "bin", "bot")
	if c.NoBot {
		bot = "go run ./cmd/bot" // none was built
	}
	return fmt.Sprintf(`  Slack page   %s   (type /vault diagnose worker)
  Prometheus   %s
  Vault        %s   (addresses and tokens for a shell: . %s/env)
  bot config   %s/tandem.yaml

  %s diagnose worker --config %s/tandem.yaml   the same in a terminal
  go run ./lab fault list   ways to break it
  go run ./lab fault inject%s NAME, and mend it: go run ./lab fault clear%s
  go run ./lab status%s   what runs where
  go run ./lab down%s   take it down (or Ctrl-C here)
`, state.Slack.URL, state.Prometheus.URL, state.Vault.URL, dir, dir, bot, dir, flag, flag, flag, flag)
}

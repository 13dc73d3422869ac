package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tandem/lab/faultrange"
	"tandem/lab/faults"
	"tandem/lab/world"
)

// rangeCmd says how often the bot is right.
type rangeCmd struct {
	TTL     time.Duration `default:"20s" name:"ttl" help:"Life of tokens, leases and SVIDs in the range's own lab."`
	Only    []string      `help:"Only the faults of these names."`
	Skip    bool          `help:"Leave the faults out: only the healthy lab."`
	Healthy int           `default:"200" help:"How often the healthy lab is diagnosed, under load, restarts and renewals."`
	To      string        `type:"path" help:"File of the report, as Markdown."`
}

// Run is called by kong.
func (c rangeCmd) Run(ctx context.Context) (err error) {
	chosen, err := c.chosen()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tandem-range-")
	if err != nil {
		return fmt.Errorf("make a folder for the range: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's own file: %w", err)
	}
	w, err := world.Start(ctx, world.Options{
		Dir: filepath.Join(dir, "lab"), TTL: c.TTL, FreePorts: true, LabBinary: binary, Progress: func(line string) { fmt.Println("lab:", line) },
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	r := faultrange.Range{
		World: w, TTL: c.TTL, Bot: faultrange.Bot{Path: filepath.Join(w.State().Dir, "bin", "bot"), Config: w.State().Bot.ConfigFile},
	}
	report, err := r.Run(ctx, chosen, c.Healthy, os.Stdout)
	if err != nil {
		return err
	}
	if c.To != "" {
		if err := os.WriteFile(c.To, []byte(report.Markdown()), 0o644); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return report.Goals()
}

// chosen are the faults to inject.
func (c rangeCmd) chosen() ([]faults.Fault, error) {
	if c.Skip {
		return nil, nil
	}
	if len(c.Only) == 0 {
		return faults.All(), nil
	}
	var errs []error
	for _, name := range c.Only {
		_, err := faults.Find(name)
		errs = append(errs, err)
	}
	all := slices.DeleteFunc(faults.All(), func(f faults.Fault) bool { return !slices.Contains(c.Only, f.Name) })
	return all, errors.Join(errs...)
}

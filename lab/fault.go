package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"

	"tandem/lab/faults"
	"tandem/lab/world"
)

// faultCmd breaks the running world in the ways that really happen.
type faultCmd struct {
	List   faultListCmd   `cmd:"" help:"List the faults, with the check that must name each as the cause."`
	Inject faultInjectCmd `cmd:"" help:"Break the running world."`
	Clear  faultClearCmd  `cmd:"" help:"Mend what one fault broke, or all of them."`
}

type faultListCmd struct {
	JSON bool `name:"json" help:"As JSON rows: name, row, service, about, status, codes, parts."`
}

// Run is called by kong.
func (c faultListCmd) Run() error {
	if c.JSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(faults.All())
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tROW\tSERVICE\tRIGHT VERDICT\tABOUT")
	for _, f := range faults.All() {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", f.Name, f.Row, f.Service, f.Right(), f.About)
	}
	return table.Flush()
}

type faultInjectCmd struct {
	where
	Name string `arg:"" help:"Name of the fault."`
}

// Run is called by kong.
func (c faultInjectCmd) Run(ctx context.Context) error {
	fault, err := faults.Find(c.Name)
	if err != nil {
		return err
	}
	w, err := world.Attach(c.Dir)
	if err != nil {
		return err
	}
	// Noted first: a fault that was injected by half is still cleared. One whose
	// injection failed outright is noted too, since the error does not tell how
	// far it came; clearing what is whole changes nothing.
	if err := faults.Note(w, fault.Name, true); err != nil {
		return err
	}
	if err := fault.Inject(ctx, w); err != nil {
		return fmt.Errorf("inject %s: %w", fault.Name, err)
	}
	fmt.Printf("%s\nbot diagnose %s comes to this once the effects show (within a TTL or so): %s\n", fault.About, fault.Service, fault.Right())
	return nil
}

type faultClearCmd struct {
	where
	Name string `arg:"" optional:"" help:"Name of the fault; all that were injected when left out."`
}

// Run is called by kong.
func (c faultClearCmd) Run(ctx context.Context) error {
	w, err := world.Attach(c.Dir)
	if err != nil {
		return err
	}
	names := []string{c.Name}
	if c.Name == "" {
		injected, err := faults.Injected(w)
		if err != nil {
			return err
		}
		names = clearingOrder(injected)
	}
	return clearAll(names, func(name string) error { return clearFault(ctx, w, name) })
}

// clearingOrder puts the gates first, as the list has them, since the rest is
// mended through Vault, and a Vault that is down cannot be unsealed. Then the
// last injected comes first, as one leaves a maze.
func clearingOrder(injected []string) []string {
	var order []string
	for _, f := range faults.All() {
		if f.Row == 0 && slices.Contains(injected, f.Name) {
			order = append(order, f.Name)
		}
	}
	for _, name := range slices.Backward(injected) {
		if !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	return order
}

// clearAll clears every name, and tries again those that failed for as long as
// others were cleared meanwhile: a fault injected into a server that was down
// already is only cleared when that server is up.
func clearAll(names []string, clear func(name string) error) error {
	for {
		var failed []string
		var errs []error
		for _, name := range names {
			if err := clear(name); err != nil {
				failed, errs = append(failed, name), append(errs, err)
			}
		}
		if len(failed) == 0 || len(failed) == len(names) {
			return errors.Join(errs...)
		}
		names = failed
	}
}

func clearFault(ctx context.Context, w *world.World, name string) error {
	fault, err := faults.Find(name)
	if err != nil {
		return err
	}
	if err := fault.Clear(ctx, w); err != nil {
		return fmt.Errorf("clear %s: %w", name, err)
	}
	fmt.Println("cleared", name)
	return faults.Note(w, name, false)
}

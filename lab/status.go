package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"

	"tandem/lab/world"
)

// statusCmd shows the parts of a world.
type statusCmd struct {
	where
	JSON bool `name:"json" help:"Print JSON."`
}

// Run is called by kong.
func (c statusCmd) Run(ctx context.Context) error {
	w, err := world.Attach(c.Dir)
	if err != nil {
		return err
	}
	parts, err := w.Processes(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(parts)
	}
	return table(os.Stdout, parts)
}

// table prints the parts, one a line.
func table(out io.Writer, parts []world.ProcessStatus) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PART\tPID\tADDRESS\tSTATE")
	for _, part := range parts {
		pid := "-"
		if part.PID != 0 {
			pid = strconv.Itoa(part.PID)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", part.Name, pid, part.Address, part.State)
	}
	return w.Flush()
}

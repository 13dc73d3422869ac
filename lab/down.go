package main

import (
	"context"
	"fmt"

	"tandem/lab/world"
)

// downCmd ends a world that another process runs.
type downCmd struct{ where }

// Run is called by kong.
func (c downCmd) Run(ctx context.Context) error {
	w, err := world.Attach(c.Dir)
	if err != nil {
		return err
	}
	if err := w.Down(ctx); err != nil {
		return fmt.Errorf("take the lab down: %w", err)
	}
	fmt.Println("The lab is down.")
	return nil
}

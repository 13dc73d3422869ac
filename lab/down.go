package main

import (
	"context"
	"fmt"

	"tandem/lab/world"
)

// downCmd ends a world that another process runs or starts.
type downCmd struct{ where }

// Run is called by kong.
func (c downCmd) Run(ctx context.Context) error {
	if err := world.End(ctx, c.Dir); err != nil {
		return fmt.Errorf("take the lab down: %w", err)
	}
	fmt.Println("The lab is down.")
	return nil
}

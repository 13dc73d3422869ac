package main

import (
	"context"
	"os"

	"tandem/lab/endtoend"
	"tandem/lab/world"
)

// endToEndCmd runs the end-to-end check of the world, as its cluster's Job does.
type endToEndCmd struct{ where }

// Run is called by kong.
func (c endToEndCmd) Run(ctx context.Context) error {
	w, err := world.Attach(c.Dir)
	if err != nil {
		return err
	}
	return endtoend.Run(ctx, w.State(), os.Stdout)
}

package main

import (
	"context"
	"errors"
	"fmt"

	"tandem/lab/servers"
)

// buildCmd makes sure that every real server is there, so that what needs them
// starts at once.
type buildCmd struct{}

// Run is called by kong.
func (buildCmd) Run(ctx context.Context) error {
	var errs []error
	for _, name := range servers.Names() {
		path, err := servers.Find(ctx, name, func(line string) { fmt.Println(line) })
		if err == nil {
			fmt.Printf("%s: %s\n", name, path)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

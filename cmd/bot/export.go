package main

import (
	"context"

	"tandem/commands"
)

func (a *app) exportRun(ctx context.Context, c commands.Export) int { return exitUsage }

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"tandem/lab/services"
	"tandem/lab/services/mongodb"
	"tandem/lab/slack"
	"tandem/lab/spiffe"
)

// serveCmd runs one part in this process until it is told to stop.
type serveCmd struct {
	Name   string `arg:"" help:"Which part."`
	Config string `required:"" type:"existingfile" help:"Its configuration, a JSON file."`
}

// Run is called by kong.
func (c serveCmd) Run(ctx context.Context) error {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	run, ok := parts()[c.Name]
	if !ok {
		names := slices.Sorted(maps.Keys(parts()))
		return fmt.Errorf("no part is called %q: there are %s", c.Name, strings.Join(names, ", "))
	}
	if err := run(ctx, c.Config); err != nil {
		return fmt.Errorf("serve %s: %w", c.Name, err)
	}
	return nil
}

// parts are all that the lab itself can serve.
func parts() map[string]func(ctx context.Context, file string) error {
	return map[string]func(context.Context, string) error{
		"spiffe":                 configured(spiffe.Run),
		"slack":                  configured(slack.Run),
		"mongodb":                configured(mongodb.Run),
		services.Orchestrator:    configured(services.Run),
		services.Worker:          configured(services.Run),
		services.ServiceRegistry: configured(services.Run),
	}
}

// configured reads the file into a part's own kind of configuration.
func configured[C any](run func(context.Context, C) error) func(context.Context, string) error {
	return func(ctx context.Context, file string) error {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read the configuration: %w", err)
		}
		decoder := json.NewDecoder(bytes.NewReader(content))
		decoder.DisallowUnknownFields()
		var config C
		if err := decoder.Decode(&config); err != nil {
			return fmt.Errorf("read the configuration in %s: %w", file, err)
		}
		return run(ctx, config)
	}
}

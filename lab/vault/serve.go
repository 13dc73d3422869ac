package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/hashicorp/cli"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/command/server"
	"github.com/hashicorp/vault/helper/metricsutil"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/physical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

// shutdownGrace is how long requests under way may take once a stop is asked for.
const shutdownGrace = 2 * time.Second

// serve runs the server that the file describes until ctx ends.
func serve(ctx context.Context, path string, logs io.Writer) error {
	config, err := load(path)
	if err != nil {
		return err
	}
	logger := hclog.New(&hclog.LoggerOptions{
		Name: "vault", Level: hclog.LevelFromString(config.LogLevel), Output: logs, JSONFormat: true,
	})
	listener, err := net.Listen("tcp", config.Listeners[0].Address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()
	core, err := newCore(config, logger)
	if err != nil {
		return err
	}
	return errors.Join(answer(ctx, listener, core, config.Listeners[0]), core.ShutdownWait())
}

// load reads the file and refuses what this binary cannot do.
func load(path string) (*server.Config, error) {
	config, err := server.LoadConfigFile(path)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	switch {
	case len(config.Listeners) != 1 || !config.Listeners[0].TLSDisable:
		return nil, fmt.Errorf("load %s: the lab's Vault serves exactly one listener, without TLS", path)
	case config.Storage == nil:
		return nil, fmt.Errorf("load %s: storage is missing", path)
	}
	return config, nil
}

// newCore makes a sealed core over the configured storage.
func newCore(config *server.Config, logger hclog.Logger) (*vault.Core, error) {
	storage, err := newStorage(config.Storage, logger)
	if err != nil {
		return nil, err
	}
	inmemSink, sink, toPrometheus, err := configutil.SetupTelemetry(&configutil.SetupTelemetryOpts{
		Config: config.Telemetry, Ui: &cli.BasicUi{Writer: io.Discard}, ServiceName: "vault", DisplayName: "Vault",
		ClusterName: config.ClusterName,
	})
	if err != nil {
		return nil, fmt.Errorf("set up telemetry: %w", err)
	}
	plugins := newBuiltins()
	core, err := vault.NewCore(&vault.CoreConfig{
		RawConfig:          config,
		Physical:           storage,
		StorageType:        config.Storage.Type,
		BuiltinRegistry:    plugins,
		LogicalBackends:    plugins.secrets,
		CredentialBackends: plugins.auth,
		Logger:             logger,
		DisableMlock:       true,
		RedirectAddr:       config.APIAddr,
		ClusterName:        config.ClusterName,
		MetricsHelper:      metricsutil.NewMetricsHelper(inmemSink, toPrometheus),
		MetricSink:         sink,
	})
	if err != nil {
		return nil, fmt.Errorf("make the core: %w", err)
	}
	return core, nil
}

func newStorage(config *server.Storage, logger hclog.Logger) (physical.Backend, error) {
	makers := map[string]physical.Factory{"file": file.NewFileBackend, "inmem": inmem.NewInmem}
	maker, ok := makers[config.Type]
	if !ok {
		return nil, fmt.Errorf("storage %q is not in this binary: use file or inmem", config.Type)
	}
	backend, err := maker(config.Config, logger)
	if err != nil {
		return nil, fmt.Errorf("open the %s storage: %w", config.Type, err)
	}
	return backend, nil
}

// answer serves the API until ctx ends, then lets requests under way finish.
func answer(ctx context.Context, listener net.Listener, core *vault.Core, config *configutil.Listener) error {
	api := &http.Server{
		Handler:           vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core, ListenerConfig: config}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	served := make(chan error, 1)
	go func() { served <- api.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve the API: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := api.Shutdown(grace); err != nil {
		return api.Close()
	}
	return nil
}

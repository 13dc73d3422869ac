// Command vault is a real Vault 1.21.4 server for the lab, in one small binary.
//
// It only serves: initialising, unsealing and configuring happen over its API.
// It knows the secrets engines (kv, database with PostgreSQL) and auth methods
// (approle, jwt, userpass) that the lab uses, and nothing else, so that it
// builds in minutes. With --storage-dir its state outlives a restart (it comes
// back sealed); without, the state is in memory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/physical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
	"github.com/hashicorp/vault/version"

	vaulthttp "github.com/hashicorp/vault/http"
)

// shutdownGrace is how long requests under way may take once a stop is asked for.
const shutdownGrace = 2 * time.Second

// options are the command line.
type options struct {
	listen     string
	storageDir string
	logLevel   string
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Printf("Vault v%s (lab build)\n", version.GetVersion().VersionNumber())
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, logs io.Writer) error {
	opts, err := parse(args, logs)
	if err != nil {
		return err
	}
	logger := hclog.New(&hclog.LoggerOptions{
		Name: "vault", Level: hclog.LevelFromString(opts.logLevel), Output: logs, JSONFormat: true,
	})
	listener, err := net.Listen("tcp", opts.listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", opts.listen, err)
	}
	defer listener.Close()
	core, err := newCore(opts, "http://"+listener.Addr().String(), logger)
	if err != nil {
		return err
	}
	return errors.Join(serve(ctx, listener, core), core.ShutdownWait())
}

func parse(args []string, out io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("vault", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&opts.listen, "listen", "127.0.0.1:8200", "address to serve the API on")
	flags.StringVar(&opts.storageDir, "storage-dir", "", "folder for the file storage; empty keeps the state in memory")
	flags.StringVar(&opts.logLevel, "log-level", "warn", "trace, debug, info, warn or error")
	if err := flags.Parse(args); err != nil {
		return opts, fmt.Errorf("parse the command line: %w", err)
	}
	return opts, nil
}

// newCore makes a sealed core over the chosen storage.
func newCore(opts options, apiAddr string, logger hclog.Logger) (*vault.Core, error) {
	storage, err := newStorage(opts.storageDir, logger)
	if err != nil {
		return nil, err
	}
	builtins := newBuiltins()
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		BuiltinRegistry:    builtins,
		LogicalBackends:    builtins.secrets,
		CredentialBackends: builtins.auth,
		Logger:             logger,
		DisableMlock:       true,
		RedirectAddr:       apiAddr,
		ClusterName:        "tandem-lab",
		EnableUI:           false,
	})
	if err != nil {
		return nil, fmt.Errorf("make the core: %w", err)
	}
	return core, nil
}

func newStorage(dir string, logger hclog.Logger) (physical.Backend, error) {
	if dir == "" {
		backend, err := inmem.NewInmem(nil, logger)
		if err != nil {
			return nil, fmt.Errorf("make the in-memory storage: %w", err)
		}
		return backend, nil
	}
	backend, err := file.NewFileBackend(map[string]string{"path": dir}, logger)
	if err != nil {
		return nil, fmt.Errorf("open the storage in %s: %w", dir, err)
	}
	return backend, nil
}

// serve answers until ctx ends, then lets requests under way finish.
func serve(ctx context.Context, listener net.Listener, core *vault.Core) error {
	server := &http.Server{
		Handler: vaulthttp.Handler.Handler(&vault.HandlerProperties{
			Core: core, ListenerConfig: &configutil.Listener{Type: "tcp", Address: listener.Addr().String()},
		}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve the API: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return server.Close()
	}
	return nil
}

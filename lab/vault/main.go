// Command vault is a real Vault 1.21.4 server for the lab, in one small binary.
//
// Like the published binary it takes `vault server -config=FILE` and
// `vault version`, and it reads the same configuration file; so the lab starts
// either in the same way. It knows only what the lab uses: the secrets engines
// kv and database (PostgreSQL), the auth methods approle, jwt and userpass, and
// the storages file and inmem. It only serves: initialising, unsealing and
// configuring happen over its API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/hashicorp/vault/version"
)

// usage is all that this binary can do.
const usage = "usage: vault server -config=FILE | vault version"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, logs io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	switch args[0] {
	case "version":
		_, err := fmt.Fprintf(out, "Vault v%s (lab build)\n", version.GetVersion().VersionNumber())
		return err
	case "server":
		return runServer(ctx, args[1:], logs)
	default:
		return errors.New(usage)
	}
}

func runServer(ctx context.Context, args []string, logs io.Writer) error {
	flags := flag.NewFlagSet("vault server", flag.ContinueOnError)
	flags.SetOutput(logs)
	path := flags.String("config", "", "configuration file, HCL or JSON")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("parse the command line: %w", err)
	}
	if *path == "" {
		return errors.New(usage)
	}
	return serve(ctx, *path, logs)
}

// Command bot diagnoses Vault and SPIFFE as services see them: from Slack with
// `bot run`, from a terminal with `bot diagnose SERVICE`.
//
// It is the only place that knows every other package: it reads the
// configuration, makes the clients, hands each package the few values that it
// needs, and starts and stops what runs. The exit status is 0 when all is well,
// 1 for a warning or failure of the service, 2 for a wrong command line or
// configuration, and 3 when the answer is unknown.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	a := newApp(os.Stdout, os.Stderr, os.Getenv)
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

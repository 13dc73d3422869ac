// Command lab runs a whole small world of Vault and SPIFFE on this machine:
// real servers, the services that the runbook is about, and a Slack workspace
// with a page. It is for trying, testing and measuring the bot; it is never
// shipped.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Up       upCmd       `cmd:"" help:"Bring the world up and stay with it; Ctrl-C takes it down."`
	Down     downCmd     `cmd:"" help:"Take the running world down."`
	Status   statusCmd   `cmd:"" help:"Show every part: process, address, state."`
	Build    buildCmd    `cmd:"" help:"Build the real servers that are not on this machine yet."`
	Fault    faultCmd    `cmd:"" help:"Break the world and mend it."`
	Picture  pictureCmd  `cmd:"" help:"Take a picture of the Slack page."`
	Pictures picturesCmd `cmd:"" help:"Make the pictures of the documentation."`
	Range    rangeCmd    `cmd:"" help:"Inject every fault into a lab of its own and say how often the bot is right."`
	EndToEnd endToEndCmd `cmd:"" name:"end-to-end" help:"Try whether the services work together, with a JUnit report at the end."`
	Serve    serveCmd    `cmd:"" hidden:"" help:"Run one part of the world in this process."`
}

// where is the flag of every command that looks for a world.
type where struct {
	Dir string `default:".lab" help:"Folder of the world's files." type:"path"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	var grammar cli
	parsed := kong.Parse(&grammar, kong.Name("lab"), kong.UsageOnError(),
		kong.Description("A whole small world of Vault and SPIFFE on one machine."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		stop()
		os.Exit(1)
	}
}

// endings are the signals that end a command in good order. A terminal that
// goes away is one of them, unless the command was told to outlive it (nohup).
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

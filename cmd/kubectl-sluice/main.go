// Command kubectl-sluice is the plugin behind kubectl sluice: it shows rollouts
// of Cloud Run services and asks for what a person wants done with them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/cli"
	"github.com/sluice-rollouts/sluice/internal/version"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // an abort is asked for, whoever reads of it
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, cli.Command(env()), os.Args[1:])
	stop()
	os.Exit(code)
}

// env is the world around whoever started the program.
func env() cli.Env {
	e := cli.Env{In: os.Stdin, Err: os.Stderr, Clock: clock.RealClock{}, Version: version.String()}
	return e.For(os.Stdout)
}

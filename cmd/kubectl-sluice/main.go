// Command kubectl-sluice is the plugin behind kubectl sluice: it shows rollouts
// of Cloud Run services and asks for what a person wants done with them.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, cli.Command(env()), os.Args[1:])
	stop()
	os.Exit(code)
}

// env is the world around whoever started the program.
func env() cli.Env {
	e := cli.Env{In: os.Stdin, Err: os.Stderr, Clock: clock.RealClock{}, Version: version()}
	return e.For(os.Stdout)
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}

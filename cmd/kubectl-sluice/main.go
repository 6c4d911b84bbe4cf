// Command kubectl-sluice is the plugin behind kubectl sluice: it shows rollouts
// of Cloud Run services and asks for what a person wants done with them.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/term"
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
	e := cli.Env{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Clock: clock.RealClock{}, Version: version()}
	out := int(os.Stdout.Fd())
	if !term.IsTerminal(out) {
		return e
	}
	width, _, err := term.GetSize(out)
	if err != nil {
		width = 0
	}
	return onTerminal(e, width)
}

// onTerminal writes for a terminal of so many columns, with colours unless NO_COLOR
// (no-color.org) or a terminal that knows none is in the way.
func onTerminal(e cli.Env, width int) cli.Env {
	e.Terminal, e.Width = true, width
	e.Paint = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return e
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}

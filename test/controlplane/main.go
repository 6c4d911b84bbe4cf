package controlplane

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Runner is a *testing.M. Its own type would bring the test flags into programs.
type Runner interface{ Run() int }

// Main starts a control plane for a package's tests, runs them and stops it. It
// never skips them: without a control plane they fail, and say why.
//
//	var plane *controlplane.ControlPlane
//
//	func TestMain(m *testing.M) {
//		os.Exit(controlplane.Main(m, &plane, controlplane.Options{}))
//	}
func Main(m Runner, plane **ControlPlane, options Options) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if options.Progress == nil {
		options.Progress = os.Stderr
	}
	started, err := Start(ctx, options)
	if err != nil {
		fmt.Fprintf(os.Stderr, "these tests need a control plane and got none: %v\n", err)
		return 1
	}
	// From here on an interrupt ends the tests at once, as it does elsewhere.
	stop()
	*plane = started
	code := m.Run()
	if err := started.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

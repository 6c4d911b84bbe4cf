package controlplane

import (
	"context"
	"flag"
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
	if !testing() {
		return m.Run()
	}
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

// testing tells whether this run has tests. Listing them and fuzzing alone, with
// -run '^$', which starts a process for every core, need no control plane.
func testing() bool {
	flag.Parse()
	is := func(name, value string) bool {
		f := flag.Lookup(name)
		return f != nil && f.Value.String() == value
	}
	return !is("test.run", "^$") && (is("test.list", "") || flag.Lookup("test.list") == nil)
}

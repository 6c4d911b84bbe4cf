// Package cli_test plays kubectl sluice against a real kube-apiserver: what it
// reads, what it writes there, and how it waits. Nobody else is there: what a
// manager would write, the scripts write.
package cli_test

import (
	"context"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/cli"
	"github.com/sluice-rollouts/sluice/test/controlplane"
)

var (
	update = flag.Bool("update", false, "write what commands print into the scripts and into docs/kubectl-sluice.md")
	plane  *controlplane.ControlPlane
)

// now is when the reader looks at the objects, which were written on that day.
const now = "2026-11-19T10:58:00Z"

// withPlane runs the tests with a control plane.
type withPlane struct{ *testing.M }

func (m withPlane) Run() int { return controlplane.Main(m.M, &plane, controlplane.Options{}) }

func TestMain(m *testing.M) {
	testscript.Main(withPlane{m}, map[string]func(){
		"kubectl-sluice": func() { os.Exit(cli.Run(context.Background(), cli.Command(env()), os.Args[1:])) },
	})
}

// env is the world around the program, but for its clock.
func env() cli.Env {
	at, err := time.Parse(time.RFC3339, now)
	if err != nil {
		panic(err)
	}
	return cli.Env{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Clock: clocktesting.NewFakeClock(at), Version: "v0.0.0-test"}
}

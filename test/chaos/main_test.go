package chaos

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/manager"
)

var (
	all = flag.Bool("all", false, "play every scenario")

	plane  *controlplane.ControlPlane
	binary string
	builds string // directory that is there until the last test has ended
)

func TestMain(m *testing.M) {
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	os.Exit(controlplane.Main(built{m}, &plane, controlplane.Options{}))
}

// built runs tests with the manager's binary at hand.
type built struct{ *testing.M }

// Run implements controlplane.Runner.
func (b built) Run() int {
	dir, err := os.MkdirTemp("", "sluice-chaos-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	builds = dir
	if binary, err = manager.Build(context.Background(), dir); err != nil {
		panic(err)
	}
	return b.M.Run()
}

// scenario is a sentence, and how it is played.
type scenario struct {
	sentence string
	short    bool // played without -all
	play     func(*stage)
}

// perform plays scenarios on the control plane that they share.
func perform(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, sc := range scenarios {
		t.Run(sc.sentence, func(t *testing.T) {
			t.Parallel()
			sc.enter(t)
			sc.play(newStage(t, plane))
		})
	}
}

// enter leaves out what takes too long.
func (sc scenario) enter(t *testing.T) {
	t.Helper()
	switch {
	case testing.Short():
		t.Skip("it starts processes and waits for leases")
	case !sc.short && !*all:
		t.Skip("make chaos plays it")
	}
}

// Command killmatrix kills the controller at every call it makes and compares
// what comes of it with an undisturbed run. It prints K, kills and divergences,
// and fails when there is a divergence. test/killmatrix tells how it works.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/killmatrix"
	"github.com/sluice-rollouts/sluice/test/manager"
)

type options struct {
	every, workers        int
	scene, kind           string
	at                    int
	calls, processes, try bool
}

func main() {
	var o options
	flag.IntVar(&o.every, "every", 1, "play every n-th point only")
	flag.IntVar(&o.workers, "workers", 4, "plays that go on side by side; half as many with processes")
	flag.BoolVar(&o.calls, "calls", true, "kill at every call, in one process on told time")
	flag.BoolVar(&o.processes, "processes", true, "kill the manager's process at every cloud write")
	flag.BoolVar(&o.try, "try", true, "try whether deliberate bugs are found")
	flag.StringVar(&o.scene, "scene", "", "play this scene only")
	flag.IntVar(&o.at, "k", 0, "kill at this point only")
	flag.StringVar(&o.kind, "kind", "", "kill in this way only: before, during or after")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrl.SetLogger(logr.Discard())
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "killmatrix:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	fmt.Println("starting kube-apiserver and etcd")
	plane, err := controlplane.Start(ctx, controlplane.Options{Progress: os.Stdout})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	bench, err := killmatrix.NewBench(ctx, plane.Config)
	if err != nil {
		return err
	}
	if o.try {
		if err := try(ctx, bench); err != nil {
			return err
		}
	}
	all, err := matrices(ctx, bench, o)
	fmt.Println("\nTogether:", all)
	if n := len(all.Divergences); n > 0 {
		return errors.Join(err, fmt.Errorf("%d divergences", n))
	}
	return err
}

// try shows that the matrix can fail.
func try(ctx context.Context, bench *killmatrix.Bench) error {
	fmt.Println("\nDeliberate bugs, which a few kills must bring to light")
	for _, bug := range killmatrix.Bugs {
		report, err := bench.Find(ctx, &bug)
		if err != nil {
			return err
		}
		if len(report.Divergences) == 0 {
			return fmt.Errorf("the matrix does not find this bug: %s", bug.Name)
		}
		fmt.Printf("  %s: found after %d kills, %s\n", bug.Name, report.Kills, report.Divergences[0].Kill)
	}
	return nil
}

// matrices plays both parts.
func matrices(ctx context.Context, bench *killmatrix.Bench, o options) (all killmatrix.Report, err error) {
	if o.processes {
		dir, err := os.MkdirTemp("", "sluice-killmatrix-")
		if err != nil {
			return all, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		fmt.Println("\ncompiling the manager")
		binary, err := manager.Build(ctx, dir)
		if err != nil {
			return all, err
		}
		report, err := part(ctx, "The manager's process, with SIGKILL at every cloud write", o,
			func(ctx context.Context, o killmatrix.Options) (killmatrix.Report, error) {
				o.Workers = max(1, o.Workers/2)
				return bench.Processes(ctx, binary, o)
			})
		if all = all.And(report); err != nil {
			return all, err
		}
	}
	if o.calls {
		report, err := part(ctx, "At every call, in one process on told time", o, bench.Matrix)
		if all = all.And(report); err != nil {
			return all, err
		}
	}
	return all, nil
}

// part plays a matrix and tells what came of it.
func part(
	ctx context.Context, title string, o options,
	play func(context.Context, killmatrix.Options) (killmatrix.Report, error),
) (killmatrix.Report, error) {
	fmt.Printf("\n%s\n", title)
	report, err := play(ctx, killmatrix.Options{
		Every: o.every, Workers: o.workers, Progress: os.Stdout,
		Scene: o.scene, At: o.at, Kind: killmatrix.Kind(o.kind),
	})
	for _, d := range report.Divergences {
		fmt.Println(d)
	}
	fmt.Println(report)
	return report, err
}

// Command soak plays seeded rollouts against adversaries and judges each of them
// by the invariants. It prints rollouts, faults, violations and rollouts a minute,
// and fails when there is a violation, or when a rare path was never reached though
// there were enough rollouts. test/soak tells how it works.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// enough is how many rollouts must reach every rare path.
const enough = 20_000

func main() {
	var o soak.Options
	flag.Uint64Var(&o.From, "from", 1, "the first seed")
	flag.IntVar(&o.Rollouts, "rollouts", 10_000, "how many rollouts; 1 plays that one seed and tells it")
	flag.IntVar(&o.Workers, "workers", 0, "seeds that are played side by side; 0 is one for each CPU")
	flag.BoolVar(&o.Twice, "twice", false, "play each seed twice, and compare")
	flag.BoolVar(&o.First, "first", false, "end with the first seed that breaks something, and tell it as it is")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrl.SetLogger(logr.Discard())
	debug.SetGCPercent(400) // a seed lives for milliseconds
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o soak.Options) error {
	if o.Rollouts == 1 {
		return one(ctx, o.From)
	}
	o.Told = func(violation string) { fmt.Println(violation) }
	r, err := soak.Run(ctx, o)
	for _, story := range r.Broken {
		fmt.Println(story)
	}
	fmt.Printf("commit %s\n%s", commit(), r)
	missing := r.Missing()
	switch {
	case err != nil:
		return err
	case r.Violations > 0:
		return fmt.Errorf("%d violations", r.Violations)
	case len(missing) > 0 && r.Rollouts >= enough:
		return fmt.Errorf("never reached: %s", strings.Join(missing, "; "))
	case len(missing) > 0:
		fmt.Printf("not reached yet: %s\n", strings.Join(missing, "; "))
	}
	return nil
}

// one plays a seed and tells it, shrunk if it breaks something.
func one(ctx context.Context, seed uint64) error {
	o, err := soak.Play(ctx, soak.Write(seed))
	if err == nil && len(o.Violations) == 0 {
		fmt.Print(soak.Tell(soak.Write(seed), o))
		return nil
	}
	fmt.Print(soak.Story(ctx, seed))
	if err != nil {
		return err
	}
	return fmt.Errorf("%d violations", len(o.Violations))
}

// commit is what this was built from.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, changed := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed"
		}
	}
	return revision + changed
}

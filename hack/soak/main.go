// Command soak plays seeded rollouts against adversaries and judges each of them
// by the invariants. It prints rollouts, faults, violations and rollouts a minute,
// and fails when there is a violation, or when a rare path was never reached though
// there were enough rollouts. test/soak tells how it works.
//
// A long range is played in parts, with -reports: each leaves a report, and the same
// command goes on where it was interrupted. Reports of one commit, also of several
// machines, are added up by -sum FILE...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/hack/internal/commit"
	"github.com/sluice-rollouts/sluice/test/soak"
)

// options say what is played, and what is kept of it.
type options struct {
	soak.Options
	reports string
	sum     bool
}

// enough is how many rollouts must reach every rare path.
const enough = 20_000

// memory is how many bytes the process may hold before it looks for what is garbage.
const memory = 512 << 20

func main() {
	var o options
	flag.Uint64Var(&o.From, "from", 1, "the first seed")
	flag.IntVar(&o.Rollouts, "rollouts", 10_000, "how many rollouts; 1 plays that one seed and tells it")
	flag.IntVar(&o.Workers, "workers", 0, "seeds that are played side by side; 0 is one for each CPU")
	flag.BoolVar(&o.Kept, "kept", false, "Config Connector keeps each seed's service")
	flag.BoolVar(&o.Burst, "burst", false, "a neighbour takes the ports of each seed's gateway for a while")
	flag.BoolVar(&o.Twice, "twice", false, "play each seed twice, and compare")
	flag.BoolVar(&o.First, "first", false, "end with the first seed that breaks something, and tell it as it is")
	flag.StringVar(&o.reports, "reports", "", "directory that has a report of each part of a long range; what is there is not played again")
	flag.BoolVar(&o.sum, "sum", false, "add up the reports in the files that are named, and play nothing")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrl.SetLogger(logr.Discard())
	runtime.MemProfileRate = 0 // nobody asks where memory went
	debug.SetGCPercent(-1)     // a seed lives for milliseconds
	debug.SetMemoryLimit(memory)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	switch {
	case o.sum:
		r, err := added(flag.Args())
		return judged(r, err)
	case o.First && o.reports != "":
		return errors.New("-first ends with the first violation: leave -reports out")
	case o.Rollouts == 1 && o.reports == "":
		return one(ctx, o.Options)
	}
	of := commit.Of(ctx, ".")
	o.Told = func(violation string) { fmt.Println(violation) }
	o.Counted = everyMinute(time.Now())
	if o.reports != "" {
		r, err := inParts(ctx, o.reports, of, o.Options, soak.Run)
		return judged(r, err)
	}
	r, err := soak.Run(ctx, o.Options)
	r.Commit = of
	return judged(r, err)
}

// everyMinute says how far a range has come.
func everyMinute(told time.Time) func(soak.Report) {
	return func(r soak.Report) {
		if now := time.Now(); now.Sub(told) >= time.Minute {
			told = now
			fmt.Fprintf(os.Stderr, "%d rollouts, up to seed %d\n", r.Rollouts, r.Seeds[len(r.Seeds)-1].To)
		}
	}
}

// judged prints a report, and says whether anything is wrong.
func judged(r soak.Report, err error) error {
	if len(r.Seeds) == 0 && err != nil {
		return err
	}
	for _, story := range r.Broken {
		fmt.Println(story)
	}
	fmt.Printf("%s\n%s%s\n", r, soak.Head, r.Row())
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

// one plays the first seed and tells it, shrunk if it breaks something.
func one(ctx context.Context, of soak.Options) error {
	script := of.Write(of.From)
	o, err := soak.Play(ctx, script)
	if err == nil && len(o.Violations) == 0 {
		fmt.Print(soak.Tell(script, o))
		return nil
	}
	fmt.Print(of.Story(ctx, of.From))
	if err != nil {
		return err
	}
	return fmt.Errorf("%d violations", len(o.Violations))
}

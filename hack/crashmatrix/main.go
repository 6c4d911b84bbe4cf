// Command crashmatrix lets the controllers of a simulated rollout die at every call
// they make, and compares what comes of it with the undisturbed rollout. It prints
// how many cells there are, also as the table of docs/reliability.md, and fails when
// one differs. test/crashmatrix tells how it works.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/hack/internal/commit"
	"github.com/sluice-rollouts/sluice/test/crashmatrix"
	"github.com/sluice-rollouts/sluice/test/soak"
)

func main() {
	o := crashmatrix.Options{Singles: crashmatrix.All, Progress: os.Stdout}
	var crashes []soak.Crash
	var points bool
	flag.Func("scene", "play this scene only; may be given several times", func(text string) error {
		o.Scenes = append(o.Scenes, text)
		return nil
	})
	flag.Func("crash", "play one cell of the scene and tell it: a crash, as 17:during; given twice, the second counts from the first on",
		func(text string) error {
			crash, err := parse(text)
			crashes = append(crashes, crash)
			return err
		})
	flag.IntVar(&o.Pairs, "pairs", 1, "play one of n pairs, drawn by lot, the same ones each time; 0 plays none, 1 all")
	flag.BoolVar(&points, "points", false, "play no single crash at a read that repeats another")
	flag.IntVar(&o.Workers, "workers", 0, "plays that go on side by side; 0 is one for each CPU")
	flag.BoolVar(&o.First, "first", false, "end with the first cell that differs")
	flag.Parse()
	if points {
		o.Singles = crashmatrix.Points
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrl.SetLogger(logr.Discard())
	debug.SetGCPercent(400) // a play lives for milliseconds
	err := run(ctx, o, crashes)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crashmatrix:", err)
		os.Exit(1)
	}
}

// parse reads a crash.
func parse(text string) (soak.Crash, error) {
	number, kind, _ := strings.Cut(text, ":")
	call, err := strconv.Atoi(number)
	crash := soak.Crash{Call: call, Kind: soak.CrashKind(kind)}
	if err == nil && (call < 1 || !slices.Contains(soak.CrashKinds, crash.Kind)) {
		err = errors.New("it is the number of a call and before, during or after")
	}
	return crash, err
}

func run(ctx context.Context, o crashmatrix.Options, crashes []soak.Crash) error {
	for _, name := range o.Scenes {
		if !slices.ContainsFunc(crashmatrix.Scenes, func(s crashmatrix.Scene) bool { return s.Name == name }) {
			return fmt.Errorf("there is no scene %q", name)
		}
	}
	if len(crashes) > 0 {
		return one(ctx, o.Scenes, crashes)
	}
	of := commit.Of(ctx, ".")
	r, err := crashmatrix.Run(ctx, o)
	fmt.Printf("\n%s\n%s\n", r.Table(of), r)
	if _, different := r.Cells(); err == nil && different > 0 {
		err = fmt.Errorf("%d violations", different)
	}
	return err
}

// one plays a cell and tells it.
func one(ctx context.Context, scenes []string, crashes []soak.Crash) error {
	if len(scenes) != 1 {
		return errors.New("-crash needs one -scene")
	}
	i := slices.IndexFunc(crashmatrix.Scenes, func(s crashmatrix.Scene) bool { return s.Name == scenes[0] })
	cell := crashmatrix.Cell{Scene: crashmatrix.Scenes[i], Crashes: crashes}
	undisturbed, err := cell.Scene.Undisturbed(ctx)
	if err != nil {
		return err
	}
	different, o, err := cell.Play(ctx, undisturbed)
	if err != nil {
		return err
	}
	fmt.Print(cell.Tell(o))
	if len(different) > 0 {
		fmt.Println(crashmatrix.Difference{Cell: cell, What: different})
		return fmt.Errorf("%d violations", len(different))
	}
	return nil
}

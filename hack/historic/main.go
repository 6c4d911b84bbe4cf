// Command historic compiles historic bugs into the product, one after another, and
// checks that the harness finds each of them, and that it finds nothing without
// them. test/historic tells how. It fails when a bug is not found.
//
// With -results it goes on where it was interrupted, or where -only left something out,
// as long as the commit is the same.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/sluice-rollouts/sluice/hack/internal/commit"
	"github.com/sluice-rollouts/sluice/test/historic"
)

type options struct {
	root, only, document, results string
	workers                       int
	controls                      bool
	patience                      time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.root, "root", ".", "directory of the repository")
	flag.StringVar(&o.only, "only", "", "regular expression of the names of bugs; others are left out")
	flag.StringVar(&o.document, "write", "", "document whose table is written anew once every bug was found")
	flag.StringVar(&o.results, "results", "", "file that keeps what was found at this commit; what is in it is not looked for again")
	flag.IntVar(&o.workers, "workers", 2, "bugs that are looked for side by side")
	flag.BoolVar(&o.controls, "controls", true, "run each detector without a bug too")
	flag.DurationVar(&o.patience, "patience", 5*time.Minute, "how long one detector may run")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "historic:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	bugs, err := chosen(o.only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "historic")
	if err != nil {
		return fmt.Errorf("making room: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	hunt := historic.Hunt{Root: o.root, Dir: dir, Patience: o.patience}
	k, err := open(o.results, commit.Of(ctx, o.root))
	if err != nil {
		return err
	}
	var controls []historic.Result
	if o.controls {
		controls = each(o.workers, historic.Controls(bugs), func(d historic.Detector) historic.Result {
			return k.or(control(d), historic.Bug{Name: "control", Detector: d}, func() historic.Result { return tell(hunt.Control(ctx, d)) })
		})
	}
	results := each(o.workers, bugs, func(b historic.Bug) historic.Result {
		return k.or(b.Name, b, func() historic.Result { return tell(hunt.Try(ctx, b)) })
	})
	if err := verdict(controls, results); err != nil {
		return err
	}
	return report(o, k)
}

// chosen are the bugs whose names match.
func chosen(only string) ([]historic.Bug, error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	all, err := historic.Bugs()
	var bugs []historic.Bug
	for _, b := range all {
		if pattern.MatchString(b.Name) {
			bugs = append(bugs, b)
		}
	}
	return bugs, err
}

// each does something with every item, a few side by side.
func each[T, R any](workers int, items []T, do func(T) R) []R {
	results := make([]R, len(items))
	slots := make(chan struct{}, max(1, workers))
	var all sync.WaitGroup
	for i, item := range items {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			results[i] = do(item)
		})
	}
	all.Wait()
	return results
}

// tell says how a bug fared as soon as it is known.
func tell(r historic.Result) historic.Result {
	name := r.Bug.Name
	if len(r.Bug.Hunks) == 0 {
		name += " " + r.Bug.Detector.String()
	}
	fmt.Printf("%-40s built in %s, ran %s: ", name, r.Building.Round(time.Second), r.Took.Round(100*time.Millisecond))
	switch {
	case r.Err != nil:
		fmt.Println(r.Err)
	case r.Found == "":
		fmt.Println("nothing reported")
	default:
		fmt.Printf("%s; %s\n", r.Found, r.After())
	}
	return r
}

// failed counts what did not go as it should.
func failed(results []historic.Result) int {
	n := 0
	for _, r := range results {
		if r.Err != nil {
			n++
		}
	}
	return n
}

// verdict is an error unless every bug was found and every control is clean.
func verdict(controls, results []historic.Result) error {
	missed, unclean := failed(results), failed(controls)
	fmt.Println(historic.Summary(results))
	fmt.Println(clean(controls))
	if missed+unclean > 0 {
		return fmt.Errorf("%d bugs not found, %d detectors not clean", missed, unclean)
	}
	return nil
}

// clean says how the detectors fared without a bug.
func clean(controls []historic.Result) string {
	return fmt.Sprintf("Without a bug %d of %d runs report nothing.", len(controls)-failed(controls), len(controls))
}

// Command explorer looks at every state that a rollout can get into in a small
// scope, and fails when an invariant is broken. test/explorer tells how it works.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/test/explorer"
)

func main() {
	var scope explorer.Scope
	flag.IntVar(&scope.Faults, "faults", 1, "faults on a path at most")
	flag.IntVar(&scope.Acts, "acts", 1, "acts of a person on a path at most")
	flag.BoolVar(&scope.Git, "git", false, "revisions come from spec.template")
	flag.BoolVar(&scope.Kept, "kept", false, "Config Connector keeps the service")
	flag.IntVar(&scope.MostStates, "states", 30_000_000, "the largest number of states; a level that was begun is finished")
	flag.IntVar(&scope.Workers, "workers", 2, "states looked at side by side; the result is the same")
	flag.BoolVar(&scope.First, "first", false, "end at the depth of the first violation")
	flag.Parse()
	debug.SetGCPercent(20) // nearly everything lives: garbage may not double it
	started := time.Now()
	scope.Decide = rollout.Decide
	scope.Progress = func(r explorer.Report) {
		fmt.Printf("depth %3d: %10d states, %11d edges, %s\n", r.Depth, r.States, r.Edges, time.Since(started).Round(time.Second))
	}
	r := explorer.Explore(scope)
	for _, v := range r.Violations {
		fmt.Println(v)
	}
	seconds := time.Since(started).Seconds()
	fmt.Printf("%d faults, %d acts, Git %v, kept %v: %d states, %d edges, depth %d, exhausted: %v; %d ways back walked; %d violations; %.0f states per second\n",
		scope.Faults, scope.Acts, scope.Git, scope.Kept, r.States, r.Edges, r.Depth, r.Exhausted, r.WaysBack, len(r.Violations), float64(r.States)/seconds)
	if len(r.Violations) > 0 {
		os.Exit(1)
	}
}

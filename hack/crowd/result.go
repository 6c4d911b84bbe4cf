package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// result is what a play came to.
type result struct {
	play    play
	took    []time.Duration // from a visible breach until stable serves everything, in order
	never   int             // bad ones that served nobody
	minutes float64         // of the world, from when the bad ones served
	passed  int64           // calls of Cloud Run and Cloud Monitoring
	refused int64
}

func (p play) read(cloud *cloud, from, storm time.Time, sites []site) (result, error) {
	r := result{
		play: p, minutes: cloud.now().Sub(storm).Minutes(),
		passed: cloud.storm.passed.Load(), refused: cloud.storm.refused.Load(),
	}
	events := cloud.log(from)
	for _, s := range sites {
		took, served, err := wayBack(events, s)
		switch {
		case err != nil:
			return result{}, err
		case !served:
			r.never++
		default:
			r.took = append(r.took, took)
		}
	}
	slices.Sort(r.took)
	return r, nil
}

// wayBack is how long it took from when the candidate's errors could be seen until
// stable served everything again; negative where it was faster than that plain rule.
// A candidate that served nobody had none to go.
func wayBack(events []simulator.Event, s site) (took time.Duration, reached bool, err error) {
	var served []invariants.Served
	var back time.Time
	for _, e := range events {
		switch {
		case e.Service != s.fullName():
		case e.Kind == simulator.EventTally && e.Revision == s.candidate():
			served = append(served, invariants.Served{End: e.At, Ended: e.Tally.Ended, Failed: e.Tally.Failed})
		case e.Kind == simulator.EventEffective && e.Split[s.stable()] == 100:
			back = e.At
		}
	}
	visible := invariants.FirstVisible(served)
	switch {
	case len(served) == 0:
		return 0, false, nil
	case visible.IsZero() || back.IsZero():
		return 0, true, fmt.Errorf("%s never failed visibly, or never went back", s.name)
	}
	return back.Sub(visible), true, nil
}

// share is the smallest of the times that a part of all does not exceed; 0 where no bad
// one served anybody.
func (r result) share(part float64) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	return r.took[max(0, int(math.Ceil(part*float64(len(r.took))))-1)].Round(time.Second)
}

func printTable(out io.Writer, results []result) error {
	_, _ = fmt.Fprint(out, "\nFrom a visible breach until stable serves everything again, in the world's time\n\n")
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "OTHERS\tREFUSED\tBAD\tNEVER SERVED\tP50\tP99\tMAX\tCALLS A MINUTE\tOF THEM REFUSED")
	for _, r := range results {
		_, _ = fmt.Fprintf(t, "%d\t%d%%\t%d\t%d\t%s\t%s\t%s\t%.0f\t%d\n", r.play.others, r.play.refused, r.play.bad, r.never,
			r.share(0.5), r.share(0.99), r.share(1), float64(r.passed+r.refused)/max(r.minutes, 1), r.refused)
	}
	return t.Flush()
}

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// result is what an act came to. Everything but outcome is taken from the
// world's log, never from what the manager says.
type result struct {
	act       act
	candidate string
	killed    bool
	outcome   v1alpha1.Phase
	from, to  time.Time

	weights  []int // of the candidate, as they served, one after the other
	requests int
	failed   int
	exposed  int // requests that the candidate served
	visible  time.Time
	back     time.Time // when stable served everything again
	final    map[string]int
}

// read fills in a result from the world's log.
func (r result) read(log []simulator.Event) result {
	var served []minute
	for _, e := range log {
		if e.At.Before(r.from) || e.At.After(r.to) {
			continue
		}
		switch e.Kind {
		case simulator.EventTally:
			r.requests += e.Tally.Ended
			r.failed += e.Tally.Failed + e.Tally.Unreached
			if e.Revision == r.candidate {
				r.exposed += e.Tally.Ended
				served = append(served, minute{e.At, e.Tally.Ended, e.Tally.Failed})
			}
		case simulator.EventEffective:
			r.step(e)
		case simulator.EventCall, simulator.EventDesired, simulator.EventSettled, simulator.EventFault,
			simulator.EventRevisionCreated, simulator.EventRevisionReady, simulator.EventRevisionFailed, simulator.EventRevisionLost:
		}
	}
	r.visible = firstVisible(served)
	return r
}

// step follows the split that serves.
func (r *result) step(e simulator.Event) {
	weight := e.Split[r.candidate]
	r.final = e.Split
	if len(r.weights) == 0 && weight == 0 {
		return
	}
	if len(r.weights) == 0 || r.weights[len(r.weights)-1] != weight {
		r.weights = append(r.weights, weight)
	}
	if weight == 0 {
		r.back = e.At
	}
}

// minute is what one revision served in the minute that ends at end.
type minute struct {
	end       time.Time
	n, failed int
}

// visibleAfter is when a minute of request_count has certainly arrived: sampled
// every 60 s, visible up to 180 s later (Cloud Run metrics list).
const visibleAfter = 240 * time.Second

// firstVisible is when the candidate's errors could first be told from chance by
// anyone who reads the metrics: three errors, more than one percent, and enough
// minutes to have arrived. It is a plainer rule than Sluice's own, and earlier.
func firstVisible(served []minute) time.Time {
	n, failed := 0, 0
	for _, m := range served {
		n, failed = n+m.n, failed+m.failed
		if failed >= 3 && failed*100 > n {
			return m.end.Add(visibleAfter)
		}
	}
	return time.Time{}
}

func printTable(out io.Writer, results []result) {
	_, _ = fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "ACT\tWEIGHTS\tREQUESTS\tFAILED\tVISIBLE BREACH TO 100% STABLE\tMANAGER KILLED\tOUTCOME")
	for _, r := range results {
		breach := "no breach"
		if !r.visible.IsZero() && !r.back.IsZero() {
			breach = r.back.Sub(r.visible).Round(time.Second).String()
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%d (%.2f%%)\t%s\t%v\t%s\n", r.act.title, weights(r.weights), r.requests,
			r.failed, percent(r.failed, r.requests), breach, r.killed, r.outcome)
	}
	_ = t.Flush()
}

func weights(list []int) string {
	text := make([]string, 0, len(list))
	for _, w := range list {
		text = append(text, fmt.Sprintf("%d%%", w))
	}
	return strings.Join(text, " > ")
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// promises is how many things brokenPromises looks at.
const promises = 9

// longestWayBack is how long after a breach is visible to anyone stable may take
// to serve everything again, in simulated time. The manager's restart, up to
// eight simulated minutes until the killed one's lease is over, is part of it.
const longestWayBack = 15 * time.Minute

// brokenPromises holds the results against what Sluice promises.
func (s *stage) brokenPromises(results []result) []string {
	broken := s.watch.broken
	miss := func(holds bool, format string, args ...any) {
		if !holds {
			broken = append(broken, fmt.Sprintf(format, args...))
		}
	}
	good, bad := results[0], results[1]
	miss(good.outcome == v1alpha1.PhaseCompleted, "the healthy release ended as %s", good.outcome)
	miss(slices.Equal(good.weights, []int{5, 25, 50, 100}), "the healthy release went %s", weights(good.weights))
	miss(good.final[good.candidate] == 100, "the healthy release serves %d%%", good.final[good.candidate])
	miss(bad.outcome == v1alpha1.PhaseRolledBack, "the bad release ended as %s", bad.outcome)
	miss(slices.Equal(bad.weights, []int{5, 0}), "the bad release went %s, not back at its first step", weights(bad.weights))
	miss(bad.final[good.candidate] == 100, "after the rollback %s serves %d%%", good.candidate, bad.final[good.candidate])
	miss(!bad.visible.IsZero() && bad.back.Sub(bad.visible) <= longestWayBack,
		"the way back took %s after the breach was visible", bad.back.Sub(bad.visible))
	for _, r := range results {
		miss(r.killed, "the manager was not killed in act %s", r.act.title)
	}
	return broken
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// result is what an act came to. Everything but held and outcome is taken from the
// world's log and its metrics, never from what the manager says.
type result struct {
	act       act
	candidate string
	killed    bool
	held      bool // seen in the status, because of the NAT
	outcome   v1alpha1.Phase
	from, to  time.Time

	weights  []int       // of the candidate, as they served, one after the other
	since    []time.Time // when each began to serve
	drops    []dropped
	requests int
	failed   int
	exposed  int // requests that the candidate served
	visible  time.Time
	back     time.Time // when stable served everything again
	final    map[string]int
}

// read fills in a result from the world's log.
func (r result) read(log []simulator.Event) result {
	var served []invariants.Served
	for _, e := range log {
		if e.At.Before(r.from) || e.At.After(r.to) || e.Service != cmp.Or(r.act.service, service) {
			continue
		}
		switch e.Kind {
		case simulator.EventTally:
			r.requests += e.Tally.Ended
			r.failed += e.Tally.Failed + e.Tally.Unreached
			if e.Revision == r.candidate {
				r.exposed += e.Tally.Ended
				served = append(served, invariants.Served{End: e.At, Ended: e.Tally.Ended, Failed: e.Tally.Failed})
			}
		case simulator.EventEffective:
			r.step(e)
		case simulator.EventCall, simulator.EventDesired, simulator.EventSettled, simulator.EventFault, simulator.EventInstanceFailed,
			simulator.EventRevisionCreated, simulator.EventRevisionReady, simulator.EventRevisionFailed, simulator.EventRevisionLost:
		}
	}
	r.visible = invariants.FirstVisible(served)
	if len(r.drops) > 1 && r.visible.IsZero() {
		r.visible = r.drops[1].end.Add(dropsVisibleAfter)
	}
	return r
}

// dropped is how many packets the NAT dropped in the minute that ends at end.
type dropped struct {
	end     time.Time
	packets int64
}

// dropping is from when to when it dropped packets; zero for never.
func (r result) dropping() (from, to time.Time) {
	if len(r.drops) == 0 {
		return time.Time{}, time.Time{}
	}
	return r.drops[0].end.Add(-time.Minute), r.drops[len(r.drops)-1].end
}

// servedSince is when a weight began to serve; zero where it never did.
func (r result) servedSince(weight int) time.Time {
	if i := slices.Index(r.weights, weight); i >= 0 {
		return r.since[i]
	}
	return time.Time{}
}

// step follows the split that serves.
func (r *result) step(e simulator.Event) {
	weight := e.Split[r.candidate]
	r.final = e.Split
	if len(r.weights) == 0 && weight == 0 {
		return
	}
	if len(r.weights) == 0 || r.weights[len(r.weights)-1] != weight {
		r.weights, r.since = append(r.weights, weight), append(r.since, e.At)
	}
	if weight == 0 {
		r.back = e.At
	}
}

// dropsVisibleAfter is how long after its end a minute of dropped packets has arrived
// at the latest (NAT metrics list: 225 s).
const dropsVisibleAfter = 225 * time.Second

func printTable(out io.Writer, results []result) {
	_, _ = fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "ACT\tWEIGHTS\tREQUESTS\tFAILED\tNAT DROPPED PACKETS\tBREACH VISIBLE TO BACK\tKILLED\tOUTCOME")
	for _, r := range results {
		breach := "no breach"
		if !r.visible.IsZero() {
			breach = "not needed"
		}
		if !r.visible.IsZero() && !r.back.IsZero() {
			breach = r.back.Sub(r.visible).Round(time.Second).String()
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%d (%.2f%%)\t%s\t%s\t%s\t%s\n", r.act.title, weights(r.weights), r.requests,
			r.failed, percent(r.failed, r.requests), r.packets(), breach, map[bool]string{true: "once", false: "no"}[r.killed], r.came())
	}
	_ = t.Flush()
}

// packets tells how many packets the NAT dropped, and when.
func (r result) packets() string {
	if len(r.drops) == 0 {
		return "none"
	}
	sum := int64(0)
	for _, d := range r.drops {
		sum += d.packets
	}
	from, to := r.dropping()
	return fmt.Sprintf("%d, %s to %s", sum, from.Format("15:04"), to.Format("15:04"))
}

// came is how the act came to its end.
func (r result) came() string {
	if r.held {
		return "Held, then " + string(r.outcome)
	}
	return string(r.outcome)
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

// longestWayBack is how long after a breach is visible to anyone stable may take
// to serve everything again, in simulated time. The manager's restart, up to
// eight simulated minutes until the killed one's lease is over, is part of it.
const longestWayBack = 15 * time.Minute

// rollbackAfter is how long the manifest of act 4 waits for a NAT.
const rollbackAfter = 20 * time.Minute

// longestProof is how long it may take until it is shown that a release causes what
// its NAT suffers from: the patience once, a while at the smaller weight, and the
// patience again.
const longestProof = 3 * rollbackAfter

// brokenPromises holds the results against what Sluice promises. It returns how
// many promises it looked at.
func (s *stage) brokenPromises(results []result) (looked int, broken []string) {
	looked, broken = 1, s.watch.broken // the first one is that nothing was judged too early
	for _, r := range results {
		promise := func(holds bool, format string, args ...any) {
			looked++
			if !holds {
				broken = append(broken, "act "+r.act.title+": "+fmt.Sprintf(format, args...))
			}
		}
		promise(r.outcome == r.act.ends, "it ended as %s, not %s", r.outcome, r.act.ends)
		promise(r.killed, "the manager was not killed, because the rollout was never seen %s", r.act.killAt)
	}
	promise := func(holds bool, format string, args ...any) {
		looked++
		if !holds {
			broken = append(broken, fmt.Sprintf(format, args...))
		}
	}
	good, bad, held, stuck := results[0], results[1], results[2], results[3]
	promise(slices.Equal(good.weights, []int{5, 25, 50, 100}), "the healthy release went %s", weights(good.weights))
	promise(good.final[good.candidate] == 100, "the healthy release serves %d%%", good.final[good.candidate])

	promise(slices.Equal(bad.weights, []int{5, 0}), "the bad release went %s, not back at its first step", weights(bad.weights))
	promise(bad.final[good.candidate] == 100, "after the rollback %s serves %d%%", good.candidate, bad.final[good.candidate])
	promise(!bad.visible.IsZero() && bad.back.Sub(bad.visible) <= longestWayBack,
		"the way back took %s after the breach was visible, longer than %s", bad.back.Sub(bad.visible), longestWayBack)

	began, ended := held.dropping()
	promise(!began.IsZero() && held.held, "4a: the NAT dropped %s, and the rollout was never seen Held for it", held.packets())
	promise(slices.Equal(held.weights, []int{5, 25, 100}), "4a: the release went %s, not up when the drops had stopped", weights(held.weights))
	promise(held.servedSince(100).After(ended), "4a: it rose to 100%% at %s, and the NAT dropped packets until %s",
		held.servedSince(100).Format(time.TimeOnly), ended.Format(time.TimeOnly))

	began, ended = stuck.dropping()
	promise(!began.IsZero() && stuck.held, "4b: the NAT dropped %s, and the rollout was never seen Held for it", stuck.packets())
	promise(slices.Equal(stuck.weights, []int{5, 25, 5, 25, 0}),
		"4b: the release went %s, not back by one step to see whether it is the cause, and then all the way", weights(stuck.weights))
	promise(stuck.final[held.candidate] == 100, "4b: after the rollback %s serves %d%%", held.candidate, stuck.final[held.candidate])
	waited := stuck.back.Sub(began)
	promise(waited >= rollbackAfter, "4b: it went back %s after the first packet was dropped, sooner than %s", waited, rollbackAfter)
	promise(stuck.back.Sub(stuck.visible) <= longestProof+longestWayBack,
		"4b: the way back took %s after the breach was visible, longer than %s", stuck.back.Sub(stuck.visible), longestProof+longestWayBack)
	promise(ended.Sub(stuck.back) <= 2*time.Minute, "4b: the NAT went on dropping packets until %s, %s after the rollback",
		ended.Format(time.TimeOnly), ended.Sub(stuck.back))
	return looked, broken
}

// judged holds every write against the invariants that the world's log is enough
// for. The others need to know what the status said at that moment.
func judged(log []simulator.Event) (verdict string, broken []string) {
	writes := 0
	for _, e := range log {
		c := e.Call
		if c == nil || c.Operation != "services.patch" || c.Caller != caller || !c.Accepted {
			continue
		}
		writes++
		if c.Before == nil || c.Etag != c.Before.Etag {
			broken = append(broken, fmt.Sprintf("I2 at %s: a write was accepted that does not rest on the version before it", e.At.Format(time.TimeOnly)))
		}
	}
	for _, v := range invariants.Judge(invariants.FromLog(log, service, caller)) {
		if v.Invariant == "I1" {
			broken = append(broken, v.String())
		}
	}
	if writes == 0 {
		broken = append(broken, "no write of "+caller+" is in the world's log")
	}
	return fmt.Sprintf("%d writes judged by I1 (mask, etag, sum, revisions, tags) and I2 (each rests on the version before it): %d violations.",
		writes, len(broken)), broken
}

// history lists every split that was asked for or served, for a failure.
func history(log []simulator.Event) string {
	var text strings.Builder
	for _, e := range log {
		if e.Kind == simulator.EventDesired || e.Kind == simulator.EventEffective {
			fmt.Fprintf(&text, "  %s  %-9s by %s: %v\n", e.At.Format(time.TimeOnly), e.Kind, e.Author, e.Split)
		}
	}
	return text.String()
}

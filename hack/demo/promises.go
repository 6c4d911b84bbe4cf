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
)

const (
	// shortestTrouble is how long the incident lasts at least, in minutes.
	shortestTrouble = 10
	// smallPart is how many requests fail without Sluice for each that may with it.
	smallPart = 50
	// longestUnreached is in how many minutes more than 1 % may fail with Sluice: an
	// instance that starts takes up to 43 s to reach its network, whatever NAT has.
	longestUnreached = 2
)

// plannedWeights are the steps of a rollout that says nothing.
var plannedWeights = []int{5, 25, 50, 100}

// promise is what the first act must show, and what was found.
type promise struct {
	sentence string
	found    string
	holds    bool
}

// promises holds the act against what Sluice promises.
func (a incident) promises() []promise {
	from := a.without.released
	before := [2]figures{a.without.of(time.Time{}, from), a.with.of(time.Time{}, a.with.released)}
	f, g := a.figures()
	var list []promise
	add := func(holds bool, sentence, found string, args ...any) {
		list = append(list, promise{sentence, fmt.Sprintf(found, args...), holds})
	}
	add(before[0].failed+before[1].failed == 0, "before the release not one request fails, in either world",
		"%d of %d and %d of %d", before[0].failed, before[0].asked, before[1].failed, before[1].asked)
	add(f.trouble >= shortestTrouble, fmt.Sprintf("without Sluice users are in trouble for at least %d minutes", shortestTrouble),
		"%d minutes in which more than 1%% of the requests failed", f.trouble)
	add(f.starved*10 >= f.trouble*8, "without Sluice new instances wait for ports meanwhile, beside old ones that idle",
		"in %d of these minutes", f.starved)
	add(f.timedOut > 0 && f.fetchFailed > 0, "without Sluice users get 504, and what calls another service says fetch failed",
		"%d and %d", f.timedOut, f.fetchFailed)
	add(g.trouble <= longestUnreached, fmt.Sprintf("with Sluice there are at most %d minutes of trouble", longestUnreached), "%d", g.trouble)
	add(g.dropped == 0 && g.without == 0, "with Sluice not one packet is dropped because of a step, and no instance waits for ports",
		"%d dropped, %d waited", g.dropped, g.without)
	add(g.failed*smallPart < f.failed, fmt.Sprintf("with Sluice less than one request fails for %d that do without", smallPart),
		"%d instead of %d", g.failed, f.failed)
	return append(list, a.promisesOfPace()...)
}

// promisesOfPace are about how Sluice went about it.
func (a incident) promisesOfPace() []promise {
	var list []promise
	add := func(holds bool, sentence, found string, args ...any) {
		list = append(list, promise{sentence, fmt.Sprintf(found, args...), holds})
	}
	rises, inserted, done, discovered := true, 0, true, true
	var paths, found []string
	for _, name := range shopServices {
		all := a.with.weights(name)
		paths = append(paths, name+" "+weights(all))
		rises = rises && onlyRises(all)
		for _, w := range all {
			if !slices.Contains(plannedWeights, w) {
				inserted++
			}
		}
		done = done && a.seen.ended[name] == v1alpha1.PhaseCompleted
		g := a.seen.gateways[name]
		discovered = discovered && g.Name == "nat-1" && g.Project == "acme-net" && g.Origin == v1alpha1.OriginDiscovered
		found = append(found, fmt.Sprintf("%s by %s: %s/%s/%s/%s", g.Origin, name, g.Project, g.Region, g.Router, g.Name))
	}
	add(rises && done, "with Sluice both services reach 100%, and no weight falls on the way", "%s", strings.Join(paths, "; "))
	told := cmp.Or(arithmetic(a.seen.arithmetic), a.seen.tight)
	add(inserted > 0 || a.seen.arithmetic != "", "a smaller weight is inserted, or a rise waits, so that NAT can follow", "%d weights inserted", inserted)
	add(told != "", "the status tells why with its arithmetic", "%q", told)
	add(discovered, "the gateway is found by the way that the traffic takes, without being named", "%s", strings.Join(found, "; "))
	add(len(a.seen.tooEarly) == 0, "nothing is judged before its data can have arrived", "%s", strings.Join(append(a.seen.tooEarly, "checked at every look"), "; "))
	return list
}

// arithmetic cuts what a wait says down to its numbers.
func arithmetic(message string) string {
	_, numbers, _ := strings.Cut(message, "waits for room: ")
	numbers, _, _ = strings.Cut(numbers, ". ")
	numbers, _, _ = strings.Cut(numbers, "; no smaller")
	return numbers
}

// figures are what both ways come to, over the same time.
func (a incident) figures() (without, with figures) {
	return a.without.of(a.without.released, a.without.released.Add(a.until)), a.with.of(a.with.released, a.with.released.Add(a.until))
}

// tell prints the comparison and the promises, and returns those that are broken.
func (a incident) tell(out io.Writer) (looked int, broken []string) {
	f, g := a.figures()
	_, _ = fmt.Fprintf(out, "\nThe same %d minutes from the release on, as the two worlds tell them\n\n", int(a.until.Minutes()))
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "  RELEASE\tREQUESTS\tFAILED\t504\tFETCH FAILED\tTROUBLE\tNAT DROPPED\tENDPOINTS AT THE PEAK\tWITHOUT PORTS\t100% AFTER")
	for i, way := range []truth{a.without, a.with} {
		sum := []figures{f, g}[i]
		_, _ = fmt.Fprintf(t, "  %s\t%d\t%s\t%d\t%d\t%d min\t%d packets\t%d of %d\t%d\t%s\n", way.way, sum.asked, sum.losses(), sum.timedOut,
			sum.fetchFailed, sum.trouble, sum.dropped, sum.endpoints, sum.capacity, sum.without, minutesOf(way.whole()))
	}
	_ = t.Flush()
	_, _ = fmt.Fprintln(out)
	for _, p := range a.promises() {
		word := "kept"
		if !p.holds {
			word = "BROKEN"
			broken = append(broken, fmt.Sprintf("act 1: %s: %s", p.sentence, p.found))
		}
		looked++
		_, _ = fmt.Fprintln(out, wrap(fmt.Sprintf("  %s: ", word), p.sentence+": "+p.found))
	}
	return looked, broken
}

// minutesOf writes how long something took; 0 is that it never happened.
func minutesOf(d time.Duration) string {
	if d == 0 {
		return "never"
	}
	return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
}

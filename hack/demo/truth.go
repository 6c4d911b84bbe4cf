package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// truth is what a world says of the first act: what its users met, and what the
// gateway had to give. Nothing of it is taken from what Sluice says.
type truth struct {
	way      string
	released time.Time
	minutes  []simulator.Minute
	rises    map[string][]rise // of each service's new revision, one after the other
}

// rise is when a weight began to serve.
type rise struct {
	at     time.Time
	weight int
}

// figures are what a stretch of minutes comes to.
type figures struct {
	asked, failed         int
	timedOut, fetchFailed int // of the failed
	trouble               int // minutes in which more than 1 % of the requests failed
	starved               int // of these: new instances waited for ports beside idle ones
	dropped               int // packets
	endpoints, without    int // the most that had ports, and that waited for some
	capacity              int // in endpoints
}

// portsPerEndpoint is what the scenario gives an endpoint.
const portsPerEndpoint = 512

// of sums up minutes that ended in (from, to].
func (t truth) of(from, to time.Time) figures {
	var f figures
	for _, m := range t.minutes {
		if m.End.After(from) && !m.End.After(to) {
			f = f.with(m)
		}
	}
	return f
}

// with adds a minute.
func (f figures) with(m simulator.Minute) figures {
	asked, failed, idle, without := 0, 0, 0, 0
	count := func(t simulator.Tally) {
		asked += t.Ended + t.Unreached
		failed += t.Failed + t.Unreached
	}
	for _, r := range m.Revisions {
		count(r.Tally)
		idle += r.Idle
		f.timedOut, f.fetchFailed = f.timedOut+r.TimedOut, f.fetchFailed+r.FetchFailed
	}
	for _, g := range m.Machines {
		count(g.Tally)
	}
	for _, g := range m.Gateways {
		without += g.Without
		f.dropped += g.Dropped
		f.endpoints, f.capacity = max(f.endpoints, g.Endpoints), max(f.capacity, g.Capacity/portsPerEndpoint)
	}
	f.asked, f.failed, f.without = f.asked+asked, f.failed+failed, max(f.without, without)
	if failed*100 > asked {
		f.trouble++
		if without > 0 && idle > 0 {
			f.starved++
		}
	}
	return f
}

// losses writes how many requests failed, and their share.
func (f figures) losses() string {
	if f.failed == 0 {
		return "none"
	}
	return fmt.Sprintf("%d (%.2g%%)", f.failed, percent(f.failed, f.asked))
}

// risesOf reads from a world's log at which weights the revisions served that were
// deployed from a moment on.
func risesOf(log []simulator.Event, released time.Time) map[string][]rise {
	candidates, rises := map[string]string{}, map[string][]rise{}
	for _, e := range log {
		if e.At.Before(released) {
			continue
		}
		name := e.Service[strings.LastIndex(e.Service, "/")+1:]
		if e.Kind == simulator.EventRevisionCreated {
			candidates[name] = e.Revision
		}
		if e.Kind != simulator.EventEffective {
			continue
		}
		weight := e.Split[candidates[name]]
		if past := rises[name]; len(past) == 0 && weight > 0 || len(past) > 0 && past[len(past)-1].weight != weight {
			rises[name] = append(past, rise{e.At, weight})
		}
	}
	return rises
}

// weights are those that a service's new revision had.
func (t truth) weights(service string) []int {
	var all []int
	for _, r := range t.rises[service] {
		all = append(all, r.weight)
	}
	return all
}

// whole is how long it took until every new revision had all traffic; 0 if one
// never had.
func (t truth) whole() time.Duration {
	took := time.Duration(0)
	for _, name := range shopServices {
		i := slices.IndexFunc(t.rises[name], func(r rise) bool { return r.weight == 100 })
		if i < 0 {
			return 0
		}
		took = max(took, t.rises[name][i].at.Sub(t.released))
	}
	return took
}

// onlyRises tells whether the weights of a service never fell, and ended at 100.
func onlyRises(weights []int) bool {
	return slices.IsSorted(weights) && len(weights) > 0 && weights[len(weights)-1] == 100
}

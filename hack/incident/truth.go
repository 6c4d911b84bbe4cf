package main

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// truth is how full the way out is: what is lent and what waits for ports, over
// all gateways, and the addresses that are used of all subnetworks.
type truth struct {
	ports, capacity    int
	endpoints, without int
	addresses          int
	dropped            int // packets, as many as there were in that time
}

// beside is the most that there was at a time in both, and all that was dropped.
func (t truth) beside(o truth) truth {
	return truth{
		max(t.ports, o.ports), max(t.capacity, o.capacity), max(t.endpoints, o.endpoints), max(t.without, o.without),
		max(t.addresses, o.addresses), t.dropped + o.dropped,
	}
}

// wanted is how many ports there would have to be.
func (m minute) wanted() int {
	if m.endpoints == 0 {
		return m.ports
	}
	return m.ports + m.without*m.ports/m.endpoints
}

// minutes reads what was true from the world.
func minutes(world *simulator.World, first pilot.Release) []minute {
	log := world.Log()
	weight, at := 0, 0
	var all []minute
	for _, m := range world.Minutes(world.Start(), world.Now()) {
		for ; at < len(log) && !log[at].At.After(m.End); at++ {
			if e := log[at]; e.Kind == simulator.EventEffective && e.Service == first.Service {
				weight = e.Split[first.Revision]
			}
		}
		all = append(all, asMinute(m, weight))
	}
	return all
}

func asMinute(m simulator.Minute, weight int) minute {
	out := minute{end: m.End, weight: weight}
	for _, r := range m.Revisions {
		out.count(r.Tally)
		out.failed += r.NotFound
		out.timedOut += r.TimedOut
		out.instances += r.Active + r.Idle
	}
	for _, g := range m.Machines {
		out.count(g.Tally)
	}
	for _, g := range m.Gateways {
		out.ports, out.capacity = out.ports+g.Allocated, out.capacity+g.Capacity
		out.endpoints, out.without = out.endpoints+g.Endpoints, out.without+g.Without
		out.dropped += g.Dropped
	}
	for _, s := range m.Subnetworks {
		out.addresses += s.Used
	}
	return out
}

func (m *minute) count(t simulator.Tally) {
	m.asked += t.Ended + t.Unreached
	m.failed += t.Failed + t.Unreached
	m.unreached += t.Unreached
}

// firstRelease is what was deployed first in a world.
func firstRelease(world *simulator.World) pilot.Release {
	if all := pilot.Releases(world); len(all) > 0 {
		return all[0]
	}
	return pilot.Release{Deployed: time.Time{}}
}

package fleet

import (
	"errors"
	"fmt"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// HealthCheck starts the one instance that every new revision gets, with or
// without traffic.
func (r *Revision) HealthCheck() {
	r.unchecked, r.checkBy = true, r.fleet.now+r.Probe
	r.begin(true)
}

// check tries again to start the health check's instance while the subnet has no
// address for it.
func (r *Revision) check() {
	switch {
	case !r.unchecked || len(r.instances) > 0:
	case r.fleet.now >= r.checkBy:
		r.unchecked = false
		r.report.Events = append(r.report.Events, Event{Failure: r.shortage, First: true})
	case r.fleet.second%every == 0:
		r.begin(true)
	}
}

// begin starts an instance. It tells whether there was an address for it.
func (r *Revision) begin(first bool) bool {
	i := r.attach()
	if i == nil {
		return false
	}
	f := r.fleet
	i.first, i.listenAt = first, f.now+r.ReadyAfter
	if r.Exit.direct() {
		i.egressAt = f.now + f.stall()
	}
	for n := range r.Opens {
		o := &r.Opens[n]
		index := len(r.Calls) + n
		if o.Required {
			i.pending += o.Connections
		}
		i.cohorts = append(i.cohorts, cohort{count: o.Connections, begun: f.now, at: f.now, since: f.now, open: index, kind: opens, phase: asking})
	}
	f.wake(i)
	return true
}

// attach makes an instance and gives it its addresses.
func (r *Revision) attach() *instance {
	i := &instance{rev: r, born: r.fleet.now, pools: make([]pool, len(r.calls))}
	switch e := r.Exit; {
	case r.Machines > 0:
		i.endpoint, _ = r.fleet.Network.AttachMachines(e.Subnet, r.Machines)
	case e.Connector != nil:
		i.endpoint = e.Connector.endpoint
	case e.Egress != "":
		endpoint, err := r.fleet.Network.AttachInstance(e.Subnet, e.Egress)
		if err != nil {
			r.unattached(err)
			return nil
		}
		i.endpoint = endpoint
	}
	r.shortage = ""
	r.instances = append(r.instances, i)
	return i
}

// unattached tells, once, that instances find no address.
func (r *Revision) unattached(err error) {
	if r.shortage != "" {
		return
	}
	text := err.Error()
	if errors.Is(err, network.ErrNoAddress) {
		text = fmt.Sprintf("Instance failed to start because of insufficient free IP addresses in the subnetwork %s.", r.Exit.Subnet.Name)
	}
	r.report.Events = append(r.report.Events, Event{Failure: text})
	r.shortage = text
}

// stall is how long a new instance's packets go nowhere. The quantiles are those
// that somebody measured with Direct VPC egress and Cloud NAT: p50 20.2 s, p90
// 36.5 s, at most 42.7 s of 19 [public code, 2026-10-09]; between them it is
// linear, and all scale with the median that the timing gives.
func (f *Fleet) stall() float64 {
	quantiles := [...]struct{ share, time float64 }{{0, 0}, {0.5, 1}, {0.9, 36.5 / 20.2}, {1, 42.7 / 20.2}}
	u := f.luck.Float64()
	for n := 1; n < len(quantiles); n++ {
		a, b := quantiles[n-1], quantiles[n]
		if u <= b.share {
			return f.timing.Egress.Seconds() * (a.time + (b.time-a.time)*(u-a.share)/(b.share-a.share))
		}
	}
	return f.timing.Egress.Seconds()
}

// opened notes how the opening of connections at the start ended.
func (i *instance) opened(c *cohort) {
	switch {
	case !i.rev.required[c.open]:
	case c.code == ok:
		i.pending -= c.count
		i.listenAt = max(i.listenAt, c.at)
	case c.code < 500:
		i.failure = fmt.Sprintf("its call to %s was answered %d", i.rev.calls[c.open].Target.name(), c.code)
	default:
		i.failure = fmt.Sprintf("it could not connect to %s", i.rev.calls[c.open].Target.name())
	}
}

func (t Target) name() string {
	if t.Service != nil {
		return "the public URL of " + t.Service.Name
	}
	return t.Name
}

// age lets a starting instance become ready or fail.
func (i *instance) age() {
	if i.state != starting {
		return
	}
	r, now := i.rev, i.rev.fleet.now
	if i.pending > 0 && now >= i.born+r.Probe && i.failure == "" {
		i.failure = "its connections were not open in time"
	}
	switch {
	case i.failure != "":
		i.fail()
	case i.pending == 0 && now >= i.listenAt && r.Fails:
		i.failure = "its container did not listen"
		i.fail()
	case i.pending == 0 && now >= i.listenAt:
		i.state = serving
		r.startups.add(now - i.born)
		if i.first {
			r.unchecked = false
			r.report.Events = append(r.report.Events, Event{Healthy: true, First: true})
		}
		r.fleet.callUp(r)
	}
}

func (i *instance) fail() {
	if i.first {
		i.rev.unchecked = false
	}
	i.rev.report.Events = append(i.rev.report.Events, Event{Failure: i.failure, First: i.first})
	i.end()
}

// end takes an instance out of the world. Requests that it has end with 503.
func (i *instance) end() {
	for _, c := range i.cohorts {
		if c.kind != opens && c.count > 0 {
			c.at, c.code = max(c.begun, i.rev.fleet.now), unavailable
			i.finish(&c)
		}
	}
	i.cohorts, i.state = nil, over
	if i.endpoint != nil && i.rev.Exit.Connector == nil {
		i.endpoint.Detach()
	}
}

// Prewarm puts a number of instances there that have been running for long.
func (r *Revision) Prewarm(n int) {
	for range min(max(n, r.Limits.Min), r.Limits.Max) {
		i := r.attach()
		if i == nil {
			return
		}
		i.state, i.lastUsed = serving, r.fleet.now
		for k := range r.Opens {
			o := &r.Opens[k]
			if i.endpoint != nil && o.Target.Service == nil {
				i.store(&o.Call, i.endpoint.Open(o.Target.Host, o.Connections))
			}
		}
	}
	r.target = len(r.instances)
}

// Lose ends a revision with all that it has.
func (r *Revision) Lose() {
	r.lost = true
	for _, i := range r.instances {
		i.end()
	}
	r.instances = nil
	for _, p := range r.queue {
		r.refuse(p, unavailable)
	}
	r.queue, r.queued = nil, 0
	r.fleet.forget(r)
}

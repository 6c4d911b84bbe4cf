package fleet

import "math"

// pool is what an instance knows of the connections that it keeps for one call.
type pool struct {
	held    int     // taken out of the network's pool in this second
	talking int     // of these, busy beyond this second
	spent   float64 // connection-seconds used up in this second
	tries   int     // packets that asked in vain for one more
	retryAt float64
}

// fromPool takes connections for calls out of a pool, which grows as it has to.
// Calls that follow each other within a second share a connection. Since they do
// not come one right after the other by themselves, a pool opens twice what would
// do if they did (chosen); where it cannot, they wait for each other.
func (i *instance) fromPool(c *cohort, index int) int {
	p, call := &i.pools[index], &i.rev.calls[index]
	each := min(1, call.expected())
	need := p.talking + int(math.Ceil(2*(p.spent+float64(c.count)*each)))
	if each >= 1 {
		need = p.talking + int(math.Ceil(p.spent)) + c.count
	}
	if call.Pool > 0 {
		need = min(need, call.Pool)
	}
	i.grow(p, call, c.at, need)
	room := float64(p.held-p.talking) - p.spent
	return min(c.count, max(0, int(room/max(each, 1e-6)+1e-9)))
}

// expected is how long a call takes on average.
func (c *Call) expected() float64 {
	if c.Target.Service != nil {
		return c.Target.Service.took
	}
	return c.Target.Latency
}

// grow opens connections until the pool has enough. One that finds no port is
// asked for again after 1, 3, 7, 15, 31 seconds, until its client gives up and
// begins anew.
func (i *instance) grow(p *pool, call *Call, at float64, need int) {
	want := need - p.held
	switch {
	case want <= 0:
		return
	case i.endpoint == nil:
		p.held += want
		return
	case i.throughVPC(call.Target) && at < i.egressAt:
		return
	case at < p.retryAt:
		want = min(want, i.endpoint.Connections(call.Target.Host).Idle)
	}
	got := i.endpoint.Open(call.Target.Host, want)
	p.held += got
	if got == want {
		return
	}
	i.endpoint.Dropped(call.Target.Host, want-got)
	p.tries++
	p.retryAt = at + resend(p.tries) - resend(p.tries-1)
	if resend(p.tries) > call.Timeout {
		p.retryAt = at + max(1, call.Timeout-resend(p.tries-1))
		p.tries = 0
	}
}

// occupy notes that calls need connections of the pool for some time, and tells
// whether beyond this second.
func (i *instance) occupy(p *pool, c *cohort, took float64) bool {
	if c.at+took < i.rev.fleet.now+1 {
		p.spent += float64(c.count) * took
		return false
	}
	p.talking += c.count
	return true
}

// leave ends the calls of a cohort. Those that began in an earlier second have used
// their connections in a part of this one.
func (p *pool) leave(c *cohort, now float64) {
	if c.busy {
		p.talking = max(0, p.talking-c.count)
		p.spent += float64(c.count) * max(0, c.at-now)
	}
}

// rest puts the connections that nobody needs beyond this second back. Requests
// that wait for the answer of a service keep theirs.
func (i *instance) rest() {
	for n := range i.cohorts {
		c := &i.cohorts[n]
		if c.phase == waiting && c.kept && !c.busy {
			_, index := i.call(c)
			p := &i.pools[index]
			i.grow(p, &i.rev.calls[index], i.rev.fleet.now, p.talking+c.count)
			p.talking = min(p.talking+c.count, p.held)
			c.busy = true
		}
	}
	for n := range i.pools {
		p := &i.pools[n]
		if p.held > p.talking {
			i.store(&i.rev.calls[n], p.held-p.talking)
			p.held = p.talking
		}
		p.spent = 0
	}
}

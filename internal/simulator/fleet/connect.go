package fleet

import (
	"math"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// call is what a cohort calls at its stage.
func (i *instance) call(c *cohort) (*Call, int) {
	n := c.open
	if c.kind != opens {
		n = i.rev.stages[c.stage].call
	}
	return &i.rev.calls[n], n
}

// throughVPC tells whether packets to a target go into the VPC network.
func (i *instance) throughVPC(t Target) bool {
	egress := i.rev.Exit.Egress
	return egress == network.AllTraffic || (egress != "" && t.Path == network.PathPrivate)
}

// connect gives a cohort the connections that it needs; those who get none hang.
func (i *instance) connect(c *cohort) {
	call, index := i.call(c)
	if c.phase == hanging && c.at >= i.deadline(c, call) {
		i.expire(c, call)
		return
	}
	kept := call.KeepAlive && c.kind != opens
	got := 0
	if kept {
		got = i.fromPool(c, index)
	} else {
		got = i.dial(c, call)
	}
	switch {
	case got == 0:
		i.hang(c, call)
		return
	case got < c.count:
		rest := *c
		rest.count -= got
		i.hang(&rest, call)
		i.add(rest)
	}
	c.count, c.kept = got, kept
	i.reach(c, call, index)
}

// dial opens connections of the requests' own. Every packet that finds no port is
// dropped; one that the network does not carry yet is no gateway's.
func (i *instance) dial(c *cohort, call *Call) int {
	if i.endpoint == nil {
		return c.count
	}
	if i.throughVPC(call.Target) && c.at < i.egressAt {
		return 0
	}
	got := i.endpoint.Open(call.Target.Host, c.count)
	i.endpoint.Dropped(call.Target.Host, c.count-got)
	return got
}

// hang plans when a client that got no connection looks again: it sends its packet
// again after 1, 3, 7, 15, 31 seconds. Who waits for a pool looks every second.
func (i *instance) hang(c *cohort, call *Call) {
	c.phase, c.hung = hanging, true
	c.tries++
	next := c.since + resend(c.tries)
	if call.KeepAlive && c.kind != opens {
		next = math.Floor(c.at) + 1
	}
	c.at = min(next, i.deadline(c, call))
}

// deadline is when those who hang give up, or Cloud Run does for them.
func (i *instance) deadline(c *cohort, call *Call) float64 {
	limit := c.since + call.Timeout
	if c.kind != opens {
		limit = min(limit, c.begun+i.rev.Timeout)
	}
	return limit
}

// expire ends a wait in vain: the client tries anew as often as it may, then the
// application answers 500; where the request's own time is over, Cloud Run has
// answered 504. Required connections are tried for as long as the startup probe
// waits.
func (i *instance) expire(c *cohort, call *Call) {
	switch {
	case c.kind != opens && c.at >= c.begun+i.rev.Timeout:
		c.phase, c.code = ending, gatewayTimeout
	case c.kind == opens && c.at >= i.born+i.rev.Probe,
		c.retries >= call.Retries && (c.kind != opens || !i.rev.required[c.open]):
		c.phase, c.code = ending, serverError
	default:
		c.phase, c.since, c.tries = asking, c.at, 0
		c.retries++
	}
}

// reach begins the call on a connection.
func (i *instance) reach(c *cohort, call *Call, index int) {
	switch {
	case call.Target.Service != nil:
		i.visit(c, call)
		return
	case c.kind == opens:
		i.store(call, c.count)
		c.phase = working
		return
	}
	took := call.Target.Latency
	if c.kept {
		c.busy = i.occupy(&i.pools[index], c, took)
	}
	c.phase, c.at = talking, c.at+took
	i.cut(c)
}

// store puts connections into the pool.
func (i *instance) store(call *Call, n int) {
	if i.endpoint != nil {
		i.endpoint.Keep(call.Target.Host, n)
	}
}

// hangUp ends calls: a connection of its own is closed, one of a pool is free.
func (i *instance) hangUp(c *cohort) {
	call, index := i.call(c)
	if c.kept {
		i.pools[index].leave(c, i.rev.fleet.now)
		return
	}
	if i.endpoint != nil {
		i.endpoint.Close(call.Target.Host, c.count)
	}
}

package fleet

import (
	"slices"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// state is how far an instance has come.
type state uint8

const (
	starting state = iota
	serving
	over
)

// instance is one container, or all the machines of a group.
type instance struct {
	rev      *Revision
	endpoint *network.Endpoint // nil: no VPC access
	state    state
	born     float64
	egressAt float64 // from when on the network answers
	listenAt float64 // when the container listens, if nothing else keeps it
	lastUsed float64
	first    bool // it is the health check of a new revision
	failure  string

	cohorts  []cohort
	inflight int     // requests that it has
	used     float64 // request-seconds of this second by those that it no longer has
	pools    []pool  // by call
	pending  int     // required connections that are not open yet
	queued   bool    // it waits for its turn in this second
}

// free is how many requests the instance can take on now.
func (i *instance) free() int {
	if i.state != serving {
		return 0
	}
	return min(i.rev.Concurrency-i.inflight, int(float64(i.rev.Concurrency)-float64(i.inflight)-i.used+1e-9))
}

// clock is when, in the present second, the next slot becomes free.
func (i *instance) clock() float64 {
	return i.rev.fleet.now + min(0.999, i.used/float64(i.rev.Concurrency))
}

// admit gives the instance some requests of a piece.
func (i *instance) admit(p piece, n int) {
	at := max(p.at, i.clock())
	i.inflight += n
	c := cohort{count: n, begun: at, at: at, stage: -1, kind: p.kind, code: p.code, from: p.from}
	if p.kind == asset {
		c.at, c.phase = at+assetLatency, ending
		i.add(c)
		return
	}
	for _, o := range i.rev.mix(n) {
		part := c
		part.count, part.at, part.spread = o.count, at+o.Latency, o.Spread
		if o.Code != 0 {
			part.code, part.phase = o.Code, ending
		}
		i.add(part)
	}
}

// assetLatency is how long an instance takes for a file; chosen.
const assetLatency = 0.005

// add keeps a cohort, and cuts its time where Cloud Run does.
func (i *instance) add(c cohort) {
	if c.count > 0 {
		i.cohorts = append(i.cohorts, i.cut(c))
	}
}

// cut bounds what is planned by the request timeout. What would take longer ends
// there, with 504 [docs run/configuring/request-timeout].
func (i *instance) cut(c cohort) cohort {
	if limit := c.begun + i.rev.Timeout; c.kind != opens && c.at > limit {
		c.at, c.code = limit, gatewayTimeout
		if c.phase != talking {
			c.phase = ending
		}
	}
	return c
}

// run carries the instance's requests on to the end of the present second.
func (i *instance) run() {
	end := i.rev.fleet.now + 1
	for n := 0; n < len(i.cohorts); n++ {
		c := &i.cohorts[n]
		if c.visit != nil && len(c.visit.answers) > 0 {
			i.hear(n)
			c = &i.cohorts[n]
		}
		for c.count > 0 && c.at < end {
			i.step(n)
			c = &i.cohorts[n]
		}
	}
	i.cohorts = slices.DeleteFunc(i.cohorts, func(c cohort) bool { return c.count == 0 })
}

// step lets the next thing happen to a cohort.
func (i *instance) step(n int) {
	c := i.cohorts[n]
	switch c.phase {
	case working:
		i.cohorts[n] = i.next(c)
	case asking, hanging:
		i.connect(n)
	case talking:
		i.hangUp(c)
		c.phase = working
		i.cohorts[n] = c
	case waiting: // in vain, until the request timeout
		i.hangUp(c)
		c.visit, c.code, c.phase = nil, gatewayTimeout, ending
		i.cohorts[n] = c
	case ending:
		i.finish(c)
		i.cohorts[n].count = 0
	}
}

// next takes a cohort to its next call that is due, or to its end.
func (i *instance) next(c cohort) cohort {
	if c.kind == opens {
		c.phase, c.code = ending, ok
		return c
	}
	if c.code == gatewayTimeout {
		c.phase = ending
		return c
	}
	for c.stage+1 < len(i.rev.stages) {
		c.stage++
		s := i.rev.stages[c.stage]
		if i.circular(c, s) {
			continue
		}
		if skipped := c.count - i.rev.fleet.draw(c.count, s.chance); skipped > 0 {
			rest := c
			rest.count = skipped
			i.add(rest)
			if c.count -= skipped; c.count == 0 {
				return c
			}
		}
		if s.call < 0 {
			c.at += s.latency
			return i.cut(c)
		}
		c.phase, c.since, c.tries, c.retries = asking, c.at, 0, 0
		return c
	}
	if c.code == 0 {
		c.code = ok
	}
	c.phase = ending
	return c
}

// circular tells whether a call would lead a request in a circle: what a service
// is asked for by itself does not ask it again.
func (i *instance) circular(c cohort, s stage) bool {
	if s.call < 0 {
		return false
	}
	target := i.rev.calls[s.call].Target.Service
	return target != nil && c.from.within(target)
}

// finish ends requests.
func (i *instance) finish(c cohort) {
	if c.kind == opens {
		i.opened(c)
		return
	}
	i.inflight -= c.count
	i.used += float64(c.count) * (c.at - max(c.begun, i.rev.fleet.now))
	i.lastUsed = i.rev.fleet.now
	spread := c.spread
	if c.hung {
		spread = 0
	}
	i.rev.ended(Ended{Code: c.code, Count: c.count, Latency: c.at - c.begun, Spread: spread, Asset: c.kind == asset}, c.from)
	if c.from != nil {
		i.rev.fleet.reply(c.from, answer{count: c.count, at: c.at, code: c.code})
	}
}

// Status codes.
const (
	ok             = 200
	notFound       = 404
	tooMany        = 429
	serverError    = 500
	unavailable    = 503
	gatewayTimeout = 504
)

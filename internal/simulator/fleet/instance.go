package fleet

import (
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
		i.cut(&c)
		i.cohorts = append(i.cohorts, c)
	}
}

// cut bounds what is planned by the request timeout. What would take longer ends
// there, with 504 [docs run/configuring/request-timeout].
func (i *instance) cut(c *cohort) {
	if limit := c.begun + i.rev.Timeout; c.kind != opens && c.at > limit {
		c.at, c.code = limit, gatewayTimeout
		if c.phase != talking {
			c.phase = ending
		}
	}
}

// run carries the instance's requests on to the end of the present second. Cohorts
// that split off meanwhile are appended and have their turn, too; those that are
// over make room.
func (i *instance) run() {
	end, left := i.rev.fleet.now+1, 0
	for n := 0; n < len(i.cohorts); n++ {
		c := &i.cohorts[n]
		if c.at < end || (c.visit != nil && len(c.visit.answers) > 0) {
			own := *c
			i.carry(&own, end)
			if own.count == 0 {
				continue
			}
			i.cohorts[n] = own
		}
		if left != n {
			i.cohorts[left] = i.cohorts[n]
		}
		left++
	}
	clear(i.cohorts[left:])
	i.cohorts = i.cohorts[:left]
}

// carry lets happen to a cohort what happens before the end.
func (i *instance) carry(c *cohort, end float64) {
	if c.visit != nil && len(c.visit.answers) > 0 {
		i.hear(c)
	}
	for c.count > 0 && c.at < end {
		i.step(c)
	}
}

// step lets the next thing happen to a cohort.
func (i *instance) step(c *cohort) {
	switch c.phase {
	case working:
		i.next(c)
	case asking, hanging:
		i.connect(c)
	case talking:
		i.hangUp(c)
		c.phase = working
	case waiting: // in vain, until the request timeout
		i.hangUp(c)
		c.visit, c.code, c.phase = nil, gatewayTimeout, ending
	case ending:
		i.finish(c)
		c.count = 0
	}
}

// next takes a cohort to its next call that is due, or to its end.
func (i *instance) next(c *cohort) {
	switch {
	case c.kind == opens:
		c.phase, c.code = ending, ok
		return
	case c.code == gatewayTimeout:
		c.phase = ending
		return
	}
	for c.count > 0 && c.stage+1 < len(i.rev.stages) {
		c.stage++
		if s := i.rev.stages[c.stage]; !i.circular(c, s) && i.take(c, s) {
			return
		}
	}
	if c.code == 0 {
		c.code = ok
	}
	c.phase = ending
}

// take begins a stage. Those whom chance spares it go on without; it tells whether
// anybody is left.
func (i *instance) take(c *cohort, s stage) bool {
	if spared := c.count - i.rev.fleet.draw(c.count, s.chance); spared > 0 {
		if spared == c.count {
			return false
		}
		rest := *c
		rest.count = spared
		c.count -= spared
		i.add(rest)
	}
	if s.call < 0 {
		c.at += s.latency
		i.cut(c)
		return true
	}
	c.phase, c.since, c.tries, c.retries = asking, c.at, 0, 0
	return true
}

// circular tells whether a call would lead a request in a circle: what a service
// is asked for by itself does not ask it again.
func (i *instance) circular(c *cohort, s stage) bool {
	if s.call < 0 || c.from == nil {
		return false
	}
	target := i.rev.calls[s.call].Target.Service
	return target != nil && c.from.within(target)
}

// finish ends requests.
func (i *instance) finish(c *cohort) {
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

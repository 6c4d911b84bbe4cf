package fleet

import (
	"math"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// Service is what has a public URL: requests to it go to its revisions by the split.
type Service struct {
	Name string
	// Internal refuses what does not come through a VPC network, with 404 [docs
	// run/securing/ingress].
	Internal bool
	// Shares is the split, set by the owner before each second.
	Shares []Share

	took float64 // by a call of another service, on average of late
}

// Share is a revision's part of the requests.
type Share struct {
	Revision *Revision
	Part     float64
}

// visit sends requests to a service's public URL.
func (i *instance) visit(c *cohort, call *Call) {
	s := call.Target.Service
	if s.Internal && i.rev.Exit.Egress != network.AllTraffic {
		i.hangUp(c)
		i.answered(c, call, notFound)
		return
	}
	if c.kept {
		_, index := i.call(c)
		i.pools[index].spent += float64(c.count) * min(1, call.expected())
	}
	v := &visit{caller: i, service: i.rev.Service, parent: c.from}
	c.phase, c.visit, c.since = waiting, v, c.at
	i.rev.fleet.send(s, piece{count: c.count, at: c.at, from: v})
	c.at = c.begun + i.rev.Timeout
	if c.kind == opens {
		c.at = i.born + i.rev.Probe
	}
}

// hear takes the answers that a cohort's visit has got.
func (i *instance) hear(c *cohort) {
	v := c.visit
	call, _ := i.call(c)
	for _, a := range v.answers {
		part := *c
		if part.count = min(part.count, a.count); part.count == 0 {
			break
		}
		c.count -= part.count
		part.at, part.visit = max(a.at, part.since), nil
		call.Target.Service.measure(part.at - part.since)
		i.hangUp(&part)
		i.answered(&part, call, a.code)
		i.add(part)
	}
	v.answers = nil
}

// measure learns how long calls of a service take.
func (s *Service) measure(took float64) { s.took += 0.1 * (took - s.took) }

// answered goes on with what the other end said. An application whose fetch is
// answered with an error answers 500 itself, unless it may try again.
func (i *instance) answered(c *cohort, call *Call, code int) {
	c.kept, c.busy = false, false
	switch {
	case code < 400:
		c.phase = working
	case code >= 500 && c.retries < call.Retries:
		c.phase, c.since, c.tries = asking, c.at, 0
		c.retries++
	default:
		c.phase, c.code = ending, serverError
		if c.kind == opens {
			c.code = code
		}
	}
}

// send brings requests to a service.
func (f *Fleet) send(s *Service, p piece) { f.post = append(f.post, letter{s, p}) }

// letter is a piece on its way to a service.
type letter struct {
	to    *Service
	piece piece
}

// deliver hands what was sent to revisions, by the split.
func (f *Fleet) deliver() {
	for len(f.post) > 0 {
		l := f.post[0]
		f.post = f.post[1:]
		sent := f.divide(l.piece.count, l.to.Shares, func(s Share, n int) {
			part := l.piece
			part.count = n
			s.Revision.take(part)
		})
		if left := l.piece.count - sent; left > 0 {
			f.reply(l.piece.from, answer{count: left, at: l.piece.at, code: unavailable})
		}
	}
}

// divide lets chance send n requests by a split, and tells how many it sent: all,
// unless there is no split.
func (f *Fleet) divide(n int, shares []Share, send func(Share, int)) int {
	left, whole := n, 1.0
	for k, s := range shares {
		part := left
		if k < len(shares)-1 {
			part = f.draw(left, s.Part/max(whole, s.Part))
		}
		left -= part
		whole -= s.Part
		send(s, part)
	}
	return n - left
}

// reply gives an answer to the instance that asked, and its turn.
func (f *Fleet) reply(to *visit, a answer) {
	if to == nil {
		return
	}
	to.answers = append(to.answers, a)
	f.wake(to.caller)
}

// draw is how many of n things happen that each happen with a chance.
func (f *Fleet) draw(n int, chance float64) int {
	return draw(n, chance, f.luck.Float64, f.luck.NormFloat64)
}

func draw(n int, chance float64, uniform, normal func() float64) int {
	switch {
	case n <= 0 || chance <= 0:
		return 0
	case chance >= 1:
		return n
	}
	mean := float64(n) * chance
	if mean > 30 && float64(n)-mean > 30 {
		return min(n, max(0, int(math.Round(mean+math.Sqrt(mean*(1-chance))*normal()))))
	}
	hits := 0
	for range n {
		if uniform() < chance {
			hits++
		}
	}
	return hits
}

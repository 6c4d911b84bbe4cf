package fleet

import (
	"math"
	"slices"
)

const (
	// every is how often the autoscaler looks, window what it looks at, and
	// utilization the share of the concurrency that it aims at
	// [docs about-instance-autoscaling].
	every       = 5
	window      = 60
	utilization = 0.6
)

// load is how many requests there were in the last seconds.
type load struct {
	ring  [window]float64
	sum   float64
	count int // seconds since the first request
}

func (l *load) add(second int, requests float64) {
	if l.count == 0 && requests == 0 {
		return
	}
	at := second % window
	l.sum += requests - l.ring[at]
	l.ring[at] = requests
	l.count = min(window, l.count+1)
}

// mean is the average over the window, or over the time since the first request
// where that is shorter (chosen: else nothing could start from zero in time).
func (l *load) mean() float64 {
	if l.count == 0 {
		return 0
	}
	return max(0, l.sum) / float64(l.count)
}

// observe notes this second's load: requests at instances and those that wait.
func (r *Revision) observe() {
	sum := float64(r.queued)
	for _, i := range r.instances {
		sum += float64(i.inflight) + i.used
	}
	r.load.add(r.fleet.second, sum)
}

// wanted is how many instances the load needs: at 60 % of the concurrency in the
// last minute, and enough at the full concurrency for what waits now (chosen).
func (r *Revision) wanted() int {
	n := math.Ceil(r.load.mean()/(utilization*float64(r.Concurrency)) - 1e-6)
	if r.queued > 0 {
		inFlight := float64(r.queued)
		for _, i := range r.instances {
			inFlight += float64(i.inflight)
		}
		n = max(n, math.Ceil(inFlight/float64(r.Concurrency)))
	}
	return int(n)
}

// scale starts instances and lets idle ones go.
func (r *Revision) scale() {
	if r.Machines > 0 || r.lost {
		return
	}
	r.check()
	if r.fleet.second%every == 0 || (r.queued > 0 && len(r.instances) == 0) {
		r.target = min(max(r.wanted(), r.Limits.Min), r.Limits.Max)
		for len(r.instances) < r.target && r.begin(false) {
		}
	}
	r.retire()
}

// retire ends instances that had nothing to do for long, the youngest first, but
// for the minimum.
func (r *Revision) retire() {
	for n := len(r.instances) - 1; n >= 0 && len(r.instances) > r.Limits.Min; n-- {
		i := r.instances[n]
		idle := r.fleet.now - max(i.lastUsed, i.listenAt)
		if i.state == serving && i.inflight == 0 && idle >= r.fleet.timing.Idle.Seconds() {
			i.end()
		}
	}
	r.instances = slices.DeleteFunc(r.instances, func(i *instance) bool { return i.state == over })
}

package fleet

// Revision is a revision with its instances, or a group of machines.
type Revision struct {
	Spec
	Service *Service // nil: machines
	// Mix says how requests' own work ends now; nil: all are healthy.
	Mix []Outcome
	// Limits bound the number of instances, set by the owner.
	Limits Limits

	fleet     *Fleet
	calls     []Call // those of requests, then those at the start
	required  []bool // by call
	stages    []stage
	instances []*instance
	queue     []piece
	queued    int
	cursor    int
	target    int // instances that requests are spread over
	load      load
	startups  average
	pages     int // served in the last second, for which assets are still to come
	report    Report
	shortage  string // why the last instance found no address
	unchecked bool   // the health check is not over
	checkBy   float64
	parts     []part
	able      []*instance
	lost      bool
}

// Report is what has happened to a revision since its owner last asked. The slices
// are valid until the next second.
type Report struct {
	// Arrived are the requests that came to it, Refused those that reached no
	// instance.
	Arrived, Refused int
	Ended            []Ended
	Events           []Event
}

// stage is one step of a request: a call, or work of the instance's own.
type stage struct {
	call    int // -1: own work
	chance  float64
	latency float64
}

// Event is something that the owner of a fleet has to know of a revision.
type Event struct {
	// Healthy tells that the health check of a new revision has passed; Failure why
	// an instance did not start.
	Healthy bool
	Failure string
	// First tells that it was the health check's instance.
	First bool
}

// part is a number of requests of one outcome.
type part struct {
	count int
	Outcome
}

// average is a running mean.
type average struct{ sum, count float64 }

func (a *average) add(v float64) { a.sum, a.count = a.sum+v, a.count+1 }

func (a *average) mean() float64 {
	if a.count == 0 {
		return 0
	}
	return a.sum / a.count
}

// compile writes a request's way as stages: a call that is made 2.5 times is two
// stages and one that half of the requests take. A call to 127.0.0.1 does what a
// call of its own public URL would do, in the same instance: the work again, with
// the calls that lead elsewhere.
func (r *Revision) compile() {
	for n, c := range r.Calls {
		if !c.Target.Local {
			r.repeat(c.PerRequest, func(chance float64) { r.stages = append(r.stages, stage{call: n, chance: chance}) })
			continue
		}
		r.repeat(c.PerRequest, func(chance float64) {
			r.stages = append(r.stages, stage{call: -1, chance: chance, latency: r.Latency})
			r.elsewhere(chance)
		})
	}
	r.calls = append(r.calls, r.Calls...)
	r.required = make([]bool, len(r.Calls), len(r.Calls)+len(r.Opens))
	for _, o := range r.Opens {
		r.calls, r.required = append(r.calls, o.Call), append(r.required, o.Required)
	}
}

func (r *Revision) repeat(times float64, do func(chance float64)) {
	for ; times > 0; times-- {
		do(min(1, times))
	}
}

// elsewhere adds the calls that a local call makes in turn.
func (r *Revision) elsewhere(chance float64) {
	for n, c := range r.Calls {
		if c.Target.Local || (c.Target.Service != nil && c.Target.Service == r.Service) {
			continue
		}
		r.repeat(c.PerRequest, func(each float64) {
			r.stages = append(r.stages, stage{call: n, chance: chance * each})
		})
	}
}

// Arrive brings requests of users, in this second.
func (r *Revision) Arrive(n int) { r.take(piece{count: n, at: r.fleet.now}) }

// fetch brings requests for assets, which end with a code.
func (r *Revision) fetch(n int, code int) {
	r.take(piece{count: n, at: r.fleet.now, kind: asset, code: code})
}

// take lets requests wait for an instance.
func (r *Revision) take(p piece) {
	if p.count <= 0 {
		return
	}
	if r.lost {
		r.report.Arrived += p.count
		r.refuse(p, unavailable)
		return
	}
	r.report.Arrived += p.count
	r.queue = append(r.queue, p)
	r.queued += p.count
	r.fleet.callUp(r)
}

// refuse turns requests away that reach no instance.
func (r *Revision) refuse(p piece, code int) {
	r.report.Refused += p.count
	r.fleet.reply(p.from, answer{count: p.count, at: max(p.at, r.fleet.now), code: code})
}

// browse lets the users' browsers ask for the assets of the pages of the last
// second: where the revision has session affinity from itself, else by the split.
func (r *Revision) browse() {
	n := r.pages * r.Assets
	r.pages = 0
	if n == 0 || r.Service == nil {
		return
	}
	if r.Sticky {
		r.fetch(n, ok)
		return
	}
	r.fleet.divide(n, r.Service.Shares, func(s Share, part int) {
		if r.Shared || s.Revision.Build == r.Build {
			s.Revision.fetch(part, ok)
		} else {
			s.Revision.fetch(part, notFound)
		}
	})
}

// alike is among how many of the latest ends one is looked for that is the same.
const alike = 16

// ended notes how requests ended.
func (r *Revision) ended(e Ended, from *visit) {
	if e.Code < 400 && !e.Asset && from == nil {
		r.pages += e.Count
	}
	for n := max(0, len(r.report.Ended)-alike); n < len(r.report.Ended); n++ {
		if o := &r.report.Ended[n]; o.Code == e.Code && o.Latency == e.Latency && o.Spread == e.Spread && o.Asset == e.Asset {
			o.Count += e.Count
			return
		}
	}
	r.report.Ended = append(r.report.Ended, e)
}

// mix divides n requests among the outcomes of their own work.
func (r *Revision) mix(n int) []part {
	healthy := Outcome{Latency: r.Latency, Spread: r.Spread}
	r.parts = r.parts[:0]
	if len(r.Mix) > 0 {
		left := 1.0
		for _, o := range r.Mix[:len(r.Mix)-1] {
			hit := r.fleet.draw(n, o.Share/left)
			n -= hit
			left = max(1e-9, left-o.Share)
			r.parts = append(r.parts, part{hit, o})
		}
	}
	r.parts = append(r.parts, part{n, healthy})
	return r.parts
}

// Take hands over what has happened.
func (r *Revision) Take() Report {
	taken := r.report
	r.report = Report{Ended: r.report.Ended[:0], Events: r.report.Events[:0]}
	return taken
}

// Counts is how many instances and requests there are.
type Counts struct {
	// Active instances had a request in the last minute or are starting, Idle ones
	// had none.
	Active, Idle, Starting int
	// Waiting requests have no instance yet, Running ones have.
	Waiting, Running int
}

// Counts counts.
func (r *Revision) Counts() Counts {
	c := Counts{Waiting: r.queued}
	for _, i := range r.instances {
		c.Running += i.inflight
		switch {
		case i.state == starting:
			c.Starting++
			c.Active++
		case i.inflight > 0 || (i.lastUsed > i.born && r.fleet.now-i.lastUsed < 60):
			c.Active++
		default:
			c.Idle++
		}
	}
	return c
}

// Short tells whether the last instance found no address.
func (r *Revision) Short() bool { return r.shortage != "" }

// Ready is how many instances can serve.
func (r *Revision) Ready() int {
	n := 0
	for _, i := range r.instances {
		if i.state == serving {
			n++
		}
	}
	return n
}

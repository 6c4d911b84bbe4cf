package fleet

// dispatch gives waiting requests to instances: evenly to those that the autoscaler
// wants; where these have no room left, to as few of the others as can take them
// (chosen), so that what the load does not need comes to rest and ends. What nobody
// can take goes on waiting.
func (r *Revision) dispatch() {
	if r.queued == 0 || len(r.instances) == 0 {
		return
	}
	r.cursor++
	for r.queued > 0 && r.round(max(1, r.target)) {
	}
	for _, i := range r.instances {
		if n := min(i.free(), r.queued); n > 0 && i.state == serving {
			r.hand(i, n)
		}
	}
}

// round gives each of the first serving instances its share, once. It tells
// whether anybody took anything.
func (r *Revision) round(most int) bool {
	able := r.able[:0]
	for _, i := range r.instances {
		if most == 0 {
			break
		}
		if i.state == serving {
			most--
			if i.free() > 0 {
				able = append(able, i)
			}
		}
	}
	r.able = able
	if len(able) == 0 {
		return false
	}
	each := (r.queued + len(able) - 1) / len(able)
	for n := range able {
		i := able[(n+r.cursor)%len(able)]
		if n := min(each, i.free(), r.queued); n > 0 {
			r.hand(i, n)
		}
	}
	return true
}

// hand gives the oldest waiting requests to an instance, which begins with them.
func (r *Revision) hand(i *instance, n int) {
	r.queued -= n
	for n > 0 {
		p := &r.queue[0]
		some := min(n, p.count)
		i.admit(*p, some)
		n -= some
		if p.count -= some; p.count == 0 {
			r.queue = r.queue[1:]
		}
	}
	i.run()
}

// patience is how long a request waits for an instance: 10 s, or as long as an
// instance takes to start on average [docs about-instance-autoscaling].
func (r *Revision) patience() float64 { return max(10, r.startups.mean()) }

// giveUp refuses requests that have waited too long, with 429.
func (r *Revision) giveUp() {
	for len(r.queue) > 0 && r.fleet.now+1-r.queue[0].at > r.patience() {
		p := r.queue[0]
		p.at = r.fleet.now
		r.queue = r.queue[1:]
		r.queued -= p.count
		r.refuse(p, tooMany)
	}
	if len(r.queue) == 0 {
		r.queue = nil
	}
}

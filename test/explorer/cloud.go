package explorer

import (
	"slices"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// accept is a change of the service that Cloud Run takes up: it gets a new etag.
func (w *worker) accept(s *state, desired uint32) {
	s.cloud.desired, s.cloud.reconciling, s.cloud.failed, s.cloud.parked = desired, true, false, write{}
	w.overtakes(s)
}

// overtakes is what another version of the service does to passes and to the status: what
// was decided on the one before can no longer take effect.
func (w *worker) overtakes(s *state) {
	for i, c := range s.controllers {
		if c.stage == atRest {
			continue
		}
		s.controllers[i].late = true
		if c.stage == decided {
			s.controllers[i].decision = w.outdate(c.decision)
		}
	}
	s.object.status = w.stale(s.object.status)
}

// stale is a status after the service got another etag.
func (w *worker) stale(status uint32) uint32 {
	if n, ok := w.staler[status]; ok {
		return n
	}
	n := w.status(outdated(*w.statuses.at(status)))
	w.staler[status] = n
	return n
}

// outdate is a decision whose status is of another etag.
func (w *worker) outdate(n uint32) uint32 {
	d := *w.decisions.at(n)
	d.status = w.stale(d.status)
	return w.decision(d)
}

// settles is Cloud Run being done with what it was asked for, one way or the other.
func (w *worker) settles(s *state) bool {
	c := &s.cloud
	if !c.reconciling {
		return false
	}
	c.reconciling = false
	desired, effective, was := w.lists.at(c.desired), w.lists.at(c.effective), c.ready
	if c.revisions[c.created] == ready {
		c.ready = c.created
	}
	for r := uint8(1); r <= mostRevisions; r++ {
		if desired.share(r, c.ready) > 0 && c.revisions[r] != ready {
			c.failed, c.effective = true, w.resolved(effective, was)
			c.keeper.ends(false, false)
			return true
		}
	}
	if w.begins(c, was) {
		s.past.served, s.past.thin, s.past.approved = 0, false, false
		if s.past.promoted != promoteFully || desired.sole(c.ready) != 0 {
			s.past.promoted = noVerb
		}
	}
	c.effective = c.desired
	c.keeper.ends(true, c.desired == c.keeper.spec)
	return true
}

// begins tells whether what takes effect is a step that begins. What somebody sets past
// Config Connector, which takes it back, ends none: nobody need have seen it.
func (w *worker) begins(c *cloud, was uint8) bool {
	before, ready := c.effective, was
	if c.keeper.carried != 0 {
		before, ready = c.keeper.carried, c.ready
	}
	if c.keeper.spec == c.desired {
		c.keeper.carried = c.desired
	} else if c.keeper.carried != 0 {
		return false
	}
	for r := uint8(1); r <= mostRevisions; r++ {
		if w.lists.at(c.desired).share(r, c.ready) != w.lists.at(before).share(r, ready) {
			return true
		}
	}
	return false
}

// resolved is a list in which what followed LATEST stays where it was.
func (w *worker) resolved(t *traffic, ready uint8) uint32 {
	entries := slices.Clone(t.entries)
	for i, e := range entries {
		if e.Latest {
			entries[i].Latest, entries[i].Revision = false, names[ready]
		}
	}
	return w.traffic(entries)
}

// deploys is somebody creating a newer revision.
func (w *worker) deploys(s *state) bool {
	c := &s.cloud
	if c.created == mostRevisions || c.reconciling {
		return false
	}
	c.created++
	c.revisions[c.created] = ready
	c.template, s.past.deployed = 0, 0
	w.accept(s, c.desired)
	return true
}

// somebodyWrites is a change that leaves the traffic alone: the etag is new.
func (w *worker) somebodyWrites(s *state) bool {
	w.accept(s, s.cloud.desired)
	return true
}

// foreign is a person setting the traffic; tags stay where they are.
func (w *worker) foreign(s *state, entries ...rollout.Entry) bool {
	before := w.lists.at(s.cloud.desired)
	list := w.traffic(append(entries, before.tags()...))
	now, status := w.lists.at(list), w.statuses.at(s.object.status)
	for r := uint8(1); r <= mostRevisions; r++ {
		if now.share(r, 0) > 0 && s.cloud.revisions[r] != ready {
			return false // Cloud Run refuses it
		}
	}
	if s.cloud.keeper.standing != done || s.past.owner == they || list == s.cloud.desired || now.latest == before.latest && now.same(before, s.cloud.ready) {
		return false
	}
	sole := now.sole(s.cloud.ready)
	stable, candidate := numberOf(status.Stable), numberOf(status.Candidate)
	ours := sole != 0 && (sole == stable && s.past.meantBack || sole == candidate && s.past.meantFull)
	s.past.foreign = !ours && (s.past.foreign || !now.same(before, s.cloud.ready))
	for r := uint8(1); r <= mostRevisions; r++ {
		if now.share(r, 0) > 0 {
			s.past.dismissed &^= 1 << r // a person wants it to serve after all
		}
	}
	w.accept(s, list)
	return true
}

// takesOver is another cluster taking the service over, as it is: what serves, and what
// its claim says of the way back. Its claim is one write ahead of the one before it. It
// comes again only where every write of ours that was numbered has arrived.
func (w *worker) takesOver(s *state, from owner) bool {
	stable := numberOf(w.saidOf(s).Stable)
	if w.scope.Kept || stable == 0 || s.cloud.rival > 0 || s.past.owner != from || s.past.foreign {
		return false
	}
	if from == weAgain && (!s.quiet() || s.cloud.claim != newest) {
		return false
	}
	w.accept(s, s.cloud.desired)
	s.cloud.rival, s.cloud.claim, s.past.owner = stable, s.cloud.claim+1, they
	return true
}

// turns is a revision's health changing by itself.
func turns(s *state, revision uint8, from, to health) bool {
	if s.cloud.revisions[revision] != from {
		return false
	}
	s.cloud.revisions[revision] = to
	return true
}

// loses is a revision being deleted, whatever it was.
func loses(s *state, revision uint8) bool {
	if h := s.cloud.revisions[revision]; h == absent || h == lost {
		return false
	}
	s.cloud.revisions[revision] = lost
	return true
}

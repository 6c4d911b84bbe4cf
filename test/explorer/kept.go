package explorer

import "github.com/sluice-rollouts/sluice/internal/rollout"

// keeper is Config Connector, where it keeps the service by a RunService. What it was
// asked for and what Cloud Run was asked for are two things, and so are their ends.
type keeper struct {
	spec     uint32 // number of the list in spec.traffic; 0 for none
	carried  uint32 // number of the newest list of spec that took effect
	standing standing
	patient  bool // what it does by itself was waited for
	owned    bool // somebody else applies spec.traffic too
	refuses  bool // Cloud Run refuses its updates, because of a template
}

// standing is how far Config Connector is with what spec says, as internal/kcc reads it.
type standing uint8

const (
	done standing = iota
	unseen
	acting
	refused
)

// open tells whether what Config Connector does next is not known yet.
func (k keeper) open() bool { return k.standing == unseen || k.standing == acting }

// asked is the list that counts as asked for: that of spec until Config Connector is
// through with it, and after that Cloud Run's.
func (c cloud) asked() uint32 {
	if c.keeper.spec == 0 || c.keeper.standing == done {
		return c.desired
	}
	return c.keeper.spec
}

// busy tells whether a change is being applied by whoever applies it.
func (c cloud) busy() bool { return c.reconciling || c.keeper.open() }

// unapplied tells whether what is asked for could not be applied.
func (c cloud) unapplied() bool { return !c.busy() && (c.failed || c.keeper.standing == refused) }

// late tells whether spec says what Cloud Run was not asked for, and nothing is waited for
// any more that would change that.
func (w *world) late(c cloud) bool {
	k := c.keeper
	differs := k.spec != 0 && !k.owned && !w.lists.at(k.spec).same(w.lists.at(c.desired), c.ready)
	return differs && (!k.open() || k.patient)
}

// keeps lists what happens where Config Connector keeps the service.
func keeps() []action {
	return []action{
		{"Config Connector carries out what spec says.", free, (*worker).carriesOut},
		{"Somebody gives the RunService a template that Cloud Run refuses.", fault, func(_ *worker, s *state) bool { return refuses(s, true) }},
		{"The template of the RunService is mended.", free, func(_ *worker, s *state) bool { return refuses(s, false) }},
		{"Somebody applies the RunService with spec.traffic as it is.", fault, func(w *worker, s *state) bool { return s.cloud.keeper.spec != 0 && w.owns(s, true) }},
		{"They let go of spec.traffic.", free, func(w *worker, s *state) bool { return w.owns(s, false) }},
	}
}

func refuses(s *state, now bool) bool {
	was := s.cloud.keeper.refuses
	s.cloud.keeper.refuses = now
	return was != now
}

// owns is somebody else taking spec.traffic, or letting go of it: the RunService is another
// version after that.
func (w *worker) owns(s *state, now bool) bool {
	was := s.cloud.keeper.owned
	s.cloud.keeper.owned = now
	w.overtakes(s)
	return was != now
}

// carriesOut is Config Connector handing spec over to Cloud Run: what is new there, what
// was refused before, and what somebody set past it.
func (w *worker) carriesOut(s *state) bool {
	c := &s.cloud
	drifted := c.keeper.standing == done && c.keeper.spec != c.desired
	if c.keeper.spec == 0 || c.reconciling || c.keeper.standing == acting || c.keeper.standing == done && !drifted {
		return false
	}
	spec := w.lists.at(c.keeper.spec)
	impossible := c.keeper.refuses
	for r := uint8(1); r <= mostRevisions; r++ {
		impossible = impossible || spec.share(r, 0) > 0 && c.revisions[r] == lost
	}
	if impossible {
		was := c.keeper.standing
		c.keeper.standing = refused
		return was != refused
	}
	if drifted {
		s.past.foreign = false // it is spec's again, and not by us
	}
	c.keeper.standing = acting
	w.accept(s, c.keeper.spec)
	return true
}

// applies is a list of ours that arrives at the RunService. One that stands there already
// is set on the service itself, where that is late.
func (w *worker) applies(s *state, list uint32) {
	k := &s.cloud.keeper
	switch {
	case k.owned: // a conflict
	case k.spec != list:
		k.spec, k.standing, k.patient = list, unseen, false
		s.past.foreign, s.cloud.parked = false, write{}
		w.overtakes(s)
	case w.late(s.cloud):
		s.past.foreign = false
		w.accept(s, list)
	}
}

// ends is what Cloud Run being done means for Config Connector.
func (k *keeper) ends(applied, asSpec bool) {
	switch {
	case k.standing != acting:
	case !applied:
		k.standing = refused
	case asSpec:
		k.standing = done
	}
}

// splitNumbered is a list as a split.
func (w *world) splitNumbered(list uint32) rollout.Split {
	shares := map[string]int64{}
	for r := uint8(1); r <= mostRevisions; r++ {
		if share := w.lists.at(list).shares[r]; share > 0 {
			shares[names[r]] = share
		}
	}
	return rollout.NewSplit(shares)
}

// kept is what is known of Config Connector beside the service.
func (w *world) kept(c cloud) rollout.Kept {
	var k rollout.Kept
	if c.keeper.open() || c.keeper.standing == refused {
		k.Waits = "Config Connector is not through with it"
	}
	if c.keeper.spec != 0 && !c.keeper.owned {
		k.Says = w.splitNumbered(c.keeper.spec)
	}
	if w.late(c) {
		k.Late = "Config Connector is late"
	}
	if c.keeper.owned {
		k.Owner = "spec.traffic is applied by argocd"
	}
	return k
}

// specAgrees is what is wrong with what spec goes on saying where a rollout is at rest with
// stable serving everything: Config Connector would take that back.
func (w *worker) specAgrees(s state) string {
	p := w.saidOf(&s)
	k := s.cloud.keeper
	atRest := p.Phase == rollout.RolledBack || p.Phase == rollout.Idle && p.Reason == rollout.Steady
	if k.spec == 0 || k.owned || !atRest || s.object.life != living || !w.servesAll(&s, p.Stable) || s.cloud.asked() != s.cloud.effective {
		return ""
	}
	for range mostLooks {
		w.pass(&s)
		if names[w.lists.at(s.cloud.keeper.spec).sole(s.cloud.ready)] == w.saidOf(&s).Stable || active(w.saidOf(&s).Phase) {
			return ""
		}
	}
	return w.endless(&s, p, "spec.traffic says something else than what serves")
}

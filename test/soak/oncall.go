package soak

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// The end of a story: the adversary is done, every controller lives, and somebody
// is on call who answers what the status asks of a person.
const (
	attention = 2 * time.Minute // how often a person looks
	rested    = 3 * time.Minute // how long nothing changes in the object that rests
	watched   = 3 * time.Minute // how long it is watched after that
)

// release lets the pipeline deploy the next image, when the last one is at rest.
func (s *stage) release() {
	if s.quiet {
		return
	}
	s.in(time.Minute, s.release)
	o := s.record.object
	if o == nil || len(s.script.Releases) <= s.person.released || s.alone && !s.pinned() {
		return
	}
	switch o.Status.Phase { //nolint:exhaustive // the others are under way
	case v1alpha1.PhaseIdle, v1alpha1.PhaseCompleted, v1alpha1.PhaseRolledBack:
	default:
		return
	}
	if s.now().Sub(s.record.restedAt) >= time.Minute || s.person.released == 0 {
		s.person.publish(s.script.Releases[s.person.released])
		s.person.released++
	}
}

// calm ends all trouble.
func (s *stage) calm() {
	s.quiet = true
	s.world.ClearFaults()
	s.calmAt = s.now()
	if s.kept != nil {
		s.kept.calm()
	}
	for place, p := range s.replicas {
		if p == nil {
			s.in(restart, func() { s.start(place) })
			continue
		}
		p.stopped, p.frozen, p.skew = time.Time{}, time.Time{}, 0
		p.deliver()
		p.retire()
		if p.leads && !p.busy {
			p.turn()
		}
	}
	s.person.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Paused, ro.Spec.CandidateRevision = false, "" })
	s.in(attention, s.attend)
}

// serves tells whether one revision serves everything that is there.
func (s *stage) serves(state simulator.State) bool {
	return len(state.Effective) == 1 && !s.hollow(state)
}

// hollow tells whether traffic goes to a revision that is deleted. It is shown on, and it may
// take the controllers minutes to see that; behind LATEST it is waited for until another one
// follows.
func (s *stage) hollow(state simulator.State) bool {
	return slices.ContainsFunc(state.Traffic, func(t simulator.TrafficTarget) bool {
		return t.Percent > 0 && t.Type != simulator.AllocateLatest && s.record.lost[t.Revision]
	})
}

// hollowNow tells whether it is so at this moment.
func (s *stage) hollowNow() bool {
	state, err := s.world.State(fullName)
	s.fail(err)
	return s.hollow(state)
}

// attend is a person's look at the object.
func (s *stage) attend() {
	o := s.record.object
	switch {
	case o == nil:
		s.end()
		return
	case s.resting(o):
		s.in(0, s.settle)
		return
	}
	s.person.answer(o)
	s.in(attention, s.attend)
}

// resting tells whether nothing will happen any more by itself.
func (s *stage) resting(o *v1alpha1.CloudRunRollout) bool {
	switch o.Status.Phase { //nolint:exhaustive // the others are under way
	case v1alpha1.PhaseIdle, v1alpha1.PhaseCompleted, v1alpha1.PhaseRolledBack:
	default:
		return false
	}
	if k := s.kept; k != nil && k.done && s.now().Sub(k.turned) < rested { // which not every status says yet
		return false
	}
	if s.now().Sub(s.record.lateAt) < rested || s.now().Sub(s.record.doneAt) < rested && !s.tries() { // that was not looked at yet
		return false
	}
	return s.now().Sub(s.record.restedAt) >= rested && o.DeletionTimestamp.IsZero() && s.explained(o) == ""
}

// explained says what is wrong with a state of rest, or nothing: it has no cause
// that is true.
func (s *stage) explained(o *v1alpha1.CloudRunRollout) string {
	a := o.Status.Attempt
	if a == nil {
		return "it was never looked at"
	}
	state, err := s.world.State(fullName)
	s.fail(err)
	switch reason := a.Reason; {
	case o.Status.Phase != v1alpha1.PhaseIdle, reason == v1alpha1.ReasonSteady:
		if !s.serves(state) {
			return fmt.Sprintf("it is %s, and %v serves; deleted are %v", o.Status.Phase, state.Effective, s.record.lost)
		}
		return ""
	case s.hollow(state):
		return fmt.Sprintf("it is %s for %s, and deleted are %v", o.Status.Phase, reason, s.record.lost)
	case reason == v1alpha1.ReasonNotDeployed && !s.tries(): // Cloud Run has refused it, and is asked again
		return "its template is not deployed"
	case reason == v1alpha1.ReasonNotDeployed, reason == v1alpha1.ReasonRevisionNotReady, reason == v1alpha1.ReasonRevisionNotFound:
		return ""
	}
	return fmt.Sprintf("it is %s for %s", o.Status.Phase, a.Reason)
}

// answer does what a status asks of a person: first the friendly thing, then what
// always helps.
func (p *person) answer(o *v1alpha1.CloudRunRollout) {
	a := o.Status.Attempt
	if a == nil {
		return
	}
	if p.answered == nil {
		p.answered = map[string]int{}
	}
	about := fmt.Sprintf("%s/%s of attempt %d", o.Status.Phase, a.Reason, a.ID)
	p.answered[about]++
	p.answers = p.answered[about]
	switch {
	case o.Status.Phase == v1alpha1.PhaseAwaitingApproval:
		p.ask("approve", "", 0)
	case o.Status.Phase == v1alpha1.PhaseRollingBack && p.answers > 3, // stable cannot take it back
		o.Status.Phase == v1alpha1.PhaseIdle && a.Reason == v1alpha1.ReasonPreparing && p.answers > 3, // LATEST stands for what is gone
		o.Status.Phase == v1alpha1.PhaseIdle && p.answers > 6 && p.stage.hollowNow(),                  // what should serve is deleted
		a.Reason == v1alpha1.ReasonBaselineLost, a.Reason == v1alpha1.ReasonBaselineUnknown,
		a.Reason == v1alpha1.ReasonStateLost && p.answers > 2:
		p.rescue()
	case o.Status.Phase == v1alpha1.PhasePaused && p.answers <= 2:
		p.ask("resume", "", 0)
	case o.Status.Phase == v1alpha1.PhasePaused:
		p.ask("abort", "", 0)
	case a.Reason == v1alpha1.ReasonTooFewRequests, a.Reason == v1alpha1.ReasonOwnedElsewhere:
		p.ask(map[bool]string{true: "approve", false: "adopt"}[a.Reason == v1alpha1.ReasonTooFewRequests], "", 0)
	}
}

// rescue names a way back where the old one is gone: a person deploys a good
// revision, and sends it everything.
func (p *person) rescue() {
	if p.rescued++; p.rescued%2 == 1 {
		p.deploy(Healthy)
		return
	}
	name := p.revision("newest")
	whole := []simulator.TrafficTarget{{Revision: name, Percent: 100}}
	if p.stage.kept != nil {
		p.takeTraffic(whole, attention)
	} else {
		_ = p.stage.world.EditTraffic(fullName, whole, alice)
	}
	p.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.StableRevision = name })
}

// settle watches what rests while its controllers start anew: nothing may be
// written, to Cloud Run or into the object.
func (s *stage) settle() {
	o := s.record.object
	s.quietFrom = len(s.record.trace)
	version, began := o.ResourceVersion, s.now()
	for place, p := range s.replicas {
		if p != nil {
			p.die()
		}
		s.in(restart, func() { s.start(place) })
	}
	s.in(watched, func() {
		if s.record.lateAt.After(began) || s.kept != nil && s.kept.turned.After(began) { // that was no rest
			s.quietFrom = 0
			s.in(attention, s.attend)
			return
		}
		if now := s.record.object; (now == nil || now.ResourceVersion != version) && !s.tries() {
			s.record.violate("I12", "controllers that start anew change an object that rests: %s", s.changedSince(version))
		}
		s.end()
	})
}

// tries tells whether Config Connector is not through: it tries again what Cloud Run
// refuses, and a status says how far it is.
func (s *stage) tries() bool { return s.kept != nil && !through(s.kept.object()) }

func (s *stage) changedSince(version string) string {
	log := s.plane.Log()
	last := log[len(log)-1]
	if last.Now == nil || last.Was == nil {
		return "it is gone"
	}
	return fmt.Sprintf("%s/%q after %s/%q (was version %s)", last.Now.Status.Phase, last.Now.Status.NextAction, last.Was.Status.Phase, last.Was.Status.NextAction, version)
}

// end ends the story.
func (s *stage) end() {
	s.ended, s.over = true, true
}

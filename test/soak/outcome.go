package soak

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
)

// Outcome is what a story came to.
type Outcome struct {
	Violations []invariants.Violation
	Rollouts   int // attempts that moved traffic
	Faults     map[string]int
	Sometimes  map[string]int
	Passes     int
	Phase      string
	// Backs are the times from a visible breach until stable served everything, where
	// there was no trouble, and Afterwards those after all trouble.
	Backs, Afterwards []time.Duration

	trace invariants.Trace
	stage *stage
}

// outcome judges what was recorded.
func (s *stage) outcome() Outcome {
	s.drain()
	r := &s.record
	if !s.ended && s.err == nil {
		r.violate("I16", "it did not come to rest within %s: %s", patience, s.whatKeeps())
	}
	if s.quietFrom > 0 {
		for _, e := range r.trace[s.quietFrom:] {
			if w, ok := e.(invariants.Write); ok && !w.Landed { // one that was held back may land now
				r.violate("I12", "%v was written while nothing had changed", w.Split)
			}
		}
	}
	backs, afterwards := s.waysBack()
	for _, took := range slices.Concat(backs, afterwards) {
		if took > promised {
			r.violate("I15", "it took %s from a visible breach until stable served everything", took)
		}
	}
	clouds := make([]invariants.Behaviour, 0, 24)
	for name, value := range s.scenario.Switches.Values() {
		clouds = append(clouds, invariants.Behaviour{Switch: name, Value: value})
	}
	o := Outcome{
		Violations: append(slices.Clone(r.extra), invariants.Judge(r.trace, clouds...)...),
		Faults:     s.count.faults, Sometimes: s.count.sometimes, Passes: s.count.passes, Backs: backs, Afterwards: afterwards,
		trace: r.trace, stage: s,
	}
	o.Rollouts = rollouts(r.trace)
	if r.object != nil {
		o.Phase = string(r.object.Status.Phase)
	}
	return o
}

// brief is the outcome without the world it was in, which is large, where nobody will
// tell the story.
func (o Outcome) brief() Outcome {
	if len(o.Violations) == 0 {
		o.trace, o.stage = nil, nil
	}
	return o
}

// waysBack are how long ways back took: where nobody and nothing kept it from going
// back, or else once the trouble was over. A story without an end of its trouble says
// nothing.
func (s *stage) waysBack() (backs, afterwards []time.Duration) {
	switch {
	case len(s.script.Acts)+len(s.script.Crashes) == 0:
		return straightBacks(s.world.Log(), s.record.trace, s.requestDelay(), s.limit()), nil
	case s.calmAt.IsZero():
		return nil, nil
	}
	return nil, s.afterwards()
}

func (s *stage) whatKeeps() string {
	o := s.record.object
	if o == nil {
		return "the object is gone"
	}
	reason := ""
	if o.Status.Attempt != nil {
		reason = o.Status.Attempt.Reason
	}
	return fmt.Sprintf("%s/%s, deleted %t: %s", o.Status.Phase, reason, !o.DeletionTimestamp.IsZero(), s.explained(o))
}

// rollouts counts the attempts that moved traffic.
func rollouts(trace invariants.Trace) int {
	type attempt struct {
		id        int64
		candidate string
	}
	moved := map[attempt]bool{}
	var now attempt
	for _, e := range trace {
		switch e := e.(type) {
		case invariants.Saved:
			now = attempt{e.Attempt, e.Candidate}
		case invariants.Write:
			if e.Accepted && now.candidate != "" && e.Split[now.candidate] > 0 {
				moved[now] = true
			}
		}
	}
	return len(moved)
}

// Hash is that of everything that happened: in the world, on the control plane, and
// how often was looked.
func (o Outcome) Hash() string {
	s, h := o.stage, sha256.New()
	write := json.NewEncoder(h)
	for _, e := range s.world.Log() {
		s.fail(write.Encode(e))
	}
	for _, v := range s.plane.Log() {
		s.fail(write.Encode(v.Now))
	}
	if s.kept != nil {
		s.fail(write.Encode(s.kept.object()))
	}
	s.fail(write.Encode(s.count.passes))
	return hex.EncodeToString(h.Sum(nil))
}

// Object is the rollout at the end, read only; nil where it is gone.
func (o Outcome) Object() *v1alpha1.CloudRunRollout { return o.stage.record.object }

// Service is the service at the end.
func (o Outcome) Service() (simulator.State, error) { return o.stage.world.State(fullName) }

// RunService is what spec.traffic of the RunService is at the end, and who owns it.
func (o Outcome) RunService() (traffic []simulator.TrafficTarget, owners []string) {
	if k := o.stage.kept; k != nil {
		return k.traffic(), k.owners()
	}
	return nil, nil
}

// Served are the splits that served, one after another.
func (o Outcome) Served() []invariants.Split {
	var served []invariants.Split
	for _, e := range o.trace {
		if e, ok := e.(invariants.Effective); ok {
			served = append(served, e.Split)
		}
	}
	return served
}

// Calls are those of the controllers since the beginning, or since the last crash.
func (o Outcome) Calls() []Called { return o.stage.crashes.calls }

// Crashed is how many of the script's crashes happened.
func (o Outcome) Crashed() int { return len(o.stage.crashes.told) }

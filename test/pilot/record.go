package pilot

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Record is what happened to one rollout, oldest first.
type Record struct {
	States []State // one for each change of phase, reason, candidate or weight
	Writes []Write
	Events []Event
	Blind  int // looks that failed
}

// State is where a rollout stood, from a time on.
type State struct {
	At         time.Time
	Phase      rollout.Phase
	Reason     rollout.Reason
	Candidate  string
	Weight     int64  // percent of the candidate
	Note, Next string // as they were told first
}

// Write is a split that was sent, and what Cloud Run answered.
type Write struct {
	At      time.Time
	Split   rollout.Split
	Outcome string // "accepted", or why not
}

// Event is a transition that was told.
type Event struct {
	At time.Time
	rollout.Event
}

// note adds a decision to the record.
func (r *Record) note(at time.Time, d rollout.Decision) {
	p := d.Progress
	next := State{
		At: at, Phase: p.Phase, Reason: p.Reason, Candidate: p.Candidate, Weight: d.Serves.Of(p.Candidate), Note: d.Note, Next: d.Next,
	}
	for _, e := range d.Events {
		r.Events = append(r.Events, Event{at, e})
	}
	if n := len(r.States); n > 0 && r.States[n-1].same(next) {
		return
	}
	r.States = append(r.States, next)
}

func (s State) same(o State) bool {
	return s.Phase == o.Phase && s.Reason == o.Reason && s.Candidate == o.Candidate && s.Weight == o.Weight
}

// Last is where the rollout stood last, or the zero State before its first look.
func (r *Record) Last() State {
	if len(r.States) == 0 {
		return State{}
	}
	return r.States[len(r.States)-1]
}

// Weights lists the weights of a candidate in the order in which they served.
func (r *Record) Weights(candidate string) []int64 {
	var weights []int64
	for _, s := range r.States {
		if n := len(weights); s.Candidate == candidate && s.Weight > 0 && (n == 0 || weights[n-1] != s.Weight) {
			weights = append(weights, s.Weight)
		}
	}
	return weights
}

// In is how long the rollout was in a phase for a reason, up to a time.
func (r *Record) In(phase rollout.Phase, reason rollout.Reason, until time.Time) time.Duration {
	sum := time.Duration(0)
	for i, s := range r.States {
		end := until
		if i+1 < len(r.States) {
			end = r.States[i+1].At
		}
		if s.Phase == phase && s.Reason == reason && end.After(s.At) {
			sum += end.Sub(s.At)
		}
	}
	return sum
}

package rollout

import (
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// Plan is what the user asks for, every default resolved.
type Plan struct {
	Service ServiceRef
	// RunService is the name of the RunService that is moved in the service's place, by
	// Config Connector; "" for none. It is in the namespace of the rollout.
	RunService string

	Paused            bool
	CandidateRevision string // roll out exactly this one; "" follows the newest
	StableRevision    string // settles an ambiguous baseline; "" otherwise

	// Template is what the next revision is to be like; the zero one leaves that to others.
	Template Template

	Steps        []Step // rising weights, the last is 100
	StepDeadline time.Duration
	// Warmup is how long the candidate's own minimum of instances is waited for
	// before the first step; 0 where no warm-up is wanted.
	Warmup time.Duration

	Guards []Guard
	Window time.Duration
	NoData NoDataPolicy

	Gateways    []analysis.Source // NAT gateways named by the user
	NatUnwanted bool              // the user does not want NAT watched

	Pacing  Pacing
	Reserve int64 // percent of a gateway's ports that no rise is planned with, 0..90
	// EndpointsPerInstance is how many NAT endpoints an instance is, 1 or 2; 0 where
	// nobody has said.
	EndpointsPerInstance int64
}

// Step is a weight held for a bake.
type Step struct {
	Weight   int64 // percent of traffic, 1..100
	Bake     time.Duration
	Approval bool // wait for a person before this weight
}

// Pacing says whether smaller weights may be inserted before those of the plan.
type Pacing string

// The pacings. Any other word is like Fixed.
const (
	Headroom Pacing = "Headroom" // as NAT can follow
	Fixed    Pacing = "Fixed"    // never
)

// Action is what a breach leads to.
type Action string

// The actions.
const (
	Hold     Action = "Hold"
	Rollback Action = "Rollback"
	Pause    Action = "Pause"
)

// Mode says how much a guard may do.
type Mode string

// The modes.
const (
	Enforce Mode = "Enforce"
	Shadow  Mode = "Shadow" // judged and shown, without effect
	Off     Mode = "Off"    // not even asked
)

// Guard is a check with its consequence.
type Guard struct {
	Name     string
	Rule     analysis.Rule
	OnBreach Action
	// RollbackAfter turns a Hold that lasts this long into a rollback; 0 never.
	RollbackAfter time.Duration
	Mode          Mode
}

// NoDataPolicy says what follows when metrics stay away.
type NoDataPolicy struct {
	After  time.Duration
	Action Action // Pause or Rollback
}

// minutes is how much evidence a step needs: at least one minute, so that no
// step passes without any.
func (s Step) minutes() int {
	return max(1, int((s.Bake+time.Minute-1)/time.Minute))
}

// step returns the n-th step, counted from 1.
func (p Plan) step(n int) Step { return p.Steps[n-1] }

// stepAt returns the step that a weight belongs to: the one it has, or is on the
// way to; 0 for none.
func (p Plan) stepAt(weight int64) int {
	if weight <= 0 {
		return 0
	}
	for i, s := range p.Steps {
		if weight <= s.Weight {
			return i + 1
		}
	}
	return len(p.Steps)
}

// after returns the first step whose weight is above a weight, 0 after the last.
func (p Plan) after(weight int64) int {
	for i, s := range p.Steps {
		if s.Weight > weight {
			return i + 1
		}
	}
	return 0
}

// progressOf writes how far step n is: "2/4".
func (p Plan) progressOf(n int) string { return fmt.Sprintf("%d/%d", n, len(p.Steps)) }

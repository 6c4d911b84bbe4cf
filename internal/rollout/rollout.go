package rollout

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// Input is everything a decision may depend on.
type Input struct {
	Plan      Plan                // what the user asks for
	Progress  Progress            // what we had committed to when we last saved
	Service   Service             // what Cloud Run reports: a live read, where anything is written
	Revisions map[string]Revision // the revisions named by Involved
	Outlet    Outlet              // how the revisions of Leaving leave; the zero Outlet was not asked for
	Answers   analysis.Answers    // the answers to Questions
	Peers     []Peer              // what other rollouts claim of the same gateways
	Request   Request             // a person's verb; the zero Request is none
	Self      Holder              // who we are in a claim; the zero Holder writes none
	Rival     Presence            // whether the object that holds the claim is there, in our cluster
	Elder     Elder               // the object that moves the service of our RunService before us; the zero Elder is none
	Hours     Hours               // whether rises are let through now
	// Undeployable is why the spec's template may not or cannot be deployed, as a
	// sentence with what to do; "" where it can.
	Undeployable string
	Deleting     bool      // it is being deleted, and goes back before it does
	Now          time.Time // whole seconds; the only clock the core sees
}

// Decision is one step, as data. The caller saves Progress, then sends Write,
// then tells Events, then looks again at LookAt. There is never a second write.
type Decision struct {
	Progress Progress
	Write    *Write  // nil leaves traffic alone
	Deploy   *Deploy // nil leaves the template alone; there is never one beside a Write
	LookAt   time.Time
	Events   []Event

	Note   string // what is: cause, number and limit
	Next   string // what happens next and when, and what a person can do
	Checks []Check
	Serves Split // what Cloud Run serves now
	InSync bool  // that is the split that we asked for

	// Gateways are those that an attempt watches.
	Gateways []GatewayState
	// Advice is what was found about the service; nil says nothing new.
	Advice []nat.Finding

	// Undeployed is why what the spec's template wants is neither there nor on its way; ""
	// where it is, or will be by itself.
	Undeployed string

	// Release is there when a rollout that is being deleted may go.
	Release *Release

	reply *Reply
}

// Event is a transition to tell, once the decision is saved and carried out.
type Event struct {
	Reason  Reason
	Note    string
	Warning bool
}

// Check is a guard with its verdict, for people.
type Check struct {
	Name    string
	Mode    Mode
	Verdict analysis.Verdict
	// BreachedSince is when the breach was noticed; zero without one. It outlasts
	// missing answers.
	BreachedSince time.Time
	// Blame is what the rollout is to a gateway's breach.
	Blame Blame
}

// rule either speaks (true) or passes (false). It changes nothing it is given.
type rule func(view) (Decision, bool)

// overrides outrank every phase; the first that speaks decides. The order is
// policy: what has gone comes before what a person wants, a person before the
// metrics, what lowers risk before what waits.
var overrides = []rule{
	targetGone,    // there is no service, or another one of that name
	claimed,       // another object moves its traffic, or we did and forgot
	stateLost,     // we do not remember what we did to it
	staleRead,     // the read is older than what we saw before
	stableGone,    // there is no way back
	abortAsked,    // a person said stop: back to stable, now
	foreignChange, // someone else moved traffic: stop writing, say so
	deleted,       // the rollout is to go: back to stable first
	ownRollback,   // we decided to go back and are not there yet
	breached,      // the metrics or the candidate itself said stop
	delayed,       // what was lowered does not arrive: send it again
	kept,          // somebody else keeps the traffic as it is: do not raise it
	pauseAsked,    // a person said wait, by a request
	reverted,      // Git wants again what stable serves: go back
	superseded,    // there is a newer candidate: go back, start anew
	overdue,       // a warm-up ran out of time, and no step can end it
	unsettled,     // Cloud Run is still applying a change: wait
	paused,        // a person said wait, in Git
}

// phases holds the ordinary course of a rollout.
var phases map[Phase]func(view) Decision

func init() {
	phases = map[Phase]func(view) Decision{
		Idle:             rest,    // look for a candidate
		Completed:        rest,    // the same, after a success
		RolledBack:       rest,    // the same, after a rollback
		Checking:         proceed, // preconditions
		WarmingUp:        proceed, // are the instances there?
		Shifting:         proceed, // has the split arrived?
		Baking:           proceed, // is the evidence complete?
		AwaitingApproval: proceed, // has a person approved?
		Held:             proceed, // has the world changed?
		Paused:           waitForPerson,
		RollingBack:      goBack,
	}
}

// Decide returns the next step. It is total: every input, however odd, gets a
// decision, and "hold and say why" is always one.
func Decide(in Input) Decision {
	v := look(in)
	return v.finish(v.decide())
}

func (v view) decide() Decision {
	for _, overrule := range overrides {
		if d, ok := overrule(v); ok {
			return d
		}
	}
	if phase, ok := phases[v.Progress.Phase]; ok {
		return phase(v)
	}
	return rest(v)
}

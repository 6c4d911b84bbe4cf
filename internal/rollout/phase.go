package rollout

import "slices"

// Phase is where a rollout stands. Each has one sentence.
type Phase string

// The phases.
const (
	// Idle: there is nothing to roll out, or it cannot begin.
	Idle Phase = "Idle"
	// Checking: a candidate was found and its preconditions are looked at.
	Checking Phase = "Checking"
	// Shifting: a split was sent and does not serve yet.
	Shifting Phase = "Shifting"
	// Baking: a split serves and evidence about it is gathered.
	Baking Phase = "Baking"
	// AwaitingApproval: a person must let the next weight begin.
	AwaitingApproval Phase = "AwaitingApproval"
	// Held: waits for the world, and goes on by itself.
	Held Phase = "Held"
	// Paused: waits for a person.
	Paused Phase = "Paused"
	// RollingBack: stable was sent all traffic and does not serve it all yet.
	RollingBack Phase = "RollingBack"
	// RolledBack: stable serves everything and the candidate was given up.
	RolledBack Phase = "RolledBack"
	// Completed: the candidate became stable.
	Completed Phase = "Completed"
)

// Phases lists them in the order in which a reader meets them.
var Phases = []Phase{
	Idle, Checking, Shifting, Baking, AwaitingApproval, Held, Paused, RollingBack, RolledBack, Completed,
}

// Edges lists, for each phase, those that may follow it. Staying is always
// allowed. RollingBack follows every phase of an attempt.
var Edges = map[Phase][]Phase{
	Idle:             {Checking, Shifting, Baking, Held, AwaitingApproval, RollingBack, RolledBack, Paused},
	Checking:         {Idle, Shifting, Baking, Held, AwaitingApproval, Paused, RollingBack, RolledBack},
	Shifting:         {Idle, Checking, Baking, AwaitingApproval, Held, Paused, RollingBack, RolledBack, Completed},
	Baking:           {Idle, Checking, Shifting, AwaitingApproval, Held, Paused, RollingBack, RolledBack, Completed},
	AwaitingApproval: {Idle, Checking, Shifting, Baking, Held, Paused, RollingBack, RolledBack},
	Held:             {Idle, Checking, Shifting, Baking, AwaitingApproval, Paused, RollingBack, RolledBack, Completed},
	Paused:           {Idle, Checking, Shifting, Baking, AwaitingApproval, Held, RollingBack, RolledBack, Completed},
	RollingBack:      {Idle, Checking, Held, Paused, RolledBack},
	RolledBack:       {Idle, Checking, Held, Paused, RollingBack},
	Completed:        {Idle, Checking, Held, Paused, RollingBack},
}

// follows tells whether one phase may come after another.
func follows(from, to Phase) bool { return from == to || slices.Contains(Edges[from], to) }

// active tells whether a phase belongs to an attempt under way.
func (p Phase) active() bool {
	switch p {
	case Checking, Shifting, Baking, AwaitingApproval, Held, Paused, RollingBack:
		return true
	case Idle, Completed, RolledBack:
		return false
	default:
		return false
	}
}

// Reason is the one word for why a rollout is where it is: the reason of the
// Ready condition, of events, of log lines.
type Reason string

// The reasons that can be the state of a rollout.
const (
	Steady                 Reason = "Steady"
	ReasonCompleted        Reason = "Completed"
	Preparing              Reason = "Preparing"
	Progressing            Reason = "Progressing"
	ReasonAwaitingApproval Reason = "AwaitingApproval"
	HeldByAnalysis         Reason = "HeldByAnalysis"
	MetricsUnavailable     Reason = "MetricsUnavailable"
	TooFewRequests         Reason = "TooFewRequests"
	WaitingForNat          Reason = "WaitingForNat"
	ReasonPaused           Reason = "Paused"
	TrafficConflict        Reason = "TrafficConflict"
	StepDeadlineExceeded   Reason = "StepDeadlineExceeded"
	NoDataDeadlineExceeded Reason = "NoDataDeadlineExceeded"
	BaselineLost           Reason = "BaselineLost"
	StateLost              Reason = "StateLost"
	ReasonRollingBack      Reason = "RollingBack"
	ReasonRolledBack       Reason = "RolledBack"
	AccessDenied           Reason = "AccessDenied"
	ServiceNotFound        Reason = "ServiceNotFound"
	BaselineUnknown        Reason = "BaselineUnknown"
	NatUnwatched           Reason = "NatUnwatched"
	RevisionNotFound       Reason = "RevisionNotFound"
	RevisionNotReady       Reason = "RevisionNotReady"
)

// The reasons of events that are transitions, not states.
const (
	RolloutStarted      Reason = "RolloutStarted"
	Pinned              Reason = "Pinned"
	TrafficShifted      Reason = "TrafficShifted"
	StepPassed          Reason = "StepPassed"
	Superseded          Reason = "Superseded"
	RequestRefused      Reason = "RequestRefused"
	UnownedSplitFailing Reason = "UnownedSplitFailing"
)

// counts tells whether time in a state counts against the step's deadline:
// waiting for a person or for NAT does not. Checking counts, so that no phase
// that waits for the world can wait for ever.
func counts(phase Phase, reason Reason) bool {
	switch phase {
	case Checking, Shifting, Baking:
		return true
	case Held:
		return reason == HeldByAnalysis || reason == MetricsUnavailable || reason == TooFewRequests
	case Idle, AwaitingApproval, Paused, RollingBack, RolledBack, Completed:
		return false
	default:
		return false
	}
}

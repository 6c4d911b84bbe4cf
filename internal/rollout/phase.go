package rollout

import "slices"

// Phase is where a rollout stands. Each has one sentence, in meaning.
type Phase string

// The phases.
const (
	Idle             Phase = "Idle"
	Checking         Phase = "Checking"
	WarmingUp        Phase = "WarmingUp"
	Shifting         Phase = "Shifting"
	Baking           Phase = "Baking"
	AwaitingApproval Phase = "AwaitingApproval"
	Held             Phase = "Held"
	Paused           Phase = "Paused"
	RollingBack      Phase = "RollingBack"
	RolledBack       Phase = "RolledBack"
	Completed        Phase = "Completed"
)

// meaning has the sentence of each phase. docs/states.md is made from it.
var meaning = map[Phase]string{
	Idle:             "There is nothing to roll out, or it cannot begin.",
	Checking:         "A candidate was found and its preconditions are looked at.",
	WarmingUp:        "The candidate's own minimum of instances is started before its first step.",
	Shifting:         "A split was sent and does not serve yet.",
	Baking:           "A split serves and evidence about it is gathered.",
	AwaitingApproval: "A person must let the next weight begin.",
	Held:             "It waits for the world, and goes on by itself.",
	Paused:           "It waits for a person.",
	RollingBack:      "Traffic goes back to stable, which does not serve it all yet, or Cloud Run is not done with that, or it is not known yet whether the candidate is given up.",
	RolledBack:       "Stable serves everything and the candidate was given up.",
	Completed:        "The candidate became stable.",
}

// Meaning is what a phase says of a rollout, in one sentence.
func (p Phase) Meaning() string { return meaning[p] }

// Phases lists them in the order in which a reader meets them.
var Phases = []Phase{
	Idle, Checking, WarmingUp, Shifting, Baking, AwaitingApproval, Held, Paused, RollingBack, RolledBack, Completed,
}

// Edges lists, for each phase, those that may follow it. Staying is always
// allowed. RollingBack follows every phase of an attempt. What is at rest takes up the attempt
// of an object that is gone.
var Edges = map[Phase][]Phase{
	Idle:             {Checking, Shifting, Baking, Paused, RollingBack, RolledBack},
	Checking:         {Idle, WarmingUp, Shifting, Baking, AwaitingApproval, Held, Paused, RollingBack, RolledBack},
	WarmingUp:        {Idle, Checking, Shifting, Baking, AwaitingApproval, Held, Paused, RollingBack, RolledBack},
	Shifting:         {Idle, Checking, Baking, AwaitingApproval, Held, Paused, RollingBack, RolledBack, Completed},
	Baking:           {Idle, Shifting, AwaitingApproval, Held, Paused, RollingBack, RolledBack, Completed},
	AwaitingApproval: {Idle, Checking, WarmingUp, Shifting, Baking, Held, Paused, RollingBack, RolledBack},
	Held:             {Idle, Checking, WarmingUp, Shifting, Baking, AwaitingApproval, Paused, RollingBack, RolledBack, Completed},
	Paused:           {Idle, Checking, WarmingUp, Shifting, Baking, AwaitingApproval, Held, RollingBack, RolledBack, Completed},
	RollingBack:      {Idle, Checking, Paused, RolledBack},
	RolledBack:       {Idle, Checking, Shifting, Baking, Paused, RollingBack},
	Completed:        {Idle, Checking, Shifting, Baking, Paused, RollingBack, RolledBack},
}

// follows tells whether one phase may come after another.
func follows(from, to Phase) bool { return from == to || slices.Contains(Edges[from], to) }

// active tells whether a phase belongs to an attempt under way.
func (p Phase) active() bool {
	switch p {
	case Checking, WarmingUp, Shifting, Baking, AwaitingApproval, Held, Paused, RollingBack:
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
	AssetsMissed           Reason = "AssetsMissed"
	WaitingForNat          Reason = "WaitingForNat"
	OutsideWindow          Reason = "OutsideWindow"
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
	OwnedElsewhere         Reason = "OwnedElsewhere"
	Deploying              Reason = "Deploying"
	NotDeployed            Reason = "NotDeployed"
)

// The reasons of events that are transitions, not states.
const (
	RolloutStarted      Reason = "RolloutStarted"
	Pinned              Reason = "Pinned"
	TrafficShifted      Reason = "TrafficShifted"
	StepPassed          Reason = "StepPassed"
	Superseded          Reason = "Superseded"
	RequestAccepted     Reason = "RequestAccepted"
	RequestRefused      Reason = "RequestRefused"
	UnownedSplitFailing Reason = "UnownedSplitFailing"
	ClaimMissing        Reason = "ClaimMissing"
	StillWaitingForNat  Reason = "StillWaitingForNat"
	WarmupUnavailable   Reason = "WarmupUnavailable"
)

// counts tells whether time in a state counts against the step's deadline:
// waiting for a person, for NAT or for a window does not. Checking counts, so that no phase
// that waits for the world can wait for ever.
func counts(phase Phase, reason Reason) bool {
	switch phase {
	case Checking, WarmingUp, Shifting, Baking:
		return true
	case Held:
		return reason != WaitingForNat && reason != OutsideWindow && reason != AccessDenied
	case Idle, AwaitingApproval, Paused, RollingBack, RolledBack, Completed:
		return false
	default:
		return false
	}
}

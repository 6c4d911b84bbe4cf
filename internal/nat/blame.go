package nat

import "time"

// Role is what a rollout is to a gateway's trouble.
type Role string

// The roles.
const (
	// Culprit: the candidate caused it; the check's policy applies.
	Culprit Role = "Culprit"
	// Bystander: it did not; going back would not cure it. Hold and say so.
	Bystander Role = "Bystander"
	// Unknown: nobody can tell. Hold and call a person.
	Unknown Role = "Unknown"
)

// Sample is a series' value in the minute that ends at End.
type Sample struct {
	End   time.Time
	Value int64
}

// Evidence is what is known of a gateway's trouble. Series are ascending; an
// empty one is not known.
type Evidence struct {
	Gateway Gateway
	Policy  Policy

	// Rises are the times at which the candidate's weight was raised in this
	// attempt. Give when each was written rather than when it was seen to serve:
	// what begins before a rise was not caused by it.
	Rises []time.Time
	// Began is the end of the first bad minute of the trouble; zero: not known.
	Began time.Time
	// Usual is the level before the attempt, Worst the level since Began, such
	// as dropped packets per minute.
	Usual, Worst int64
	// Reasons of the drops, as Cloud NAT names them.
	Reasons []string

	// Allocated ports and open Connections of the gateway, and the Candidate's
	// Instances, active and idle, from ten minutes before the rise on.
	Allocated, Connections, Instances []Sample
	// OthersHot is how many other rollouts behind the gateway were hot when the
	// trouble began.
	OthersHot int64

	// Candidate and Stable are how their users fare in the requests that ended
	// since Began.
	Candidate, Stable Health
}

// Health is how a revision's users fare.
type Health struct {
	Requests int64 // 0: not known
	Failed   int64 // answered 5xx
	// Slow is a high percentile of the latencies, the same for both revisions.
	// 0: not known.
	Slow time.Duration
}

// Verdict is who is to blame.
type Verdict struct {
	Role Role
	// Because is one clause with the numbers that decide.
	Because string
}

// Blame tells what a rollout is to a gateway's trouble. An innocent one is never
// called the culprit for what its numbers leave open.
func Blame(e Evidence) Verdict { return Verdict{Role: Unknown} }

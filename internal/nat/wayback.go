package nat

import "time"

// Rise is a saved rise of the candidate's weight.
type Rise struct {
	At   time.Time
	From int64 // the weight before it
}

// Retreat is a way back as far as it has come. Everything in it is saved with
// the rollout or read from Cloud Run; nothing comes from Monitoring, which may
// be what failed.
type Retreat struct {
	// Weight that the candidate has now.
	Weight int64
	// Rises of this attempt.
	Rises []Rise
	// Began is when the first write of the way back was made, Last when the
	// latest was, Sent how many there were. Zero before the first.
	Began, Last time.Time
	Sent        int
	// AtOnce finishes in one write: users fail, or a person asks.
	AtOnce bool
	// Holds is the percent of the service's traffic for which the gateway had
	// room for further instances when the way back began, see [Holds]. 0: not
	// known, or none.
	Holds int64
}

// Lowering is the next write of a way back.
type Lowering struct {
	Weight int64     // of the candidate, less than now
	At     time.Time // when it is due
	Why    string    // one clause
}

// WayBack is the next write of a way back: one where stable still has the
// instances that the traffic needs, else at most three within three minutes,
// spaced by time alone.
func WayBack(r Retreat, now time.Time) Lowering { return Lowering{At: now} }

// Holds is for how many percent of the service's traffic a gateway has room for
// further instances. The reserve is there for this, so it is not kept.
func Holds(g Gateway, f Fleet, p Policy) int64 { return 0 }

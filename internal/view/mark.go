package view

import (
	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// Tone is how much a line wants to be seen. It is never the only sign of that.
type Tone int

// The tones.
const (
	Calm  Tone = iota // nothing is going on
	Busy              // it is under way
	Wary              // it waits, or is not certain
	Alarm             // it is wrong
)

// Mark is how a standing is drawn at the beginning of a line.
type Mark struct {
	Sign  string
	Words string // what the sign says, where there is room
	Tone  Tone
}

var marks = map[standing.Standing]Mark{
	standing.Stuck:       {"!", "stuck", Alarm},
	standing.NeedsPerson: {"!", "waits for you", Wary},
	standing.Failing:     {"!", "held by a check", Alarm},
	standing.GoingBack:   {"<", "going back", Alarm},
	standing.Waiting:     {"~", "waits for the world", Wary},
	standing.Moving:      {">", "under way", Busy},
	standing.NotSeen:     {"?", "not seen yet", Wary},
	standing.RolledBack:  {"x", "rolled back", Alarm},
	standing.Settled:     {" ", "settled", Calm},
}

// Mark is the mark of a rollout. One whose status is stale needs a person, whatever it
// says.
func (r Reader) Mark(ro *v1alpha1.CloudRunRollout) Mark {
	mark := marks[standing.Of(ro)]
	if _, is := r.Stale(ro); is {
		return Mark{"!", "stale, last known: " + mark.Words, max(mark.Tone, Wary)}
	}
	return mark
}

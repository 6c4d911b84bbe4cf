package rollout

import "fmt"

// needsVerb tells whether a rollout waits for a person's verb. A pause of spec.paused
// has no cause of its own, and is over when that is.
func (p Progress) needsVerb() bool {
	return p.Phase == Paused && (p.Reason != ReasonPaused || p.Cause != "")
}

// pausedByPerson tells whether it is paused because somebody asked for that.
func (p Progress) pausedByPerson() bool { return p.needsVerb() && p.Reason == ReasonPaused }

// late tells whether it is paused because time ran out.
func (p Progress) late() bool {
	return p.Phase == Paused && (p.Reason == StepDeadlineExceeded || p.Reason == NoDataDeadlineExceeded)
}

// pauseAsked: nothing rises any more, and what leads back still does. It is obeyed
// while Cloud Run applies a change too, because it writes nothing.
func pauseAsked(v view) (Decision, bool) {
	p := v.Progress
	if !v.asked(VerbPause) || !p.active() || p.Candidate == "" || p.needsVerb() {
		return Decision{}, false
	}
	v.Progress.Cause = "paused" + v.by()
	return v.accept(v.waitsForResume(), "nothing rises until somebody asks to resume; thresholds still roll back"), true
}

// waitsForResume stays paused by a person's request. A newer candidate waits too.
func (v view) waitsForResume() Decision {
	p := v.Progress
	next := fmt.Sprintf("Waits: resume goes on, abort sends everything to %s; thresholds still roll back.", p.Stable)
	if newer := v.newer(); newer != "" {
		next = fmt.Sprintf("Waits: resume goes on with %s, which is newer; abort sends everything to %s; thresholds still roll back.", newer, p.Stable)
	}
	if v.Plan.Paused {
		next = fmt.Sprintf("Waits for spec.paused: false and then for resume; abort sends everything to %s; thresholds still roll back.", p.Stable)
	}
	return v.at(Paused, ReasonPaused, fmt.Sprintf("%s; traffic stays at %s", p.Cause, v.desired)).next(next)
}

package rollout

import (
	"cmp"
	"fmt"
)

// needsVerb tells whether a rollout waits for a person's verb. A pause of spec.paused
// has no cause of its own, and is over when that is.
func (p Progress) needsVerb() bool {
	return p.Phase == Paused && (p.Reason != ReasonPaused || p.Cause != "")
}

// stillPaused tells whether a pause goes on while nothing can be done about the service:
// that of spec.paused ends with it.
func (v view) stillPaused() bool {
	return v.Progress.needsVerb() || v.Progress.Phase == Paused && v.Plan.Paused
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

// waitForPerson stays paused until a person resumes, or until spec.paused, the
// only cause that a person takes back in Git, is gone.
func waitForPerson(v view) Decision {
	p := v.Progress
	if !p.needsVerb() {
		return proceed(v)
	}
	if v.asked(Resume) {
		if p.Reason == TrafficConflict && v.untouched() {
			v.Progress.Lowered = v.Now // what a person gave the candidate may have served between two looks
		}
		if d := v.resumed(); d.Progress.Phase != Paused {
			return v.accept(d.credited("resumed"+v.by()), "goes on")
		}
	}
	if d, ok := v.overtakes(); ok {
		return d
	}
	if p.Reason == ReasonPaused {
		return v.waitsForResume()
	}
	if p.Reason == TrafficConflict && v.foreignTag() {
		return v.tagTaken(Tag)
	}
	if p.Reason == StateLost && p.Stable == "" { // what showed the loss may be gone: its cure still counts
		return v.nameLost()
	}
	if p.Reason == StateLost && p.Candidate != "" && p.Cause != "" {
		return v.guarded(p.Cause)
	}
	return v.at(Paused, p.Reason, cmp.Or(p.Cause, unexplained)).next(v.untilResumed(p.Reason))
}

// overtakes is what ends a wait for a person's resume beside it: a promote where time ran
// out, and a new template in Git.
func (v view) overtakes() (Decision, bool) {
	if !v.Progress.late() {
		return Decision{}, false
	}
	if d, ok := v.promoted(); ok {
		return d, true
	}
	return v.deploys()
}

// unexplained is the cause of a pause whose status was damaged.
const unexplained = "it is paused, and its status does not say why"

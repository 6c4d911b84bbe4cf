package rollout

import (
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// How soon to look again: while a write takes effect, during an attempt, and
// when nothing is going on.
const (
	soon    = 5 * time.Second
	regular = 15 * time.Second
	seldom  = time.Minute
)

// at makes a decision that stands in a phase for a reason.
func (v view) at(phase Phase, reason Reason, note string) Decision {
	d := Decision{Progress: v.Progress, Note: note}
	d.Progress.Phase, d.Progress.Reason = phase, reason
	return d
}

// next says what will happen by itself, and what a person can do.
func (d Decision) next(sentence string) Decision {
	d.Next = sentence
	return d
}

// tell adds an event.
func (d Decision) tell(reason Reason, note string, warning bool) Decision {
	d.Events = append(d.Events, Event{reason, note, warning})
	return d
}

// credited says in front of what happens whose doing it is.
func (d Decision) credited(whose string) Decision {
	d.Note = whose + ": " + d.Note
	return d
}

// write adds the one write of a decision and remembers it as an intent. A
// service that cannot be written well is left alone.
func (v view) write(d Decision, split Split) Decision {
	w, err := newWrite(v.Service, split, d.Progress.Candidate, v.tags(d.Progress, split)...)
	if err != nil {
		return v.pause(TrafficConflict, "the service's traffic list cannot be written: "+err.Error()).next(
			fmt.Sprintf("Mend the list with %s, then resume.", v.byHand()))
	}
	seq := d.Progress.numbered(split, w.etag)
	w.claim, w.annotations = v.claim(d.Progress, seq, split), v.Service.Annotations
	d.Write = w
	if c := d.Progress.Candidate; c != "" && split.Of(c) > v.desired.Of(c) {
		d.Progress = d.Progress.rose(v.desired.Of(c), v.Now)
	}
	d.Progress = v.lowering(d.Progress, split)
	d.Progress = d.Progress.intend(Intent{Split: split, ETag: w.etag, Generation: w.generation, Seq: seq, At: v.Now})
	return d
}

// tags says what a write does with our tags.
func (v view) tags(p Progress, split Split) []tagging {
	stable := tagging{Tag, p.Stable, p.Tagged}
	if p.Candidate == "" || v.Deleting || v.foreignTag() {
		stable.keep = ""
	}
	candidate := tagging{WarmTag, p.Candidate, p.Warmup.Tagged}
	if !p.warms() || v.Deleting || split.Of(p.Candidate) > 0 {
		candidate.keep = ""
	}
	return []tagging{stable, candidate}
}

// foreignTag tells whether somebody else put a tag of our name on a revision.
func (v view) foreignTag() bool {
	tagged := v.Service.tagged(Tag)
	return tagged != "" && tagged != v.Progress.Tagged && tagged != v.Progress.Stable
}

// pause makes a decision that waits for a person, and remembers why.
func (v view) pause(reason Reason, cause string) Decision {
	v.Progress.Cause = cause
	return v.at(Paused, reason, cause)
}

// finish applies what holds for every decision.
func (v view) finish(d Decision) Decision {
	d = v.deadline(v.signs(d))
	p := &d.Progress
	if !p.Effective.IsZero() && p.Effective.Equal(v.was.Effective) && v.skew() == "" {
		_, through := v.evidence()
		p.Judged = later(p.Judged, through)
	}
	if v.Service.Presence == Found && p.ServiceUID == "" {
		p.ServiceUID = v.Service.UID
	}
	if p.Phase != v.was.Phase || p.Reason != v.was.Reason {
		p.Since = v.Now
	}
	if !p.active() && v.revision(p.Stable).Presence == Found && v.desired.Equal(all(p.Stable)) {
		p.SettledBy = v.Plan.StableRevision // nobody needs it now, and it is not meant for what comes later
	}
	p.Clock = p.Clock.turn(counts(p.Phase, p.Reason), v.Now)
	if v.Service.Presence == Found {
		p.Generation = max(p.Generation, v.Service.Generation)
	}
	d = v.missed(v.answer(d))
	if !p.outlasts() {
		d.Progress.Promoted = Promotion{}
	}
	if v.Plan.NatUnwanted && p.active() && v.throughNat(p.Candidate) {
		d.Next += " NAT is not watched: spec.nat.discovery is Off."
	}
	d.Next += v.awaitsDeploy(d)
	d = v.calls(d)
	d.Progress = v.remembers(v.remembersElsewhere(d.Progress.judged()))
	d = v.forgetsTag(d)
	d.Progress, d.Undeployed = v.deployed(d.Progress), v.notDeployed()
	d.Advice = v.advice(d.Progress)
	d.Checks, d.Gateways, d.Release = v.checks, v.states(), v.release(d)
	d.Serves = v.effective
	d.InSync = v.desired.Equal(v.effective) && (p.Stable == "" || p.ours(v.desired))
	if d.LookAt.IsZero() {
		d.LookAt = v.Now.Add(pace(d))
	}
	d.Progress = d.Progress.brief()
	return d
}

// deadline ends a wait for the world that has lasted too long.
func (v view) deadline(d Decision) Decision {
	p := d.Progress
	if d.Write != nil || d.Deploy != nil || !counts(p.Phase, p.Reason) || p.Clock.at(v.Now) < v.Plan.StepDeadline {
		return d
	}
	v.Progress = p
	cause := fmt.Sprintf("%s did not pass within %s; it was %s/%s: %s", v.place(), v.Plan.StepDeadline, p.Phase, p.Reason, d.Note)
	over := v.pause(StepDeadlineExceeded, cause)
	over.Events, over.reply = d.Events, d.reply
	return over.next(v.untilResumed(StepDeadlineExceeded))
}

// place names the step in words.
func (v view) place() string {
	if v.Progress.Step == 0 {
		return "the start"
	}
	return "step " + v.Plan.progressOf(v.Progress.Step)
}

// Lowers tells whether a decision takes traffic from the candidate.
func (d Decision) Lowers() bool {
	if d.Progress.Phase == RollingBack || d.Write == nil {
		return d.Progress.Phase == RollingBack
	}
	return d.share() < d.Progress.Confirmed.Of(d.Progress.Candidate)
}

// Raises tells whether a decision gives the candidate traffic.
func (d Decision) Raises() bool {
	return d.Progress.Phase != RollingBack && d.Write != nil && d.share() > d.Progress.Confirmed.Of(d.Progress.Candidate)
}

// share is what the write of a decision gives the candidate.
func (d Decision) share() int64 {
	var share int64
	for _, e := range d.Write.targets {
		if e.Revision == d.Progress.Candidate {
			share += e.Percent
		}
	}
	return share
}

// pace is how long until the next look.
func pace(d Decision) time.Duration {
	switch {
	case d.Write != nil, d.Deploy != nil, d.Progress.Reason == Deploying, d.Progress.Phase == Shifting, d.Progress.Phase == RollingBack:
		return soon
	case d.Progress.active():
		return regular
	default:
		return seldom
	}
}

// revision returns what is known of a revision; nothing known is not found.
func (v view) revision(name string) Revision {
	if r, ok := v.Revisions[name]; ok {
		return r
	}
	return Revision{Name: name, Readiness: Pending}
}

// Clock writes a time the way every message does, those of the judge too.
func Clock(t time.Time) string { return analysis.Clock(t) }

package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
)

// Progress is what must survive a restart: everything Decide had committed to
// when it was last saved. All times are whole seconds.
type Progress struct {
	Phase  Phase
	Reason Reason
	Since  time.Time // of this phase and reason

	ServiceUID string
	// Generation is the newest one seen; an older one is a stale read.
	Generation int64
	// Stable is the recorded baseline: the way back.
	Stable string
	// Cutoff separates what existed when the baseline was recorded from what
	// came later: only revisions created after it are candidates by themselves.
	// It is a creation time given by Cloud Run, so no clocks are compared.
	Cutoff time.Time

	Attempt   int64  // number of the attempt, 0 before the first
	Candidate string // of the attempt under way, or of the last one
	Requested string // revision that a retry asked for
	// Step is the one in effect, counted from 1; 0 before the first. It follows
	// from the confirmed split, so that an edited plan is read anew.
	Step int
	// FirstWrite is when the attempt first moved traffic.
	FirstWrite time.Time
	// Effective is when the split of Step was first seen to serve.
	Effective time.Time
	// Watched is since when what served before the step is evidence: the Effective of
	// the step before it, or later where somebody else's split was in between. In the
	// first step it is that one's own.
	Watched time.Time
	// Judged is the newest minute that every check has judged, in this step or an earlier
	// one: what was forgiven then is not held against a later step.
	Judged time.Time
	// Lowered is when a write last gave traffic back to stable, or, where that is later,
	// when stable was last seen to have got some back, whoever gave it.
	Lowered time.Time
	// Elsewhere is the percent that revisions other than stable served when they were
	// last seen.
	Elsewhere int64
	// Watches are the gateways that the attempt watches: what was discovered once
	// is not forgotten because a later discovery fails.
	Watches []Watch
	// Waiting is since when the next rise waits for a gateway, and WaitTold that it
	// was told that this is long.
	Waiting  time.Time
	WaitTold bool
	// Hot is when traffic was last raised behind NAT, until the gateways report a
	// complete minute of it.
	Hot   time.Time
	Baked int // complete, healthy minutes of the step

	// Rises are the newest rises of the attempt, oldest first, at most maxRises.
	Rises   []nat.Rise
	Company Company
	Trial   Trial
	// Spared is when everything went back in this attempt and nothing was given up,
	// because users failed while a gateway suffered. That is done once.
	Spared time.Time
	// Accused is the end of the minute that put the candidate's users in breach, on a way
	// back of which it is not known yet whether the candidate is given up: a gateway that
	// drops packets while it grows has not told of that minute. Zero where none is.
	Accused time.Time
	Retreat Retreat
	Called  time.Time // when a person was last called for a gateway's trouble

	Confirmed Split    // the last split of ours that was seen to serve
	Intents   []Intent // saved before they were sent, not yet confirmed
	Tagged    string   // revision on which our tag was seen to be ours
	Warmup    Warmup

	Cause        string   // why it was given up or waits for a person, in words
	Latched      []string // revisions given up; only a verb lifts it
	Approved     int64    // weight that a person let it have
	ThinAccepted int      // step that a person let pass with too few requests
	Promoted     Promotion
	Former       string // stable before the candidate of the completed attempt became it

	NoDataSince time.Time
	Breaches    []BreachStart
	Clock       Stopwatch // of the step deadline
	Deployed    string    // digest of the newest spec.template that was seen on the service or on stable
	Sent        Sent      // a template that was sent and was not seen yet
	SettledBy   string    // spec.stableRevision that was already acted on
	Seq         int64     // number of the last write that was decided
	Adopted     string    // UID in a claim of another object that was taken over
	ClaimMissed bool      // it was told that our claim is gone
	LastRequest Reply
}

// Intent is a write that was decided. It is saved before it is sent, so that
// its effect is recognised whether or not an answer arrived.
type Intent struct {
	Split Split
	// ETag is the version of the service it was decided on; "" once its split
	// was seen to be asked for.
	ETag       string
	Generation int64
	Seq        int64 // number of the write
	At         time.Time
}

// BreachStart is when a guard began to be in breach without interruption.
type BreachStart struct {
	Guard string
	Since time.Time
}

// maxIntents bounds the writes whose fate may be unknown at once.
const maxIntents = 4

// maxLatched bounds the memory of revisions given up.
const maxLatched = 20

// anew forgets the evidence: what served until now is not judged any more.
func (p Progress) anew() Progress {
	p.Effective, p.Watched, p.Judged = time.Time{}, time.Time{}, time.Time{}
	return p
}

// active tells whether an attempt is under way.
func (p Progress) active() bool { return p.Phase.active() }

// known reads a phase that is none of ours. Where nothing was saved yet nothing is
// going on. Any other is of a newer version of Sluice that was taken back: nobody
// here knows what it had promised, so a person is asked, and the way back is open.
func (p Progress) known(now time.Time) Progress {
	switch {
	case slices.Contains(Phases, p.Phase):
	case p.Phase == "":
		p.Phase = Idle
	default:
		p.Cause = fmt.Sprintf("the phase %q is of another version of Sluice", p.Phase)
		p.Phase, p.Reason, p.Since = Paused, StateLost, now
	}
	return p
}

// underway tells whether an attempt is under way, or was when its service was
// lost from sight.
func (p Progress) underway() bool { return p.active() || p.interrupted() }

// interrupted tells whether a candidate that is not stable was left with traffic.
func (p Progress) interrupted() bool {
	return !p.active() && p.Candidate != "" && p.Candidate != p.Stable && p.Confirmed.Of(p.Candidate) > 0
}

// landed returns the newest intent that asked for a split.
func (p Progress) landed(split Split) (Intent, bool) {
	for _, intent := range slices.Backward(p.Intents) {
		if intent.Split.Equal(split) {
			return intent, true
		}
	}
	return Intent{}, false
}

// leaving tells whether a way back is among the writes whose fate is unknown: one that
// gives stable everything, and takes something from the candidate.
func (p Progress) leaving() bool {
	back, ok := p.landed(all(p.Stable))
	raised := func(i Intent) bool { return i.Seq < back.Seq && i.Split.Of(p.Candidate) > 0 }
	return ok && (!p.Confirmed.Equal(back.Split) || slices.ContainsFunc(p.Intents, raised))
}

// ours tells whether a split is one we meant or confirmed. Once a newer one of
// ours was seen, only a person can have brought the confirmed one back.
func (p Progress) ours(split Split) bool {
	if _, ok := p.landed(split); ok {
		return true
	}
	return p.Confirmed.Equal(split) && !slices.ContainsFunc(p.Intents, Intent.seen)
}

// seen tells whether the split of an intent was seen to be asked for.
func (i Intent) seen() bool { return i.ETag == "" }

// see marks the intent whose split is asked for.
func (p Progress) see(desired Split) Progress {
	if p.Confirmed.Equal(desired) {
		return p
	}
	p.Intents = slices.Clone(p.Intents)
	for i := range p.Intents {
		if p.Intents[i].Split.Equal(desired) {
			p.Intents[i].ETag = ""
		}
	}
	return p
}

// carried marks the intent whose write the service's claim is from: it took effect,
// whatever is asked for by now.
func (p Progress) carried(seq int64) Progress {
	i := slices.IndexFunc(p.Intents, func(i Intent) bool { return i.Seq == seq })
	if i < 0 {
		return p
	}
	p.Intents = slices.Clone(p.Intents)
	p.Intents[i].ETag = ""
	return p
}

// unseen keeps the intents that were not seen; of those, an etag keeps the ones
// that can still take effect, "" keeps all.
func (p Progress) unseen(etag string) []Intent {
	return slices.DeleteFunc(slices.Clone(p.Intents), func(i Intent) bool {
		return i.seen() || etag != "" && i.ETag != etag
	})
}

// intend remembers a write that is about to be sent as the newest one. The same write
// sent again is not a second intent, but it is what was asked for last: another plan may
// have asked for something else in between, of the same service.
func (p Progress) intend(intent Intent) Progress {
	intents := slices.Clone(p.Intents)
	if i := slices.IndexFunc(intents, intent.same); i >= 0 {
		intent = intents[i]
		intents = slices.Delete(intents, i, i+1)
	} else {
		p.Seq = intent.Seq
	}
	intents = append(intents, intent)
	p.Intents = intents[max(0, len(intents)-maxIntents):]
	return p
}

// same tells whether an intent is for the same write as another.
func (i Intent) same(other Intent) bool { return i.ETag == other.ETag && i.Split.Equal(other.Split) }

// numbered is the number of a write: its old one if it is sent again, else the
// next.
func (p Progress) numbered(split Split, etag string) int64 {
	if i := slices.IndexFunc(p.Intents, Intent{Split: split, ETag: etag}.same); i >= 0 {
		return p.Intents[i].Seq
	}
	return p.Seq + 1
}

// brief is progress as it is saved: whatever splits people made, its size is
// bounded.
func (p Progress) brief() Progress {
	p.Confirmed = p.Confirmed.brief(p.Candidate, p.Stable)
	p.Intents = slices.Clone(p.Intents)
	for i, intent := range p.Intents {
		p.Intents[i].Split = intent.Split.brief(p.Candidate, p.Stable)
	}
	return p
}

// latch gives a revision up.
func (p Progress) latch(revision string) Progress {
	if p.latched(revision) {
		return p
	}
	latched := append(slices.Clone(p.Latched), revision)
	p.Latched = latched[max(0, len(latched)-maxLatched):]
	return p
}

func (p Progress) latched(revision string) bool { return slices.Contains(p.Latched, revision) }

func (p Progress) unlatch(revision string) Progress {
	p.Latched = slices.DeleteFunc(slices.Clone(p.Latched), func(r string) bool { return r == revision })
	return p
}

// breachedSince returns when a guard's breach began, or the zero time.
func (p Progress) breachedSince(guard string) time.Time {
	for _, b := range p.Breaches {
		if b.Guard == guard {
			return b.Since
		}
	}
	return time.Time{}
}

// Stopwatch adds up the time that counts against a step's deadline.
type Stopwatch struct {
	Spent   time.Duration // before Running
	Running time.Time     // since when it runs; zero when stopped
}

// at returns the time spent up to now.
func (s Stopwatch) at(now time.Time) time.Duration {
	if s.Running.IsZero() {
		return s.Spent
	}
	return s.Spent + now.Sub(s.Running)
}

// turn starts or stops it.
func (s Stopwatch) turn(on bool, now time.Time) Stopwatch {
	switch {
	case on && s.Running.IsZero():
		return Stopwatch{Spent: s.Spent, Running: now}
	case !on && !s.Running.IsZero():
		return Stopwatch{Spent: s.at(now)}
	}
	return s
}

// expires returns when it will have run for a limit; zero while it stands.
func (s Stopwatch) expires(limit time.Duration) time.Time {
	if s.Running.IsZero() {
		return time.Time{}
	}
	return s.Running.Add(limit - s.Spent)
}

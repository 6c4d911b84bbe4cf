package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Claim is what a service itself says about who moves its traffic. It is written
// only together with a split, has no end, and outlives the status of the object
// that wrote it.
type Claim struct {
	Holder
	Attempt int64
	Since   time.Time // first write of that attempt; zero where it is not said
	Seq     int64     // number of the write that carried it
	Stable  string    // the way back of that write
	Split   Split     // what that write asked for; nil where it is not said
	Latched []string  // revisions given up by then
}

// Holder is the object that a claim is about.
type Holder struct {
	Cluster   string // UID of the namespace kube-system
	Namespace string
	Name      string
	UID       string
}

// known tells whether a holder can be told from others.
func (h Holder) known() bool { return h.Cluster != "" && h.UID != "" }

// same tells whether two holders are one object.
func (h Holder) same(other Holder) bool { return h.Cluster == other.Cluster && h.UID == other.UID }

// claim is what the next write says of itself, or nil where nobody knows who we
// are. A write that is sent again is the same to the byte.
func (v view) claim(p Progress, seq int64, split Split) *Claim {
	if !v.Self.known() || v.Plan.RunService != "" { // whoever keeps the service keeps its annotations
		return nil
	}
	return &Claim{
		Holder: v.Self, Attempt: p.Attempt, Since: p.FirstWrite, Seq: seq, Stable: p.Stable, Split: split, Latched: slices.Clone(p.Latched),
	}
}

// claimed: a service that another object claims is left alone, one whose holder
// is gone is free, and what we claimed ourselves and do not remember is taken up
// from the claim.
func claimed(v view) (Decision, bool) {
	c := v.Service.Claim
	switch {
	case v.Elder != (Elder{}):
		return v.outranked(), true
	case !v.Self.known():
		return Decision{}, false
	case v.Service.ClaimUnread != "":
		return v.disowned("the claim on the service cannot be read: " + v.Service.ClaimUnread), true
	case c == nil, c.Holder == (Holder{}), v.adoptedBefore(*c):
		return Decision{}, false
	case c.same(v.Self):
		return v.remember(*c)
	case v.stale() && v.Progress.Stable != "": // it may be one that we have replaced
		return Decision{}, false
	case v.asked(Adopt) && !v.moving():
		return v.accept(v.takeOver(*c).credited("adopted"+v.by()), "the service is taken over"), true
	case c.Cluster != v.Self.Cluster:
		return v.disowned("the service is claimed from another cluster"), true
	case v.Rival == Found:
		return v.disowned("the service is claimed by " + v.rivalName(*c)), true
	case v.Progress.Stable == "", !v.Progress.active() && !v.stale():
		return v.takeUp(*c), true
	case v.Progress.active() && v.Progress.Phase != RollingBack && v.gaveUp() && v.Progress.ours(v.desired):
		return v.giveUp(v.gaveUpBefore()), true
	}
	return Decision{}, false
}

// gaveUp tells whether a claim whose holder is gone has given up our candidate: this object
// was put back into its past, or applied anew, and knows nothing of it.
func (v view) gaveUp() bool {
	c, p := v.Service.Claim, v.Progress
	return c != nil && v.Self.known() && !c.same(v.Self) && !v.adoptedBefore(*c) && p.Candidate != "" && slices.Contains(c.Latched, p.Candidate) &&
		!p.latched(p.Candidate) && p.Requested != p.Candidate
}

// gaveUpBefore says so.
func (v view) gaveUpBefore() string {
	return v.Progress.Candidate + " was given up by a rollout that is gone, as its claim on the service says"
}

// moving tells whether what follows LATEST is about to follow another revision: to name
// the one of before would take traffic back. A take-over waits for that.
func (v view) moving() bool { return v.Service.Reconciling && v.Service.followsLatest() }

// adoptedBefore tells whether a claim is one that we took over, and that stays on the
// service until our own write lands. What its holder has written since is another
// claim: somebody took the service back.
func (v view) adoptedBefore(c Claim) bool {
	return v.Progress.Adopted == c.UID && !c.same(v.Self) && c.Seq <= v.Progress.Seq
}

// signs writes our name on a service that we took over, where the write that was to do
// so was lost and nothing else is written: until then the former holder would go on.
func (v view) signs(d Decision) Decision {
	c := v.Service.Claim
	if d.Write != nil || d.Deploy != nil || c == nil || v.Plan.RunService != "" || !v.adoptedBefore(*c) || c.Cluster == v.Self.Cluster && v.Rival != Found {
		return d
	}
	if d.Progress.Stable == "" || !d.Progress.ours(v.desired) || !v.Service.settled() || v.stale() || v.Deleting {
		return d
	}
	if v.servesNothing() {
		return d // to say it again would send traffic to nothing
	}
	if signed := v.write(d, v.desired); signed.Write != nil {
		return signed
	}
	return d
}

// servesNothing tells whether a part of the traffic is asked to go to a revision that is
// gone.
func (v view) servesNothing() bool {
	return slices.ContainsFunc(v.desired, func(s Share) bool { return v.revision(s.Revision).Presence == Missing })
}

// seesClaim learns from our own claim on the service which of our writes it is from,
// and that whatever we took over is ours now.
func (v view) seesClaim() view {
	c := v.Service.Claim
	if c == nil || !c.same(v.Self) || v.stale() {
		return v
	}
	v.Progress.Adopted = ""
	if c.Stable != "" && c.Stable != v.Progress.Tagged { // each write that says so takes our tag along, or away
		v.Progress.Tagged = ""
	}
	if v.Progress.active() || v.Progress.Reason == ServiceNotFound {
		v.Progress = v.Progress.carried(c.Seq)
	}
	return v
}

// rivalName names the holder of a claim to its own namespace only.
func (v view) rivalName(c Claim) string {
	if c.Namespace == v.Self.Namespace {
		return "CloudRunRollout " + c.Name
	}
	return "a CloudRunRollout in another namespace"
}

// Elder is an object that moves a service by a RunService, and was made before another
// one that would.
type Elder struct{ Namespace, Name, RunService string }

// outranked leaves a service to the object that moves it already. RunServices are all
// written under one name, and services that Config Connector keeps have no claim, so that
// nothing in either tells two objects apart. The elder is named to its own namespace only.
func (v view) outranked() Decision {
	what, who, cure := "the service of RunService "+v.Plan.RunService, "a CloudRunRollout in another namespace",
		"Delete this one, or let the platform team settle which of the two stays"
	if v.Elder.Namespace == v.Self.Namespace {
		who, cure = "CloudRunRollout "+v.Elder.Name, "Delete one of the two"
		if v.Elder.RunService == v.Plan.RunService {
			what = "RunService " + v.Plan.RunService
		}
	}
	note := fmt.Sprintf("%s is moved by %s, which is older", what, who)
	return v.idle().at(Idle, OwnedElsewhere, note).next("Nothing is written. " + cure + "; looked at again every minute.")
}

// disowned leaves the service to its holder. An attempt of ours is over, and a candidate that
// was on its way back is given up: whoever takes the service over again goes back with it.
func (v view) disowned(note string) Decision {
	if p := v.Progress; p.Phase == RollingBack && p.Candidate != "" && p.Spared.IsZero() {
		v.Progress = p.latch(p.Candidate)
	}
	v = v.idle()
	return v.at(Idle, OwnedElsewhere, note).next(
		"Nothing is written. Delete the other object, or take the service over with the request adopt; looked at again every minute.")
}

// remember compares our claim with our memory. A claim that is ahead of it means
// that the memory was lost, or was put back into its past.
func (v view) remember(c Claim) (Decision, bool) {
	switch {
	case v.Progress.Stable == "":
		return v.takeUp(c), true
	case c.Seq <= v.Progress.Seq:
		return Decision{}, false
	case v.asked(Resume):
		return v.accept(v.takeUp(c).credited("resumed"+v.by()), "goes on from what the service says"), true
	}
	note := fmt.Sprintf("the service was written %d times, this object remembers %d: its status was put back into the past", c.Seq, v.Progress.Seq)
	switch d := v.takeUp(c); d.Progress.Phase { //nolint:exhaustive // of the others nothing is taken up
	case RollingBack:
		if v.desired.Equal(c.Split) { // it is ours, and was on its way back
			return d, true
		}
	case Baking, Shifting:
		if v.Deleting { // it goes back with the next look
			return d, true
		}
		v.Progress = d.Progress
		if stopped, ok := abortAsked(v); ok {
			return stopped, true
		}
		return v.guarded(note), true
	case Paused:
		if d.Progress.Reason == BaselineLost { // nothing to go back to: that is what a person has to know
			return d, true
		}
	}
	return v.pause(StateLost, note).next("Waits: resume goes on from what the service itself says."), true
}

// guarded is an attempt of which only the service still tells: nothing rises until a person
// has looked, and what its users suffer leads back.
func (v view) guarded(note string) Decision {
	return v.pause(StateLost, note).next(fmt.Sprintf("Waits: resume goes on with attempt %d of %s; abort sends everything to %s; thresholds still roll back.",
		v.Progress.Attempt, v.Progress.Candidate, v.Progress.Stable))
}

// takeUp goes on where a claim says that a rollout was: with its baseline, with
// what was given up, with a bake anew. It never rises on what it has not seen, nor
// from a split that somebody else has set since. What the candidate has served since
// the attempt's first write is judged, because a breach of it may still be arriving.
// Nobody knows when traffic was lowered last, so that a cool-down begins now. Attempts
// are counted on from the larger number, so that none of ours comes back.
func (v view) takeUp(c Claim) Decision {
	p := Progress{
		Phase: v.Progress.Phase, Reason: v.Progress.Reason, Since: v.Progress.Since, LastRequest: v.Progress.LastRequest,
		Attempt: max(c.Attempt, v.Progress.Attempt), Seq: max(c.Seq, v.Progress.Seq), Stable: c.Stable, Latched: slices.Clone(c.Latched),
		Confirmed: v.desired, Adopted: c.UID, SettledBy: v.Progress.SettledBy,
		Warmup: Warmup{Tagged: v.Service.tagged(WarmTag)},
	}
	if c.Attempt > 0 {
		p.Lowered = v.Now
	}
	if v.Service.tagged(Tag) == c.Stable { // anywhere else somebody else put it
		p.Tagged = c.Stable
	}
	if !c.same(v.Self) {
		for _, revision := range v.Progress.Latched { // what we gave up before stays given up
			p = p.latch(revision)
		}
	}
	p.Cutoff = v.newest(c.Stable)
	v.Progress = p
	v = v.doubts(c.Stable)
	if d, ok := v.movedSince(c); ok {
		return d
	}
	other, ok := beside(v.desired, c.Stable)
	switch {
	case c.Stable == "" || !ok:
		if v.was.Stable == "" { // it has begun; what ends this wait begins it anew
			v.Progress.Lowered = cmp.Or(v.was.Lowered, v.Progress.Lowered)
		}
		v.Progress.Stable = ""
		return v.unlessNamed(v.pause(StateLost, fmt.Sprintf("traffic is %s, and the claim on the service does not explain it", v.desired)).next(v.nameStable()))
	case other == "":
		return v.idle().steady()
	}
	v.Progress.Phase, v.Progress.Reason = Baking, Progressing
	v.Progress.Candidate, v.Progress.FirstWrite, v.Progress.Watched = other, cmp.Or(c.Since, v.Now), c.Since
	v.Progress.Step = v.Plan.stepAt(v.desired.Of(other))
	if d, gone := stableGone(v); gone {
		return d
	}
	if p.latched(other) {
		return v.sendBack(other + " was given up")
	}
	if !v.effective.Equal(v.desired) || v.revision(other).Presence != Found { // it is read from the next look on
		return v.shifting()
	}
	return v.at(Baking, Progressing, fmt.Sprintf("attempt %d is taken up from the claim on the service; traffic is %s", v.Progress.Attempt, v.desired)).next(bakesAnew)
}

// bakesAnew is what becomes of an attempt that goes on.
const bakesAnew = "Its bake begins anew; what it has served before is judged too."

// movedSince leaves a split alone that is not the one that the claim was written
// with: a person moved traffic meanwhile.
func (v view) movedSince(c Claim) (Decision, bool) {
	candidate, ok := beside(c.Split, c.Stable)
	if len(c.Split) == 0 || v.desired.Equal(c.Split) || !ok || c.Stable == "" {
		return Decision{}, false
	}
	v.Progress.Confirmed = c.Split
	if candidate == "" {
		v = v.idle()
		return rest(v), true
	}
	v.Progress.Phase, v.Progress.Reason = Baking, Progressing
	v.Progress.Candidate, v.Progress.FirstWrite = candidate, cmp.Or(c.Since, v.Now)
	if sole, ok := v.desired.sole(); ok && sole == v.Plan.StableRevision {
		v.Progress.SettledBy = "" // however old a name is, it moves nothing where it serves everything
	}
	if d, gone := stableGone(v); gone {
		return d, true
	}
	return foreignChange(v)
}

// takeOver takes up a claim that its holder may still live by, and says so on the
// service at once: the same split, with our name. Until then the former holder
// would go on. Where the split sends traffic to nothing it is not said again.
func (v view) takeOver(c Claim) Decision {
	c.Split = nil // the person has seen what serves
	d := v.takeUp(c)
	if d.Write != nil || d.Progress.Stable == "" || v.servesNothing() {
		return d
	}
	v.Progress = d.Progress
	return v.write(d, v.desired)
}

// beside returns the one other revision that has a share beside stable, "" for none,
// and whether there are no more.
func beside(split Split, stable string) (string, bool) {
	other := ""
	for _, share := range split {
		if share.Revision == stable {
			continue
		}
		if other != "" {
			return "", false
		}
		other = share.Revision
	}
	return other, true
}

// missed tells, once, that a claim of ours is no longer there: somebody strips
// annotations, and the service can no longer say whose it is.
func (v view) missed(d Decision) Decision {
	if v.Service.Presence != Found || !v.Self.known() || v.Plan.RunService != "" {
		return d
	}
	gone := v.Service.Claim == nil && v.Service.ClaimUnread == "" && v.Progress.Seq > 0 && v.Service.settled() &&
		len(v.Progress.Intents) == 0
	if gone && !v.Progress.ClaimMissed {
		d = d.tell(ClaimMissing, "the annotation that says whose the service is was taken away; the next write puts it back", true)
	}
	d.Progress.ClaimMissed = gone
	return d
}

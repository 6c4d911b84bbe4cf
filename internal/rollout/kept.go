package rollout

import (
	"cmp"
	"fmt"
	"strings"
)

// Kept is what is known of a RunService and of Config Connector beside the service
// itself. Every text is for people.
type Kept struct {
	// Waits says how far Config Connector is with what the RunService asks for; ""
	// where that was handed to Cloud Run.
	Waits string
	// Says is the split that we wrote into the RunService, whatever Cloud Run was asked
	// for since; without a share where what stands there is not ours.
	Says Split
	// Late says why that should be set on the service too, or "". It may be sent again
	// then, and is set on the service itself.
	Late string
	// Stuck says why Config Connector does not carry out what the RunService asks for, and
	// will not by itself; "" where it does, or may yet.
	Stuck string
	// Owner says whose the traffic is and what they have to do, where it is not ours to
	// write; "" where it is.
	Owner string
	// Blocks keep a rollout from beginning; Notes are what may surprise it. Neither
	// concerns a way back.
	Blocks, Notes []string
}

// seesSpec learns from what our list in the RunService says which of our writes it is from.
// No claim of ours is on the service then, and somebody may have set another split past it.
// A service whose generation is still the one that a write was decided on is none of that:
// it is read as it was before, or was not asked yet, whatever Config Connector says.
func (v view) seesSpec() view {
	says := v.Service.Kept.Says
	if len(says) == 0 || v.stale() || !v.Progress.active() {
		return v
	}
	written, ok := v.Progress.landed(says)
	if !ok {
		return v
	}
	v.Progress = v.Progress.carried(written.Seq)
	if v.Service.Generation <= written.Generation && !v.desired.Equal(says) {
		v.desired, v.Service.Reconciling = says, true
	}
	return v
}

// unsaid says that a RunService goes on asking for another split than stable serving
// everything, which somebody has set past it: Config Connector would take that back.
func (v view) unsaid() string {
	says, stable := v.Service.Kept.Says, all(v.Progress.Stable)
	if v.Plan.RunService == "" || len(says) == 0 || says.Equal(stable) || !v.desired.Equal(stable) {
		return ""
	}
	return fmt.Sprintf("%s was set past RunService %s, which says %s", stable, v.Plan.RunService, says)
}

// kept: traffic that somebody else keeps as they want it is not raised. What leads
// back is decided before; whether it arrives is up to them.
func kept(v view) (Decision, bool) {
	p := v.Progress
	why, cure := v.disputed()
	switch {
	case why == "", p.needsVerb() && !v.asked(Resume):
		return Decision{}, false
	case p.active() && !v.untouched():
		return v.pause(TrafficConflict, why).next(fmt.Sprintf("Waits: %s; abort sends everything to %s.", v.thenResume(cure), p.Stable)), true
	}
	d := v.at(Idle, OwnedElsewhere, why).next(fmt.Sprintf("Nothing is written: %s; looked at again every minute.", cure))
	if p.active() {
		d = v.unbegun(d)
	}
	return d, true
}

// disputed says why the traffic is not ours to raise, and what cures that; "" where
// it is ours.
func (v view) disputed() (why, cure string) {
	if owner := v.Service.Kept.Owner; owner != "" {
		return owner, "they have to let go of it"
	}
	return v.PastKeeper()
}

// PastKeeper says that the target is a service that somebody else keeps, and what to
// write instead; "" where nobody does. No verb helps there.
func (in Input) PastKeeper() (why, cure string) {
	if in.Plan.RunService != "" || in.Service.Keeper == "" {
		return "", ""
	}
	return fmt.Sprintf("service %s is kept by %s, which takes back what is set past it", in.Plan.Service.Name, in.Service.Keeper),
		"write runServiceRef with the name of its RunService under spec.target of another CloudRunRollout, and delete this one"
}

// thenResume adds what a person does after a cure. A rollout that is to be deleted
// does not go on.
func (v view) thenResume(cure string) string {
	if v.Service.Kept.Owner == "" {
		return cure
	}
	return cure + ", then resume"
}

// refusedByOwner: a write was refused because somebody else owns the traffic, and is not
// repeated for a while. The service can be read all the same.
func (v view) refusedByOwner() Decision {
	p, owned := v.Progress, cmp.Or(v.Service.Detail, v.Service.Kept.Owner)
	switch {
	case p.Phase == RollingBack:
		return v.at(p.Phase, p.Reason, v.because()+owned).next(fmt.Sprintf(
			"Traffic stays as it is until they let go of it, or send everything to %s themselves.", p.Stable))
	case v.stillPaused():
		return v.at(p.Phase, p.Reason, v.because()+owned).next("Traffic stays as it is until they let go of it.")
	case p.active():
		return v.at(Held, AccessDenied, owned).next("Traffic stays as it is; goes on when they let go of it.")
	}
	return v.at(Idle, OwnedElsewhere, owned).next("Nothing is written: they have to let go of it; looked at again every minute.")
}

// barrier is what keeps the service from being moved, as the end of a sentence.
func (v view) barrier() string {
	if v.Service.Kept.Owner != "" {
		return "spec.traffic is somebody else's"
	}
	return "access to the service is denied"
}

// barred holds a start for what somebody has to end first.
func (v view) barred() (Decision, bool) {
	if d, ok := v.blocked(); ok {
		return d, true
	}
	if v.foreignTag() {
		return v.tagTaken(Tag), true
	}
	return v.named()
}

// blocked holds a start that Config Connector would not carry out, or not keep.
func (v view) blocked() (Decision, bool) {
	if len(v.Service.Kept.Blocks) == 0 {
		return Decision{}, false
	}
	return v.at(Held, HeldByAnalysis, "before the first write: "+v.obstacles()).next(
		v.untilDeadline("Starts by itself when that is over")), true
}

func (v view) obstacles() string { return strings.Join(v.Service.Kept.Blocks, "; ") }

// stuck says beside what serves that the RunService asks for something else in vain: a new
// template, which nobody else would tell of. Where what is to serve is gone, that comes first.
func (v view) stuck() (Decision, bool) {
	why := v.Service.Kept.Stuck
	if why == "" {
		return Decision{}, false
	}
	if d, gone := v.orphaned(); gone {
		return d, true
	}
	waits := fmt.Sprintf("; what RunService %s asks for is not carried out: %s", v.Plan.RunService, why)
	if v.givenUp() {
		d := v.rolledBack()
		d.Note += waits
		return d, true
	}
	serves, next := v.Progress.Stable+" serves 100%", "Traffic stays as it is; a new revision is rolled out when Config Connector has made it; looked at again every minute."
	if unpinned := v.unpinned(); v.Service.followsLatest() && unpinned != "" {
		serves += followsLatest
		next = "It is pinned when " + unpinned + "."
	}
	return v.at(Idle, NotDeployed, serves+waits).next(next), true
}

// delayed: a lower weight that Config Connector is late with is sent again, and set
// on the service itself. A rise waits for it.
func delayed(v view) (Decision, bool) {
	p := v.Progress
	lowers := p.Phase == RollingBack || v.desired.Of(p.Candidate) < p.Confirmed.Of(p.Candidate)
	if v.Service.Kept.Late == "" || !p.active() || !lowers || !p.ours(v.desired) {
		return Decision{}, false
	}
	d := v.at(p.Phase, p.Reason, fmt.Sprintf("%s; %s is set on the service itself", v.Service.Kept.Late, v.desired)).next(v.doneWhen(served))
	return v.write(d, v.desired), true
}

// applying is what is said while a change is applied: how far Config Connector is, or
// what Cloud Run does once it was handed over.
func (v view) applying(cloudRun string) string { return cmp.Or(v.Service.Kept.Waits, cloudRun) }

// waits is what is waited for beside Cloud Run, as the end of a note.
func (k Kept) waits() string {
	if k.Waits == "" {
		return ""
	}
	return "; " + k.Waits
}

// doneWhen says when a way back is over: when Cloud Run says so.
func (v view) doneWhen(cloudRun string) string {
	if v.Plan.RunService != "" {
		return fmt.Sprintf("Done when Config Connector has carried it out and %s.", cloudRun)
	}
	return fmt.Sprintf("Done when %s.", cloudRun)
}

// served is how a way back ends.
const served = "Cloud Run serves it"

// applier is who could not apply a change.
func (v view) applier() string {
	if v.Service.Kept.Waits != "" {
		return "Config Connector"
	}
	return "Cloud Run"
}

// byHand is how a person sets traffic without us.
func (v view) byHand() string {
	if v.Plan.RunService != "" {
		return "kubectl edit runservice " + v.Plan.RunService
	}
	return "gcloud run services update-traffic"
}

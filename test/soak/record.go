package soak

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/modelplane"
	"github.com/sluice-rollouts/sluice/test/witness"
)

// record is what a story comes to: the trace that is judged, taken from the world's
// log and the control plane's, and the newest state of the object.
type record struct {
	stage    *stage
	trace    invariants.Trace
	world    int // of its log, read so far
	plane    int
	epoch    int                       // objects and restores so far
	object   *v1alpha1.CloudRunRollout // nil while there is none; read only
	landing  map[string]landing        // writes under way, by process
	extra    []invariants.Violation    // found beside the trace
	lateAt   time.Time                 // when a write last arrived that was held up
	doneAt   time.Time                 // when Cloud Run was last done with a change
	restedAt time.Time                 // since when nothing has changed in the object, or was deployed
	lost     map[string]bool           // revisions that are deleted
}

// landing is where in the trace a write was sent that is still under way.
type landing struct {
	index int
	sent  invariants.Event
}

// drain takes what has happened into the trace.
func (r *record) drain() {
	for _, e := range r.stage.world.LogSince(r.world) {
		r.world = e.Seq
		r.happened(e)
	}
	log := r.stage.plane.Log()
	for ; r.plane < len(log); r.plane++ {
		r.changed(log[r.plane])
		r.stage.spread()
	}
}

// happened takes an event of the world.
func (r *record) happened(e simulator.Event) {
	r.stage.counted(e)
	switch e.Kind { //nolint:exhaustive // the others delete nothing
	case simulator.EventRevisionCreated:
		delete(r.lost, e.Revision) // another one may have its name
	case simulator.EventRevisionLost:
		r.lost[e.Revision] = true
	case simulator.EventSettled:
		r.doneAt = e.At
	}
	if e.Call != nil && e.Call.Late && e.Call.Accepted {
		r.lateAt = e.At
	}
	for _, event := range invariants.FromLog([]simulator.Event{e}, fullName, ours) {
		if k := r.stage.kept; k != nil {
			shown, news := k.eyes.event(event)
			if !news {
				continue
			}
			event = shown
		}
		r.trace = append(r.trace, r.arrived(event))
	}
}

// sending notes a write that is being sent, before it is known when it arrives.
func (r *record) sending(p *process, request simulator.PatchRequest) {
	state, err := r.stage.world.State(fullName)
	r.stage.fail(err)
	call := simulator.Call{
		Operation: "services.patch", Caller: ours, UserAgent: p.name, Mask: request.UpdateMask,
		Etag: request.Service.Etag, Traffic: request.Service.Traffic, Template: request.Service.Template.Annotations, Before: &state,
	}
	event := simulator.Event{At: r.stage.now(), Kind: simulator.EventCall, Service: fullName, Call: &call}
	sent := invariants.FromLog([]simulator.Event{event}, fullName, ours)[0]
	if k := r.stage.kept; k != nil {
		sent, _ = k.eyes.event(sent)
	}
	r.landing[p.name] = landing{len(r.trace), sent}
}

// arrived is a write that reached Cloud Run, and any other event as it is. Where anything
// happened since it was sent, or its process stood still before it reached the wire, it is
// two events.
func (r *record) arrived(e invariants.Event) invariants.Event {
	by, landed := "", e
	switch w := e.(type) {
	case invariants.Write:
		if !w.Landed {
			by, w.Landed = w.By, true
			landed = w
		}
	case invariants.Deploy:
		if !w.Landed {
			by, w.Landed = w.By, true
			landed = w
		}
	}
	under, ok := r.landing[by]
	if !ok {
		return e
	}
	delete(r.landing, by)
	if under.index == len(r.trace) && invariants.When(under.sent).Equal(invariants.When(e)) {
		return e
	}
	r.trace = slices.Insert(r.trace, under.index, under.sent)
	return landed
}

// retold tells whether a status says something else of the same state because Config
// Connector tries again what Cloud Run refuses: that goes on for ever.
func (r *record) retold(was, now *v1alpha1.CloudRunRollout) bool {
	if was == nil || now == nil || was.Status.Attempt == nil || now.Status.Attempt == nil {
		return false
	}
	return r.stage.tries() && was.Generation == now.Generation &&
		was.Status.Phase == now.Status.Phase && was.Status.Attempt.Reason == now.Status.Attempt.Reason
}

// changed takes a change of the object.
func (r *record) changed(v modelplane.Version) {
	if v.Key() != key {
		return
	}
	at, was, now := invariants.At(v.At), v.Was, v.Now
	if r.object = now; !r.retold(was, now) {
		r.restedAt = v.At
	}
	if was == nil || v.Restored {
		r.epoch++
	}
	if now == nil {
		r.trace = append(r.trace, invariants.Gone{At: at})
		return
	}
	if was == nil || was.Generation != now.Generation || v.Restored {
		r.trace = append(r.trace, r.plan(v.At))
	}
	r.asked(at, was, now)
	statusChanged := was == nil || v.Call.Status || v.Restored
	if by := r.stage.processes[v.Call.By]; statusChanged && by == nil && (was != nil || v.Restored) {
		r.trace = append(r.trace, invariants.Put{Saved: r.saved(v.At, ""), Past: v.Restored, Of: r.storedFirst(v)})
	} else if statusChanged && by != nil {
		r.save(v.At, by, was)
	}
}

// storedFirst is when an object that is put back was stored; zero for another one.
func (r *record) storedFirst(v modelplane.Version) time.Time {
	for _, before := range r.stage.plane.Log() {
		if v.Restored && !before.Restored && before.Now == v.Now {
			return before.At
		}
	}
	return time.Time{}
}

// asked takes what a person wants: that the object goes, or a request.
func (r *record) asked(at invariants.At, was, now *v1alpha1.CloudRunRollout) {
	if !now.DeletionTimestamp.IsZero() && (was == nil || was.DeletionTimestamp.IsZero()) {
		r.trace = append(r.trace, invariants.Deleting{At: at})
	}
	former := ""
	if was != nil {
		former = was.Annotations[v1alpha1.RequestID]
	}
	if id := now.Annotations[v1alpha1.RequestID]; id != former {
		r.trace = append(r.trace, invariants.Request{
			At: at, ID: id, Verb: now.Annotations[v1alpha1.RequestVerb], Mode: now.Annotations[v1alpha1.RequestMode],
		})
	}
}

// save takes a status that a process stored.
func (r *record) save(at time.Time, by *process, was *v1alpha1.CloudRunRollout) {
	saved := r.saved(at, by.name)
	state, err := r.stage.world.State(fullName)
	r.stage.fail(err)
	r.trace = append(r.trace, invariants.Known{At: invariants.At(at), Generation: state.Generation}, saved)
	by.saved = true
	if was == nil || string(was.Status.Phase) != saved.Phase {
		r.stage.entered(saved.Phase)
	}
	r.stage.countSaved(by, was, r.object)
}

// confirmed takes an update of the status that changed nothing: it still shows that
// the object is the one that was decided on.
func (r *record) confirmed(p *process) {
	if r.object != nil && !p.saved {
		r.trace = append(r.trace, r.saved(r.stage.now(), p.name))
	}
	p.saved = false
}

func (r *record) saved(at time.Time, by string) invariants.Saved {
	s := witness.SavedAt(at, &r.object.Status)
	s.By, s.Plan = by, r.number(r.object.Status.ObservedGeneration)
	return s
}

// number is that of a plan.
func (r *record) number(generation int64) int { return r.epoch*1000 + int(generation) }

// plan is what the spec asks for.
func (r *record) plan(at time.Time) invariants.Plan {
	spec := r.object.Spec
	plan := invariants.Plan{
		At: invariants.At(at), Number: r.number(r.object.Generation), Paused: spec.Paused, StableRevision: spec.StableRevision,
		Candidate: spec.CandidateRevision,
		Errors:    &invariants.ErrorLimit{MaxRatio: 0.01, MinRequests: 100},
	}
	for _, step := range spec.Strategy.Steps {
		bake, err := time.ParseDuration(string(step.Bake))
		r.stage.fail(err)
		plan.Steps = append(plan.Steps, invariants.Step{
			Weight: int(step.Weight), Bake: int(bake / time.Minute), Approval: step.Approval == v1alpha1.ApprovalRequired,
		})
	}
	for _, check := range spec.Analysis.Checks {
		if e := check.ServerErrors; check.Name == v1alpha1.CheckErrors && e != nil {
			plan.Errors = &invariants.ErrorLimit{MaxRatio: float64(e.MaxPercent.IntValue()) / 100, MinRequests: int64(e.MinRequests)}
		}
	}
	if r.stage.script.Setting.NAT != NoNAT {
		plan.Gateways = []string{gateway}
		plan.Drops, plan.Allocation = &invariants.DropLimit{MinMinutes: 2}, &invariants.AllocationLimit{}
	}
	var err error
	plan.Template, err = digestOf(spec)
	r.stage.fail(err)
	return plan
}

// look notes what could be known when a write or the end is decided.
func (r *record) look(p *process, status *v1alpha1.CloudRunRolloutStatus) {
	a := status.Attempt
	if a == nil || witness.IntentOf(a) == nil && status.Phase != v1alpha1.PhaseCompleted || r.object == nil {
		return
	}
	if status.Phase == v1alpha1.PhaseCompleted && r.object.Status.Phase == v1alpha1.PhaseCompleted {
		return
	}
	r.drain()
	subject := invariants.Subject{
		Project: project, Location: region, Service: service, Candidate: a.Candidate,
		Stable: witness.BaselineOf(&r.object.Status), // the former one, of a completed attempt
		From:   morning,
	}
	if subject.Stable == "" {
		subject.Stable = witness.BaselineOf(status)
	}
	if r.stage.script.Setting.NAT != NoNAT {
		subject.Gateways = []invariants.Gateway{{Project: "acme-net", Region: region, Name: gateway}}
	}
	r.trace = append(r.trace, r.visible(p, subject))
}

// visible is what could be known now. A clock that is ahead takes minutes for arrived that
// are about to, and one that is behind takes none for arrived that just did. What arrived
// since the minute's question is known with the next one.
func (r *record) visible(p *process, subject invariants.Subject) invariants.Evidence {
	skew := r.stage.script.Setting.Skew
	ahead, behind := min(tolerated, max(0, skew[0], skew[1])), max(-tolerated, min(0, skew[0], skew[1]))
	evidence, asked := r.visibleAt(subject, r.stage.now().Add(ahead), nil), r.visibleAt(subject, r.stage.now(), p.asked())
	evidence.Behind = &asked
	if ahead > behind {
		late := r.visibleAt(subject, r.stage.now().Add(behind), nil)
		asked.Behind = &late
	}
	return evidence
}

func (r *record) visibleAt(subject invariants.Subject, at time.Time, asked map[string]time.Time) invariants.Evidence {
	evidence, err := invariants.Asked(r.stage.world.Series().Undisturbed(), subject, at, asked)
	if err != nil { // then nothing could be known, and nothing may rise
		return invariants.Evidence{At: invariants.At(r.stage.now())}
	}
	return evidence
}

// violate notes what is wrong beside the trace.
func (r *record) violate(invariant, format string, args ...any) {
	r.extra = append(r.extra, invariants.Violation{Invariant: invariant, At: r.stage.now(), What: fmt.Sprintf(format, args...)})
}

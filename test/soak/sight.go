package soak

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-rollouts/sluice/internal/kcc"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// sight shows a RunService and its service as one service, as the rules of package
// invariants know it. What is asked for is spec.traffic until Config Connector says that
// it is through with it, and what Cloud Run was asked for after that or where spec has
// no traffic; its version is that of both. A write is one of spec.traffic, and has its
// effect when the apiserver has stored it.
type sight struct {
	kept *kept
	// read is the RunService as each process has read it last, live the etag of the
	// service that it has read after it, and seen both.
	read map[string]*unstructured.Unstructured
	live map[string]string
	seen map[string]invariants.State
	// versions are the generations of the RunService, by their resource version.
	versions map[string]string
	serves   invariants.Split            // what Cloud Run is asked for
	asked    invariants.Split            // what is asked for
	spec     invariants.Split            // what the RunService said last
	sent     map[string]invariants.State // what a write of a process met
	blind    map[string]bool             // whether it met a service that was edited since it was read
}

func newSight(k *kept) sight {
	return sight{
		kept: k, read: map[string]*unstructured.Unstructured{}, live: map[string]string{}, seen: map[string]invariants.State{},
		versions: map[string]string{}, sent: map[string]invariants.State{}, blind: map[string]bool{},
	}
}

// through tells whether Config Connector says that it is through with a RunService.
func through(o *unstructured.Unstructured) bool {
	observed, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	if observed < o.GetGeneration() || len(conditions) == 0 {
		return false
	}
	ready, _ := conditions[0].(map[string]any)
	return ready["status"] == "True"
}

// versionOf is the RunService's part of a version.
func versionOf(o *unstructured.Unstructured) string {
	return fmt.Sprintf("%s/%d", o.GetUID(), o.GetGeneration())
}

// both is the service as whoever read the RunService and then the service sees it.
func both(o *unstructured.Unstructured, live invariants.State) invariants.State {
	live.Etag += " " + versionOf(o)
	if traffic := trafficIn(o); len(traffic) > 0 && !through(o) {
		live.Traffic, live.Desired = targetsOf(traffic), splitOf(traffic)
	}
	return live
}

func targetsOf(traffic []simulator.TrafficTarget) []invariants.Target {
	targets := make([]invariants.Target, 0, len(traffic))
	for _, t := range traffic {
		targets = append(targets, invariants.Target{
			Latest: t.Type == simulator.AllocateLatest, Revision: t.Revision, Percent: t.Percent, Tag: t.Tag,
		})
	}
	return targets
}

func splitOf(traffic []simulator.TrafficTarget) invariants.Split {
	split := invariants.Split{}
	for _, t := range traffic {
		if t.Percent > 0 {
			split[t.Revision] += t.Percent
		}
	}
	return split
}

// now is the service at this moment.
func (s *sight) now() invariants.State {
	state, err := s.kept.stage.world.State(fullName)
	s.kept.stage.fail(err)
	live := invariants.State{
		Etag: state.Etag, Generation: state.Generation, Traffic: targetsOf(state.Traffic), Desired: invariants.Split(maps.Clone(state.Desired)),
	}
	return both(s.kept.object(), live)
}

// event shows an event of Cloud Run alone as one of both. What Cloud Run is asked for
// is no news while something else stands in spec.
func (s *sight) event(e invariants.Event) (shown invariants.Event, news bool) {
	switch e := e.(type) {
	case invariants.Read:
		if o := s.read[e.By]; o != nil {
			s.live[e.By] = e.State.Etag
			if e.Stale {
				s.live[e.By] = ""
			}
			e.State = both(o, e.State)
			s.seen[e.By] = e.State
		}
		return e, true
	case invariants.Write: // set on the service too, after spec: it rests on no version of that
		version, live := " "+versionOf(s.read[e.By]), e.Before.Etag
		e.Etag += version
		e.Unclaimed = true
		e.Before = both(s.kept.object(), e.Before)
		e.Before.Etag = live + version
		return e, true
	case invariants.Desired:
		s.serves = e.Split
		s.asks(e)
		return nil, false
	}
	return e, true
}

// asks tells of what is asked for, if that has changed, and whether by us. Where spec says
// what it said before, Config Connector puts it back.
func (s *sight) asks(d invariants.Desired) {
	before := s.spec
	if !s.renew() {
		return
	}
	d.Split = s.asked
	var told invariants.Event = d
	if !d.Ours && maps.Equal(before, s.spec) && s.carriesOut() {
		told = invariants.Restored{Desired: d}
	}
	s.kept.stage.record.trace = append(s.kept.stage.record.trace, told)
}

// carriesOut tells whether what is asked for is what spec says; of LATEST, the revision that
// it stands for.
func (s *sight) carriesOut() bool { return maps.Equal(s.asked, s.spec) || s.followsLatest() }

// followsLatest tells whether spec says LATEST, and Cloud Run has been asked for it.
func (s *sight) followsLatest() bool {
	state, err := s.kept.stage.world.State(fullName)
	s.kept.stage.fail(err)
	latest := len(state.Traffic) == 1 && state.Traffic[0].Type == simulator.AllocateLatest
	return latest && s.spec[""] == 100
}

// renew looks what is asked for now, and tells whether that has changed.
func (s *sight) renew() bool {
	o, split := s.kept.object(), s.serves
	s.versions[o.GetResourceVersion()] = versionOf(o)
	s.spec = splitOf(trafficIn(o))
	if len(s.spec) > 0 && !through(o) {
		split = s.spec
	}
	if split == nil || maps.Equal(split, s.asked) {
		return false
	}
	s.asked = split
	return true
}

// rewound tells of a RunService that was put back into its past. One without traffic
// leaves the service as it is, with our tag where it was.
func (s *sight) rewound() {
	o, at := s.kept.object(), invariants.At(s.kept.stage.now())
	told := invariants.Rewound{At: at, Split: splitOf(trafficIn(o)), Ours: slices.Equal(ownersIn(o), []string{kcc.Manager})}
	for _, t := range trafficIn(o) {
		if t.Tag == rollout.Tag {
			told.Tagged = t.Revision
		}
	}
	says := len(told.Split) > 0
	changed := s.renew()
	if s.followsLatest() { // and has before: nobody tells again what that stands for
		told.Split, s.asked, changed = s.serves, s.serves, false
	}
	r := &s.kept.stage.record
	if says {
		r.trace = append(r.trace, told)
	}
	if changed {
		r.trace = append(r.trace, invariants.Restored{Desired: invariants.Desired{At: at, Split: s.asked}})
	}
}

// sending notes a write of spec.traffic that is being sent. What gives it up is none.
func (s *sight) sending(p *process, o *unstructured.Unstructured) {
	traffic := trafficIn(o)
	if len(traffic) == 0 {
		return
	}
	r := &s.kept.stage.record
	r.landing[p.name] = landing{len(r.trace), invariants.Write{
		At: invariants.At(s.kept.stage.now()), By: p.name, Mask: []string{"traffic"},
		Etag: s.etag(p, s.versions[o.GetResourceVersion()]), Targets: targetsOf(traffic), Split: splitOf(traffic), Before: s.now(),
		Unclaimed: true,
	}}
}

// etag is the version of both that a write of a process rests on. Which one of the service
// a stale answer showed is told by nobody but who announced the write.
func (s *sight) etag(p *process, version string) string {
	if live := s.live[p.name]; live != "" {
		return live + " " + version
	}
	for _, e := range slices.Backward(s.kept.stage.record.trace) {
		saved, ok := e.(invariants.Saved)
		if !ok || saved.By != p.name {
			continue
		}
		if i := saved.Intent; i != nil && strings.HasSuffix(i.Etag, " "+version) {
			return i.Etag
		}
		break
	}
	return " " + version
}

// arriving notes what a write meets. An edit of the service between our read and our
// apply is not compared, because nothing of the RunService says it: Config Connector
// takes it back.
func (s *sight) arriving(p *process) {
	s.sent[p.name], s.blind[p.name] = s.now(), false
	read := s.read[p.name]
	if read != nil && versionOf(read) == versionOf(s.kept.object()) && s.sent[p.name].Etag != s.seen[p.name].Etag {
		s.sent[p.name], s.blind[p.name] = s.seen[p.name], true
	}
	if s.live[p.name] == "" { // nor is what a stale answer showed
		w, _ := s.kept.stage.record.landing[p.name].sent.(invariants.Write)
		_, version, _ := strings.Cut(s.sent[p.name].Etag, " ")
		shown, _, _ := strings.Cut(w.Etag, " ")
		met := s.sent[p.name]
		met.Etag = shown + " " + version
		s.sent[p.name] = met
	}
}

// told notes what came of a call of a process.
func (s *sight) told(p *process, call string, err error) {
	switch {
	case call == getRunService && err == nil:
		s.read[p.name] = s.kept.object()
		return
	case call != applyTraffic:
		return
	}
	r := &s.kept.stage.record
	under, ok := r.landing[p.name]
	if !ok {
		return
	}
	w, _ := under.sent.(invariants.Write)
	w.Before, w.Accepted = s.sent[p.name], err == nil
	if s.blind[p.name] && w.Accepted { // it came before the edit, as far as anybody can tell
		delete(r.landing, p.name)
		r.trace = slices.Insert(r.trace, under.index, invariants.Event(w))
		return
	}
	w.At = invariants.At(s.kept.stage.now())
	r.trace = append(r.trace, r.arrived(w))
}

// SetTrafficOn implements kcc.Live.
func (c *cloud) SetTrafficOn(_ context.Context, ref rollout.ServiceRef, w rollout.Write, etag string) error {
	var op simulator.Operation
	request := pilot.Patch(ref, &w)
	request.Service.Etag = etag
	err := c.process.sends(request, func() (err error) {
		op, err = c.api.PatchService(request)
		return err
	})
	return c.fenced("setting traffic", op, err, w.Generation())
}

var _ kcc.Live = (*cloud)(nil)

package simulator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

func effective(t *testing.T, w *simulator.World) map[string]int {
	t.Helper()
	s, err := w.State("web")
	if err != nil {
		t.Fatal(err)
	}
	return s.Effective
}

func operation(t *testing.T, w *simulator.World, name string) simulator.Operation {
	t.Helper()
	op, err := w.GetOperation(name)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func TestAnUnknownRevisionFailsTheOperationAndKeepsTheOldRouting(t *testing.T) {
	t.Parallel()
	w := place(t)
	op := split(t, w, 10) // web-v2 does not exist
	w.Advance(10 * time.Second)
	want := &simulator.OperationError{
		Code:    13,
		Message: "Revision 'web-v2' does not exist or is deleted. Update all traffic to route to currently available revisions.",
	}
	if diff := cmp.Diff(want, operation(t, w, op.Name).Error); diff != "" {
		t.Errorf("error of the operation:\n%s", diff)
	}
	s := get(t, w)
	if s.Reconciling || s.ObservedGeneration != 1 || s.Generation != 2 || s.TerminalCondition.State != simulator.ConditionFailed {
		t.Errorf("reconciling %v, observed %d of %d, %s", s.Reconciling, s.ObservedGeneration, s.Generation, s.TerminalCondition.State)
	}
	if diff := cmp.Diff(map[string]int{stableV1: 100}, effective(t, w)); diff != "" {
		t.Errorf("effective split:\n%s", diff)
	}
}

func TestARevisionThatFailedCannotGetTraffic(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{Startup: simulator.Startup{Fails: &simulator.StartupFailure{Message: "No such image."}}})
	op := split(t, w, 10)
	w.Advance(10 * time.Second)
	got := operation(t, w, op.Name)
	if !got.Done || got.Error == nil || got.Error.Code != 9 ||
		got.Error.Message != "Revision 'web-v2' is not ready and cannot serve traffic. No such image." {
		t.Errorf("operation done %v, error %+v", got.Done, got.Error)
	}
	if diff := cmp.Diff(map[string]int{stableV1: 100}, effective(t, w)); diff != "" {
		t.Errorf("effective split:\n%s", diff)
	}
	r, err := w.GetRevision(service + "/revisions/web-v2")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Conditions, func(c simulator.Condition) bool { return c.Type == "Ready" })
	if c := r.Conditions[i]; c.State != simulator.ConditionFailed || c.RevisionReason != "HEALTH_CHECK_CONTAINER_ERROR" {
		t.Errorf("its Ready condition: %+v", c)
	}
}

func TestAFailedDeploymentFailsItsOperationAndServesOn(t *testing.T) {
	t.Parallel()
	w := place(t)
	patchTraffic(t, w, simulator.TrafficTarget{Percent: 100})
	op, err := w.PatchService(simulator.PatchRequest{
		Name: service, UpdateMask: []string{"template"},
		Service: simulator.Service{Template: simulator.Template{Containers: []simulator.Container{{Image: "broken"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	name := created(w)
	if err := w.FailRevision(name, simulator.StartupFailure{}); err != nil {
		t.Fatal(err)
	}
	w.Advance(10 * time.Second)
	if got := operation(t, w, op.Name); got.Error == nil || !strings.HasPrefix(got.Error.Message, "Revision '"+name+"' is not ready") {
		t.Errorf("operation error %+v", got.Error)
	}
	s := get(t, w)
	if !strings.HasSuffix(s.LatestCreatedRevision, name) || !strings.HasSuffix(s.LatestReadyRevision, stableV1) {
		t.Errorf("latest created %s, ready %s", s.LatestCreatedRevision, s.LatestReadyRevision)
	}
	if diff := cmp.Diff(map[string]int{stableV1: 100}, effective(t, w)); diff != "" {
		t.Errorf("effective split:\n%s", diff)
	}
}

// created is the revision that was made last.
func created(w *simulator.World) string {
	name := ""
	for _, e := range w.Log() {
		if e.Kind == simulator.EventRevisionCreated {
			name = e.Revision
		}
	}
	return name
}

func patchTraffic(t *testing.T, w *simulator.World, targets ...simulator.TrafficTarget) {
	t.Helper()
	patch(t, w, simulator.Service{Traffic: targets}, "traffic")
}

func TestLatestFollowsANewRevisionTheMomentItIsReady(t *testing.T) {
	t.Parallel()
	w := place(t)
	patchTraffic(t, w, simulator.TrafficTarget{Percent: 100})
	if _, err := w.Deploy("web", simulator.Deployment{
		Image: newImage, Revision: "web-v2", Behaviour: &simulator.Behaviour{Startup: simulator.Startup{ReadyAfter: simulator.Duration(20 * time.Second)}},
	}); err != nil {
		t.Fatal(err)
	}
	w.Advance(19 * time.Second)
	if diff := cmp.Diff(map[string]int{stableV1: 100}, effective(t, w)); diff != "" {
		t.Errorf("before it is ready:\n%s", diff)
	}
	w.Advance(time.Second)
	if diff := cmp.Diff(map[string]int{"web-v2": 100}, effective(t, w)); diff != "" {
		t.Errorf("when it is ready:\n%s", diff)
	}
	for _, kind := range []simulator.EventKind{simulator.EventEffective, simulator.EventDesired} {
		if last := lastOf(w, kind); last.Author != simulator.AuthorLatest || last.Split["web-v2"] != 100 {
			t.Errorf("the last %s split is %v by %q", kind, last.Split, last.Author)
		}
	}
}

// TestLatestIsNoOlderRevisionThanTheServiceSays: while the latest ready revision is one that
// is deleted, LATEST cannot be put in force, and the old routing stays. The next revision
// heals it.
func TestLatestIsNoOlderRevisionThanTheServiceSays(t *testing.T) {
	t.Parallel()
	w := place(t)
	patchTraffic(t, w, simulator.TrafficTarget{Revision: stableV1, Percent: 100})
	w.Advance(10 * time.Second)
	deploy := func() string {
		if _, err := w.Deploy("web", simulator.Deployment{Image: newImage}); err != nil {
			t.Fatal(err)
		}
		w.Advance(time.Minute)
		return created(w)
	}
	deploy()
	lost := deploy()
	if err := w.LoseRevision(lost); err != nil {
		t.Fatal(err)
	}
	patchTraffic(t, w, simulator.TrafficTarget{Percent: 100})
	w.Advance(10 * time.Second)
	if diff := cmp.Diff(map[string]int{stableV1: 100}, effective(t, w)); diff != "" {
		t.Errorf("while it is gone:\n%s", diff)
	}
	why := "Revision '" + lost + "' does not exist or is deleted."
	if s := get(t, w); !strings.HasPrefix(s.TerminalCondition.Message, why) {
		t.Errorf("the service says: %+v", s.TerminalCondition)
	}
	if diff := cmp.Diff(map[string]int{deploy(): 100}, effective(t, w)); diff != "" {
		t.Errorf("when another one is ready:\n%s", diff)
	}
}

func lastOf(w *simulator.World, kind simulator.EventKind) simulator.Event {
	var last simulator.Event
	for _, e := range w.Log() {
		if e.Kind == kind {
			last = e
		}
	}
	return last
}

func TestAPinnedSplitGivesANewRevisionNothing(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{})
	if diff := cmp.Diff(map[string]int{stableV1: 100}, effective(t, w)); diff != "" {
		t.Errorf("effective split:\n%s", diff)
	}
	r, err := w.GetRevision(service + "/revisions/web-v2")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range r.Conditions {
		got[c.Type] = c.State + " " + c.RevisionReason
	}
	want := map[string]string{
		"Ready": "CONDITION_SUCCEEDED ", "Active": "CONDITION_FAILED RETIRED", "ContainerHealthy": "CONDITION_SUCCEEDED ",
		"ContainerReady": "CONDITION_SUCCEEDED ", "ResourcesAvailable": "CONDITION_SUCCEEDED ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions of a revision without traffic:\n%s", diff)
	}
}

func TestASplitWaitsForARevisionThatIsStarting(t *testing.T) {
	t.Parallel()
	w := place(t)
	if _, err := w.Deploy("web", simulator.Deployment{
		Image: newImage, Revision: "web-v2", Behaviour: &simulator.Behaviour{Startup: simulator.Startup{ReadyAfter: simulator.Duration(time.Minute)}},
	}); err != nil {
		t.Fatal(err)
	}
	op := split(t, w, 10)
	w.Advance(59 * time.Second)
	if operation(t, w, op.Name).Done || !get(t, w).Reconciling {
		t.Error("it did not wait")
	}
	w.Advance(2 * time.Second)
	if diff := cmp.Diff(map[string]int{stableV1: 90, "web-v2": 10}, effective(t, w)); diff != "" || !operation(t, w, op.Name).Done {
		t.Errorf("effective split afterwards:\n%s", diff)
	}
}

func TestALaterWriteSupersedesOneUnderWay(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{})
	first := split(t, w, 50)
	w.Advance(2 * time.Second)
	second := split(t, w, 5)
	w.Advance(10 * time.Second)
	if !operation(t, w, first.Name).Done || !operation(t, w, second.Name).Done {
		t.Error("an operation is not done")
	}
	for _, e := range w.Log() {
		if e.Kind == simulator.EventEffective && e.Split["web-v2"] == 50 {
			t.Error("the superseded split took effect")
		}
	}
	if diff := cmp.Diff(map[string]int{stableV1: 95, "web-v2": 5}, effective(t, w)); diff != "" {
		t.Errorf("effective split:\n%s", diff)
	}
}

func TestTrafficWhileTheNewestRevisionHasFailed(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]map[string]int{
		"applied": {stableV1: 60, "web-v2": 40},
		"refused": {stableV1: 100},
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			w := place(t, func(sc *simulator.Scenario) { sc.Switches.TrafficWithFailedTemplate = value })
			deploy(t, w, simulator.Behaviour{})
			if _, err := w.Deploy("web", simulator.Deployment{
				Image: "broken", Revision: "web-v3",
				Behaviour: &simulator.Behaviour{Startup: simulator.Startup{Fails: &simulator.StartupFailure{}}},
			}); err != nil {
				t.Fatal(err)
			}
			w.Advance(20 * time.Second)
			op := split(t, w, 40)
			w.Advance(10 * time.Second)
			if diff := cmp.Diff(want, effective(t, w)); diff != "" {
				t.Errorf("effective split:\n%s", diff)
			}
			if failed := operation(t, w, op.Name).Error != nil; failed != (value == "refused") {
				t.Errorf("the operation failed: %v", failed)
			}
			if s := get(t, w); s.TerminalCondition.State != simulator.ConditionFailed {
				t.Errorf("the service is %s though its newest revision failed", s.TerminalCondition.State)
			}
		})
	}
}

func TestMinimumInstancesWarmUpOnceTheRevisionIsNamed(t *testing.T) {
	t.Parallel()
	w := place(t)
	if _, err := w.Deploy("web", simulator.Deployment{
		Image: newImage, Revision: "web-v2", Scaling: &simulator.RevisionScaling{MinInstanceCount: 2},
	}); err != nil {
		t.Fatal(err)
	}
	w.Advance(20 * time.Second)
	minimum := func() string {
		r, err := w.GetRevision(service + "/revisions/web-v2")
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(r.Conditions, func(c simulator.Condition) bool { return c.Type == "MinInstancesProvisioned" })
		return r.Conditions[i].State + " " + r.Conditions[i].RevisionReason
	}
	if got := minimum(); got != "CONDITION_FAILED MIN_INSTANCES_NOT_PROVISIONED" {
		t.Errorf("unnamed: %s", got)
	}
	patchTraffic(t, w, simulator.TrafficTarget{Revision: stableV1, Percent: 100}, simulator.TrafficTarget{Revision: "web-v2", Tag: "next"})
	if got := minimum(); got != "CONDITION_PENDING MIN_INSTANCES_WARMING" {
		t.Errorf("just tagged: %s", got)
	}
	w.Advance(30 * time.Second)
	if got := minimum(); got != "CONDITION_SUCCEEDED " {
		t.Errorf("half a minute later: %s", got)
	}
}

func TestOldestTagsWithoutTrafficGoBeyondTheLimit(t *testing.T) {
	t.Parallel()
	w := place(t)
	targets := []simulator.TrafficTarget{{Revision: stableV1, Percent: 100}, {Revision: stableV1, Tag: "oldest"}}
	patchTraffic(t, w, targets...)
	for i := range 2000 {
		targets = append(targets, simulator.TrafficTarget{Revision: stableV1, Tag: "t" + strings.Repeat("x", i%40) + string(rune('a'+i/40%26)) + string(rune('a'+i/1040))})
	}
	patchTraffic(t, w, targets...)
	s := get(t, w)
	if len(s.Traffic) != 2001 || slices.ContainsFunc(s.Traffic, func(tt simulator.TrafficTarget) bool { return tt.Tag == "oldest" }) {
		t.Errorf("%d entries are left; the oldest tag should be the one that went", len(s.Traffic))
	}
}

func TestOldestUnnamedRevisionsGoBeyondTheLimit(t *testing.T) {
	t.Parallel()
	w := place(t, func(sc *simulator.Scenario) {
		for range 1001 {
			sc.Services[0].Revisions = append(sc.Services[0].Revisions, simulator.Deployment{Image: newImage})
		}
		sc.Services[0].Traffic[0].Revision = "#1"
	})
	revisions, err := w.ListRevisions(service)
	if err != nil {
		t.Fatal(err)
	}
	last := revisions[len(revisions)-1]
	if len(revisions) != 1000 || !strings.HasSuffix(last.Name, stableV1) {
		t.Errorf("%d revisions, the oldest %s; web-v1 serves and must stay", len(revisions), last.Name)
	}
}

package configconnector_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/configconnector"
)

// fieldsOfSpec are the fields of spec in an entry of managedFields.
func fieldsOfSpec(t *town, raw []byte) []string {
	t.Helper()
	var all struct {
		Spec map[string]any `json:"f:spec"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(all.Spec))
}

// What is desired of a service, on the ownership that a real API server keeps.

func TestTrafficThatSpecDoesNotNameStaysAsItIsLive(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.gcloud(simulator.TrafficTarget{Revision: town.new, Percent: 30}, simulator.TrafficTarget{Revision: town.old, Percent: 70})
	town.world.Advance(time.Hour)
	town.settle()
	if diff := cmp.Diff(map[string]int{town.new: 30, town.old: 70}, town.serves()); diff != "" {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
}

func TestTrafficOfAnotherManagerIsEnforced(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.applyTraffic("sluice/traffic", entry(town.new, 5), entry(town.old, 95))
	town.settle()
	if diff := cmp.Diff(map[string]int{town.new: 5, town.old: 95}, town.serves()); diff != "" {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"sluice/traffic"}, town.owners()); diff != "" {
		t.Errorf("owners of spec.traffic (-want +got):\n%s", diff)
	}
}

func TestTrafficThatConfigConnectorWroteItselfIsEnforced(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.edit(annotate(configconnector.StateIntoSpecAnnotation, "merge"))
	town.edit(func(o *unstructured.Unstructured) { o.SetLabels(map[string]string{"team": "web"}) })
	town.settle()
	if diff := cmp.Diff([]string{configconnector.Manager}, town.owners()); diff != "" {
		t.Fatalf("owners of spec.traffic (-want +got):\n%s", diff)
	}
	town.gcloud(simulator.TrafficTarget{Revision: town.new, Percent: 100})
	town.world.Advance(time.Hour)
	town.settle()
	if diff := cmp.Diff(map[string]int{town.old: 100}, town.serves()); diff != "" {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
}

func TestAnEmptyTrafficListIsNoList(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.applyTraffic("sluice/traffic", entry(town.new, 100))
	town.settle()
	town.applyTraffic("sluice/traffic")
	town.gcloud(simulator.TrafficTarget{Revision: town.old, Percent: 100})
	town.settle()
	if diff := cmp.Diff(map[string]int{town.old: 100}, town.serves()); diff != "" {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
}

func TestALiveRevisionNameIsSentAgainWithNewContainers(t *testing.T) {
	t.Parallel()
	town := newTown(t, func(sc *simulator.Scenario) { sc.Services[0].Revisions[1].Revision = "web-two" })
	town.apply("kubectl", runService("example.com/web:3"))
	town.run()
	reason, message := town.condition()
	if reason != "UpdateFailed" || !strings.Contains(message, "Revision named 'web-two' with different configuration already exists") {
		t.Errorf("Ready is %s: %s", reason, message)
	}
}

func TestARevisionNameInSpecMakesANewRevision(t *testing.T) {
	t.Parallel()
	town := newTown(t, func(sc *simulator.Scenario) { sc.Services[0].Revisions[1].Revision = "web-two" })
	spec := runService("example.com/web:3")
	spec["template"].(map[string]any)["revision"] = "web-three"
	town.apply("kubectl", spec)
	town.settle()
	if reason, message := town.condition(); reason != "UpToDate" || town.live().Template.Revision != "web-three" {
		t.Errorf("Ready is %s: %s; the template makes %q", reason, message, town.live().Template.Revision)
	}
}

// What Terraform makes of the list, with Cloud Run's own answer.

func TestAPercentThatIsLeftOutAddsUpToTooMuch(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.gcloud(simulator.TrafficTarget{Revision: town.old, Percent: 90}, simulator.TrafficTarget{Revision: town.new, Percent: 10, Tag: "canary"})
	partial := map[string]any{"type": simulator.AllocateRevision, "revision": town.new, "tag": "canary"}
	town.applyTraffic("somebody", entry(town.old, 100), partial)
	town.run()
	reason, message := town.condition()
	if reason != "UpdateFailed" || !strings.Contains(message, "sum to 110") {
		t.Errorf("Ready is %s: %s", reason, message)
	}
}

func TestATypeThatIsLeftOutIsSentAgainForEver(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.applyTraffic("somebody", map[string]any{"revision": town.old, "percent": int64(100)})
	town.settle()
	since := town.logged()
	for range 3 {
		town.world.Advance(time.Hour)
		town.settle()
	}
	if sent := len(town.updates(since)); sent != 3 {
		t.Errorf("%d updates in three looks at a service that does not change, want 3", sent)
	}
}

func TestAListThatIsLiveIsNotSentAgain(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	since := town.logged()
	town.applyTraffic("sluice/traffic", entry(town.old, 100))
	town.settle()
	town.world.Advance(time.Hour)
	town.settle()
	if sent := len(town.updates(since)); sent != 0 {
		t.Errorf("%d updates, want none", sent)
	}
	if town.observed() != town.object().GetGeneration() {
		t.Errorf("observed generation %d of %d", town.observed(), town.object().GetGeneration())
	}
}

func TestAnotherOrderIsSent(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.applyTraffic("sluice/traffic", entry(town.new, 5), entry(town.old, 95))
	town.settle()
	since := town.logged()
	town.applyTraffic("sluice/traffic", entry(town.old, 95), entry(town.new, 5))
	town.settle()
	if sent := len(town.updates(since)); sent != 1 {
		t.Errorf("%d updates, want 1", sent)
	}
}

// What a direct edit of the service meets.

func TestAnUpdateHasNeitherMaskNorEtag(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	since := town.logged()
	town.applyTraffic("sluice/traffic", entry(town.new, 100))
	town.settle()
	sent := town.updates(since)
	if len(sent) != 1 || len(sent[0].Mask) != 0 || sent[0].Etag != "" || !sent[0].Accepted {
		t.Errorf("updates = %+v, want one without mask and etag that is accepted", sent)
	}
}

func TestADirectEditIsRevertedAtTheNextLookForDrift(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.applyTraffic("sluice/traffic", entry(town.new, 5), entry(town.old, 95))
	town.settle()
	town.gcloud(simulator.TrafficTarget{Revision: town.new, Percent: 100})
	town.settle()
	if diff := cmp.Diff(map[string]int{town.new: 100}, town.serves()); diff != "" {
		t.Fatalf("traffic before the look (-want +got):\n%s", diff)
	}
	town.world.Advance(10 * time.Minute)
	town.settle()
	if diff := cmp.Diff(map[string]int{town.new: 5, town.old: 95}, town.serves()); diff != "" {
		t.Errorf("traffic after the look (-want +got):\n%s", diff)
	}
}

func TestADirectEditIsRevertedAtOnceByAnEditOfALabel(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.applyTraffic("sluice/traffic", entry(town.old, 100))
	town.settle()
	town.gcloud(simulator.TrafficTarget{Revision: town.new, Percent: 100})
	town.edit(annotate("example.com/note", "an annotation wakes nobody"))
	town.settle()
	if diff := cmp.Diff(map[string]int{town.new: 100}, town.serves()); diff != "" {
		t.Fatalf("traffic after an annotation (-want +got):\n%s", diff)
	}
	town.edit(func(o *unstructured.Unstructured) { o.SetLabels(map[string]string{"team": "web"}) })
	town.settle()
	if diff := cmp.Diff(map[string]int{town.old: 100}, town.serves()); diff != "" {
		t.Errorf("traffic after a label (-want +got):\n%s", diff)
	}
}

func TestAStepBetweenReadAndUpdateIsUndone(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	spec := with(runService(newImage), "description", "a change of something else")
	town.apply("kubectl", spec)
	town.step(configconnector.Read)
	town.gcloud(simulator.TrafficTarget{Revision: town.new, Percent: 50}, simulator.TrafficTarget{Revision: town.old, Percent: 50})
	town.settle()
	if diff := cmp.Diff(map[string]int{town.old: 100}, town.serves()); diff != "" {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
}

func TestANewTemplateTakesAllTrafficWhereLiveFollowsTheLatest(t *testing.T) {
	t.Parallel()
	town := newTown(t, func(sc *simulator.Scenario) { sc.Services[0].Traffic = nil })
	town.apply("kubectl", runService("example.com/web:3"))
	town.settle()
	state, err := town.world.State(service)
	if err != nil {
		t.Fatal(err)
	}
	newest := short(town.live().LatestReadyRevision)
	if diff := cmp.Diff(map[string]int{newest: 100}, state.Effective); diff != "" || newest == town.new {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
}

func TestFieldsThatRunServiceLacksAreWiped(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	body := simulator.Service{Scaling: &simulator.ServiceScaling{MinInstanceCount: 3}}
	if _, err := town.world.PatchService(simulator.PatchRequest{Name: service, Service: body, UpdateMask: []string{"scaling"}}); err != nil {
		t.Fatal(err)
	}
	town.world.Advance(10 * time.Second)
	town.applyTraffic("sluice/traffic", entry(town.new, 100))
	town.settle()
	if scaling := town.live().Scaling; scaling != nil {
		t.Errorf("scaling = %+v, want none", scaling)
	}
}

func TestItsServicesSayThatTheyAreManaged(t *testing.T) {
	t.Parallel()
	if managed := newTown(t).live().Labels["managed-by-cnrm"]; managed != "true" {
		t.Errorf("label managed-by-cnrm = %q, want true", managed)
	}
}

// What it writes into spec.

func TestItWritesTheNameOfTheServiceIntoSpecAndNothingElse(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	var own []string
	for _, e := range town.object().GetManagedFields() {
		if e.Manager == configconnector.Manager && e.Subresource == "" {
			own = fieldsOfSpec(town, e.FieldsV1.GetRawBytes())
		}
	}
	if diff := cmp.Diff([]string{"f:resourceID"}, own); diff != "" {
		t.Errorf("fields of Config Connector in spec (-want +got):\n%s", diff)
	}
	if generation := town.object().GetGeneration(); generation != 2 {
		t.Errorf("generation %d, want 2: the name makes one more", generation)
	}
}

func TestAGenerationThatItMadeItselfIsObservedAtItsNextLook(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.edit(func(o *unstructured.Unstructured) { unstructured.RemoveNestedField(o.Object, "spec", "resourceID") })
	town.run()
	if observed, generation := town.observed(), town.object().GetGeneration(); observed != generation-1 {
		t.Errorf("observed generation %d of %d, want one less", observed, generation)
	}
	town.run()
	if observed, generation := town.observed(), town.object().GetGeneration(); observed != generation {
		t.Errorf("observed generation %d of %d after the next look", observed, generation)
	}
}

// When it does nothing.

func TestAnIntervalOfZeroLooksForNoDriftAndStillActsOnSpec(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.edit(annotate(configconnector.IntervalAnnotation, "0"))
	town.applyTraffic("sluice/traffic", entry(town.old, 100))
	town.settle()
	town.gcloud(simulator.TrafficTarget{Revision: town.new, Percent: 100})
	town.world.Advance(24 * time.Hour)
	town.settle()
	if diff := cmp.Diff(map[string]int{town.new: 100}, town.serves()); diff != "" {
		t.Fatalf("traffic after a day (-want +got):\n%s", diff)
	}
	town.applyTraffic("sluice/traffic", entry(town.new, 5), entry(town.old, 95))
	town.settle()
	if diff := cmp.Diff(map[string]int{town.new: 5, town.old: 95}, town.serves()); diff != "" {
		t.Errorf("traffic after an edit of spec (-want +got):\n%s", diff)
	}
}

func TestWithAnIntervalOfZeroAnEditOfALabelChangesNothing(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.edit(annotate(configconnector.IntervalAnnotation, "0"))
	town.applyTraffic("sluice/traffic", entry(town.old, 100))
	town.settle()
	town.gcloud(simulator.TrafficTarget{Revision: town.new, Percent: 100})
	town.edit(func(o *unstructured.Unstructured) { o.SetLabels(map[string]string{"team": "web"}) })
	town.settle()
	if diff := cmp.Diff(map[string]int{town.new: 100}, town.serves()); diff != "" {
		t.Errorf("traffic (-want +got):\n%s", diff)
	}
}

func TestPausedItDoesNotEvenObserveAGeneration(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.configure(configconnector.Clusters, "ConfigConnector", configconnector.ClusterName, map[string]any{"mode": "namespaced"})
	town.configure(configconnector.Contexts, "ConfigConnectorContext", configconnector.ContextName, map[string]any{"actuationMode": "Paused"})
	before := town.observed()
	town.applyTraffic("sluice/traffic", entry(town.new, 100))
	town.world.Advance(time.Hour)
	town.settle()
	if town.observed() != before || town.serves()[town.old] != 100 {
		t.Errorf("observed generation %d, was %d; traffic %v", town.observed(), before, town.serves())
	}
	town.edit(annotate(configconnector.PausedAnnotation, "Reconciling"))
	town.world.Advance(time.Hour)
	town.settle()
	if town.serves()[town.new] != 100 {
		t.Errorf("traffic %v, want all to %s: the object's own annotation wins", town.serves(), town.new)
	}
}

// One thing at a time.

func TestAnEditWaitsForTheUpdateUnderWay(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	town.applyTraffic("sluice/traffic", entry(town.new, 5), entry(town.old, 95))
	if stage := town.run(); stage != configconnector.Waiting {
		t.Fatalf("stage %s, want Waiting", stage)
	}
	if reason, _ := town.condition(); reason != "Updating" {
		t.Errorf("Ready is %s, want Updating", reason)
	}
	observed := town.observed()
	town.applyTraffic("sluice/traffic", entry(town.old, 100))
	if stage := town.run(); stage != configconnector.Waiting || town.observed() != observed {
		t.Errorf("stage %s, observed generation %d: the edit was seen before the update was done", stage, town.observed())
	}
	town.settle()
	if town.serves()[town.old] != 100 {
		t.Errorf("traffic %v, want all to %s", town.serves(), town.old)
	}
}

func TestAnUpdateIsWaitedForTwentyMinutes(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	if err := town.world.Inject(simulator.Fault{Kind: simulator.FaultStuck, Resource: service}); err != nil {
		t.Fatal(err)
	}
	town.applyTraffic("sluice/traffic", entry(town.new, 100))
	town.run()
	town.world.Advance(19 * time.Minute)
	if stage := town.run(); stage != configconnector.Waiting {
		t.Fatalf("stage %s after 19 minutes, want Waiting", stage)
	}
	town.world.Advance(time.Minute)
	town.run()
	if reason, message := town.condition(); reason != "UpdateFailed" || !strings.Contains(message, "timeout") {
		t.Errorf("Ready is %s: %s", reason, message)
	}
}

func TestAnApplyBeforeTheUpdateIsAnnouncedMakesItBeginAgain(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	since := town.logged()
	town.applyTraffic("sluice/traffic", entry(town.new, 5), entry(town.old, 95))
	town.step(configconnector.Read)
	town.applyTraffic("sluice/traffic", entry(town.old, 100))
	town.step(configconnector.Idle)
	town.settle()
	if sent := town.updates(since); len(sent) != 0 {
		t.Errorf("%d updates: what was read first was sent", len(sent))
	}
}

func TestAnApplyAfterTheUpdateWasAnnouncedIsActedOnNext(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	since := town.logged()
	town.applyTraffic("sluice/traffic", entry(town.new, 5), entry(town.old, 95))
	town.step(configconnector.Read)
	town.step(configconnector.Announced)
	town.applyTraffic("sluice/traffic", entry(town.old, 100))
	town.settle()
	if sent := town.updates(since); len(sent) != 2 || town.serves()[town.old] != 100 {
		t.Errorf("%d updates, traffic %v; want the old value once, then the new one", len(sent), town.serves())
	}
	if diff := cmp.Diff([]string{"sluice/traffic"}, town.owners()); diff != "" {
		t.Errorf("owners of spec.traffic (-want +got):\n%s", diff)
	}
}

func short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

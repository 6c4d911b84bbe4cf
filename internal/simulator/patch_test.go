package simulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// patch sends a write with the current etag and waits until it is settled.
func patch(t *testing.T, w *simulator.World, body simulator.Service, mask ...string) simulator.Service {
	t.Helper()
	body.Etag = get(t, w).Etag
	if _, err := w.PatchService(simulator.PatchRequest{Name: service, Service: body, UpdateMask: mask}); err != nil {
		t.Fatal(err)
	}
	w.Advance(10 * time.Second)
	return get(t, w)
}

func TestOnlyWhatTheMaskNamesChanges(t *testing.T) {
	t.Parallel()
	w := place(t)
	before := get(t, w)
	after := patch(t, w, simulator.Service{
		Labels:   map[string]string{"team": "web"},
		Template: simulator.Template{Containers: []simulator.Container{{Image: newImage}}},
		Scaling:  &simulator.ServiceScaling{MinInstanceCount: 3},
	}, "scaling.min_instance_count")
	if after.Scaling == nil || after.Scaling.MinInstanceCount != 3 {
		t.Errorf("scaling = %+v, want a minimum of 3", after.Scaling)
	}
	if diff := cmp.Diff(before.Template, after.Template); diff != "" || after.Labels != nil {
		t.Errorf("fields outside the mask changed: labels %v, template:\n%s", after.Labels, diff)
	}
}

func TestWithoutAMaskEveryUpdatableFieldIsReplaced(t *testing.T) {
	t.Parallel()
	w := place(t, func(sc *simulator.Scenario) { sc.Services[0].Labels = map[string]string{"team": "web"} })
	after := patch(t, w, simulator.Service{Template: simulator.Template{Containers: []simulator.Container{{Image: newImage}}}})
	want := []simulator.TrafficTarget{{Type: simulator.AllocateLatest, Percent: 100}}
	if diff := cmp.Diff(want, after.Traffic); diff != "" || after.Labels != nil {
		t.Errorf("labels %v, traffic:\n%s", after.Labels, diff)
	}
	if !strings.HasSuffix(after.LatestReadyRevision, after.LatestCreatedRevision) || !strings.Contains(after.LatestReadyRevision, "/revisions/web-00002-") {
		t.Errorf("latest ready %s, created %s", after.LatestReadyRevision, after.LatestCreatedRevision)
	}
}

func TestAnEmptyTrafficMeansEverythingToTheLatest(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{})
	after := patch(t, w, simulator.Service{}, "traffic")
	want := []simulator.TrafficStatus{{Type: simulator.AllocateLatest, Percent: 100}}
	if diff := cmp.Diff(want, after.TrafficStatuses); diff != "" {
		t.Errorf("trafficStatuses:\n%s", diff)
	}
	state, err := w.State("web")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"web-v2": 100}, state.Effective); diff != "" {
		t.Errorf("effective split:\n%s", diff)
	}
}

func TestValidateOnlyChangesNothing(t *testing.T) {
	t.Parallel()
	w := place(t)
	before := get(t, w)
	op, err := w.PatchService(simulator.PatchRequest{
		Name: service, ValidateOnly: true, UpdateMask: []string{"labels"},
		Service: simulator.Service{Labels: map[string]string{"a": "b"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.GetOperation(op.Name); apiError(t, err).Code != http.StatusNotFound {
		t.Errorf("its operation can be fetched: %v", err)
	}
	if op.Metadata.Labels["a"] != "b" {
		t.Errorf("the answer has labels %v", op.Metadata.Labels)
	}
	w.Advance(time.Minute)
	if diff := cmp.Diff(before, get(t, w)); diff != "" {
		t.Errorf("the service changed:\n%s", diff)
	}
}

func TestAllowMissingCreates(t *testing.T) {
	t.Parallel()
	w := place(t)
	req := simulator.PatchRequest{
		Name:    parent + "/services/fresh",
		Service: simulator.Service{Template: simulator.Template{Containers: []simulator.Container{{Image: newImage}}}},
	}
	_, err := w.PatchService(req)
	if e := apiError(t, err); e.Code != http.StatusNotFound ||
		e.Message != "Resource 'fresh' of kind 'SERVICE' in region 'asia-northeast1' in project 'acme-prod' does not exist." {
		t.Errorf("without allowMissing: %v", e)
	}
	req.AllowMissing = true
	if _, err := w.PatchService(req); err != nil {
		t.Fatal(err)
	}
	w.Advance(10 * time.Second)
	s, err := w.GetService(req.Name)
	if err != nil || s.Generation != 1 || s.ObservedGeneration != 1 {
		t.Errorf("generation %d, observed %d, %v", s.Generation, s.ObservedGeneration, err)
	}
}

func TestRefusedWrites(t *testing.T) {
	t.Parallel()
	target := func(targets ...simulator.TrafficTarget) simulator.Service { return simulator.Service{Traffic: targets} }
	cases := map[string]struct {
		body simulator.Service
		mask string
		want string
	}{
		"percentages below 100": {target(simulator.TrafficTarget{Revision: stableV1, Percent: 99}), "traffic", "Traffic targets sum to 99, want 100"},
		"percentages above 100": {
			target(simulator.TrafficTarget{Revision: stableV1, Percent: 70}, simulator.TrafficTarget{Percent: 70}), "traffic",
			"Traffic targets sum to 140, want 100",
		},
		"a negative percentage": {
			target(simulator.TrafficTarget{Revision: stableV1, Percent: 101}, simulator.TrafficTarget{Percent: -1}), "traffic",
			"Traffic percent 101 is not between 0 and 100",
		},
		"a tag given twice": {
			target(simulator.TrafficTarget{Revision: stableV1, Percent: 100, Tag: "blue"}, simulator.TrafficTarget{Revision: stableV1, Tag: "blue"}), "traffic",
			`Multiple definitions for "blue"`,
		},
		"a tag that is no label": {target(simulator.TrafficTarget{Percent: 100, Tag: "Blue"}), "traffic", `Tag "Blue" is not a DNS-1035 label`},
		"LATEST with a revision": {
			target(simulator.TrafficTarget{Type: simulator.AllocateLatest, Revision: stableV1, Percent: 100}), "traffic",
			"A target of type LATEST names revision 'web-v1'",
		},
		"REVISION without one": {
			target(simulator.TrafficTarget{Type: simulator.AllocateRevision, Percent: 100}), "traffic", "A target of type REVISION names no revision",
		},
		"an unknown type":       {target(simulator.TrafficTarget{Type: "SOME", Percent: 100}), "traffic", "Invalid value at 'service.traffic[].type'"},
		"an unknown mask path":  {simulator.Service{}, "route", "Invalid field path 'route' in update_mask"},
		"an output-only path":   {simulator.Service{}, "trafficStatuses", "Invalid field path 'trafficStatuses' in update_mask"},
		"a reserved annotation": {simulator.Service{Annotations: map[string]string{"run.googleapis.com/x": ""}}, "annotations", "The key 'run.googleapis.com/x' in annotations is reserved"},
		"a reserved annotation of the template": {
			simulator.Service{Template: simulator.Template{
				Annotations: map[string]string{"autoscaling.knative.dev/minScale": "1"}, Containers: []simulator.Container{{Image: "x"}},
			}},
			"template", "The key 'autoscaling.knative.dev/minScale' in template.annotations is reserved",
		},
		"a template without an image": {
			simulator.Service{}, "template", "Missing required field 'service.template.containers[0].image'",
		},
		"a revision of another service": {
			simulator.Service{Template: simulator.Template{Revision: "api-1", Containers: []simulator.Container{{Image: "x"}}}},
			"template",
			"Revision name 'api-1' must start with 'web-'",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := place(t)
			before := get(t, w)
			_, err := w.PatchService(simulator.PatchRequest{Name: service, Service: c.body, UpdateMask: []string{c.mask}})
			if e := apiError(t, err); e.Code != http.StatusBadRequest || !strings.HasPrefix(e.Message, c.want) {
				t.Errorf("got %v\nwant 400 %s", e, c.want)
			}
			if diff := cmp.Diff(before, get(t, w)); diff != "" {
				t.Errorf("the service changed:\n%s", diff)
			}
		})
	}
}

func TestAnEchoedTemplateIsRefusedWhateverTheMask(t *testing.T) {
	t.Parallel()
	w := place(t)
	echo := get(t, w)
	echo.Template.Timeout = "60s"
	_, err := w.PatchService(simulator.PatchRequest{Name: service, Service: echo, UpdateMask: []string{"traffic"}})
	e := apiError(t, err)
	if e.Status != "ALREADY_EXISTS" || e.Message != "Revision named 'web-v1' with different configuration already exists." {
		t.Errorf("got %v", e)
	}
}

// TestATemplateThatIsThereAlreadyMakesNoSecondRevision of its name: a backup of what applies
// it asks for it again.
func TestATemplateThatIsThereAlreadyMakesNoSecondRevision(t *testing.T) {
	t.Parallel()
	w := place(t)
	first, second := twoTemplates(t, w)
	for _, template := range []simulator.Template{second, first} {
		_, err := w.PatchService(simulator.PatchRequest{Name: service, UpdateMask: []string{"template"}, Service: simulator.Service{Template: template}})
		if err != nil {
			t.Fatal(err)
		}
		w.Advance(time.Minute)
	}
	list, err := w.ListRevisions(service)
	if err != nil {
		t.Fatal(err)
	}
	s := get(t, w)
	if len(list) != 2 || !strings.HasSuffix(s.LatestCreatedRevision, "/web-v1") || s.LatestReadyRevision != s.LatestCreatedRevision || s.Reconciling {
		t.Errorf("%d revisions; the latest is %s, of the ready ones %s", len(list), s.LatestCreatedRevision, s.LatestReadyRevision)
	}
}

// twoTemplates are that of the service, and another one, of another revision.
func twoTemplates(t *testing.T, w *simulator.World) (first, second simulator.Template) {
	t.Helper()
	first = get(t, w).Template
	second = first
	second.Revision, second.Timeout = "web-v2", "60s"
	return first, second
}

// TestLatestStandsForWhatServesUntilTheChangeIsApplied, also where a template names a revision
// that is ready already.
func TestLatestStandsForWhatServesUntilTheChangeIsApplied(t *testing.T) {
	t.Parallel()
	w := place(t)
	first, second := twoTemplates(t, w)
	latest := []simulator.TrafficTarget{{Type: simulator.AllocateLatest, Percent: 100}}
	patch(t, w, simulator.Service{Template: second, Traffic: latest}, "template", "traffic")
	w.Advance(time.Minute)
	_, err := w.PatchService(simulator.PatchRequest{Name: service, UpdateMask: []string{"template"}, Service: simulator.Service{Template: first}})
	if err != nil {
		t.Fatal(err)
	}
	if s := get(t, w); !strings.HasSuffix(s.LatestReadyRevision, "/web-v2") || effective(t, w)["web-v2"] != 100 {
		t.Errorf("at once the latest ready one is %s, and %v serves", s.LatestReadyRevision, effective(t, w))
	}
	w.Advance(time.Minute)
	if s := get(t, w); !strings.HasSuffix(s.LatestReadyRevision, "/web-v1") || effective(t, w)["web-v1"] != 100 {
		t.Errorf("once it is applied the latest ready one is %s, and %v serves", s.LatestReadyRevision, effective(t, w))
	}
}

func TestATemplateWriteThatKeepsTheOldNameIsRefused(t *testing.T) {
	t.Parallel()
	w := place(t)
	_, err := w.PatchService(simulator.PatchRequest{
		Name: service, UpdateMask: []string{"template.timeout"}, Service: simulator.Service{Template: simulator.Template{Timeout: "60s"}},
	})
	if e := apiError(t, err); e.Status != "ALREADY_EXISTS" {
		t.Errorf("got %v, want ALREADY_EXISTS: the template still names web-v1", e)
	}
	after := patch(t, w, simulator.Service{Template: simulator.Template{Timeout: "60s"}}, "template.timeout", "template.revision")
	if !strings.Contains(after.LatestCreatedRevision, "/revisions/web-00002-") || after.Template.Timeout != "60s" {
		t.Errorf("created %s with timeout %s", after.LatestCreatedRevision, after.Template.Timeout)
	}
}

func TestSwitchesOfWrites(t *testing.T) {
	t.Parallel()
	annotated := simulator.Service{Annotations: map[string]string{"new": "1"}}
	cases := map[string]struct {
		name, value string
		act         func(t *testing.T, w *simulator.World) any
		want        any
	}{
		"a stale etag passes where etags are ignored": {"etag", "ignored", func(t *testing.T, w *simulator.World) any {
			t.Helper()
			_, err := w.PatchService(simulator.PatchRequest{Name: service, UpdateMask: []string{"labels"}, Service: simulator.Service{Etag: "old"}})
			return err
		}, error(nil)},
		"annotations are replaced": {"maskedAnnotations", "replaced", func(t *testing.T, w *simulator.World) any {
			t.Helper()
			return patch(t, w, annotated, "annotations").Annotations
		}, map[string]string{"new": "1"}},
		"annotations are merged": {"maskedAnnotations", "merged", func(t *testing.T, w *simulator.World) any {
			t.Helper()
			return patch(t, w, annotated, "annotations").Annotations
		}, map[string]string{"old": "0", "new": "1"}},
		"a write that changes nothing keeps the generation": {"noopPatch", "unchanged", func(t *testing.T, w *simulator.World) any {
			t.Helper()
			return patch(t, w, get(t, w), "traffic").Generation
		}, int64(1)},
		"a write that changes nothing gives a generation": {"noopPatch", "bumped", func(t *testing.T, w *simulator.World) any {
			t.Helper()
			return patch(t, w, get(t, w), "traffic").Generation
		}, int64(2)},
		"the etag outlives the reconciliation": {"updateTimeOnSettle", "kept", etagChanges, false},
		"the etag changes at its end":          {"updateTimeOnSettle", "changed", etagChanges, true},
		"an entry of 0 % is kept":              {"zeroPercentEntry", "kept", entriesOfZero, 2},
		"an entry of 0 % is dropped":           {"zeroPercentEntry", "dropped", entriesOfZero, 1},
		"an echoed revision passes":            {"echoedRevision", "accepted", echoes, ""},
		"an echoed revision is refused":        {"echoedRevision", "refused", echoes, "ALREADY_EXISTS"},
		"a second write is accepted":           {"patchWhileReconciling", "accepted", writesTwice, ""},
		"a second write is refused":            {"patchWhileReconciling", "rejected", writesTwice, "ABORTED"},
		"the new revision shows when done":     {"latestCreated", "onDone", showsEarly, false},
		"the new revision shows at once":       {"latestCreated", "onCreate", showsEarly, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := place(t, func(sc *simulator.Scenario) {
				sc.Services[0].Annotations = map[string]string{"old": "0"}
				if err := sc.Switches.Set(c.name, c.value); err != nil {
					t.Fatal(err)
				}
			})
			if diff := cmp.Diff(c.want, c.act(t, w)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func etagChanges(t *testing.T, w *simulator.World) any {
	t.Helper()
	op, err := w.PatchService(simulator.PatchRequest{Name: service, UpdateMask: []string{"labels"}, Service: simulator.Service{Labels: map[string]string{"a": "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.Advance(10 * time.Second)
	return op.Metadata.Etag != get(t, w).Etag
}

func entriesOfZero(t *testing.T, w *simulator.World) any {
	t.Helper()
	deploy(t, w, simulator.Behaviour{})
	return len(patch(t, w, splitRequest("", 0).Service, "traffic").Traffic)
}

func echoes(t *testing.T, w *simulator.World) any {
	t.Helper()
	_, err := w.PatchService(simulator.PatchRequest{Name: service, UpdateMask: []string{"traffic"}, Service: get(t, w)})
	return statusOf(t, err)
}

func writesTwice(t *testing.T, w *simulator.World) any {
	t.Helper()
	if err := w.EditTraffic("web", nil, ""); err != nil {
		t.Fatal(err)
	}
	_, err := w.PatchService(simulator.PatchRequest{Name: service, UpdateMask: []string{"labels"}})
	return statusOf(t, err)
}

func showsEarly(t *testing.T, w *simulator.World) any {
	t.Helper()
	if _, err := w.Deploy("web", simulator.Deployment{Image: newImage}); err != nil {
		t.Fatal(err)
	}
	return !strings.HasSuffix(get(t, w).LatestCreatedRevision, stableV1)
}

func statusOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	return apiError(t, err).Status
}

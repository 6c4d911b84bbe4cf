package simulator_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

const (
	parent   = "projects/acme-prod/locations/asia-northeast1"
	service  = parent + "/services/web"
	stableV1 = "web-v1"
	oldImage = "example.com/web:1"
	newImage = "example.com/web:2"
)

// place is a world with one service of two revisions' names to come.
func place(t *testing.T, edits ...func(*simulator.Scenario)) *simulator.World {
	t.Helper()
	sc := simulator.Scenario{
		Seed:   1,
		Caller: "sluice@acme-prod.iam.gserviceaccount.com",
		Services: []simulator.Hosted{{
			Project: "acme-prod", Location: "asia-northeast1", Name: "web",
			Users:     simulator.Users{RequestsPerSecond: 20},
			Revisions: []simulator.Deployment{{Image: oldImage, Revision: stableV1}},
			Traffic:   []simulator.TrafficTarget{{Revision: stableV1, Percent: 100}},
		}},
	}
	for _, edit := range edits {
		edit(&sc)
	}
	w, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// deploy makes revision web-v2 and waits until it is settled.
func deploy(t *testing.T, w *simulator.World, b simulator.Behaviour) {
	t.Helper()
	if _, err := w.Deploy("web", simulator.Deployment{Image: newImage, Revision: "web-v2", Behaviour: &b}); err != nil {
		t.Fatal(err)
	}
	w.Advance(30 * time.Second)
}

func get(t *testing.T, w *simulator.World) simulator.Service {
	t.Helper()
	s, err := w.GetService(service)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// split writes percent to web-v2 and the rest to web-v1, as a controller does.
func split(t *testing.T, w *simulator.World, percent int) simulator.Operation {
	t.Helper()
	op, err := w.PatchService(splitRequest(get(t, w).Etag, percent))
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func splitRequest(etag string, percent int) simulator.PatchRequest {
	return simulator.PatchRequest{
		Name: service, UpdateMask: []string{"traffic"},
		Service: simulator.Service{Etag: etag, Traffic: []simulator.TrafficTarget{
			{Type: simulator.AllocateRevision, Revision: "web-v2", Percent: percent},
			{Type: simulator.AllocateRevision, Revision: stableV1, Percent: 100 - percent},
		}},
	}
}

func apiError(t *testing.T, err error) *simulator.APIError {
	t.Helper()
	var e *simulator.APIError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an APIError", err)
	}
	return e
}

func TestASplitTakesEffectOnlyAfterReconciliation(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{})
	before := get(t, w)
	split(t, w, 25)

	under := get(t, w)
	if !under.Reconciling || under.ObservedGeneration != before.Generation || under.Generation != before.Generation+1 {
		t.Errorf("just after the write: reconciling %v, generation %d, observed %d", under.Reconciling, under.Generation, under.ObservedGeneration)
	}
	if diff := cmp.Diff(before.TrafficStatuses, under.TrafficStatuses); diff != "" {
		t.Errorf("trafficStatuses changed at once:\n%s", diff)
	}
	w.Advance(10 * time.Second)
	after := get(t, w)
	want := []simulator.TrafficStatus{
		{Type: simulator.AllocateRevision, Revision: "web-v2", Percent: 25},
		{Type: simulator.AllocateRevision, Revision: stableV1, Percent: 75},
	}
	if diff := cmp.Diff(want, after.TrafficStatuses); diff != "" {
		t.Errorf("trafficStatuses afterwards:\n%s", diff)
	}
	if after.Reconciling || after.ObservedGeneration != after.Generation || after.Etag != under.Etag {
		t.Errorf("afterwards: reconciling %v, observed %d of %d, etag kept %v",
			after.Reconciling, after.ObservedGeneration, after.Generation, after.Etag == under.Etag)
	}
}

func TestAStaleEtagIsAConflictThatNamesBothVersions(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{})
	old := get(t, w)
	if err := w.EditTraffic("web", old.Traffic, "alice@example.com"); err != nil {
		t.Fatal(err)
	}
	now := get(t, w)
	_, err := w.PatchService(splitRequest(old.Etag, 5))
	e := apiError(t, err)
	want := "Conflict for resource 'web': version '" + micros(old.UpdateTime) + "' was specified but current version is '" + micros(now.UpdateTime) + "'."
	if e.Code != http.StatusConflict || e.Status != "ABORTED" || e.Message != want {
		t.Errorf("got %v\nwant 409 ABORTED %s", e, want)
	}
}

func micros(t simulator.Timestamp) string {
	return strconv.FormatInt(t.UnixMicro(), 10)
}

func TestTheSameSeedGivesTheSameLog(t *testing.T) {
	t.Parallel()
	if a, b := logHash(t, 7), logHash(t, 7); a != b {
		t.Error("two worlds of the same seed differ")
	}
	if a, b := logHash(t, 7), logHash(t, 8); a == b {
		t.Error("worlds of different seeds are the same")
	}
}

func logHash(t *testing.T, seed uint64) [sha256.Size]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := simulator.ParseScenario(text)
	if err != nil {
		t.Fatal(err)
	}
	sc.Seed = seed
	w, err := simulator.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	for range 90 {
		w.Advance(47 * time.Second)
		if _, err := w.ListRevisions(w.Services()[0]); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := json.Marshal(w.Log())
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(raw)
}

func TestAFaultDoesNotChangeAnybodysLuck(t *testing.T) {
	t.Parallel()
	story := func(disturb func(w *simulator.World)) map[string]simulator.Tally {
		w := place(t)
		deploy(t, w, simulator.Behaviour{Errors: []simulator.ErrorRate{{Percent: 5}}})
		split(t, w, 20)
		w.Advance(10 * time.Second)
		disturb(w)
		w.Advance(time.Hour)
		all, err := w.AllRequests("web", w.Start(), w.Now())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	calm := story(func(*simulator.World) {})
	troubled := story(func(w *simulator.World) {
		inject(t, w, simulator.Fault{Kind: simulator.FaultGap})
		inject(t, w, simulator.Fault{Kind: simulator.FaultError, Code: http.StatusServiceUnavailable})
		_, _ = w.GetService(service)
		_, _ = w.PatchService(simulator.PatchRequest{Name: service, UpdateMask: []string{"labels"}})
	})
	if diff := cmp.Diff(calm, troubled); diff != "" {
		t.Errorf("users fared differently:\n%s", diff)
	}
}

func TestAServiceWhoseFirstRevisionFails(t *testing.T) {
	t.Parallel()
	w := place(t)
	op, err := w.CreateService(simulator.CreateRequest{Parent: parent, ID: "fresh", Service: simulator.Service{
		Template: simulator.Template{Containers: []simulator.Container{{Image: "broken"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.FailRevision(created(w), simulator.StartupFailure{Message: "No such image."}); err != nil {
		t.Fatal(err)
	}
	w.Advance(10 * time.Second)
	s, err := w.GetService(parent + "/services/fresh")
	if err != nil {
		t.Fatal(err)
	}
	if s.LatestReadyRevision != "" || s.TrafficStatuses != nil || s.Ingress != "" || s.URI != "" || s.ObservedGeneration != 0 {
		t.Errorf("it never served: ready %q, statuses %v, ingress %q, uri %q, observed %d",
			s.LatestReadyRevision, s.TrafficStatuses, s.Ingress, s.URI, s.ObservedGeneration)
	}
	if s.TerminalCondition.State != simulator.ConditionFailed || operation(t, w, op.Name).Error == nil {
		t.Errorf("it is %s", s.TerminalCondition.State)
	}
}

func TestTwoServicesOfOneNameNeedTheirFullNames(t *testing.T) {
	t.Parallel()
	w := place(t, func(sc *simulator.Scenario) {
		other := sc.Services[0]
		other.Location = "us-central1"
		sc.Services = append(sc.Services, other)
	})
	if err := w.SetUsers("web", 1); err == nil || err.Error() != `more than one service is called "web": use the full name` {
		t.Errorf("got %v", err)
	}
	if err := w.SetUsers(service, 1); err != nil {
		t.Error(err)
	}
	listed, err := w.ListServices(parent)
	if err != nil || len(listed) != 1 || listed[0].Name != service {
		t.Errorf("the list of one location has %d services, %v", len(listed), err)
	}
}

package wire_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	run "google.golang.org/api/run/v2"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// dialled is a stage that the real client talks to over loopback.
func dialled(t *testing.T, sc simulator.Scenario) (*stage, *run.ProjectsLocationsServicesService, *run.Service) {
	t.Helper()
	s := newStage(t, sc)
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	client, err := run.NewService(t.Context(), option.WithEndpoint(server.URL), option.WithHTTPClient(server.Client()))
	if err != nil {
		t.Fatal(err)
	}
	client.UserAgent = "contract-test"
	return s, client.Projects.Locations.Services, client
}

func TestTheRealClientMovesTraffic(t *testing.T) {
	t.Parallel()
	s, services, client := dialled(t, hosted())
	before, err := services.Get(checkout).Do()
	if err != nil {
		t.Fatal(err)
	}
	op, err := services.Patch(checkout, &run.GoogleCloudRunV2Service{
		Etag: before.Etag,
		Traffic: []*run.GoogleCloudRunV2TrafficTarget{
			{Type: simulator.AllocateRevision, Revision: "checkout-two", Percent: 5},
			{Type: simulator.AllocateRevision, Revision: "checkout-one", Percent: 95},
		},
	}).UpdateMask("traffic").Do()
	if err != nil {
		t.Fatal(err)
	}
	if op.Done {
		t.Error("the operation is done at once")
	}
	if got, want := before.Header.Get("Date"), recorded.Format(http.TimeFormat); got != want {
		t.Errorf("the answer is dated %q, the world's time is %q", got, want)
	}
	s.wait(10 * time.Second)
	if op, err = client.Projects.Locations.Operations.Get(op.Name).Do(); err != nil || !op.Done {
		t.Fatalf("the operation is not done: %v", err)
	}
	after, err := services.Get(checkout).Do()
	if err != nil {
		t.Fatal(err)
	}
	want := []*run.GoogleCloudRunV2TrafficTargetStatus{
		{Type: simulator.AllocateRevision, Revision: "checkout-two", Percent: 5},
		{Type: simulator.AllocateRevision, Revision: "checkout-one", Percent: 95},
	}
	if diff := cmp.Diff(want, after.TrafficStatuses); diff != "" {
		t.Errorf("trafficStatuses:\n%s", diff)
	}
	if after.Generation != before.Generation+1 || after.ObservedGeneration != after.Generation {
		t.Errorf("generation %d, observed %d, before %d", after.Generation, after.ObservedGeneration, before.Generation)
	}
	s.guard.Do(func(w *simulator.World) {
		for _, e := range w.Log() {
			if e.Call != nil && e.Call.Operation == "services.patch" {
				if diff := cmp.Diff([]string{"traffic"}, e.Call.Mask); diff != "" || e.Call.Etag != before.Etag || !e.Call.Accepted {
					t.Errorf("the log says %+v", e.Call)
				}
				if e.Call.Before.Desired["checkout-one"] != 100 || e.Call.UserAgent == "" || len(e.Call.Body) == 0 {
					t.Errorf("the log says %+v", e.Call)
				}
			}
		}
	})
}

func TestTheRealClientReadsEverything(t *testing.T) {
	t.Parallel()
	_, services, client := dialled(t, hosted())
	list, err := services.List(place).Do()
	if err != nil || len(list.Services) != 1 || list.Services[0].Name != checkout {
		t.Errorf("services: %v, %v", list, err)
	}
	var names []string
	err = services.Revisions.List(checkout).PageSize(1).Pages(t.Context(), func(page *run.GoogleCloudRunV2ListRevisionsResponse) error {
		for _, r := range page.Revisions {
			names = append(names, r.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{checkout + "/revisions/checkout-two", checkout + "/revisions/checkout-one"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("revisions:\n%s", diff)
	}
	revision, err := services.Revisions.Get(want[1]).Do()
	if err != nil || revision.Containers[0].Image != "us-docker.pkg.dev/shop/web/checkout:1" {
		t.Errorf("revision: %v, %v", revision, err)
	}
	op, err := services.Create(place, &run.GoogleCloudRunV2Service{
		Template: &run.GoogleCloudRunV2RevisionTemplate{Containers: []*run.GoogleCloudRunV2Container{{Image: "i"}}},
	}).ServiceId("fresh").Do()
	if err != nil {
		t.Fatal(err)
	}
	wait := &run.GoogleLongrunningWaitOperationRequest{Timeout: "1s"}
	if op, err = client.Projects.Locations.Operations.Wait(op.Name, wait).Do(); err != nil || op.Done {
		t.Errorf("waiting returns the operation as it is: %v, %v", op, err)
	}
}

func TestTheRealClientMeetsErrors(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fault simulator.Fault
		name  string
		code  int
		after string
	}{
		"missing":   {simulator.Fault{Kind: simulator.FaultGap}, place + "/services/none", 404, ""},
		"denied":    {simulator.Fault{Kind: simulator.FaultError, Code: 403}, checkout, 403, ""},
		"throttled": {simulator.Fault{Kind: simulator.FaultError, Code: 429, RetryAfter: simulator.Duration(7 * time.Second)}, checkout, 429, "7"},
		"lost":      {simulator.Fault{Kind: simulator.FaultDrop}, checkout, 0, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, services, _ := dialled(t, hosted())
			s.guard.Do(func(w *simulator.World) {
				if err := w.Inject(c.fault); err != nil {
					t.Fatal(err)
				}
			})
			_, err := services.Patch(c.name, &run.GoogleCloudRunV2Service{}).UpdateMask("traffic").Do()
			var refused *googleapi.Error
			switch {
			case err == nil:
				t.Error("it succeeded")
			case !errors.As(err, &refused):
				if c.code != 0 {
					t.Errorf("got %v, want %d", err, c.code)
				}
			case refused.Code != c.code || refused.Header.Get("Retry-After") != c.after || refused.Message == "":
				t.Errorf("got %v with Retry-After %q", refused, refused.Header.Get("Retry-After"))
			}
		})
	}
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"route": []}`:          `Unknown name "route": Cannot find field.`,
		`{"traffic": 1}`:         `Invalid value at 'service.traffic'`,
		`{`:                      `Invalid JSON payload received.`,
		`{"generation": "none"}`: `Invalid JSON payload received.`,
	} {
		s := newStage(t, hosted())
		code, got := s.send(http.MethodPatch, checkout+"?updateMask=traffic", body)
		if code != http.StatusBadRequest || !contains(got, want) {
			t.Errorf("%s: %d %s\nwant %s", body, code, got, want)
		}
	}
	s := newStage(t, hosted())
	if code, _ := s.send(http.MethodGet, place+"/services?pageSize=many", ""); code != http.StatusBadRequest {
		t.Errorf("pageSize=many: %d", code)
	}
	if code, _ := s.send(http.MethodGet, place+"/services?pageToken=none", ""); code != http.StatusBadRequest {
		t.Errorf("pageToken=none: %d", code)
	}
	if code, _ := s.send(http.MethodDelete, checkout, ""); code != http.StatusNotFound && code != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", code)
	}
}

package simulator_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

func inject(t *testing.T, w *simulator.World, f simulator.Fault) {
	t.Helper()
	if err := w.Inject(f); err != nil {
		t.Fatal(err)
	}
}

// calls are the write calls of the log.
func calls(w *simulator.World, operation string) []*simulator.Call {
	var found []*simulator.Call
	for _, e := range w.Log() {
		if e.Call != nil && e.Call.Operation == operation {
			found = append(found, e.Call)
		}
	}
	return found
}

func TestAnErrorHitsTheNextCallsOfItsKindAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := place(t)
	inject(t, w, simulator.Fault{
		Kind: simulator.FaultError, Operation: "services.*", Times: 2, Code: http.StatusTooManyRequests,
		RetryAfter: simulator.Duration(30 * time.Second),
	})
	if _, err := w.ListRevisions(service); err != nil {
		t.Errorf("a call of another kind failed: %v", err)
	}
	_, err := w.GetService(service)
	e := apiError(t, err)
	want := "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per region' of service 'run.googleapis.com'"
	if e.Status != "RESOURCE_EXHAUSTED" || e.Message != want || e.RetryAfter != 30*time.Second {
		t.Errorf("got %v after %v", e, e.RetryAfter)
	}
	_, err = w.PatchService(splitRequest("", 0))
	if e := apiError(t, err); !strings.Contains(e.Message, "'Write requests'") {
		t.Errorf("got %v", e)
	}
	if s := get(t, w); s.Generation != 1 {
		t.Errorf("generation %d after a refused write", s.Generation)
	}
}

func TestAFaultLetsCallsPassBeforeItHits(t *testing.T) {
	t.Parallel()
	w := place(t)
	inject(t, w, simulator.Fault{Kind: simulator.FaultError, Operation: "services.get", Code: 503, After: 2, Times: 1})
	var got []bool
	for range 4 {
		_, err := w.GetService(service)
		got = append(got, err == nil)
	}
	if diff := cmp.Diff([]bool{true, true, false, true}, got); diff != "" {
		t.Errorf("which calls succeeded:\n%s", diff)
	}
}

func TestTextsOfErrors(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{
		403: "Permission 'run.services.get' denied on resource '" + service + "' (or resource may not exist).",
		409: "Conflict for resource 'web': version '1' was specified but current version is '2'.",
		500: "Internal error encountered.",
		503: "The service is currently unavailable.",
	} {
		w := place(t)
		inject(t, w, simulator.Fault{Kind: simulator.FaultError, Code: code})
		_, err := w.GetService(service)
		if e := apiError(t, err); e.Code != code || e.Message != want {
			t.Errorf("got %v\nwant %d %s", e, code, want)
		}
	}
}

func TestALostAnswerHasTakenEffect(t *testing.T) {
	t.Parallel()
	w := place(t)
	inject(t, w, simulator.Fault{Kind: simulator.FaultDrop, Operation: "services.patch"})
	_, err := w.PatchService(simulator.PatchRequest{Name: service, UpdateMask: []string{"traffic"}})
	if !errors.Is(err, simulator.ErrAnswerLost) {
		t.Fatalf("got %v", err)
	}
	c := calls(w, "services.patch")[0]
	if !c.Accepted || !c.Lost || c.Code != http.StatusOK || c.Fault != "drop" || c.After.Generation != 2 {
		t.Errorf("the log says %+v", c)
	}
}

func TestADuplicatedWriteIsCarriedOutTwice(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		etag       string
		code       int // of the answer that the caller gets
		generation int64
	}{
		"the second is refused by the first one's etag":    {"enforced", http.StatusConflict, 3},
		"the second takes effect where etags mean nothing": {"ignored", http.StatusOK, 4},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := place(t, func(sc *simulator.Scenario) { sc.Switches = simulator.Switches{Etag: c.etag, NoopPatch: "bumped"} })
			deploy(t, w, simulator.Behaviour{})
			base := get(t, w)
			inject(t, w, simulator.Fault{Kind: simulator.FaultDuplicate, Operation: "services.patch"})
			_, err := w.PatchService(splitRequest(base.Etag, 5))
			if c.code == http.StatusConflict {
				if e := apiError(t, err); e.Code != c.code || e.Status != "ABORTED" {
					t.Errorf("got %v", e)
				}
			} else if err != nil {
				t.Error(err)
			}
			w.Advance(10 * time.Second)
			if got := get(t, w); got.Generation != c.generation || effective(t, w)["web-v2"] != 5 {
				t.Errorf("generation %d with %v, want %d", got.Generation, got.TrafficStatuses, c.generation)
			}
			log := calls(w, "services.patch")
			if len(log) != 2 || !log[0].Accepted || !log[0].Lost || log[0].Again || log[1].Lost || !log[1].Again || log[1].Code != c.code {
				t.Errorf("the log says %+v and then %+v", log[0], log[len(log)-1])
			}
		})
	}
}

func TestADuplicatedReadIsAnsweredOnceAndLoggedTwice(t *testing.T) {
	t.Parallel()
	w := place(t)
	inject(t, w, simulator.Fault{Kind: simulator.FaultDuplicate, Operation: "revisions.*", Resource: "web-v1"})
	if _, err := w.ListRevisions(service); err != nil {
		t.Fatal(err)
	}
	r, err := w.GetRevision(service + "/revisions/" + stableV1)
	if err != nil || !strings.HasSuffix(r.Name, "/"+stableV1) {
		t.Errorf("got %q, %v", r.Name, err)
	}
	if got := len(calls(w, "revisions.get")); got != 2 || len(calls(w, "revisions.list")) != 1 {
		t.Errorf("the named call was logged %d times", got)
	}
}

func TestADuplicatedCreationMeetsItsOwnService(t *testing.T) {
	t.Parallel()
	w := place(t)
	template := get(t, w).Template
	template.Revision = ""
	inject(t, w, simulator.Fault{Kind: simulator.FaultDuplicate, Operation: "services.create"})
	_, err := w.CreateService(simulator.CreateRequest{Parent: parent, ID: "fresh", Service: simulator.Service{Template: template}})
	if e := apiError(t, err); e.Status != "ALREADY_EXISTS" {
		t.Errorf("got %v", e)
	}
	if _, err := w.GetService(parent + "/services/fresh"); err != nil {
		t.Error(err)
	}
}

func TestAParkedWriteTakesEffectLater(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{})
	inject(t, w, simulator.Fault{Kind: simulator.FaultPark, Delay: simulator.Duration(time.Minute)})
	request := splitRequest(get(t, w).Etag, 5)
	if _, err := w.PatchService(request); !errors.Is(err, simulator.ErrAnswerLost) {
		t.Fatalf("got %v", err)
	}
	before := get(t, w)
	w.Advance(59 * time.Second)
	if diff := cmp.Diff(before, get(t, w)); diff != "" {
		t.Errorf("it took effect early:\n%s", diff)
	}
	w.Advance(20 * time.Second)
	if diff := cmp.Diff(map[string]int{stableV1: 95, "web-v2": 5}, effective(t, w)); diff != "" {
		t.Errorf("effective split:\n%s", diff)
	}
	log := calls(w, "services.patch")
	if len(log) != 2 || log[0].Accepted || !log[1].Accepted || !log[1].Late || !log[1].Lost {
		t.Errorf("the log says %+v and then %+v", log[0], log[len(log)-1])
	}
}

func TestAParkedWriteIsRefusedIfTheServiceHasMovedOn(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{})
	inject(t, w, simulator.Fault{Kind: simulator.FaultPark, Delay: simulator.Duration(time.Minute)})
	_, _ = w.PatchService(splitRequest(get(t, w).Etag, 5))
	split(t, w, 50)
	w.Advance(2 * time.Minute)
	if diff := cmp.Diff(map[string]int{stableV1: 50, "web-v2": 50}, effective(t, w)); diff != "" {
		t.Errorf("effective split:\n%s", diff)
	}
	log := calls(w, "services.patch")
	if late := log[len(log)-1]; late.Accepted || late.Status != "ABORTED" {
		t.Errorf("the late write: %+v", late)
	}
}

func TestStaleReadsShowAnOlderState(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{})
	old := get(t, w)
	split(t, w, 5)
	w.Advance(10 * time.Second)
	now := get(t, w)
	inject(t, w, simulator.Fault{Kind: simulator.FaultStale, Versions: 2, Times: 2})
	if got := get(t, w); got.Etag != old.Etag {
		t.Errorf("two changes back it was %s, got %s", old.Etag, got.Etag)
	}
	listed, err := w.ListServices(parent)
	if err != nil || listed[0].Etag != old.Etag {
		t.Errorf("the list is not stale: %v", err)
	}
	if diff := cmp.Diff(now, get(t, w)); diff != "" {
		t.Errorf("the third read is stale too:\n%s", diff)
	}
}

func TestAStuckReconciliationGoesOnWhenReleased(t *testing.T) {
	t.Parallel()
	release := map[string]func(w *simulator.World){
		"by clearing": func(w *simulator.World) { w.Advance(29 * time.Minute); w.ClearFaults() },
		"by itself":   func(w *simulator.World) { w.Advance(31 * time.Minute) },
	}
	for name, f := range release {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := place(t)
			deploy(t, w, simulator.Behaviour{})
			inject(t, w, simulator.Fault{Kind: simulator.FaultStuck, For: simulator.Duration(30 * time.Minute)})
			op := split(t, w, 5)
			w.Advance(20 * time.Second)
			if !get(t, w).Reconciling || operation(t, w, op.Name).Done {
				t.Error("it is not stuck")
			}
			f(w)
			if get(t, w).Reconciling || effective(t, w)["web-v2"] != 5 {
				t.Error("it does not go on")
			}
		})
	}
}

func TestAReconciliationThatFailsLeavesTheFormerSplit(t *testing.T) {
	t.Parallel()
	w := place(t)
	deploy(t, w, simulator.Behaviour{})
	inject(t, w, simulator.Fault{Kind: simulator.FaultFail, Message: "no capacity", For: simulator.Duration(time.Minute)})
	op := split(t, w, 5)
	w.Advance(20 * time.Second)
	s := get(t, w)
	if s.Reconciling || s.ObservedGeneration == s.Generation || s.TerminalCondition.Message != "no capacity" || effective(t, w)["web-v2"] != 0 {
		t.Errorf("after the failure: reconciling %v, generation %d of %d, %+v, serves %v",
			s.Reconciling, s.ObservedGeneration, s.Generation, s.TerminalCondition, effective(t, w))
	}
	if o := operation(t, w, op.Name); !o.Done || o.Error == nil || o.Error.Message != "no capacity" {
		t.Errorf("the operation is %+v", o)
	}
	w.Advance(time.Minute)
	split(t, w, 5)
	w.Advance(20 * time.Second)
	if s := get(t, w); s.ObservedGeneration != s.Generation || effective(t, w)["web-v2"] != 5 {
		t.Errorf("the next write does not serve: %v", effective(t, w))
	}
}

func TestASkewMakesTheClocksOfCallersWrongWhileItLasts(t *testing.T) {
	t.Parallel()
	w := place(t)
	if w.Skew() != 0 || !w.CallerNow().Equal(w.Now()) {
		t.Errorf("without a fault clocks are wrong by %v", w.Skew())
	}
	inject(t, w, simulator.Fault{Kind: simulator.FaultSkew, Delay: simulator.Duration(-7 * time.Minute), For: simulator.Duration(time.Hour)})
	inject(t, w, simulator.Fault{Kind: simulator.FaultSkew, Delay: simulator.Duration(2 * time.Minute)})
	if got := w.CallerNow().Sub(w.Now()); got != -5*time.Minute {
		t.Errorf("seven minutes behind and two ahead make %v", got)
	}
	w.Advance(time.Hour)
	if got := w.Skew(); got != 2*time.Minute {
		t.Errorf("after the hour of the first one clocks are wrong by %v", got)
	}
	before := get(t, w).UpdateTime
	split(t, w, 0)
	if got := get(t, w).UpdateTime; got == before || got.After(w.Now().Add(time.Second)) {
		t.Errorf("the service was updated at %v by the API's clock, which shows %v", got, w.Now())
	}
	w.ClearFaults()
	if w.Skew() != 0 {
		t.Errorf("after clearing clocks are wrong by %v", w.Skew())
	}
}

func TestFaultsOfMonitoring(t *testing.T) {
	t.Parallel()
	w := place(t)
	w.Advance(10 * time.Minute)
	query := series.Query{Project: "acme-prod", Filter: requestCount, Start: w.Start(), End: w.Now(), View: series.Full}

	inject(t, w, simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: http.StatusServiceUnavailable})
	_, err := w.QueryTimeSeries(query)
	var e *series.Error
	if !errors.As(err, &e) || e.Code != series.Unavailable {
		t.Errorf("got %v, want UNAVAILABLE", err)
	}
	inject(t, w, simulator.Fault{Kind: simulator.FaultPartial})
	if got, err := w.QueryTimeSeries(query); err != nil || len(got.ExecutionErrors) == 0 {
		t.Errorf("the answer does not say that it is partial: %v", err)
	}
	w.ClearFaults()
	if got, err := w.QueryTimeSeries(query); err != nil || len(got.ExecutionErrors) != 0 || len(got.Series) == 0 {
		t.Errorf("after clearing: %d series, %v, %v", len(got.Series), got.ExecutionErrors, err)
	}
	if got := calls(w, "timeSeries.list"); len(got) != 3 || got[0].Filter != requestCount || got[0].Code == http.StatusOK {
		t.Errorf("the log has %d queries, the first %+v", len(got), got[0])
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	w := place(t)
	for want, f := range map[string]simulator.Fault{
		`fault kind "" is not one of`: {},
		"code 0 is no HTTP error":     {Kind: simulator.FaultError},
		"delay is required":           {Kind: simulator.FaultPark},
		`fault corrupt: value "many" is not one of bool, distribution, double, infinite, int64, nan, negative, none`: {Kind: simulator.FaultCorrupt, Value: "many"},
		"fault unit: unit is required":       {Kind: simulator.FaultUnit},
		"page and pageSize are not negative": {Kind: simulator.FaultPartial, Page: -1},
		"fault skew: delay":                  {Kind: simulator.FaultSkew},
		"times is below -1":                  {Kind: simulator.FaultDrop, Times: -2},
		"calls of Monitoring can":            {Kind: simulator.FaultDrop, Operation: "timeSeries.list"},
	} {
		if err := w.Inject(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %s", f, err, want)
		}
	}
}

func TestPeopleAndTheirMistakes(t *testing.T) {
	t.Parallel()
	w := place(t)
	for want, err := range map[string]error{
		`no service is called "api"`:             w.EditTraffic("api", nil, ""),
		`no revision is called "web-v9"`:         w.LoseRevision("web-v9"),
		"Traffic targets sum to 7, want 100":     w.EditTraffic("web", []simulator.TrafficTarget{{Percent: 7}}, ""),
		"requestsPerSecond is negative":          w.SetUsers("web", -1),
		"Revision named 'web-v1' with different": deployError(w),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := w.EditTraffic("web", []simulator.TrafficTarget{{Revision: "#1", Percent: 100}}, "alice@example.com"); err != nil {
		t.Fatal(err)
	}
	if s := get(t, w); s.LastModifier != "alice@example.com" || s.Traffic[0].Revision != stableV1 {
		t.Errorf("written by %s: %+v", s.LastModifier, s.Traffic)
	}
}

func deployError(w *simulator.World) error {
	_, err := w.Deploy("web", simulator.Deployment{Revision: stableV1})
	return err
}

func TestADeletedServiceComesBackAsAnother(t *testing.T) {
	t.Parallel()
	w := place(t)
	before := get(t, w)
	if err := w.LoseService("web"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.GetService(service); apiError(t, err).Status != "NOT_FOUND" {
		t.Errorf("got %v", err)
	}
	if _, err := w.CreateService(simulator.CreateRequest{Parent: parent, ID: "web", Service: simulator.Service{Template: before.Template}}); err != nil {
		t.Fatal(err)
	}
	w.Advance(10 * time.Second)
	if after := get(t, w); after.UID == before.UID || after.Generation != 1 {
		t.Errorf("uid %s, generation %d", after.UID, after.Generation)
	}
	_, err := w.CreateService(simulator.CreateRequest{Parent: parent, ID: "web", Service: simulator.Service{Template: before.Template}})
	if e := apiError(t, err); e.Status != "ALREADY_EXISTS" {
		t.Errorf("creating it twice: %v", e)
	}
}

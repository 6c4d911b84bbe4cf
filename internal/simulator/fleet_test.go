package simulator_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// plain is one healthy service without VPC access, changed.
func plain(t *testing.T, edits ...func(*simulator.Scenario)) *simulator.World {
	t.Helper()
	sc := parse(t, small)
	h := &sc.Services[0]
	h.Users = simulator.Users{RequestsPerSecond: 20}
	h.Revisions[0].VPCAccess = nil
	h.Revisions[0].Behaviour = &simulator.Behaviour{}
	for _, edit := range edits {
		edit(&sc)
	}
	return build(t, sc)
}

// last is a revision in the latest minute.
func last(t *testing.T, w *simulator.World, revision string) simulator.RevisionMinute {
	t.Helper()
	all := w.Minutes(w.Start(), w.Now())
	for _, r := range all[len(all)-1].Revisions {
		if r.Revision == revision {
			return r
		}
	}
	return simulator.RevisionMinute{}
}

func instances(m simulator.RevisionMinute) int { return m.Active + m.Idle }

func release(t *testing.T, w *simulator.World, d simulator.Deployment) {
	t.Helper()
	d.Image, d.Revision = "2", "web-2"
	if _, err := w.Deploy("web", d); err != nil {
		t.Fatal(err)
	}
	w.Advance(2 * time.Minute)
}

func move(t *testing.T, w *simulator.World, percent int) {
	t.Helper()
	split := []simulator.TrafficTarget{{Revision: "web-2", Percent: percent}, {Revision: "web-1", Percent: 100 - percent, Tag: "old"}}
	if err := w.EditTraffic("web", split, ""); err != nil {
		t.Fatal(err)
	}
}

func pinned(sc *simulator.Scenario) {
	sc.Services[0].Traffic = []simulator.TrafficTarget{{Revision: "web-1", Percent: 100}}
}

func TestTheAutoscalerAimsAtSixtyPercentOfTheConcurrency(t *testing.T) {
	t.Parallel()
	w := plain(t, func(sc *simulator.Scenario) {
		sc.Services[0].Revisions[0].Concurrency = 10
		sc.Services[0].Revisions[0].Behaviour.Latency = simulator.Duration(3 * time.Second)
	})
	w.Advance(20 * time.Minute)
	// 20 a second for 3 s are 60 in flight; 60 % of 10 is 6.
	if got := last(t, w, "web-1"); got.Active < 9 || got.Active > 13 || got.Failed+got.Unreached > 0 {
		t.Errorf("%+v; want about 10 active instances", got)
	}
	if err := w.SetUsers("web", 4); err != nil {
		t.Fatal(err)
	}
	w.Advance(10 * time.Minute)
	if got := last(t, w, "web-1"); got.Active > 4 || instances(got) < 9 {
		t.Errorf("ten minutes after most users left: %+v; want most instances idle", got)
	}
	w.Advance(8 * time.Minute)
	if got := last(t, w, "web-1"); instances(got) > 5 {
		t.Errorf("after 18 minutes: %+v; want the idle ones gone", got)
	}
}

func TestIdleInstancesAreUsedAgainAtOnce(t *testing.T) {
	t.Parallel()
	w := plain(t, func(sc *simulator.Scenario) {
		sc.Services[0].Revisions[0].Concurrency = 4
		sc.Services[0].Revisions[0].Behaviour.Latency = simulator.Duration(2 * time.Second)
	})
	w.Advance(5 * time.Minute)
	before := instances(last(t, w, "web-1"))
	for _, rate := range []float64{1, 20} {
		if err := w.SetUsers("web", rate); err != nil {
			t.Fatal(err)
		}
		w.Advance(6 * time.Minute)
	}
	if got := last(t, w, "web-1"); instances(got) > before+2 {
		t.Errorf("%d instances before a lull, %+v after it", before, got)
	}
	if u := seen(w, 0, 17); u.failed > 0 {
		t.Errorf("%d requests failed", u.failed)
	}
}

func TestARevisionStartsFromZero(t *testing.T) {
	t.Parallel()
	start := func(after time.Duration) users {
		w := plain(t, pinned)
		w.Advance(5 * time.Minute)
		release(t, w, simulator.Deployment{Behaviour: &simulator.Behaviour{Startup: simulator.Startup{ReadyAfter: simulator.Duration(after)}}})
		w.Advance(28 * time.Minute)
		if got := instances(last(t, w, "web-2")); got != 0 {
			t.Fatalf("%d instances of the health check are left after half an hour", got)
		}
		move(t, w, 100)
		w.Advance(5 * time.Minute)
		if got := last(t, w, "web-2"); got.Active == 0 || got.Waiting > 0 {
			t.Errorf("%+v", got)
		}
		return seen(w, 35, 40)
	}
	if u := start(5 * time.Second); u.failed > 0 {
		t.Errorf("5 s can be waited for, but %d requests failed", u.failed)
	}
}

func TestRequestsThatWaitTooLongAreRefused(t *testing.T) {
	t.Parallel()
	w := plain(t, func(sc *simulator.Scenario) {
		h := &sc.Services[0]
		h.Revisions[0].Concurrency, h.Revisions[0].Scaling = 1, &simulator.RevisionScaling{MaxInstanceCount: 2}
		h.Revisions[0].Behaviour.Latency = simulator.Duration(time.Second)
	})
	w.Advance(10 * time.Minute)
	got := last(t, w, "web-1")
	if got.Active != 2 || !near(got.Ended, 120) || !near(got.Unreached, 18*60) {
		t.Errorf("%+v; want 2 of 20 a second served, 18 refused", got)
	}
	if got.Waiting < 100 || got.Waiting > 300 {
		t.Errorf("%d wait; want those of ten seconds", got.Waiting)
	}
	points := ask(t, w, "p", `metric.type="run.googleapis.com/pending_queue/pending_requests"`)
	if sum(points["web-1"]) == 0 {
		t.Error("pending_requests says nothing")
	}
	if counts := ask(t, w, "p", requestCount+` AND resource.type="cloud_run_revision"`); len(counts) != 1 {
		t.Errorf("request_count knows of refused requests: %v", counts)
	}
}

func TestHungRequestsEndAtTheRequestTimeoutAndAddInstances(t *testing.T) {
	t.Parallel()
	w := plain(t, func(sc *simulator.Scenario) {
		h := &sc.Services[0]
		h.Revisions[0].Timeout, h.Revisions[0].Concurrency = "20s", 10
		h.Revisions[0].Behaviour.Latency = simulator.Duration(10 * time.Minute)
	})
	w.Advance(5 * time.Minute)
	got := last(t, w, "web-1")
	if got.TimedOut != got.Ended || got.TimedOut == 0 {
		t.Errorf("%+v; want 504 only", got)
	}
	if got.Active < 50 { // 20 a second for 20 s, 6 each
		t.Errorf("%d instances hold 400 requests", got.Active)
	}
}

func TestMinimumInstances(t *testing.T) {
	t.Parallel()
	condition := func(w *simulator.World) string {
		r, err := w.GetRevision("projects/p/locations/r/services/web/revisions/web-2")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Conditions {
			if c.Type == "MinInstancesProvisioned" {
				return c.State
			}
		}
		return ""
	}
	w := plain(t, pinned)
	release(t, w, simulator.Deployment{Scaling: &simulator.RevisionScaling{MinInstanceCount: 5}})
	if got := last(t, w, "web-2"); instances(got) != 1 || condition(w) != simulator.ConditionFailed {
		t.Errorf("nothing names it: %+v, %s; want the health check's instance", got, condition(w))
	}
	split := []simulator.TrafficTarget{{Revision: "web-1", Percent: 100}, {Revision: "web-2", Tag: "next"}}
	if err := w.EditTraffic("web", split, ""); err != nil {
		t.Fatal(err)
	}
	w.Advance(7 * time.Second)
	if got := condition(w); got != simulator.ConditionPending {
		t.Errorf("while they start: %s", got)
	}
	w.Advance(time.Hour)
	if got := last(t, w, "web-2"); instances(got) != 5 || got.Active != 0 || condition(w) != simulator.ConditionSucceeded {
		t.Errorf("tagged at 0 %%: %+v, %s; want five idle instances", got, condition(w))
	}
}

func TestInstancesOfTheServiceAreDividedByPercent(t *testing.T) {
	t.Parallel()
	w := plain(t, pinned, func(sc *simulator.Scenario) {
		sc.Services[0].Scaling = &simulator.ServiceScaling{MinInstanceCount: 3, MaxInstanceCount: 20}
		sc.Services[0].Users.RequestsPerSecond = 1
	})
	release(t, w, simulator.Deployment{})
	move(t, w, 50)
	w.Advance(30 * time.Minute)
	if first, second := instances(last(t, w, "web-2")), instances(last(t, w, "web-1")); first != 2 || second != 1 {
		t.Errorf("3 at 50/50 is %d and %d; want 2 for the entry that stands first, 1 for the other", first, second)
	}
	if err := w.SetUsers("web", 2000); err != nil {
		t.Fatal(err)
	}
	move(t, w, 5)
	w.Advance(10 * time.Minute)
	if got := last(t, w, "web-2"); got.Active != 1 {
		t.Errorf("5 %% of 20 is one instance, not %d", got.Active)
	}
	if got := last(t, w, "web-1"); got.Active > 19 {
		t.Errorf("95 %% of 20 are 19 instances, not %d", got.Active)
	}
}

func TestSessionsKeepTheirRevision(t *testing.T) {
	t.Parallel()
	sticky := true
	w := plain(t, pinned, func(sc *simulator.Scenario) {
		sc.Services[0].Revisions[0].SessionAffinity = &sticky
		sc.Services[0].Users.SessionLength = minute(10)
	})
	release(t, w, simulator.Deployment{})
	move(t, w, 50)
	w.Advance(time.Minute)
	share := func() float64 {
		w.Advance(2 * time.Minute)
		a, b := last(t, w, "web-1").Arrived, last(t, w, "web-2").Arrived
		return float64(b) / float64(a+b)
	}
	early := share()
	w.Advance(60 * time.Minute)
	if late := share(); early > 0.2 || late < 0.4 {
		t.Errorf("the new revision got %.0f %% at first and %.0f %% after an hour; want it to take sessions of ten minutes", 100*early, 100*late)
	}
	move(t, w, 0)
	w.Advance(2 * time.Minute)
	if got := last(t, w, "web-2").Arrived; got == 0 {
		t.Error("sessions ended with the split")
	}
	if err := w.LoseRevision("web-2"); err != nil {
		t.Fatal(err)
	}
	from := w.Now()
	w.Advance(time.Minute)
	if got, err := w.Requests("web-2", from, w.Now()); err != nil || got.Arrived > 0 {
		t.Errorf("sessions outlive the revision: %+v, %v", got, err)
	}
}

func TestAssetsOfTheOtherBuildAreNotFound(t *testing.T) {
	t.Parallel()
	broken := func(id, sticky bool) int {
		pages := &simulator.Behaviour{Assets: &simulator.Assets{PerPage: 4, DeploymentID: id}}
		w := plain(t, pinned, func(sc *simulator.Scenario) {
			sc.Services[0].Revisions[0].Behaviour, sc.Services[0].Revisions[0].SessionAffinity = pages, &sticky
		})
		release(t, w, simulator.Deployment{Behaviour: pages})
		before := seen(w, 0, 2)
		move(t, w, 50)
		w.Advance(10 * time.Minute)
		u := seen(w, 4, 12)
		if before.notFound > 0 || u.failed > 0 {
			t.Errorf("%d assets were not found before, %d requests failed", before.notFound, u.failed)
		}
		return 1000 * u.notFound / u.requests
	}
	// Half of the four fifths that are assets go to the other revision.
	if got := broken(false, false); got < 350 || got > 450 {
		t.Errorf("%d of 1000 requests are assets that are not found", got)
	}
	for _, cure := range []struct{ id, sticky bool }{{true, false}, {false, true}} {
		if got := broken(cure.id, cure.sticky); got > 0 {
			t.Errorf("with %+v %d of 1000 are not found", cure, got)
		}
	}
}

func TestNewInstancesWaitForTheirNetwork(t *testing.T) {
	t.Parallel()
	times := map[bool][]float64{}
	for seed := range uint64(60) {
		for _, direct := range []bool{true, false} {
			w := plain(t, pinned, func(sc *simulator.Scenario) {
				sc.Seed, sc.Timing.EgressDelay = seed, nil
				sc.Network.Connectors = []simulator.Connector{{Name: "c1", Subnetwork: "run"}}
			})
			access := &simulator.VPCAccess{Egress: "ALL_TRAFFIC", Connector: "c1"}
			if direct {
				access = &simulator.VPCAccess{Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Subnetwork: "run"}}}
			}
			from := w.Now()
			release(t, w, simulator.Deployment{VPCAccess: access, Behaviour: &simulator.Behaviour{Startup: simulator.Startup{
				Calls: []simulator.StartupCall{{Outgoing: simulator.Outgoing{To: "inside"}, Required: true}},
			}}})
			for _, e := range w.Log() {
				if e.Kind == simulator.EventRevisionReady && e.Revision == "web-2" {
					times[direct] = append(times[direct], e.At.Sub(from).Seconds())
				}
			}
		}
	}
	if len(times[true]) != 60 || len(times[false]) != 60 {
		t.Fatalf("%d and %d of 60 became ready", len(times[true]), len(times[false]))
	}
	most, late := 0.0, 0
	for _, s := range times[true] {
		most = math.Max(most, s)
		if s > 20 {
			late++
		}
	}
	if late < 20 || late > 45 || most > 60 {
		t.Errorf("%d of 60 took more than the median of 20 s, the longest %.0f s", late, most)
	}
	for _, s := range times[false] {
		if s > 6 {
			t.Errorf("through a connector it took %.0f s", s)
		}
	}
}

func TestAConnectorsPortsAreShared(t *testing.T) {
	t.Parallel()
	w := plain(t, func(sc *simulator.Scenario) {
		sc.Network.Connectors = []simulator.Connector{{Name: "c1", Subnetwork: "run", Machines: 2}}
		r := &sc.Services[0].Revisions[0]
		r.VPCAccess = &simulator.VPCAccess{Egress: "ALL_TRAFFIC", Connector: "projects/p/locations/r/connectors/c1"}
		r.Behaviour.Calls = []simulator.Outgoing{{To: "api"}}
	})
	w.Advance(10 * time.Minute)
	m := w.Minutes(w.Start(), w.Now())[9]
	if g := m.Gateways[0]; g.Endpoints != 2 || g.Allocated != 128 || g.Dropped == 0 {
		t.Errorf("%+v; want two endpoints of 64 ports that are too few for 20 connections a second", g)
	}
	if got := m.Subnetworks[0].Used; got != 2 {
		t.Errorf("%d addresses are used", got)
	}
}

func TestTheOldSystemSuffersToo(t *testing.T) {
	t.Parallel()
	w := plain(t, func(sc *simulator.Scenario) {
		sc.Network.Machines = []simulator.Machines{{
			Name: "old", Count: 2, Subnetwork: "run", Users: simulator.Users{RequestsPerSecond: 10},
			Calls: []simulator.Outgoing{{To: "api"}},
		}}
	})
	w.Advance(10 * time.Minute)
	ended, failed := 0, 0
	for _, m := range w.Minutes(w.Start(), w.Now()) {
		ended, failed = ended+m.Machines[0].Ended, failed+m.Machines[0].Failed
	}
	if failed < ended/2 || ended-failed < 128 {
		t.Errorf("10 connections a second on 128 ports of 120 s: of %d requests %d failed", ended, failed)
	}
}

func TestALoadBalancerSplitsByPath(t *testing.T) {
	t.Parallel()
	w := incident(t)
	w.Advance(5 * time.Minute)
	if err := w.SetUsers("shop", 40); err != nil {
		t.Fatal(err)
	}
	w.Advance(5 * time.Minute)
	sum := 0
	for _, m := range minutesOf(w, 6, 10) {
		sum += m.Machines[0].Arrived
	}
	if !near(sum, 4*60*40*0.25) {
		t.Errorf("%d requests in four minutes, want a quarter of 40 a second", sum)
	}
	if err := w.SetUsers("nobody", 40); err == nil {
		t.Error("nobody has users")
	}
}

func TestARevisionWhoseNetworkDoesNotExistFails(t *testing.T) {
	t.Parallel()
	w := plain(t, pinned)
	release(t, w, simulator.Deployment{VPCAccess: &simulator.VPCAccess{
		Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Subnetwork: "nowhere"}},
	}})
	r, err := w.GetRevision("projects/p/locations/r/services/web/revisions/web-2")
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Conditions[0]; c.RevisionReason != "VPC_NETWORK_NOT_FOUND" || !strings.Contains(c.Message, "nowhere") {
		t.Errorf("%+v", c)
	}
}

func TestErrorsOfAnImageHappenInPhysicsToo(t *testing.T) {
	t.Parallel()
	w := plain(t, func(sc *simulator.Scenario) {
		sc.Services[0].Revisions[0].Behaviour.Errors = []simulator.ErrorRate{{Percent: 5, Code: 503}}
	})
	w.Advance(time.Hour)
	got := tally(t, w, "web-1", w.Start())
	if !near(got.Failed, 0.05*20*3600) || !near(got.Arrived, 20*3600) {
		t.Errorf("%+v; want 5 %% of 72000 to fail", got)
	}
}

func TestDeletedRevisionsAndServicesLeaveNothing(t *testing.T) {
	t.Parallel()
	w := plain(t, egressOf("web"))
	w.Advance(2 * time.Minute)
	if err := w.LoseService("web"); err != nil {
		t.Fatal(err)
	}
	w.Advance(30 * time.Minute)
	m := w.Minutes(w.Start(), w.Now())[31]
	if len(m.Revisions) > 0 || m.Gateways[0].Endpoints > 0 || m.Subnetworks[0].Used > 0 {
		t.Errorf("%+v", m)
	}
}

func egressOf(service string) func(*simulator.Scenario) {
	return func(sc *simulator.Scenario) {
		for i := range sc.Services {
			if sc.Services[i].Name == service {
				sc.Services[i].Revisions[0].VPCAccess = &simulator.VPCAccess{
					Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Subnetwork: "run"}},
				}
			}
		}
	}
}

func TestFaultsHitPhysicalWorldsToo(t *testing.T) {
	t.Parallel()
	w := plain(t, pinned, egressOf("web"))
	release(t, w, simulator.Deployment{})
	for _, f := range []simulator.Fault{
		{Kind: simulator.FaultGap, Metric: "router.googleapis.com/nat/allocated_ports"},
		{Kind: simulator.FaultLate, Metric: "run.googleapis.com/", Delay: minute(60)},
		{Kind: simulator.FaultFail},
	} {
		if err := w.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
	from := w.Now()
	move(t, w, 100)
	w.Advance(10 * time.Minute)
	if got := len(ask(t, w, "p", ports)[" 203.0.113.1"]); got > 2 {
		t.Errorf("%d points of allocated ports in spite of the gap", got)
	}
	if got := ask(t, w, "p", `metric.type="router.googleapis.com/nat/open_connections"`); len(got) == 0 {
		t.Error("the gap took other metrics, too")
	}
	if got := len(ask(t, w, "p", instanceCount)["web-1 active"]); got > 2 {
		t.Errorf("%d points of instance_count are not late", got)
	}
	if got, err := w.Requests("web-2", from, w.Now()); err != nil || got.Arrived > 0 {
		t.Errorf("a split that Cloud Run failed to apply serves: %+v, %v", got, err)
	}
}

func TestEndpointsOfAnInstance(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int{"two": 2, "one": 1} {
		w := plain(t, egressOf("web"), func(sc *simulator.Scenario) {
			sc.Switches.InstanceEndpoints = value
			sc.Services[0].Revisions[0].Scaling = &simulator.RevisionScaling{MaxInstanceCount: 1}
		})
		w.Advance(time.Minute)
		if got := w.Minutes(w.Start(), w.Now())[0].Gateways[0].Endpoints; got != want {
			t.Errorf("%s: %d endpoints", value, got)
		}
	}
}

func TestDirectEgressHasAQuota(t *testing.T) {
	t.Parallel()
	w := plain(t, egressOf("web"), func(sc *simulator.Scenario) {
		sc.Network.InstanceQuota = 7
		sc.Services[0].Revisions[0].Concurrency = 1
	})
	w.Advance(2 * time.Minute)
	if got := last(t, w, "web-1"); instances(got) != 7 {
		t.Errorf("%d instances, want the quota of 7", instances(got))
	}
}

func ExampleWorld_Minutes() {
	sc, err := simulator.ParseScenario([]byte(small))
	if err != nil {
		panic(err)
	}
	w, err := simulator.New(sc)
	if err != nil {
		panic(err)
	}
	w.Advance(12 * time.Minute)
	for _, m := range w.Minutes(w.Start().Add(9*time.Minute), w.Now()) {
		r, g := m.Revisions[0], m.Gateways[0]
		fmt.Printf("%s %t requests failed, %d ports of %d\n", m.End.Format("15:04"), r.Failed > 0, g.Allocated, g.Capacity)
	}
	// Output:
	// 09:10 false requests failed, 128 ports of 64512
	// 09:11 true requests failed, 128 ports of 64512
	// 09:12 true requests failed, 128 ports of 64512
}

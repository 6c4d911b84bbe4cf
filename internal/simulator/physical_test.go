package simulator_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// incident is the scenario of the incident, changed.
func incident(tb testing.TB, edits ...func(*simulator.Scenario)) *simulator.World {
	tb.Helper()
	text, err := os.ReadFile("testdata/incident.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	sc, err := simulator.ParseScenario(text)
	if err != nil {
		tb.Fatal(err)
	}
	for _, edit := range edits {
		edit(&sc)
	}
	return build(tb, sc)
}

func build(tb testing.TB, sc simulator.Scenario) *simulator.World {
	tb.Helper()
	w, err := simulator.New(sc)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// users sums what users of all services saw in the minutes of (from, to], counted
// from the beginning.
type users struct{ requests, failed, fetchFailed, timedOut, notFound int }

func seen(w *simulator.World, from, to int) users {
	var u users
	for _, m := range minutesOf(w, from, to) {
		for _, r := range m.Revisions {
			u.requests += r.Arrived
			u.failed += r.Failed + r.Unreached
			u.fetchFailed += r.FetchFailed
			u.timedOut += r.TimedOut
			u.notFound += r.NotFound
		}
	}
	return u
}

func minutesOf(w *simulator.World, from, to int) []simulator.Minute {
	at := func(n int) time.Time { return w.Start().Add(time.Duration(n) * time.Minute) }
	return w.Minutes(at(from), at(to))
}

// lasts is for how many minutes from the switch on more than one request in a
// hundred failed: until the last such minute.
func lasts(w *simulator.World, from, to int) int {
	last := from
	for n := from; n < to; n++ {
		if u := seen(w, n, n+1); 100*u.failed > u.requests {
			last = n + 1
		}
	}
	return last - from
}

// without is the most endpoints that had no ports in some minutes.
func without(w *simulator.World, from, to int) int {
	most := 0
	for _, m := range minutesOf(w, from, to) {
		for _, g := range m.Gateways {
			most = max(most, g.Without)
		}
	}
	return most
}

func dropsOf(w *simulator.World, from, to int) int {
	sum := 0
	for _, m := range minutesOf(w, from, to) {
		for _, g := range m.Gateways {
			sum += g.Dropped
		}
	}
	return sum
}

func TestTheIncident(t *testing.T) {
	t.Parallel()
	w := incident(t)
	w.Advance(70 * time.Minute)
	if before := seen(w, 3, 20); before.failed != 0 {
		t.Errorf("before the switch %d of %d requests failed", before.failed, before.requests)
	}
	during := seen(w, 20, 36)
	if during.fetchFailed < 500 || during.timedOut < 500 {
		t.Errorf("during the incident %d requests ended with 500 and %d with 504", during.fetchFailed, during.timedOut)
	}
	if got := lasts(w, 20, 60); got < 14 || got > 17 {
		t.Errorf("it lasted %d minutes, want the quarter of an hour for which idle instances are kept", got)
	}
	if after := seen(w, 38, 70); after.failed != 0 {
		t.Errorf("afterwards %d of %d requests failed", after.failed, after.requests)
	}
	if n := without(w, 20, 36); n < 5 {
		t.Errorf("at most %d endpoints had no ports", n)
	}
	if dropsOf(w, 3, 20) != 0 || dropsOf(w, 20, 36) < 1000 {
		t.Errorf("dropped packets: %d before, %d during", dropsOf(w, 3, 20), dropsOf(w, 20, 36))
	}
	for _, m := range minutesOf(w, 22, 34) {
		if g := m.Gateways[0]; g.Allocated != g.Capacity/1024*1024 || !g.AllocationFailed {
			t.Errorf("minute %s: %d of %d ports, allocation failed: %v", m.End.Format("15:04"), g.Allocated, g.Capacity, g.AllocationFailed)
		}
	}
}

func TestMonitoringTellsOfTheIncident(t *testing.T) {
	t.Parallel()
	w := incident(t)
	w.Advance(40 * time.Minute)
	if got := ask(t, w, "acme-net", allocation)[""]; sum(got) < 10 {
		t.Errorf("minutes with a failed allocation: %v", got)
	}
	if got := ask(t, w, "acme-net", dropped)[" OUT_OF_RESOURCES"]; sum(got) < 500 {
		t.Errorf("dropped packets: %v", got)
	}
	if got := ask(t, w, "acme-net", ports)[" 203.0.113.10"]; len(got) == 0 || got[len(got)-1] == 0 {
		t.Errorf("allocated ports: %v", got)
	}
	points := ask(t, w, "acme-prod", requestCount+` AND resource.type="cloud_run_revision"`)
	if sum(points["graphql-api-2 504"]) == 0 || sum(points["web-1 500"]) == 0 {
		t.Errorf("request_count has no 504 or no 500")
	}
	instances := ask(t, w, "acme-prod", instanceCount)
	if sum(instances["graphql-api-1 idle"]) == 0 || sum(instances["graphql-api-2 active"]) == 0 {
		t.Errorf("instance_count: %v", instances)
	}
}

func TestRetainedAddressesThatHoldPortsProlongTheIncident(t *testing.T) {
	t.Parallel()
	w := incident(t, func(sc *simulator.Scenario) { sc.Switches.RetainedAddressPorts = "held" })
	w.Advance(90 * time.Minute)
	if got := lasts(w, 20, 90); got < 30 || got > 40 {
		t.Errorf("it lasted %d minutes, want 15 of idle instances and 20 of their addresses", got)
	}
}

// vpc changes where all services' revisions of the beginning leave to.
func egress(to string) func(*simulator.Scenario) {
	return func(sc *simulator.Scenario) {
		for i := range sc.Services {
			v := *sc.Services[i].Revisions[0].VPCAccess
			v.Egress = to
			sc.Services[i].Revisions[0].VPCAccess = &v
		}
	}
}

func destination(name string, edit func(*simulator.Destination)) func(*simulator.Scenario) {
	return func(sc *simulator.Scenario) {
		for i := range sc.Network.Destinations {
			if d := &sc.Network.Destinations[i]; d.Name == name {
				edit(d)
			}
		}
	}
}

func TestWhatCuresTheIncident(t *testing.T) {
	t.Parallel()
	nothing := func(*simulator.Scenario) {}
	cases := map[string]struct {
		world, cure func(*simulator.Scenario)
		most        int // percent of the harm without it
	}{
		"a second NAT address": {nothing, func(sc *simulator.Scenario) { sc.Gateways[0].IPs = append(sc.Gateways[0].IPs, "203.0.113.11") }, 3},
		"fewer ports for each": {nothing, func(sc *simulator.Scenario) { sc.Gateways[0].PortsPerEndpoint = 512 }, 3},
		"a private database, where nothing else is public": {
			withoutPayments, destination("postgres", func(d *simulator.Destination) { d.Path = "private" }), 50,
		},
		"idle instances kept for two minutes": {nothing, func(sc *simulator.Scenario) { sc.Timing.IdleRetention = minute(2) }, 60},
		"private ranges only":                 {nothing, egress("PRIVATE_RANGES_ONLY"), 3},
		"a gradual shift": {nothing, func(sc *simulator.Scenario) {
			sc.Timeline = append(sc.Timeline[:1:1], shift(20, 10), shift(30, 30), shift(40, 60), shift(56, 100))
		}, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain, cured := incident(t, c.world), incident(t, c.world, c.cure)
			plain.Advance(40 * time.Minute)
			cured.Advance(75 * time.Minute)
			harm := seen(plain, 20, 40).failed
			if got := seen(cured, 20, 75).failed; 100*got > c.most*harm || harm < 500 {
				t.Errorf("%d requests failed, and %d without it; want at most %d %%", got, harm, c.most)
			}
		})
	}
}

// withoutPayments leaves the database as the only thing that the API calls.
func withoutPayments(sc *simulator.Scenario) {
	for image, b := range sc.Services[1].Images {
		b.Calls = b.Calls[1:]
		sc.Services[1].Images[image] = b
	}
}

func minute(n float64) simulator.Duration {
	return simulator.Duration(n * float64(time.Minute))
}

// shift is a person's split between the two releases of the API.
func shift(at float64, percent int) simulator.Moment {
	split := []simulator.TrafficTarget{{Revision: "graphql-api-2", Percent: percent}}
	if percent < 100 {
		split = append(split, simulator.TrafficTarget{Revision: "graphql-api-1", Percent: 100 - percent})
	}
	return simulator.Moment{At: minute(at), Service: "graphql-api", EditTraffic: &simulator.TrafficEdit{Traffic: split}}
}

// parse reads a scenario that a test writes.
func parse(tb testing.TB, text string) simulator.Scenario {
	tb.Helper()
	sc, err := simulator.ParseScenario([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return sc
}

// small is one service behind a gateway that has ports for many endpoints, of which
// each gets few.
const small = `
seed: 3
timing: {egressDelay: 0s}
network:
  subnetworks: [{project: p, region: r, name: run, range: 10.0.0.0/24}]
  destinations:
  - {name: api, latency: 50ms, idleTimeout: 4s}
  - {name: inside, latency: 5ms, path: private}
gateways:
- {project: p, region: r, name: nat, ips: [203.0.113.1], portsPerEndpoint: 64, timeWait: 120s}
services:
- project: p
  location: r
  name: web
  users: {requestsPerSecond: 0.4, changes: [{at: 10m, requestsPerSecond: 4}, {at: 12m, requestsPerSecond: 0.4}]}
  revisions:
  - image: "1"
    revision: web-1
    vpcAccess: {egress: ALL_TRAFFIC, networkInterfaces: [{network: default, subnetwork: run}]}
    behaviour: {latency: 100ms, calls: [{to: api}]}
`

func TestOneInstanceRunsOutOfPortsForMinutes(t *testing.T) {
	t.Parallel()
	run := func(edit func(*simulator.Scenario)) *simulator.World {
		sc := parse(t, small)
		edit(&sc)
		w := build(t, sc)
		w.Advance(20 * time.Minute)
		return w
	}
	w := run(func(*simulator.Scenario) {})
	if before := seen(w, 0, 10); before.failed != 0 {
		t.Errorf("0.4 requests a second fit into 64 ports of 120 s each, but %d failed", before.failed)
	}
	harm := seen(w, 10, 20).failed
	if got := lasts(w, 10, 20); harm < 50 || got < 2 {
		t.Errorf("4 a second do not fit, but only %d failed in %d minutes", harm, got)
	}
	for _, m := range minutesOf(w, 10, 20) {
		if g := m.Gateways[0]; g.AllocationFailed || g.Without > 0 || g.Allocated > 256 {
			t.Errorf("the gateway has enough: %+v", g)
		}
	}
	for name, edit := range map[string]func(*simulator.Scenario){
		"keep-alive":          func(sc *simulator.Scenario) { sc.Services[0].Revisions[0].Behaviour.Calls[0].KeepAlive = true },
		"a shorter TIME_WAIT": func(sc *simulator.Scenario) { sc.Gateways[0].TimeWait = simulator.Duration(10 * time.Second) },
		"more ports":          func(sc *simulator.Scenario) { sc.Gateways[0].PortsPerEndpoint = 1024 },
		"private ranges only": egress("PRIVATE_RANGES_ONLY"),
		"a second address":    destination("api", func(d *simulator.Destination) { d.Addresses = 16 }),
	} {
		if got := seen(run(edit), 10, 20).failed; got > harm/10 {
			t.Errorf("with %s %d requests failed of %d", name, got, harm)
		}
	}
}

// TestAFrontEndThatCallsItself is what happened when the front end was taken off
// the NAT gateway.
func TestAFrontEndThatCallsItself(t *testing.T) {
	t.Parallel()
	world := func(egress, to string) *simulator.World {
		sc := parse(t, small)
		h := &sc.Services[0]
		h.Ingress = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
		h.Users = simulator.Users{RequestsPerSecond: 1}
		v := *h.Revisions[0].VPCAccess
		v.Egress = egress
		next := simulator.Behaviour{Calls: []simulator.Outgoing{{To: to, KeepAlive: true}}}
		if to == "self" {
			next.Startup.Calls = []simulator.StartupCall{{Outgoing: simulator.Outgoing{To: to}, Required: true}}
		}
		sc.Timeline = []simulator.Moment{{At: minute(5), Deploy: &simulator.Deployment{
			Image: "2", Revision: "web-2", VPCAccess: &v, Behaviour: &next,
		}}}
		w := build(t, sc)
		w.Advance(15 * time.Minute)
		return w
	}
	ready := func(w *simulator.World) simulator.Condition {
		r, err := w.GetRevision("projects/p/locations/r/services/web/revisions/web-2")
		if err != nil {
			t.Fatal(err)
		}
		return r.Conditions[0]
	}
	if c := ready(world("ALL_TRAFFIC", "self")); c.State != simulator.ConditionSucceeded {
		t.Errorf("under all-traffic the call comes through the VPC: %+v", c)
	}
	c := ready(world("PRIVATE_RANGES_ONLY", "self"))
	if c.State != simulator.ConditionFailed || c.RevisionReason != "HEALTH_CHECK_CONTAINER_ERROR" || !strings.Contains(c.Message, "failed to start and listen") {
		t.Errorf("under private-ranges-only the service refuses it: %+v", c)
	}
	w := world("PRIVATE_RANGES_ONLY", "loopback")
	if c := ready(w); c.State != simulator.ConditionSucceeded {
		t.Errorf("127.0.0.1 works: %+v", c)
	}
	if err := w.EditTraffic("web", []simulator.TrafficTarget{{Revision: "web-2", Percent: 100}}, ""); err != nil {
		t.Fatal(err)
	}
	w.Advance(5 * time.Minute)
	if u := seen(w, 5, 20); u.failed != 0 {
		t.Errorf("with 127.0.0.1 %d requests failed", u.failed)
	}
}

func TestASubnetworkRunsOutOfAddresses(t *testing.T) {
	t.Parallel()
	w := incident(t, func(sc *simulator.Scenario) {
		sc.Network.Subnetworks[0].Range = prefix(t, "10.8.0.0/25")
		sc.Gateways[0].PortsPerEndpoint = 512
	})
	w.Advance(45 * time.Minute)
	text := ""
	for _, e := range w.Log() {
		if e.Kind == simulator.EventInstanceFailed && e.At.After(w.Start().Add(20*time.Minute)) {
			text = e.Text
		}
	}
	if !strings.Contains(text, "insufficient free IP addresses in the subnetwork") {
		t.Errorf("the log says %q", text)
	}
	if u := seen(w, 20, 40); u.failed < 100 {
		t.Errorf("too few instances, but only %d requests failed", u.failed)
	}
	if u := seen(w, 3, 20); u.failed > 0 {
		t.Errorf("%d failed before", u.failed)
	}
}

func TestTheSameSeedGivesTheSamePhysics(t *testing.T) {
	t.Parallel()
	tell := func(seed uint64) string {
		w := incident(t, func(sc *simulator.Scenario) { sc.Seed = seed })
		w.Advance(30 * time.Minute)
		text, err := json.Marshal([]any{w.Log(), w.Minutes(w.Start(), w.Now())})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if diff := cmp.Diff(tell(5), tell(5)); diff != "" {
		t.Error(diff)
	}
	if tell(5) == tell(6) {
		t.Error("another seed tells the same")
	}
}

func TestMinutesAreThoseAskedFor(t *testing.T) {
	t.Parallel()
	w := incident(t)
	w.Advance(10 * time.Minute)
	if got := len(minutesOf(w, 2, 5)); got != 3 {
		t.Errorf("%d minutes in (2, 5]", got)
	}
	if got := len(minutesOf(w, 8, 20)); got != 2 {
		t.Errorf("%d minutes in (8, 20] at minute 10", got)
	}
	if got := place(t).Minutes(w.Start(), w.Now()); got != nil {
		t.Errorf("a world without a network has %v", got)
	}
}

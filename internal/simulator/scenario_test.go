package simulator_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

func sample(t *testing.T) simulator.Scenario {
	t.Helper()
	text, err := os.ReadFile("testdata/sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sc, err := simulator.ParseScenario(text)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func TestTheSampleScenarioPlays(t *testing.T) {
	t.Parallel()
	w, err := simulator.New(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	w.Advance(time.Hour)
	var story []string
	for _, e := range w.Log() {
		switch e.Kind {
		case simulator.EventRevisionCreated, simulator.EventRevisionReady, simulator.EventEffective, simulator.EventFault:
			story = append(story, strings.TrimSpace(e.At.Format("15:04:05 ")+string(e.Kind)+" "+e.Author+e.Text))
		case simulator.EventCall, simulator.EventDesired, simulator.EventSettled, simulator.EventRevisionFailed,
			simulator.EventRevisionLost, simulator.EventInstanceFailed, simulator.EventTally:
		}
	}
	want := []string{
		"09:00:00 RevisionCreated", "09:00:00 RevisionReady",
		"09:00:00 Effective sluice@acme-prod.iam.gserviceaccount.com",
		"09:05:00 RevisionCreated", "09:05:20 RevisionReady", "09:05:20 Effective LATEST",
		"09:30:05 Effective alice@example.com",
		"09:40:00 Fault error services.patch",
	}
	if diff := cmp.Diff(want, story); diff != "" {
		t.Error(diff)
	}
}

func TestMistakesInAScenarioAreNamed(t *testing.T) {
	t.Parallel()
	service := "services: [{project: p, location: l, name: web, revisions: [{image: i}]"
	for _, c := range []struct{ text, want string }{
		{"sede: 7", `unknown field "sede"`},
		{"switches: {etag: maybe}", `switch etag: "maybe" is not one of enforced, ignored`},
		{"timing: {reconcile: 5}", `write it like "90s" or "5m"`},
		{"timing: {reconcile: 5x}", "unknown unit"},
		{"services: [{project: p}]", "project, location and name are required"},
		{service + "}, {}]", "services[1]"},
		{service + ", users: {requestsPerSecond: -1}}]", "requestsPerSecond is negative"},
		{service + ", images: {i: {errors: [{percent: 101}]}}}]", "errors[0]: percent 101 is not between 0 and 100"},
		{service + ", images: {i: {errors: [{percent: 1, code: 42}]}}}]", "code 42 is no HTTP status"},
		{service + ", traffic: [{revision: web-9, percent: 100}]}]", "Revision 'web-9' does not exist"},
		{service + ", traffic: [{percent: 9}]}]", "Traffic targets sum to 9, want 100"},
		{"services: [{project: p, location: l, name: web, revisions: []}]", "name at least one that serves"},
		{"services: [{project: p, location: l, name: w, revisions: [{}]}]", "image is required"},
		{service + "}, {project: p, location: l, name: web, revisions: [{image: i}]}]", "it exists twice"},
		{"gateways: [{project: p, region: r, name: n, drops: [{packetsPerMinutePerPercent: 1}]}]", "needs an image"},
		{"gateways: [{name: n}]", "project, region and name are required"},
		{"timeline: [{at: 1m}]", "write exactly one of"},
		{"timeline: [{at: 1m, clearFaults: true, users: 3}]", "it has 2 (clearFaults, users)"},
		{"timeline: [{at: 1m, fault: {kind: error}}]", "code 0 is no HTTP error"},
	} {
		sc, err := simulator.ParseScenario([]byte(c.text))
		if err == nil {
			_, err = simulator.New(sc)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestEveryMomentOfATimelineHappens(t *testing.T) {
	t.Parallel()
	users := 3.0
	at := func(n int) simulator.Duration { return simulator.Duration(time.Duration(n) * time.Minute) }
	w := place(t, func(sc *simulator.Scenario) {
		sc.Timeline = []simulator.Moment{
			{At: at(1), Deploy: &simulator.Deployment{Image: newImage}},
			{At: at(2), Users: &users},
			{At: at(3), EditTraffic: &simulator.TrafficEdit{Traffic: []simulator.TrafficTarget{{Revision: "#2", Percent: 100}}}},
			{At: at(4), FailRevision: "#2"},
			{At: at(5), LoseRevision: "#1"},
			{At: at(6), Fault: &simulator.Fault{Kind: simulator.FaultError, Code: 500}},
			{At: at(7), ClearFaults: true},
			{At: at(8), LoseRevision: "#1"},
		}
	})
	w.Advance(10 * time.Minute)
	var got []string
	for _, e := range w.Log() {
		switch e.Kind {
		case simulator.EventRevisionFailed, simulator.EventRevisionLost, simulator.EventFault:
			got = append(got, e.At.Format("04 ")+string(e.Kind)+" "+e.Text)
		case simulator.EventCall, simulator.EventDesired, simulator.EventEffective, simulator.EventSettled,
			simulator.EventRevisionCreated, simulator.EventRevisionReady, simulator.EventInstanceFailed, simulator.EventTally:
		}
	}
	want := []string{
		"04 RevisionFailed HEALTH_CHECK_CONTAINER_ERROR", "05 RevisionLost ", "06 Fault error *", "07 Fault cleared",
		`08 Fault timeline at 8m0s: no revision is called "#1"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if revisions, err := w.ListRevisions(service); err != nil || len(revisions) != 1 {
		t.Errorf("%d revisions are left, %v", len(revisions), err)
	}
}

func TestASwitchThatDoesNotExist(t *testing.T) {
	t.Parallel()
	var s simulator.Switches
	if err := s.Set("etags", "ignored"); err == nil || err.Error() != `switch "etags" does not exist` {
		t.Errorf("got %v", err)
	}
	if all := simulator.AllSwitches(); all["etag"] != [2]string{"enforced", "ignored"} || len(all) < 10 {
		t.Errorf("got %v", all)
	}
}

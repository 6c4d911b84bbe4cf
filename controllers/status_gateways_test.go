package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func gatewayNamed(project, region, router, name string) analysis.Source {
	return analysis.Source{Project: project, Location: region, Router: router, Gateway: name}
}

var natOne = gatewayNamed("acme-net", "asia-northeast1", "r1", "nat-1")

// behind is a decision of an attempt that watches a gateway of two addresses.
func behind(edit ...func(*rollout.GatewayState)) rollout.Decision {
	s := rollout.GatewayState{
		Watch: rollout.Watch{Source: natOne}, Known: true, Measured: true, Through: morning,
		Gateway: nat.Gateway{Name: "nat-1", IPs: 2, Ports: 64, Endpoints: 800, Allocated: 51200},
		Forecast: &nat.Forecast{
			Each: 64, Capacity: 2016, Kept: 404, Room: 1612, Taken: 800, Adds: 60, Promised: 10,
		},
	}
	for _, e := range edit {
		e(&s)
	}
	return rollout.Decision{
		Progress: rollout.Progress{Phase: rollout.Baking, Watches: []rollout.Watch{{Source: natOne, Named: true, Claimed: 640}}},
		Gateways: []rollout.GatewayState{s},
	}
}

func TestWhatIsToldOfAGateway(t *testing.T) {
	t.Parallel()
	at := metav1.NewTime(morning)
	whole := v1alpha1.GatewayStatus{
		Project: "acme-net", Region: "asia-northeast1", Router: "r1", Name: "nat-1", Origin: v1alpha1.OriginNamed,
		Addressing: v1alpha1.AddressingManual, IPs: 2, PortsPerEndpoint: 64, Endpoints: number(800),
		Capacity: number(129024), Allocated: number(51200), Forecast: number(55680), Headroom: number(51328),
		Claimed: 640, ObservedThrough: &at,
	}
	bare := v1alpha1.GatewayStatus{
		Project: "acme-net", Region: "asia-northeast1", Router: "r1", Name: "nat-1", Origin: v1alpha1.OriginNamed, Claimed: 640,
	}
	for name, c := range map[string]struct {
		was  []v1alpha1.GatewayStatus
		d    rollout.Decision
		want func(v1alpha1.GatewayStatus) v1alpha1.GatewayStatus
	}{
		"everything that is known": {nil, behind(), func(g v1alpha1.GatewayStatus) v1alpha1.GatewayStatus { return g }},
		"no room left": {nil, behind(func(s *rollout.GatewayState) { s.Forecast.Taken = 1700 }), func(g v1alpha1.GatewayStatus) v1alpha1.GatewayStatus {
			g.Forecast, g.Headroom = number(113280), number(0)
			return g
		}},
		"automatic addresses have no capacity": {nil, behind(func(s *rollout.GatewayState) { s.Gateway.Auto = true }), func(g v1alpha1.GatewayStatus) v1alpha1.GatewayStatus {
			g.Addressing, g.Capacity, g.Headroom = v1alpha1.AddressingAutomatic, nil, nil
			return g
		}},
		"nothing is forecast": {[]v1alpha1.GatewayStatus{whole}, behind(func(s *rollout.GatewayState) {
			s.Forecast, s.Through = nil, morning.Add(time.Minute)
		}), func(g v1alpha1.GatewayStatus) v1alpha1.GatewayStatus {
			g.Forecast, g.Headroom = nil, nil
			g.ObservedThrough = stamp(morning.Add(time.Minute))
			return g
		}},
		"nothing is read, ever": {nil, behind(func(s *rollout.GatewayState) {
			s.Known, s.Measured, s.Forecast, s.Through = false, false, nil, time.Time{}
		}), func(v1alpha1.GatewayStatus) v1alpha1.GatewayStatus { return bare }},
		"nothing is read any more": {[]v1alpha1.GatewayStatus{whole}, rollout.Decision{
			Progress: behind().Progress,
		}, func(g v1alpha1.GatewayStatus) v1alpha1.GatewayStatus { return g }},
		"the same minute is not told twice": {[]v1alpha1.GatewayStatus{whole}, behind(func(s *rollout.GatewayState) {
			s.Gateway.Endpoints, s.Forecast.Taken, s.Through = 900, 900, morning.Add(59*time.Second)
		}), func(g v1alpha1.GatewayStatus) v1alpha1.GatewayStatus { return g }},
		"one that grows": {nil, func() rollout.Decision {
			d := behind()
			d.Progress.Watches[0].Growing = true
			return d
		}(), func(g v1alpha1.GatewayStatus) v1alpha1.GatewayStatus {
			g.Growing = "True"
			return g
		}},
		"a discovered one": {nil, func() rollout.Decision {
			d := behind()
			d.Progress.Watches = []rollout.Watch{{Source: natOne}}
			return d
		}(), func(g v1alpha1.GatewayStatus) v1alpha1.GatewayStatus {
			g.Origin, g.Claimed = v1alpha1.OriginDiscovered, 0
			return g
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := gatewaysOf(v1alpha1.CloudRunRolloutStatus{Gateways: c.was}, v1alpha1.CloudRunRolloutStatus{}, c.d)
			if diff := cmp.Diff([]v1alpha1.GatewayStatus{c.want(whole)}, got); diff != "" {
				t.Errorf("gateways (-want +got):\n%s", diff)
			}
		})
	}
}

// TestATurnIsToldAtOnce: another weight is another forecast, whatever the minute.
func TestATurnIsToldAtOnce(t *testing.T) {
	t.Parallel()
	was := v1alpha1.CloudRunRolloutStatus{Weight: "5%"}
	was.Gateways = gatewaysOf(was, was, behind())
	got := gatewaysOf(was, v1alpha1.CloudRunRolloutStatus{Weight: "25%"}, behind(func(s *rollout.GatewayState) { s.Gateway.Endpoints = 900 }))
	if *got[0].Endpoints != 900 {
		t.Errorf("%d endpoints are told, want 900", *got[0].Endpoints)
	}
}

func TestOutsideAnAttemptNoGatewayIsTold(t *testing.T) {
	t.Parallel()
	d := behind()
	d.Progress.Watches = nil
	ro := object()
	ro.Status.Gateways = []v1alpha1.GatewayStatus{{Name: "nat-1"}}
	if got := statusOf(ro, rollout.Input{}, d).Gateways; got != nil {
		t.Errorf("gateways = %v", got)
	}
}

func TestAnInsertedWeightIsToldAsPartOfItsStep(t *testing.T) {
	t.Parallel()
	ro := object()
	in := rollout.Input{Plan: defaultPlan(), Service: rollout.Service{Presence: rollout.Found}}
	for weight, want := range map[int64]string{0: "0/4", 5: "1/4", 15: "2/4, 15% on the way to 25%", 25: "2/4", 99: "4/4, 99% on the way to 100%", 100: "4/4"} {
		p := rollout.Progress{Phase: rollout.Baking, Candidate: "web-2", Confirmed: rollout.NewSplit(map[string]int64{"web-2": weight, "web-1": 100 - weight})}
		for p.Step = 0; weight > 0 && (p.Step == 0 || in.Plan.Steps[p.Step-1].Weight < weight); p.Step++ {
		}
		status := statusOf(ro, in, rollout.Decision{Progress: p})
		if status.Step != want || len(status.Step) > 32 {
			t.Errorf("at %d%%: %q, want %q", weight, status.Step, want)
		}
		if step, _, _ := strings.Cut(want, ","); status.History[len(status.History)-1].Step != step {
			t.Errorf("history has %q, want %q", status.History[len(status.History)-1].Step, step)
		}
	}
}

func TestAdviceStaysUntilThereIsOther(t *testing.T) {
	t.Parallel()
	ro := object()
	tell := func(advice []nat.Finding) []string {
		ro.Status = statusOf(ro, rollout.Input{}, rollout.Decision{Advice: advice})
		var codes []string
		for _, a := range ro.Status.Advice {
			codes = append(codes, a.Code)
		}
		return codes
	}
	finding := nat.Finding{Code: nat.LoggingOff, Text: "the log is off"}
	for _, c := range []struct {
		what   string
		advice []nat.Finding
		want   []string
	}{
		{"a finding", []nat.Finding{finding, finding}, []string{"LoggingOff"}},
		{"nothing new", nil, []string{"LoggingOff"}},
		{"nothing at all", []nat.Finding{}, nil},
	} {
		if diff := cmp.Diff(c.want, tell(c.advice)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

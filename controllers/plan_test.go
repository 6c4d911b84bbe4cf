package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// bare is an object that names its target alone, as it was before the API filled
// in its defaults.
func bare() *v1alpha1.CloudRunRollout {
	ro := &v1alpha1.CloudRunRollout{}
	ro.Name, ro.Namespace = "web", "default"
	ro.Spec.Target.Service = &v1alpha1.ServiceReference{Project: "acme-prod", Location: "asia-northeast1", Name: "web"}
	return ro
}

func defaultPlan() rollout.Plan {
	return rollout.Plan{
		Service: rollout.ServiceRef{Project: "acme-prod", Location: "asia-northeast1", Name: "web"},
		Steps: []rollout.Step{
			{Weight: 5, Bake: 10 * time.Minute},
			{Weight: 25, Bake: 10 * time.Minute},
			{Weight: 50, Bake: 10 * time.Minute},
			{Weight: 100, Bake: 20 * time.Minute},
		},
		StepDeadline: time.Hour,
		Guards: []rollout.Guard{
			{
				Name: "errors", Rule: analysis.ServerErrors{MaxRatio: 0.01, MinRequests: 100},
				OnBreach: rollout.Rollback, Mode: rollout.Enforce,
			},
			{
				Name: "nat-allocation", Rule: analysis.NatAllocationFailures{},
				OnBreach: rollout.Hold, RollbackAfter: 5 * time.Minute, Mode: rollout.Enforce,
			},
			{
				Name: "nat-drops", Rule: analysis.NatDroppedPackets{MinMinutes: 2},
				OnBreach: rollout.Hold, RollbackAfter: 5 * time.Minute, Mode: rollout.Enforce,
			},
		},
		Window: 5 * time.Minute,
		NoData: rollout.NoDataPolicy{After: 30 * time.Minute, Action: rollout.Pause},
		Pacing: rollout.Headroom, Reserve: 20,
	}
}

func TestATargetAloneIsTheSafePlan(t *testing.T) {
	t.Parallel()
	got, err := planOf(bare())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(defaultPlan(), got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestWhatTheSpecSaysIsInThePlan(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		edit func(*v1alpha1.CloudRunRolloutSpec)
		want func(*rollout.Plan)
	}{
		"paused, and both revisions": {
			func(s *v1alpha1.CloudRunRolloutSpec) {
				s.Paused, s.CandidateRevision, s.StableRevision = true, "web-2", "web-1"
			},
			func(p *rollout.Plan) { p.Paused, p.CandidateRevision, p.StableRevision = true, "web-2", "web-1" },
		},
		"steps, with a bake left out and an approval": {
			func(s *v1alpha1.CloudRunRolloutSpec) {
				s.Strategy.Steps = []v1alpha1.Step{{Weight: 10, Bake: "1h30m", Approval: v1alpha1.ApprovalRequired}, {Weight: 100}}
				s.Strategy.StepDeadline = "2h"
			},
			func(p *rollout.Plan) {
				p.Steps = []rollout.Step{{Weight: 10, Bake: 90 * time.Minute, Approval: true}, {Weight: 100, Bake: 10 * time.Minute}}
				p.StepDeadline = 2 * time.Hour
			},
		},
		"a warm-up": {
			func(s *v1alpha1.CloudRunRolloutSpec) { s.Strategy.Warmup = &v1alpha1.Warmup{Timeout: "90s"} },
			func(p *rollout.Plan) { p.Warmup = 90 * time.Second },
		},
		"a warm-up of which nothing is said": {
			func(s *v1alpha1.CloudRunRolloutSpec) { s.Strategy.Warmup = &v1alpha1.Warmup{} },
			func(p *rollout.Plan) { p.Warmup = 5 * time.Minute },
		},
		"window and missing data": {
			func(s *v1alpha1.CloudRunRolloutSpec) {
				s.Analysis.Window = "10m"
				s.Analysis.OnNoData = v1alpha1.OnNoData{After: "45m", Action: v1alpha1.NoDataRollback}
			},
			func(p *rollout.Plan) {
				p.Window, p.NoData = 10*time.Minute, rollout.NoDataPolicy{After: 45 * time.Minute, Action: rollout.Rollback}
			},
		},
		"a built-in check keeps its place and what is not said": {
			func(s *v1alpha1.CloudRunRolloutSpec) {
				s.Analysis.Checks = []v1alpha1.Check{
					{Name: "nat-drops", Mode: v1alpha1.ModeShadow, RollbackAfter: v1alpha1.RollbackNever},
					{Name: "errors", ServerErrors: &v1alpha1.ServerErrors{MaxPercent: intstr.FromString("0.5%")}, OnBreach: v1alpha1.BreachHold},
				}
			},
			func(p *rollout.Plan) {
				p.Guards[0].Rule = analysis.ServerErrors{MaxRatio: 0.005, MinRequests: 100}
				p.Guards[0].OnBreach, p.Guards[0].RollbackAfter = rollout.Hold, 5*time.Minute
				p.Guards[2].Mode, p.Guards[2].RollbackAfter = rollout.Shadow, 0
			},
		},
		"further checks follow in their own order": {
			func(s *v1alpha1.CloudRunRolloutSpec) {
				s.Analysis.Checks = []v1alpha1.Check{
					{Name: "zzz", NATDroppedPackets: &v1alpha1.NATDroppedPackets{MaxPerMinute: 9, MinMinutes: 3}, OnBreach: v1alpha1.BreachRollback},
					{Name: "aaa", NATAllocationFailures: &v1alpha1.NATAllocationFailures{MaxMinutes: 1}, RollbackAfter: "7m", Mode: v1alpha1.ModeOff},
				}
			},
			func(p *rollout.Plan) {
				p.Guards = append(p.Guards,
					rollout.Guard{
						Name: "zzz", Rule: analysis.NatDroppedPackets{MaxPerMinute: 9, MinMinutes: 3},
						OnBreach: rollout.Rollback, Mode: rollout.Enforce,
					},
					rollout.Guard{
						Name: "aaa", Rule: analysis.NatAllocationFailures{MaxMinutes: 1},
						OnBreach: rollout.Hold, RollbackAfter: 7 * time.Minute, Mode: rollout.Off,
					})
			},
		},
		"checks of the other kinds, with their own defaults": {
			func(s *v1alpha1.CloudRunRolloutSpec) {
				pending := int32(0)
				s.Analysis.Checks = []v1alpha1.Check{
					{Name: "errors", ServerErrors: &v1alpha1.ServerErrors{MaxPercent: intstr.FromInt32(1), RelativeToStable: true}},
					{Name: "client", ClientErrors: &v1alpha1.ClientErrors{MaxPercent: intstr.FromInt32(5), RelativeToStable: true}},
					{Name: "slow", Latency: v1alpha1.Latency{MaxMilliseconds: 800}},
					{Name: "median", Latency: v1alpha1.Latency{Percentile: 50, MaxMilliseconds: 80, MinRequests: 9}, OnBreach: v1alpha1.BreachHold},
					{Name: "full", InstanceSaturation: &v1alpha1.InstanceSaturation{MaxPercent: 80}},
					{Name: "ports", NATPortUtilization: v1alpha1.NATPortUtilization{MaxPercent: 80}},
					{Name: "checkout", Query: v1alpha1.Query{PromQL: `sum(up{r="{{candidate}}"})`, Min: "-1", Max: "0.02"}},
					{Name: "queue", InstanceSaturation: &v1alpha1.InstanceSaturation{MaxPending: &pending}},
				}
			},
			func(p *rollout.Plan) {
				const m = 5 * time.Minute
				p.Guards[0].Rule = analysis.ServerErrors{MaxRatio: 0.01, MinRequests: 100, RelativeToStable: true}
				p.Guards = append(p.Guards,
					rollout.Guard{Name: "client", Rule: analysis.ClientErrors{MaxRatio: 0.05, MinRequests: 100, RelativeToStable: true}, OnBreach: rollout.Hold, RollbackAfter: m, Mode: rollout.Enforce},
					rollout.Guard{Name: "slow", Rule: analysis.Latency{Percentile: 99, MaxMilliseconds: 800, MinRequests: 100}, OnBreach: rollout.Rollback, Mode: rollout.Enforce},
					rollout.Guard{Name: "median", Rule: analysis.Latency{Percentile: 50, MaxMilliseconds: 80, MinRequests: 9}, OnBreach: rollout.Hold, RollbackAfter: m, Mode: rollout.Enforce},
					rollout.Guard{Name: "full", Rule: analysis.InstanceSaturation{MaxPercent: 80, MaxPending: analysis.Unlimited}, OnBreach: rollout.Hold, RollbackAfter: m, Mode: rollout.Enforce},
					rollout.Guard{Name: "ports", Rule: analysis.NatPortUtilization{MaxPercent: 80}, OnBreach: rollout.Hold, RollbackAfter: m, Mode: rollout.Enforce},
					rollout.Guard{
						Name: "checkout", OnBreach: rollout.Hold, RollbackAfter: m, Mode: rollout.Enforce,
						Rule: analysis.Query{PromQL: `sum(up{r="{{candidate}}"})`, Min: analysis.Bound{Text: "-1", Value: -1}, Max: analysis.Bound{Text: "0.02", Value: 0.02}},
					},
					rollout.Guard{Name: "queue", Rule: analysis.InstanceSaturation{MaxPercent: analysis.Unlimited}, OnBreach: rollout.Hold, RollbackAfter: m, Mode: rollout.Enforce},
				)
			},
		},
		"gateways": {
			func(s *v1alpha1.CloudRunRolloutSpec) {
				s.NAT.Gateways = []v1alpha1.Gateway{{Project: "acme-net", Region: "asia-northeast1", Router: "r1", Name: "nat-1"}}
			},
			func(p *rollout.Plan) {
				p.Gateways = []analysis.Source{{Project: "acme-net", Location: "asia-northeast1", Router: "r1", Gateway: "nat-1"}}
			},
		},
		"its own pace and no reserve": {
			func(s *v1alpha1.CloudRunRolloutSpec) {
				none := int32(0)
				s.Strategy.Pacing, s.NAT.ReservePercent = v1alpha1.PacingFixed, &none
			},
			func(p *rollout.Plan) {
				p.Pacing, p.Reserve = rollout.Fixed, 0
			},
		},
		"what an instance is to a gateway": {
			func(s *v1alpha1.CloudRunRolloutSpec) {
				s.NAT.EndpointsPerInstance = 1
			},
			func(p *rollout.Plan) { p.EndpointsPerInstance = 1 },
		},
		"NAT not watched": {
			func(s *v1alpha1.CloudRunRolloutSpec) { s.NAT.Discovery = v1alpha1.DiscoveryOff },
			func(p *rollout.Plan) { p.NatUnwanted = true },
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ro, want := bare(), defaultPlan()
			c.edit(&ro.Spec)
			c.want(&want)
			got, err := planOf(ro)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASpecThatCannotBeCarriedOutSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	percent := func(value intstr.IntOrString) func(*v1alpha1.CloudRunRolloutSpec) {
		return func(s *v1alpha1.CloudRunRolloutSpec) {
			s.Analysis.Checks = []v1alpha1.Check{{Name: "errors", ServerErrors: &v1alpha1.ServerErrors{MaxPercent: value}}}
		}
	}
	asking := func(promql string, most ...string) func(*v1alpha1.CloudRunRolloutSpec) {
		return func(s *v1alpha1.CloudRunRolloutSpec) {
			s.Analysis.Checks = []v1alpha1.Check{{Name: "mine", Query: v1alpha1.Query{PromQL: promql, Max: strings.Join(most, "")}}}
		}
	}
	const badPercent = "spec.analysis.checks[errors].serverErrors.maxPercent: write a percentage from 0 to 99.99"
	cases := map[string]struct {
		edit func(*v1alpha1.CloudRunRolloutSpec)
		want string
	}{
		"no target": {func(s *v1alpha1.CloudRunRolloutSpec) { s.Target.Service = nil }, "spec.target: write service:"},
		"a bake":    {func(s *v1alpha1.CloudRunRolloutSpec) { s.Strategy.Steps = []v1alpha1.Step{{Weight: 100, Bake: "soon"}} }, "spec.strategy.steps[0].bake: write a duration such as 10m"},
		"a negative bake": {func(s *v1alpha1.CloudRunRolloutSpec) {
			s.Strategy.Steps = []v1alpha1.Step{{Weight: 5}, {Weight: 100, Bake: "-1m"}}
		}, "spec.strategy.steps[1].bake: write a duration"},
		"a deadline of 0": {func(s *v1alpha1.CloudRunRolloutSpec) { s.Strategy.StepDeadline = "0s" }, "spec.strategy.stepDeadline: write a duration"},
		"a bare number":   {func(s *v1alpha1.CloudRunRolloutSpec) { s.Analysis.Window = "5" }, "spec.analysis.window: write a duration"},
		"a day":           {func(s *v1alpha1.CloudRunRolloutSpec) { s.Analysis.OnNoData.After = "1d" }, "spec.analysis.onNoData.after: write a duration"},
		"never, in small letters": {func(s *v1alpha1.CloudRunRolloutSpec) {
			s.Analysis.Checks = []v1alpha1.Check{{Name: "nat-drops", RollbackAfter: "never"}}
		}, "spec.analysis.checks[nat-drops].rollbackAfter: write a duration"},
		"a check without a threshold": {func(s *v1alpha1.CloudRunRolloutSpec) { s.Analysis.Checks = []v1alpha1.Check{{Name: "mine"}} }, "spec.analysis.checks[mine]: write one of serverErrors"},
		"a query that is no PromQL":   {asking("sum("), "spec.analysis.checks[mine].query.promql: it is no PromQL"},
		"an unknown placeholder":      {asking(`up{r="{{revision}}"}`), "spec.analysis.checks[mine].query.promql: {{revision}} is no placeholder: write one of {{service}}, {{candidate}}"},
		"a query without a limit":     {asking("up"), "spec.analysis.checks[mine].query: write max, min or both"},
		"a limit that is no number":   {asking("up", "NaN"), "spec.analysis.checks[mine].query.max: write a decimal number such as \"0.02\""},
		"a percentage of 100":         {percent(intstr.FromInt32(100)), badPercent},
		"a percentage below 0":        {percent(intstr.FromInt32(-1)), badPercent},
		"an empty percentage":         {percent(intstr.FromString("")), badPercent},
		"a percentage that is none":   {percent(intstr.FromString("NaN")), badPercent},
		"an infinite percentage":      {percent(intstr.FromString("Inf")), badPercent},
		"an exponent":                 {percent(intstr.FromString("1e1")), badPercent},
		"two percent signs":           {percent(intstr.FromString("1%%")), badPercent},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ro := bare()
			c.edit(&ro.Spec)
			_, err := planOf(ro)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if _, ok := err.(invalidSpecError); !ok { //nolint:errorlint // the very error is meant
				t.Errorf("got a %T, want an invalidSpecError", err)
			}
		})
	}
}

func TestAShareEqualToTheLimitComparesEqual(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"0": 0, "1": 0.01, "0.5": 0.005, "0.07%": 0.0007, "29": 0.29, "99.99": 0.9999} {
		p := parser{}
		if got := p.ratio("x", intstr.FromString(text)); got != want || p.err != nil { //nolint:nolintlint // exact on purpose
			t.Errorf("%s: %v, %v, want %v", text, got, p.err, want)
		}
	}
}

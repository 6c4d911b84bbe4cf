package controllers

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/promql"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// The defaults that the schema cannot set, because they depend on the kind of
// check. The others stand in the schema and are read from the object.
const (
	defaultStepDeadline  = time.Hour
	defaultWarmup        = 5 * time.Minute
	defaultWindow        = 5 * time.Minute
	defaultNoDataAfter   = 30 * time.Minute
	defaultBake          = 10 * time.Minute
	defaultRollbackAfter = 5 * time.Minute
	defaultMinRequests   = 100
	defaultMinMinutes    = 2
	defaultPercentile    = 99
	defaultReserve       = 20
)

// invalidSpecError is a spec that the schema admits and that cannot be carried out.
// The schema is meant to leave none; this is the second line.
type invalidSpecError struct{ error }

// planOf resolves a spec: the one place where defaults are filled in and strings
// are parsed.
func planOf(ro *v1alpha1.CloudRunRollout) (rollout.Plan, error) {
	spec := ro.Spec
	p := parser{}
	plan := rollout.Plan{
		Service:           p.target(spec.Target),
		RunService:        ro.Spec.Target.RunServiceName(),
		Paused:            spec.Paused,
		CandidateRevision: spec.CandidateRevision,
		StableRevision:    spec.StableRevision,
		Steps:             p.steps(spec.Strategy.Steps),
		StepDeadline:      p.duration("spec.strategy.stepDeadline", spec.Strategy.StepDeadline, defaultStepDeadline),
		Window:            p.duration("spec.analysis.window", spec.Analysis.Window, defaultWindow),
		NoData: rollout.NoDataPolicy{
			After:  p.duration("spec.analysis.onNoData.after", spec.Analysis.OnNoData.After, defaultNoDataAfter),
			Action: rollout.Pause,
		},
		Guards:      p.guards(spec.Analysis.Checks),
		NatUnwanted: spec.NAT.Discovery == v1alpha1.DiscoveryOff,

		Pacing:  rollout.Headroom,
		Reserve: defaultReserve,
	}
	if spec.Strategy.Pacing == v1alpha1.PacingFixed {
		plan.Pacing = rollout.Fixed
	}
	p.windows(spec.Strategy.Windows)
	if w := spec.Strategy.Warmup; w != nil {
		plan.Warmup = p.duration("spec.strategy.warmup.timeout", w.Timeout, defaultWarmup)
	}
	if spec.NAT.ReservePercent != nil {
		plan.Reserve = int64(*spec.NAT.ReservePercent)
	}
	plan.EndpointsPerInstance = int64(spec.NAT.EndpointsPerInstance)
	if spec.Analysis.OnNoData.Action == v1alpha1.NoDataRollback {
		plan.NoData.Action = rollout.Rollback
	}
	for _, g := range spec.NAT.Gateways {
		plan.Gateways = append(plan.Gateways, analysis.Source{
			Project: g.Project, Location: g.Region, Router: g.Router, Gateway: g.Name,
		})
	}
	if p.err != nil {
		return rollout.Plan{}, invalidSpecError{p.err}
	}
	return plan, nil
}

// parser reads strings and keeps the first mistake.
type parser struct{ err error }

// target is the service of a target; the zero one of a RunService, which has to be
// asked.
func (p *parser) target(t v1alpha1.Target) rollout.ServiceRef {
	switch {
	case t.Service != nil:
		return rollout.ServiceRef{Project: t.Service.Project, Location: t.Service.Location, Name: t.Service.Name}
	case t.RunServiceRef == nil:
		p.fail("spec.target", "write service: {project, location, name}, or runServiceRef: {name}")
	}
	return rollout.ServiceRef{}
}

func (p *parser) fail(path, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
	}
}

func (p *parser) duration(path string, value v1alpha1.Duration, otherwise time.Duration) time.Duration {
	if value == "" {
		return otherwise
	}
	d, err := time.ParseDuration(string(value))
	if err != nil || d <= 0 {
		p.fail(path, "write a duration such as 10m, not %q", value)
	}
	return d
}

func (p *parser) steps(steps []v1alpha1.Step) []rollout.Step {
	if len(steps) == 0 {
		return []rollout.Step{
			{Weight: 5, Bake: defaultBake},
			{Weight: 25, Bake: defaultBake},
			{Weight: 50, Bake: defaultBake},
			{Weight: 100, Bake: 2 * defaultBake},
		}
	}
	plan := make([]rollout.Step, 0, len(steps))
	for i, s := range steps {
		plan = append(plan, rollout.Step{
			Weight:   int64(s.Weight),
			Bake:     p.duration(fmt.Sprintf("spec.strategy.steps[%d].bake", i), s.Bake, defaultBake),
			Approval: s.Approval == v1alpha1.ApprovalRequired,
		})
	}
	return plan
}

// guards puts the checks of the spec over the built-in ones of the same name.
func (p *parser) guards(checks []v1alpha1.Check) []rollout.Guard {
	named := map[string]v1alpha1.Check{}
	for _, c := range checks {
		named[c.Name] = c
	}
	var guards []rollout.Guard
	for _, name := range []string{v1alpha1.CheckErrors, v1alpha1.CheckNATAllocation, v1alpha1.CheckNATDrops} {
		c, ok := named[name]
		if !ok {
			c = v1alpha1.Check{Name: name}
		}
		guards = append(guards, p.guard(c))
		delete(named, name)
	}
	for _, c := range checks {
		if _, left := named[c.Name]; left {
			guards = append(guards, p.guard(c))
		}
	}
	return guards
}

// guard resolves one check.
func (p *parser) guard(c v1alpha1.Check) rollout.Guard {
	path := fmt.Sprintf("spec.analysis.checks[%s]", google.Clean(c.Name))
	g := rollout.Guard{Name: c.Name, Rule: p.rule(path, c), OnBreach: rollout.Hold, Mode: rollout.Enforce}
	switch g.Rule.(type) {
	case analysis.ServerErrors, analysis.Latency:
		g.OnBreach = rollout.Rollback
	}
	if c.Mode != "" {
		g.Mode = rollout.Mode(c.Mode)
	}
	if c.OnBreach != "" {
		g.OnBreach = rollout.Action(c.OnBreach)
	}
	if g.OnBreach == rollout.Hold && c.RollbackAfter != v1alpha1.RollbackNever {
		g.RollbackAfter = p.duration(path+".rollbackAfter", c.RollbackAfter, defaultRollbackAfter)
	}
	return g
}

// rule resolves what a check measures. A built-in name brings its thresholds.
func (p *parser) rule(path string, c v1alpha1.Check) analysis.Rule {
	switch {
	case c.ServerErrors != nil:
		return analysis.ServerErrors{
			MaxRatio:    p.ratio(path+".serverErrors.maxPercent", c.ServerErrors.MaxPercent),
			MinRequests: orElse(c.ServerErrors.MinRequests, defaultMinRequests),

			RelativeToStable: c.ServerErrors.RelativeToStable,
		}
	case c.ClientErrors != nil:
		return analysis.ClientErrors{
			MaxRatio:    p.ratio(path+".clientErrors.maxPercent", c.ClientErrors.MaxPercent),
			MinRequests: orElse(c.ClientErrors.MinRequests, defaultMinRequests),

			RelativeToStable: c.ClientErrors.RelativeToStable,
		}
	case c.Latency != (v1alpha1.Latency{}):
		return analysis.Latency{
			Percentile:      float64(orElse(c.Latency.Percentile, defaultPercentile)),
			MaxMilliseconds: int64(c.Latency.MaxMilliseconds),
			MinRequests:     orElse(c.Latency.MinRequests, defaultMinRequests),
		}
	case c.InstanceSaturation != nil:
		return analysis.InstanceSaturation{
			MaxPercent: orElse(c.InstanceSaturation.MaxPercent, analysis.Unlimited),
			MaxPending: orUnlimited(c.InstanceSaturation.MaxPending),
		}
	case c.NATAllocationFailures != nil:
		return analysis.NatAllocationFailures{MaxMinutes: int64(c.NATAllocationFailures.MaxMinutes)}
	case c.NATDroppedPackets != nil:
		return analysis.NatDroppedPackets{
			MaxPerMinute: int64(c.NATDroppedPackets.MaxPerMinute),
			MinMinutes:   orElse(c.NATDroppedPackets.MinMinutes, defaultMinMinutes),
		}
	case c.NATPortUtilization != (v1alpha1.NATPortUtilization{}):
		return analysis.NatPortUtilization{MaxPercent: int64(c.NATPortUtilization.MaxPercent)}
	case c.Query != (v1alpha1.Query{}):
		return p.query(path+".query", c.Query)
	case c.Name == v1alpha1.CheckNATAllocation:
		return analysis.NatAllocationFailures{}
	case c.Name == v1alpha1.CheckNATDrops:
		return analysis.NatDroppedPackets{MinMinutes: defaultMinMinutes}
	case c.Name != v1alpha1.CheckErrors:
		p.fail(path, "write one of serverErrors, clientErrors, latency, instanceSaturation, natAllocationFailures, natDroppedPackets, natPortUtilization, query")
	}
	return analysis.ServerErrors{MaxRatio: 0.01, MinRequests: defaultMinRequests}
}

// query resolves a query, whose placeholders are filled where it is asked.
func (p *parser) query(path string, q v1alpha1.Query) analysis.Rule {
	if _, err := promql.Parse(q.PromQL); err != nil {
		p.fail(path+".promql", "%s", google.Clean(err.Error()))
	}
	if q.Max == "" && q.Min == "" {
		p.fail(path, "write max, min or both")
	}
	return analysis.Query{PromQL: q.PromQL, Min: p.bound(path+".min", q.Min), Max: p.bound(path+".max", q.Max)}
}

// bound parses a limit; none of an empty text.
func (p *parser) bound(path, text string) analysis.Bound {
	if text == "" {
		return analysis.Bound{}
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		p.fail(path, "write a decimal number such as \"0.02\", not %q", google.Clean(text))
	}
	return analysis.Bound{Text: google.Clean(text), Value: value}
}

// ratio parses a percentage. The exponent is shifted in the text, so that a
// share equal to the limit compares equal.
func (p *parser) ratio(path string, value intstr.IntOrString) float64 {
	text := strings.TrimSuffix(value.String(), "%")
	ratio, err := strconv.ParseFloat(text+"e-2", 64)
	if err != nil || ratio < 0 || ratio >= 1 {
		p.fail(path, "write a percentage from 0 to 99.99 such as 1 or \"0.5\", not %q", value.String())
	}
	return ratio
}

func orUnlimited(value *int32) int64 {
	if value == nil {
		return analysis.Unlimited
	}
	return int64(*value)
}

func orElse(value int32, otherwise int64) int64 {
	if value == 0 {
		return otherwise
	}
	return int64(value)
}

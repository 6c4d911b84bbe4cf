package controllers

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
)

// gauge is what is told of every rollout: one series, several or none, each with
// the object's namespace and name. Only info names revisions, since these change
// and every value of a label is a series of its own.
type gauge struct {
	desc *prometheus.Desc
	read func(ro *v1alpha1.CloudRunRollout, now time.Time, tell teller)
}

type teller func(value float64, labels ...string)

// gauges is everything that is told of a rollout.
var gauges = []gauge{
	{about("info", "What a rollout is about and the reason of its Ready condition; always 1.",
		"project", "region", "service", "stable", "candidate", "reason"), tellInfo},
	{about("condition", "The status of each condition of a rollout; 1 for the status it has, the others are absent.",
		"type", "status"), tellConditions},
	{about("step", "The step under way, counted from 1; absent outside an attempt."), tellStep},
	{about("steps", "The number of steps that a rollout has."), tellSteps},
	{about("candidate_weight_ratio", "The candidate's share of the traffic as last asked for, from 0 to 1; absent without a candidate."), tellWanted},
	{about("observed_weight_ratio", "The candidate's share of the traffic as Cloud Run reports it, from 0 to 1; absent without a candidate."), tellWeight},
	{about("since_timestamp_seconds", "When the present phase and reason began, in Unix time; absent before the first look."), tellSince},
	{about("exposed", "1 if a candidate that is not stable yet serves users, as Cloud Run reports it; else 0."), tellExposed},
	{about("step_started_timestamp_seconds", "When the step's split was first seen to serve, in Unix time; absent before that."), tellStarted},
	{about("step_deadline_timestamp_seconds", "When the step pauses unless it passes, in Unix time; absent while that clock stands still."), tellDeadline},
	{about("next_action_timestamp_seconds", "When the rollout pauses or goes back by itself unless something changes, in Unix time; absent while nothing does."), tellNextAction},
	{about("check_value", "What a check measured; a share is a ratio. Absent where it is not one number.", "check", "unit"), tellValue},
	{about("check_limit", "What a check allows, in the unit of check_value. Absent where it is not one number.", "check", "unit"), tellLimit},
	{about("check_passing", "1 if a check lets the step end, 0 if not; also of checks in Shadow mode, which have no effect.",
		"check"), tellPassing},
	{about("check_data_age_seconds", "The age of the newest minute that a check has judged.", "check"), tellAge},
	{about("check_without_data", "1 for a check whose metrics do not answer; the cause says why. Absent otherwise, and of checks in Shadow mode.", "check", "cause"), tellCause},
	{about("awaiting_human", "1 while nothing goes on without a person; the cause is the reason of Ready.", "cause"), tellAwaiting},
	{about("person_called", "1 while a NAT gateway suffers, nobody can tell whose doing it is, and a person was called for it; else absent."), tellCalled},
	{about("nat_unwatched", "1 if the NAT gateways of a rollout are not watched, because spec.nat.discovery is Off; else 0."), tellUnwatched},
	{
		ofGateway("capacity_ports", "The ports of one protocol that the gateway's addresses have; absent where it takes more addresses by itself."),
		tellGateways(func(g v1alpha1.GatewayStatus) *int32 { return g.Capacity }),
	},
	{
		ofGateway("allocated_ports", "The ports that were allocated in the newest minute that is known."),
		tellGateways(func(g v1alpha1.GatewayStatus) *int32 { return g.Allocated }),
	},
	{
		ofGateway("forecast_ports", "The ports that will be allocated at the worst moment of the rollout's next weight."),
		tellGateways(func(g v1alpha1.GatewayStatus) *int32 { return g.Forecast }),
	},
	{
		ofGateway("headroom_ports", "The ports that the rollout may still take."),
		tellGateways(func(g v1alpha1.GatewayStatus) *int32 { return g.Headroom }),
	},
}

// ofGateway describes what is told of every gateway that a rollout watches.
func ofGateway(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("sluice_gateway_"+name, help, []string{"namespace", "name", "project", "region", "router", "gateway"}, nil)
}

// tellGateways tells one number of each gateway, where it is known.
func tellGateways(of func(v1alpha1.GatewayStatus) *int32) func(*v1alpha1.CloudRunRollout, time.Time, teller) {
	return func(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
		for _, g := range ro.Status.Gateways {
			if value := of(g); value != nil {
				tell(float64(*value), g.Project, g.Region, g.Router, g.Name)
			}
		}
	}
}

func about(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("sluice_rollout_"+name, help, append([]string{"namespace", "name"}, labels...), nil)
}

func tellInfo(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	service := serviceOf(ro)
	tell(1, service.Project, service.Location, service.Name,
		revisionOf(ro.Status.Stable), revisionOf(ro.Status.Candidate), readyReason(ro))
}

func tellConditions(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	for _, c := range ro.Status.Conditions {
		tell(1, c.Type, string(c.Status))
	}
}

func tellStep(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	var step, steps int
	if n, _ := fmt.Sscanf(ro.Status.Step, "%d/%d", &step, &steps); n == 2 {
		tell(float64(step))
	}
}

func tellSteps(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	tell(float64(len(ro.Spec.Strategy.Steps)))
}

func tellWeight(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	if ro.Status.Candidate != nil {
		tell(float64(ro.Status.Candidate.Percent) / 100)
	}
}

func tellSince(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	if a := ro.Status.Attempt; a != nil && a.Since != nil {
		tell(float64(a.Since.Unix()))
	}
}

func tellExposed(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	candidate := ro.Status.Candidate
	if candidate != nil && candidate.Percent > 0 && candidate.Revision != revisionOf(ro.Status.Stable) {
		tell(1)
		return
	}
	tell(0)
}

// tellWanted is the newest split that was sent, or else the one that serves.
func tellWanted(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	if ro.Status.Attempt == nil || ro.Status.Candidate == nil {
		return
	}
	p := progressOf(ro)
	split := p.Confirmed
	if n := len(p.Intents); n > 0 {
		split = p.Intents[n-1].Split
	}
	tell(float64(split.Of(p.Candidate)) / 100)
}

func tellStarted(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	if a := ro.Status.Attempt; a != nil && ro.Status.Step != "" && a.EffectiveSince != nil {
		tell(float64(a.EffectiveSince.Unix()))
	}
}

func tellDeadline(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	if at, ok := standing.StepDeadline(ro); ok {
		tell(float64(at.Unix()))
	}
}

// tellNextAction is when a rollout under way pauses or goes back by itself.
func tellNextAction(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	if due, ok := standing.Due(ro); ok && underWay(ro.Status.Phase) && !waits(ro.Status.Phase) {
		tell(float64(due.Unix()))
	}
}

func tellValue(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	for _, c := range ro.Status.Checks {
		if value, unit, ok := measured(c.Value); ok {
			tell(value, c.Name, unit)
		}
	}
}

func tellLimit(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	for _, c := range ro.Status.Checks {
		if value, unit, ok := measured(c.Limit); ok {
			tell(value, c.Name, unit)
		}
	}
}

// units are those in which checks measure, and what is told of one of each.
var units = map[string]struct {
	name string
	one  float64
}{
	"%":            {"ratio", 0.01},
	" ms":          {"seconds", 0.001},
	" min":         {"minutes", 1},
	" packets/min": {"packets/min", 1},
}

// measured reads a number with its unit as status shows it. A text of another
// form, such as a limit that is relative to stable, is no number.
func measured(text string) (value float64, unit string, ok bool) {
	if number, err := strconv.ParseFloat(text, 64); err == nil { // a query's
		return number, "number", !math.IsNaN(number) && !math.IsInf(number, 0)
	}
	end := strings.IndexFunc(text, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if end <= 0 {
		return 0, "", false
	}
	number, err := strconv.ParseFloat(text[:end], 64)
	u, known := units[text[end:]]
	return number * u.one, u.name, known && err == nil
}

func tellPassing(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	for _, c := range ro.Status.Checks {
		switch c.Verdict {
		case v1alpha1.VerdictPass, v1alpha1.VerdictNotApplicable:
			tell(1, c.Name)
		case v1alpha1.VerdictBreach, v1alpha1.VerdictNoData, v1alpha1.VerdictIncomplete,
			v1alpha1.VerdictInsufficient, v1alpha1.VerdictUndecided:
			tell(0, c.Name)
		}
	}
}

func tellAge(ro *v1alpha1.CloudRunRollout, now time.Time, tell teller) {
	for _, c := range ro.Status.Checks {
		if c.ObservedThrough != nil {
			tell(now.Sub(c.ObservedThrough.Time).Seconds(), c.Name)
		}
	}
}

func tellCause(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	for _, c := range ro.Status.Checks {
		if c.Verdict == v1alpha1.VerdictNoData && c.Mode != v1alpha1.ModeShadow {
			tell(1, c.Name, string(c.Cause))
		}
	}
}

func tellAwaiting(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	stalled := meta.IsStatusConditionTrue(ro.Status.Conditions, v1alpha1.ConditionStalled)
	if stalled || waits(ro.Status.Phase) {
		tell(1, readyReason(ro))
	}
}

func tellCalled(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	if called(&ro.Status) {
		tell(1)
	}
}

func tellUnwatched(ro *v1alpha1.CloudRunRollout, _ time.Time, tell teller) {
	if ro.Spec.NAT.Discovery == v1alpha1.DiscoveryOff {
		tell(1)
		return
	}
	tell(0)
}

func revisionOf(r *v1alpha1.RevisionStatus) string {
	if r == nil {
		return ""
	}
	return r.Revision
}

// readyReason is empty before the first look.
func readyReason(ro *v1alpha1.CloudRunRollout) string {
	if c := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		return c.Reason
	}
	return ""
}

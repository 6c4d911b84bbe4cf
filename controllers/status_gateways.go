package controllers

import (
	"math"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// sourceOf names a gateway of status the way metrics do.
func sourceOf(g v1alpha1.GatewayStatus) analysis.Source {
	return analysis.Source{Project: g.Project, Location: g.Region, Router: g.Router, Gateway: g.Name}
}

// gatewaysOf tells of the gateways that are watched. What is known of one changes
// with every look; it is told anew with another minute, phase or weight, because
// every save wakes whoever watches the object. What cannot be read stays as it
// was last seen.
func gatewaysOf(was, now v1alpha1.CloudRunRolloutStatus, d rollout.Decision) []v1alpha1.GatewayStatus {
	turned := was.Phase != now.Phase || was.Weight != now.Weight
	var gateways []v1alpha1.GatewayStatus
	for _, w := range d.Progress.Watches {
		told := toldOf(was.Gateways, w.Source)
		told.Origin, told.Claimed = v1alpha1.OriginDiscovered, ports(w.Claimed)
		if w.Named {
			told.Origin = v1alpha1.OriginNamed
		}
		told.Growing = ""
		if w.Growing {
			told.Growing = string(metav1.ConditionTrue)
		}
		state := slices.IndexFunc(d.Gateways, func(s rollout.GatewayState) bool { return s.Source == w.Source })
		if state >= 0 {
			through := d.Gateways[state].Through.Truncate(time.Minute)
			if turned || told.ObservedThrough == nil || !told.ObservedThrough.Time.Equal(through) {
				told = withState(told, d.Gateways[state])
				told.ObservedThrough = stamp(through)
			}
		}
		gateways = append(gateways, told)
	}
	return gateways[:min(len(gateways), v1alpha1.MaxGateways)]
}

// toldOf is what status says of a gateway, or its name.
func toldOf(was []v1alpha1.GatewayStatus, source analysis.Source) v1alpha1.GatewayStatus {
	for _, g := range was {
		if sourceOf(g) == source {
			return g
		}
	}
	return v1alpha1.GatewayStatus{Project: source.Project, Region: source.Location, Router: source.Router, Name: source.Gateway}
}

// withState puts in what is known.
func withState(told v1alpha1.GatewayStatus, s rollout.GatewayState) v1alpha1.GatewayStatus {
	told.Forecast, told.Headroom = nil, nil
	if s.Known {
		told.Addressing, told.Capacity = v1alpha1.AddressingManual, number(s.Gateway.Capacity().Ports)
		if s.Gateway.Auto {
			told.Addressing, told.Capacity = v1alpha1.AddressingAutomatic, nil
		}
		told.IPs, told.PortsPerEndpoint = ports(s.Gateway.IPs), ports(s.Gateway.PortsEach())
		told.Endpoints = number(s.Gateway.Endpoints)
	}
	if s.Measured {
		told.Allocated = number(s.Gateway.Allocated)
	}
	if f := s.Forecast; f != nil {
		told.Forecast = number((f.Taken + f.Promised + f.Needs()) * f.Each)
		if !s.Gateway.Auto {
			told.Headroom = number(f.Headroom() * f.Each)
		}
	}
	return told
}

// ports is a number as status keeps it.
func ports(n int64) int32 { return int32(min(max(n, 0), math.MaxInt32)) }

// number is one that is told even if it is 0.
func number(n int64) *int32 {
	p := ports(n)
	return &p
}

// adviceOf tells what was found, each finding once.
func adviceOf(findings []nat.Finding) []v1alpha1.Advice {
	var advice []v1alpha1.Advice
	for _, f := range findings {
		code := shorten(string(f.Code), v1alpha1.MaxAdviceCode)
		if !slices.ContainsFunc(advice, func(a v1alpha1.Advice) bool { return a.Code == code }) {
			advice = append(advice, v1alpha1.Advice{Code: code, Message: shorten(f.Text, v1alpha1.MaxMessage)})
		}
	}
	return advice[:min(len(advice), v1alpha1.MaxAdvice)]
}

package plan

import (
	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// lingers is how long what a shift left behind may hold ports: idle instances, and
// then their addresses.
const lingers = nat.InstancesLinger + nat.AddressesLinger

// world lets forecasts come true, one after another.
type world struct {
	gateways []nat.Gateway
	fleet    nat.Fleet
	policy   nat.Policy
	fixed    bool
	weight   int64 // the candidate's now
}

func newWorld(scene Scene, ro *v1alpha1.CloudRunRollout) *world {
	w := &world{
		fleet: nat.Fleet{
			Stable: scene.Instances, Busy: scene.Instances,
			CandidateLeast: scene.MinInstances, CandidateMost: scene.MaxInstances,
		},
		policy: nat.DefaultPolicy(),
		fixed:  ro.Spec.Strategy.Pacing == v1alpha1.PacingFixed,
	}
	if reserve := ro.Spec.NAT.ReservePercent; reserve != nil {
		w.policy.ReservePercent = int64(*reserve)
	}
	if endpoints := ro.Spec.NAT.EndpointsPerInstance; endpoints != 0 {
		w.policy.EndpointsPerInstance = int64(endpoints)
	}
	for _, g := range scene.Gateways {
		w.gateways = append(w.gateways, g.nat())
	}
	return w
}

// forecast says what a weight asks of each gateway, and whether all have room.
func (w *world) forecast(weight int64) (forecasts []Forecast, fits bool) {
	fits = true
	for _, g := range w.gateways {
		f := nat.Foresee(g, w.fleet, w.policy, weight)
		verdict := Fits
		if !f.Fits() {
			verdict, fits = Exceeds, false
		}
		forecasts = append(forecasts, Forecast{int32(weight), verdict, f.String()}) //nolint:gosec // a percent
	}
	return forecasts, fits
}

// largest is the largest weight below one that does not fit; 0 for none.
func (w *world) largest(weight int64) int64 {
	return nat.LargestSafeWeight(w.gateways, w.fleet, w.policy, w.weight, weight)
}

// rise gives the candidate a weight: it reaches its peak, and the ports are taken.
func (w *world) rise(weight int64) {
	peak := w.fleet.Candidate
	for i := range w.gateways {
		f := nat.Foresee(w.gateways[i], w.fleet, w.policy, weight)
		peak = max(peak, f.Peak)
		w.gateways[i].Endpoints = w.gateways[i].Taken() + f.Adds
	}
	w.fleet.Candidate, w.weight = peak, weight
}

// settle lets the instances of stable end that its share of the traffic does not
// need, and frees what they held. It tells whether there were any.
func (w *world) settle() bool {
	needed := (w.fleet.Load()*(100-w.weight) + 99) / 100
	ended := w.fleet.Stable - needed
	if ended <= 0 {
		return false
	}
	w.fleet.Stable = needed
	for i := range w.gateways {
		g := &w.gateways[i]
		g.Endpoints = max(0, g.Taken()-ended*w.policy.EndpointsPerInstance)
		g.Allocated = 0
	}
	return true
}

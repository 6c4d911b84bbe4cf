package plan

import (
	"fmt"

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
	for i, g := range w.gateways {
		f := nat.Foresee(g, w.fleet, w.policy, weight)
		peak = max(peak, f.Peak)
		w.gateways[i] = g.With(f.Starts, w.fleet, w.policy)
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
	for i, g := range w.gateways {
		w.gateways[i] = g.With(-ended, w.fleet, w.policy)
	}
	w.fleet.Stable = needed
	return true
}

// assumes says what is reckoned otherwise than the manager will, which measures it.
func (w *world) assumes() []string {
	var texts []string
	for _, g := range w.gateways {
		if g.Dynamic && g.Allocated == 0 {
			texts = append(texts, fmt.Sprintf("%s: its ports are dynamic and allocatedPorts is not known, so that each new endpoint is reckoned with the least, %d; "+
				"the manager reckons with what endpoints have on average, which may be many times as much.", g.Name, g.PortsEach()))
		}
	}
	return texts
}

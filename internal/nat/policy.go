package nat

import "math"

// Policy is what is chosen, and what is assumed because it is not known.
type Policy struct {
	// ReservePercent of a gateway's capacity is never spent by a rollout; 0..100.
	ReservePercent int64
	// Overshoot is how many instances a revision that is given traffic may start
	// for each that it lacks: "normally less than twice" (docs
	// run/about-instance-autoscaling). 1..2; 0: 2.
	Overshoot float64
	// EndpointsPerInstance is how many endpoints an instance is to the gateway:
	// 1 or 2, see the package's doubts. 0: 2, which asks for more room.
	EndpointsPerInstance int64
}

// DefaultPolicy is the policy of a rollout that says nothing.
func DefaultPolicy() Policy {
	return Policy{ReservePercent: 20, Overshoot: 2, EndpointsPerInstance: 2}
}

// usable is the policy within its bounds.
func (p Policy) usable() Policy {
	p.ReservePercent = min(max(p.ReservePercent, 0), 100)
	if p.Overshoot == 0 || p.Overshoot > 2 || math.IsNaN(p.Overshoot) {
		p.Overshoot = 2
	}
	p.Overshoot = max(p.Overshoot, 1)
	if p.EndpointsPerInstance == 0 {
		p.EndpointsPerInstance = 2
	}
	p.EndpointsPerInstance = min(max(p.EndpointsPerInstance, 1), 2)
	return p
}

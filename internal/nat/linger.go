package nat

import "time"

const (
	// InstancesLinger is how long an instance without requests is kept at most
	// (docs run/about-instance-autoscaling).
	InstancesLinger = 15 * time.Minute
	// AddressesLinger is how long its addresses are kept at most after its end
	// (docs run/configuring/vpc-direct-vpc).
	AddressesLinger = 20 * time.Minute
)

// Linger is when what a shift of traffic left behind is gone for certain.
type Linger struct {
	Instances time.Time
	Addresses time.Time
}

// LingersUntil is when the instances that a shift of traffic made idle have
// ended, and when their addresses are free.
func LingersUntil(shift time.Time) Linger {
	ended := shift.Add(InstancesLinger)
	return Linger{Instances: ended, Addresses: ended.Add(AddressesLinger)}
}

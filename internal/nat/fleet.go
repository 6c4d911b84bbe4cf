package nat

import (
	"math"
	"time"
)

const (
	// AddressesPerInstance is how many addresses of the subnet an instance takes
	// with Direct VPC egress (docs run/configuring/vpc-direct-vpc).
	AddressesPerInstance = 2
	// AddressBlock is how many addresses are reserved at a time (ibid.).
	AddressBlock = 16
	// LeastQuota is the smallest quota of instances per revision with Direct VPC
	// egress; it is 100 to 200 by region and can be raised (docs run/quotas).
	LeastQuota = 100
	// targetConcurrency is the share of the maximum concurrency at which another
	// instance is started (docs run/about-instance-autoscaling).
	targetConcurrency = 0.6
)

// Fleet is what is known of a service's instances. What is 0 is not known,
// unless the field says otherwise.
type Fleet struct {
	// Stable and Candidate are the instances there are now, active and idle; 0
	// is none.
	Stable, Candidate int64
	// Busy is how many instances the service's whole traffic keeps active. Not
	// known: those of the request rate; without one, all instances there are.
	Busy int64
	// Rate is the service's requests per second, Latency their mean duration and
	// Concurrency the most requests that an instance serves at a time.
	Rate        float64
	Latency     time.Duration
	Concurrency int64
	// CandidateLeast and CandidateMost are the revision's own minimum and
	// maximum. CandidateLeast 0 is none.
	CandidateLeast, CandidateMost int64
	// ServiceLeast and ServiceMost are divided among the revisions by weight.
	// ServiceLeast 0 is none.
	ServiceLeast, ServiceMost int64
	// Quota of instances per revision with Direct VPC egress; not known: not
	// limited.
	Quota int64
	// Subnet that the instances' addresses are taken from.
	Subnet Subnet
}

// Subnet is a range of addresses.
type Subnet struct {
	Size  int64 // 0: not known, not limited
	Taken int64 // by whomever, those included that are kept after an instance's end
}

// Load is how many instances the whole traffic keeps busy, at least one. More
// than the service may have cannot be busy for long.
func (f Fleet) Load() int64 {
	load := max(count(f.Busy), f.byRate())
	if load == 0 {
		load = count(f.Stable) + count(f.Candidate)
	}
	if f.ServiceMost > 0 {
		load = min(load, f.ServiceMost)
	}
	return max(load, 1)
}

// byRate is how many instances serve the request rate: as many requests are in
// work at a time as arrive in the time one takes (Little's law), and an instance
// is given 60 % of its concurrency. 0: not known.
func (f Fleet) byRate() int64 {
	if f.Concurrency <= 0 || f.Latency <= 0 {
		return 0
	}
	return round(math.Ceil(f.Rate * f.Latency.Seconds() / (float64(f.Concurrency) * targetConcurrency)))
}

// needs is how many instances a weight of the traffic keeps busy.
func (f Fleet) needs(weight int64) int64 { return ceilDiv(f.Load()*weight, 100) }

// least is how many instances the candidate has at a weight whatever its
// traffic (docs run/configuring/min-instances): the larger of the revision's
// minimum and its share of the service's, rounded in favour of the candidate,
// but not more than its maximum.
func (f Fleet) least(weight int64) int64 {
	least := max(count(f.CandidateLeast), ceilDiv(count(f.ServiceLeast)*weight, 100))
	if f.CandidateMost > 0 {
		least = min(least, f.CandidateMost)
	}
	return least
}

// quota is the quota, or what stable proves that it must be.
func (f Fleet) quota() int64 { return max(count(f.Quota), count(f.Stable)) }

// round makes a whole number of things of a float, whatever it is.
func round(x float64) int64 {
	switch {
	case math.IsNaN(x) || x <= 0:
		return 0
	case x >= most:
		return most
	}
	return int64(x)
}

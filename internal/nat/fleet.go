package nat

import "math"

// Fleet is what is known of a service's instances. What is 0 is not known,
// unless the field says otherwise.
type Fleet struct {
	// Stable and Candidate are the instances there are now, active and idle; 0
	// is none.
	Stable, Candidate int64
	// Busy is how many instances the service's whole traffic keeps active. Not
	// known: all instances there are.
	Busy int64
	// CandidateLeast and CandidateMost are the revision's own minimum and
	// maximum. CandidateLeast 0 is none.
	CandidateLeast, CandidateMost int64
	// ServiceLeast and ServiceMost are divided among the revisions by weight.
	// ServiceLeast 0 is none.
	ServiceLeast, ServiceMost int64
	// Subnet that the candidate's addresses are taken from.
	Subnet Subnet
}

// Load is how many instances the whole traffic keeps busy, at least one. More
// than the service may have cannot be busy for long.
func (f Fleet) Load() int64 {
	load := count(f.Busy)
	if load == 0 {
		load = count(f.Stable) + count(f.Candidate)
	}
	if f.ServiceMost > 0 {
		load = min(load, f.ServiceMost)
	}
	return max(load, 1)
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

package analysis

import "math"

// certainty is the number of standard deviations by which a share must lie over
// its limit to be a breach: at the limit itself, one-sided, 1 in 740 by chance for
// many bad requests, and 1 in 39 for the fewest (docs/evidence.md).
const certainty = 3

// fewest is the least number of bad requests a breach needs: one or two prove
// nothing.
const fewest = 3

// wilsonLower is the lower end of the one-sided Wilson score interval of k
// successes in n trials, as wide as certainty says.
// Wilson, "Probable inference", JASA 22 (1927).
func wilsonLower(k, n int64) float64 {
	if n <= 0 {
		return 0
	}
	centre, spread := wilson(k, n)
	return max(0, centre-spread)
}

// wilsonUpper is its upper end.
func wilsonUpper(k, n int64) float64 {
	if n <= 0 {
		return 1
	}
	centre, spread := wilson(k, n)
	return min(1, centre+spread)
}

func wilson(k, n int64) (centre, spread float64) {
	trials, p := float64(n), float64(k)/float64(n)
	z2 := float64(certainty * certainty)
	whole := 1 + z2/trials
	return (p + z2/(2*trials)) / whole, certainty * math.Sqrt(p*(1-p)/trials+z2/(4*trials*trials)) / whole
}

// newcombeLower is the lower end of the one-sided score interval for the
// difference of two independent shares, k1 of n1 minus k2 of n2, in -1..1. It is
// made of the two Wilson intervals, so it holds for few successes too.
// Newcombe, "Interval estimation for the difference between independent
// proportions", Statistics in Medicine 17 (1998), method 10.
func newcombeLower(k1, n1, k2, n2 int64) float64 {
	if n1 <= 0 || n2 <= 0 {
		return -1
	}
	p1, p2 := float64(k1)/float64(n1), float64(k2)/float64(n2)
	return p1 - p2 - math.Hypot(p1-wilsonLower(k1, n1), wilsonUpper(k2, n2)-p2)
}

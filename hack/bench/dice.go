package main

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// dice is the chance of one trial. It is set anew for every minute, so that a
// minute's luck depends on the seed, the trial and the minute alone: judges that
// decide at different times see the same world, in any order of work.
type dice struct {
	trial  uint64
	source *rand.PCG
	*rand.Rand
}

func newDice(seed uint64, world string, trial int) dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(world))
	source := &rand.PCG{}
	return dice{
		trial:  mix(mix(seed+h.Sum64()) + uint64(trial)), //nolint:gosec // trials are counted from 0
		source: source, Rand: rand.New(source),           //nolint:gosec // a trial must repeat itself; nothing here is secret
	}
}

// minute sets the dice for the i-th minute.
func (d dice) minute(i int) {
	d.source.Seed(d.trial, mix(d.trial+uint64(i))) //nolint:gosec // minutes are counted from 0
}

// mix spreads neighbouring numbers over all of the 64 bits. Steele, Lea and
// Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// poisson draws how many events happen where mean are expected: below 10 by
// multiplying, above by Hörmann's transformed rejection (PTRS), "The transformed
// rejection method for generating Poisson random variables", Insurance:
// Mathematics and Economics 12 (1993). Both are exact.
func (d dice) poisson(mean float64) int64 {
	if mean < 10 {
		limit, n := math.Exp(-mean), int64(0)
		for product := d.Float64(); product > limit; product *= d.Float64() {
			n++
		}
		return n
	}
	b := 0.931 + 2.53*math.Sqrt(mean)
	a := -0.059 + 0.02483*b
	for {
		u, v := d.Float64()-0.5, d.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + mean + 0.43)
		if us >= 0.07 && v <= 0.9277-3.6224/(b-2) {
			return int64(k)
		}
		if k < 0 || us < 0.013 && v > us {
			continue
		}
		factorial, _ := math.Lgamma(k + 1)
		if math.Log(v*(1.1239+1.1328/(b-3.4))/(a/(us*us)+b)) <= k*math.Log(mean)-mean-factorial {
			return int64(k)
		}
	}
}

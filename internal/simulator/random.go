package simulator

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// dice is one seeded stream of chance. Each user population, each metric and
// the naming of things have their own, so that a fault injected into one does
// not change the luck of another.
type dice struct{ *rand.Rand }

func newDice(seed uint64, purpose string) dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(purpose))
	return dice{rand.New(rand.NewPCG(seed, h.Sum64()))} //nolint:gosec // a world must repeat itself; nothing here is secret
}

// poisson draws how many events happen where mean are expected. Above 30 the
// normal approximation is close enough and takes one draw.
func (d dice) poisson(mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 30 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*d.NormFloat64())))
	}
	limit, product, n := math.Exp(-mean), d.Float64(), 0
	for product > limit {
		product *= d.Float64()
		n++
	}
	return n
}

// between draws a duration in whole microseconds.
func (d dice) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return (low + time.Duration(d.Int64N(int64(high-low)))).Truncate(time.Microsecond)
}

const lowercase = "0123456789abcdefghijklmnopqrstuvwxyz"

func (d dice) text(length int) string {
	b := make([]byte, length)
	for i := range b {
		b[i] = lowercase[d.IntN(len(lowercase))]
	}
	return string(b)
}

// uuid draws a version 4 UUID.
func (d dice) uuid() string {
	a, b := d.Uint64(), d.Uint64()
	a = a&^(0xf<<12) | 4<<12
	b = b&^(3<<62) | 2<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}

// projectHash is the part of a service's URL that all of a project share.
func projectHash(project string) string { return newDice(0, "url of "+project).text(10) }

// projectNumber stands for the number that belongs to a project's name.
func projectNumber(project string) string {
	return strconv.FormatInt(100_000_000_000+newDice(0, "number of "+project).Int64N(900_000_000_000), 10)
}

package monitoring

import (
	"encoding/binary"
	"math"
	"slices"
)

// boundsPool keeps one copy of equal bounds. All distributions of a metric have
// the same buckets as a rule, and there may be hundreds of thousands of them.
type boundsPool struct {
	last  []float64
	known map[string][]float64 // by their bits
	key   []byte
}

// shared returns the pool's copy of bounds.
func (p *boundsPool) shared(bounds []float64) []float64 {
	if len(bounds) == 0 {
		return bounds
	}
	if slices.Equal(bounds, p.last) {
		return p.last
	}
	p.key = p.key[:0]
	for _, bound := range bounds {
		p.key = binary.LittleEndian.AppendUint64(p.key, math.Float64bits(bound))
	}
	known, ok := p.known[string(p.key)]
	if !ok {
		if p.known == nil {
			p.known = map[string][]float64{}
		}
		known = slices.Clip(bounds)
		p.known[string(p.key)] = known
	}
	p.last = known
	return known
}

package wire

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Guard lets many goroutines share one world, one at a time, and lets the
// world's time follow real time at a speed.
type Guard struct {
	mu    sync.Mutex
	world *simulator.World
	wall  clock.PassiveClock
	speed float64
	last  time.Time // real time up to which the world has lived
}

// NewGuard guards a world whose time passes only when told, until
// [Guard.SetSpeed].
func NewGuard(w *simulator.World, wall clock.PassiveClock) *Guard {
	return &Guard{world: w, wall: wall, last: wall.Now()}
}

// Do brings the world up to date and hands it to f.
func (g *Guard) Do(f func(w *simulator.World)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.catchUp()
	f(g.world)
}

// SetSpeed makes simulated time pass that much faster than real time. With 0 it
// passes only when told.
func (g *Guard) SetSpeed(speed float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.catchUp()
	g.speed = max(0, speed)
}

// Now is the simulated time and the speed at which it passes.
func (g *Guard) Now() (now time.Time, speed float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.catchUp()
	return g.world.Now(), g.speed
}

func (g *Guard) catchUp() {
	now := g.wall.Now()
	elapsed := now.Sub(g.last)
	g.last = now
	if g.speed > 0 && elapsed > 0 {
		g.world.Advance(time.Duration(float64(elapsed) * g.speed))
	}
}

package pilot

import (
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// Instant makes releases as most teams do: traffic follows LATEST, so that a new
// revision gets all of it the moment it is ready.
type Instant struct {
	world *simulator.World
}

// NewInstant lets the traffic of services follow LATEST. Where a split names a
// revision, that is the baseline, and must be the newest one.
func NewInstant(world *simulator.World, services ...rollout.ServiceRef) (Instant, error) {
	for _, of := range services {
		name := FullName(of)
		split := []simulator.TrafficTarget{{Type: simulator.AllocateLatest, Percent: 100}}
		if err := world.EditTraffic(name, split, "deployer@example.com"); err != nil {
			return Instant{}, fmt.Errorf("letting %s follow LATEST: %w", of.Name, err)
		}
	}
	return Instant{world}, nil
}

// AdvanceTo lets time pass.
func (i Instant) AdvanceTo(end time.Time) error {
	i.world.AdvanceTo(end)
	return nil
}

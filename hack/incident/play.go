package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// way is how releases are made.
type way string

const (
	atOnce   way = "at once"
	stepwise way = "Sluice"
)

const (
	// length is how long a release is watched at least.
	length = 75 * time.Minute
	// longest is how long one that goes on is watched.
	longest = 3 * time.Hour
)

// driver lets time pass in a world, and makes releases in it.
type driver interface {
	AdvanceTo(at time.Time) error
}

// play plays a scene in one way.
func (s scene) play(how way) (run, error) {
	r, err := s.fly(how)
	if err != nil {
		return r, fmt.Errorf("scenario %s, %s: %w", s.name, how, err)
	}
	return r, nil
}

func (s scene) fly(how way) (run, error) {
	r := run{scene: s, way: how}
	var err error
	if r.released, err = s.released(); err != nil {
		return r, err
	}
	p, err := s.begin(how)
	if err != nil {
		return r, err
	}
	for until := s.length; until == s.length || until <= s.longest && underway(p.rollouts); until += 5 * time.Minute {
		if err := p.by.AdvanceTo(r.released.Add(until)); err != nil {
			return r, err
		}
	}
	r.minutes = minutes(p.world, firstRelease(p.world))
	r.ends, r.advised = s.ended(p.world, p.rollouts), p.advised
	return r, nil
}

// underway tells whether a rollout may still go on by itself.
func underway(rollouts []*pilot.Rollout) bool {
	return slices.ContainsFunc(rollouts, func(r *pilot.Rollout) bool {
		switch r.Last().Phase {
		case rollout.Idle, rollout.Completed, rollout.RolledBack, rollout.Paused:
			return false
		case rollout.Checking, rollout.WarmingUp, rollout.Shifting, rollout.Baking, rollout.AwaitingApproval, rollout.Held, rollout.RollingBack:
		}
		return true
	})
}

// played is a world, and who makes releases in it.
type played struct {
	world    *simulator.World
	by       driver
	rollouts []*pilot.Rollout // none at once
	advised  map[nat.Code]int64
}

// begin makes the world.
func (s scene) begin(how way) (played, error) {
	if how == stepwise {
		p, err := pilot.Open(s.world, s.plans()...)
		if err != nil {
			return played{}, err
		}
		advised := map[nat.Code]int64{}
		p.Watch = func(_ *pilot.Rollout, _ rollout.Input, d rollout.Decision) {
			for _, finding := range d.Advice {
				if _, told := advised[finding.Code]; !told {
					advised[finding.Code] = d.Serves.Of(d.Progress.Candidate)
				}
			}
		}
		return played{p.World(), p, p.Rollouts(), advised}, nil
	}
	world, err := simulator.New(s.world)
	if err != nil {
		return played{}, err
	}
	by, err := pilot.NewInstant(world, s.releases()...)
	return played{world: world, by: by}, err
}

// plans are the rollouts of the services that are released.
func (s scene) plans() []rollout.Plan {
	var plans []rollout.Plan
	for _, ref := range s.releases() {
		plan := pilot.DefaultPlan(ref, pilot.Sources(s.world)...)
		if s.world.Switches.InstanceEndpoints == "one" {
			plan.EndpointsPerInstance = 1
		}
		plan.Warmup = s.warmup
		plans = append(plans, plan)
	}
	return plans
}

// ended tells what became of each release.
func (s scene) ended(world *simulator.World, rollouts []*pilot.Rollout) []end {
	var all []end
	for i, ref := range s.releases() {
		e := end{service: ref.Name, state: "LATEST"}
		for _, release := range pilot.Releases(world) {
			if release.Service != pilot.FullName(ref) {
				continue
			}
			e.revision, e.took = release.Revision, release.Took()
			if release.Failed != "" {
				e.state = "not ready: " + release.Failed
			}
		}
		if rollouts != nil {
			last := rollouts[i].Last()
			e.state, e.next, e.told = fmt.Sprintf("%s/%s: %s", last.Phase, last.Reason, last.Note), last.Next, rollouts[i].States
		}
		all = append(all, e)
	}
	return all
}

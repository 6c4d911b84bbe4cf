package oncall

import (
	"context"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// cloud is how the manager reaches the world, without the wire: it implements the
// ports of the controllers.
type cloud struct {
	world    *simulator.World
	api      simulator.API
	senses   map[rollout.ServiceRef]pilot.Senses
	metrics  pilot.Senses // of no service: a question names its own
	gateways pilot.Gateways
}

func newCloud(world *simulator.World, sc simulator.Scenario) (*cloud, error) {
	c := &cloud{
		world: world, api: world.As(simulator.Caller{Identity: identity, UserAgent: "sluice"}),
		senses: map[rollout.ServiceRef]pilot.Senses{}, gateways: pilot.NewGateways(world, sc),
	}
	var err error
	c.metrics, err = c.of(rollout.ServiceRef{})
	return c, err
}

// of is how one service is seen.
func (c *cloud) of(ref rollout.ServiceRef) (pilot.Senses, error) {
	if known, ok := c.senses[ref]; ok {
		return known, nil
	}
	senses, err := pilot.NewSenses(c.world, c.api, ref)
	if err == nil {
		c.senses[ref] = senses
	}
	return senses, err
}

// Service implements controllers.Observer.
func (c *cloud) Service(_ context.Context, ref rollout.ServiceRef) (rollout.Service, error) {
	senses, err := c.of(ref)
	if err != nil {
		return rollout.Service{}, err
	}
	svc, err := senses.Service()
	return svc, unavailable("reading the service", err)
}

// Revisions implements controllers.Observer.
func (c *cloud) Revisions(_ context.Context, ref rollout.ServiceRef, names []string) (map[string]rollout.Revision, error) {
	senses, err := c.of(ref)
	if err != nil {
		return nil, err
	}
	found := map[string]rollout.Revision{}
	for _, name := range names {
		if found[name], err = senses.Revision(name); err != nil {
			return nil, unavailable("reading a revision", err)
		}
	}
	return found, nil
}

// SetTraffic implements controllers.Actuator.
func (c *cloud) SetTraffic(_ context.Context, ref rollout.ServiceRef, w rollout.Write) error {
	_, err := c.api.PatchService(pilot.Patch(ref, &w))
	return unavailable("setting traffic", err)
}

// SetTemplate implements controllers.Deployer.
func (c *cloud) SetTemplate(_ context.Context, ref rollout.ServiceRef, d rollout.Deploy) error {
	request, err := pilot.Deploy(ref, &d)
	if err == nil {
		_, err = c.api.PatchService(request)
	}
	return unavailable("deploying a template", err)
}

// Answer implements controllers.Metrics.
func (c *cloud) Answer(_ context.Context, questions []analysis.Question, now time.Time) (analysis.Answers, error) {
	answers := analysis.Answers{}
	var err error
	for _, q := range questions {
		if answers[q.Series], err = c.metrics.Answer(q, now); err != nil { //nolint:contextcheck // the world answers at once
			return nil, err
		}
	}
	return answers, nil
}

// Outlet implements controllers.Outlets.
func (c *cloud) Outlet(
	_ context.Context, _ rollout.ServiceRef, leaving []rollout.Revision, named []analysis.Source, now time.Time,
) (rollout.Outlet, error) {
	return c.gateways.Outlet(leaving, named, now), nil
}

// unavailable is a call that failed in a way that may pass.
func unavailable(op string, err error) error {
	if err == nil {
		return nil
	}
	return &cloudrun.CallError{Op: op, Kind: cloudrun.ErrUnavailable, Detail: err.Error()}
}

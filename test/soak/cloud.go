package soak

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/sluice-rollouts/sluice/controllers"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// The calls that a controller makes, by the names that a script knows them by.
const (
	getService  = "get service"
	getRevision = "get revision"
	listCall    = "list services"
	askMetrics  = "ask Monitoring"
	patchCall   = "patch service"
	saveCall    = "save status"
	finalize    = "set finalizer"
	askGateways = "ask Compute"
)

// cloud is the clouds as one process reaches them. It implements the ports of the
// controllers without the wire, which contract tests hold to the same.
type cloud struct {
	process  *process
	api      simulator.API
	senses   pilot.Senses
	gateways pilot.Gateways
	list     listing
	seen     map[string]seen
}

func (p *process) reaches() (*cloud, error) {
	s := p.stage
	api := s.world.As(simulator.Caller{Identity: ours, UserAgent: p.name})
	ref := rollout.ServiceRef{Project: project, Location: region, Name: service}
	senses, err := pilot.NewSenses(s.world, api, ref)
	if err != nil {
		return nil, err
	}
	return &cloud{
		process: p, api: api, senses: senses.Remembering(), gateways: pilot.NewGateways(s.world, s.scenario), seen: map[string]seen{},
	}, nil
}

// ports are all of them.
func (c *cloud) ports() controllers.Cloud {
	if k := c.process.stage.kept; k != nil {
		return k.ports(c)
	}
	all := controllers.Cloud{Observer: c, Actuator: c, Deployer: c, Metrics: c, Outlets: c}
	if c.process.stage.script.Setting.Glances {
		all.Watcher = c
	}
	return all
}

// Service implements controllers.Observer.
func (c *cloud) Service(context.Context, rollout.ServiceRef) (svc rollout.Service, err error) {
	err = c.process.call(getService, func() error {
		svc, err = c.senses.Service()
		return err
	})
	svc.Skew = c.process.skew
	return svc, callError("reading the service", err)
}

// Revisions implements controllers.Observer.
func (c *cloud) Revisions(_ context.Context, _ rollout.ServiceRef, names []string) (map[string]rollout.Revision, error) {
	found := map[string]rollout.Revision{}
	for _, name := range names {
		err := c.process.call(getRevision, func() (err error) {
			found[name], err = c.senses.Revision(name)
			return err
		})
		if err != nil {
			return nil, callError("reading a revision", err)
		}
	}
	return found, nil
}

// SetTraffic implements controllers.Actuator, with its two fences.
func (c *cloud) SetTraffic(_ context.Context, ref rollout.ServiceRef, w rollout.Write) error {
	var op simulator.Operation
	request := pilot.Patch(ref, &w)
	err := c.process.sends(request, func() (err error) {
		op, err = c.api.PatchService(request)
		return err
	})
	return c.fenced("setting traffic", op, err, w.Generation())
}

// fenced is what became of a write that rests on a generation of the service.
func (c *cloud) fenced(what string, op simulator.Operation, err error, base int64) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded): // it was not sent
		return &cloudrun.CallError{Op: what, Kind: cloudrun.ErrUnavailable, Detail: err.Error()}
	case err != nil:
		return writeError(what, err)
	case op.Metadata == nil || op.Metadata.Generation != base+1:
		c.process.stage.count.sometimes[interleaved]++
		return &cloudrun.CallError{Op: what, Kind: cloudrun.ErrInterleaved, Detail: "another generation followed"}
	case op.Error != nil:
		return &cloudrun.CallError{Op: what, Kind: cloudrun.ErrAmbiguous, Detail: op.Error.Message}
	}
	return nil
}

// Answer implements controllers.Metrics.
func (c *cloud) Answer(_ context.Context, questions []analysis.Question, now time.Time) (analysis.Answers, error) {
	answers := analysis.Answers{}
	err := c.process.call(askMetrics, func() (err error) { //nolint:contextcheck // the world answers at once
		for _, q := range questions {
			if answers[q.Series], err = c.senses.Answer(q, now); err != nil {
				return err
			}
		}
		return nil
	})
	return answers, err
}

// Outlet implements controllers.Outlets.
func (c *cloud) Outlet(
	_ context.Context, _ rollout.ServiceRef, leaving []rollout.Revision, named []analysis.Source, now time.Time,
) (out rollout.Outlet, err error) {
	err = c.process.call(askGateways, func() error {
		out = c.gateways.Outlet(leaving, named, now)
		return nil
	})
	return out, err
}

// callError is the failure of a read, as the adapter classifies it.
func callError(op string, err error) error {
	var refused *simulator.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return &cloudrun.CallError{Op: op, Kind: kindOf(refused), Detail: refused.Message, RetryAfter: refused.RetryAfter}
	}
	return &cloudrun.CallError{Op: op, Kind: cloudrun.ErrUnavailable, Detail: err.Error()}
}

// writeError is the failure of a write: only a plain refusal proves that nothing
// was written.
func writeError(op string, err error) error {
	var failure *cloudrun.CallError
	if errors.As(callError(op, err), &failure) && failure.Kind == cloudrun.ErrUnavailable { //nolint:errorlint // its very kind
		failure.Kind = cloudrun.ErrAmbiguous
	}
	return failure
}

func kindOf(e *simulator.APIError) error {
	switch {
	case e.Code == http.StatusTooManyRequests:
		return cloudrun.ErrThrottled
	case e.Code == http.StatusConflict && e.Status == "ALREADY_EXISTS":
		return cloudrun.ErrNamedConflict
	case e.Code == http.StatusConflict:
		return cloudrun.ErrConflict
	case e.Code == http.StatusForbidden, e.Code == http.StatusUnauthorized:
		return cloudrun.ErrDenied
	case e.Code == http.StatusNotFound:
		return cloudrun.ErrNotFound
	case e.Code == http.StatusBadRequest:
		return cloudrun.ErrInvalid
	}
	return cloudrun.ErrUnavailable
}

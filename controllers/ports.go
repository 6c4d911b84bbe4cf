package controllers

import (
	"context"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Observer reads the world and changes nothing. Every call is a live read. What
// is missing or may not be read is a fact in the answer, not an error.
type Observer interface {
	Service(ctx context.Context, ref rollout.ServiceRef) (rollout.Service, error)
	Revisions(ctx context.Context, ref rollout.ServiceRef, names []string) (map[string]rollout.Revision, error)
}

// Actuator changes the world. SetTraffic sends one compare-and-swap and returns
// as soon as it is accepted; whether it took effect is for the next observation.
type Actuator interface {
	SetTraffic(ctx context.Context, ref rollout.ServiceRef, w rollout.Write) error
}

// Deployer makes revisions. SetTemplate sends one compare-and-swap of a service's
// template, as SetTraffic does of its traffic.
type Deployer interface {
	SetTemplate(ctx context.Context, ref rollout.ServiceRef, d rollout.Deploy) error
}

// Metrics answers questions. Not knowing is an answer, not an error.
type Metrics interface {
	Answer(ctx context.Context, questions []analysis.Question, now time.Time) (analysis.Answers, error)
}

// Watcher looks at many rollouts' services for the price of few calls. What it
// shows may be as old as is allowed, so it is for noticing whether anything is to
// be decided; what is written rests on a live read.
type Watcher interface {
	// Listed tells whether the service is in a list that is fresh enough. It fails
	// where a quota keeps the list from being read now, as Remembered does; what they
	// return beside that error is older than was asked for.
	Listed(ctx context.Context, ref rollout.ServiceRef, now time.Time, maxAge time.Duration) (rollout.Service, bool, error)
	Remembered(ctx context.Context, ref rollout.ServiceRef, names []string, now time.Time, maxAge time.Duration) (map[string]rollout.Revision, error)
}

// Outlets finds the NAT gateways that a service's public traffic leaves through,
// and what they have to give. Gateways that are named are looked at and not looked
// for. What is missing or may not be read is a fact in the answer; it fails only
// when the context ends. It may answer with what is minutes old.
type Outlets interface {
	Outlet(
		ctx context.Context, ref rollout.ServiceRef, revisions []rollout.Revision, named []analysis.Source, now time.Time,
	) (rollout.Outlet, error)
}

// RunService is what a rollout moves where Config Connector keeps its service.
type RunService interface {
	// Ref resolves which service it is about. Where that cannot be told, the service
	// that is returned is not Found and says why.
	Ref(ctx context.Context) (rollout.ServiceRef, rollout.Service, error)
	// Release gives its traffic up, and leaves the service as it is.
	Release(ctx context.Context) error
}

// Cloud is what one rollout may touch.
type Cloud struct {
	Observer
	Actuator
	Metrics
	// Watcher spares reads while nothing happens; nil reads live each time.
	Watcher Watcher
	// Deployer makes revisions; nil where that is somebody else's to do.
	Deployer Deployer
	// MayDeploy says why a template may not be deployed to a service, with what to do about
	// it, "" where it may; nil permits it.
	MayDeploy func(context.Context, rollout.ServiceRef, rollout.Template) (why string, err error)
	// StillMay asks, not of a cache, whether traffic may rise on a service, and a template be
	// deployed to it where one is given: a service that is Denied where it may not, and why the
	// template may not, "" where it may. Nil asks nobody.
	StillMay func(context.Context, rollout.ServiceRef, rollout.Template) (of rollout.Service, undeployable string, err error)
	// Outlets says where traffic leaves; with nil only the spec does.
	Outlets Outlets
	// RunService is there where the target is one: Observer and Actuator are about it
	// then, and there is no Watcher, because a list of services shows one side alone.
	RunService RunService
}

// Through is the cloud of a rollout that moves a RunService in its service's place.
func (c Cloud) Through(of RunService, observer Observer, actuator Actuator) Cloud {
	c.RunService, c.Observer, c.Actuator, c.Watcher, c.Deployer = of, observer, actuator, nil, nil
	return c
}

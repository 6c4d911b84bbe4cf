package controllers

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/sluice-rollouts/sluice/internal/access"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/gateway"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/monitoring"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/template"
)

// guarded are the clouds behind the gate, for one pass.
type guarded struct {
	gate      *Gate
	namespace string
	open      func(ctx context.Context, as string) (Cloud, error)
	// of is the service that the pass looked at. Questions are about it alone, and about
	// gateways that may be looked at for it.
	of rollout.ServiceRef
}

// admit says what the pass may do with a service.
func (p *guarded) admit(ctx context.Context, ref rollout.ServiceRef) (access.Grant, *access.Refusal, error) {
	return admit(ctx, p.gate.Cache, p.namespace, ref)
}

// granted is the cloud that calls about a service go to, as whom they are granted.
type granted struct {
	Cloud
	grant access.Grant
}

// behind opens the cloud for a call about a service, or says why it may not be made.
func (p *guarded) behind(ctx context.Context, ref rollout.ServiceRef) (granted, *access.Refusal, error) {
	grant, no, err := p.admit(ctx, ref)
	if err != nil || no != nil {
		return granted{}, no, err
	}
	cloud, err := p.open(ctx, grant.As())
	return granted{cloud, grant}, nil, err
}

// Service implements Observer. A service that may not be looked at is a fact, like one
// that Google denies.
func (p *guarded) Service(ctx context.Context, ref rollout.ServiceRef) (rollout.Service, error) {
	cloud, no, err := p.behind(ctx, ref)
	switch {
	case err != nil:
		return rollout.Service{}, err
	case no != nil:
		return barred(no), nil
	}
	p.of = ref
	return cloud.Service(ctx, ref)
}

// Revisions implements Observer.
func (p *guarded) Revisions(ctx context.Context, ref rollout.ServiceRef, names []string) (map[string]rollout.Revision, error) {
	cloud, no, err := p.behind(ctx, ref)
	switch {
	case err != nil:
		return nil, err
	case no != nil:
		return withheld(names, no), nil
	}
	return cloud.Revisions(ctx, ref, names)
}

// withheld are revisions that may not be looked at.
func withheld(names []string, no *access.Refusal) map[string]rollout.Revision {
	revisions := map[string]rollout.Revision{}
	for _, name := range names {
		revisions[name] = rollout.Revision{
			Presence: rollout.Denied, Name: name, Readiness: rollout.Pending, Why: google.Clean(no.Why),
		}
	}
	return revisions
}

// SetTraffic implements Actuator. What was decided with access and is sent without has
// met a world that moved: the next look says what holds.
func (p *guarded) SetTraffic(ctx context.Context, ref rollout.ServiceRef, w rollout.Write) error {
	cloud, no, err := p.behind(ctx, ref)
	switch {
	case err != nil:
		return err
	case no != nil:
		return fmt.Errorf("%w: %s", errBarred, google.Clean(no.Why))
	}
	return cloud.SetTraffic(ctx, ref, w)
}

// SetTemplate implements Deployer.
func (p *guarded) SetTemplate(ctx context.Context, ref rollout.ServiceRef, d rollout.Deploy) error {
	cloud, no, err := p.behind(ctx, ref)
	switch {
	case err != nil:
		return err
	case no != nil:
		return fmt.Errorf("%w: %s", errBarred, google.Clean(no.Why))
	}
	if why := cloud.grant.Undeployable(template.Bound(d.Template())); why != "" {
		return fmt.Errorf("%w: %s", errBarred, why)
	}
	return cloud.Deployer.SetTemplate(ctx, ref, d)
}

// mayDeploy says why the pass may not deploy a template to a service. It is no text of
// others: what it quotes has the form of a name.
func (p *guarded) mayDeploy(ctx context.Context, ref rollout.ServiceRef, t rollout.Template) (string, error) {
	grant, no, err := p.admit(ctx, ref)
	switch {
	case err != nil:
		return "", err
	case no != nil:
		return google.Clean(no.Why), nil
	}
	return grant.Undeployable(template.Bound(t)), nil
}

// stillMay asks the apiserver what the cache was asked before.
func (p *guarded) stillMay(ctx context.Context, ref rollout.ServiceRef, t rollout.Template) (rollout.Service, string, error) {
	ctx, cancel := context.WithTimeout(ctx, glanceTimeout)
	defer cancel()
	grant, no, err := admit(ctx, p.gate.Live, p.namespace, ref)
	switch {
	case err != nil:
		return rollout.Service{}, "", err
	case no != nil:
		return barred(no), "", nil
	case t.IsZero():
		return rollout.Service{Presence: rollout.Found}, "", nil
	}
	return rollout.Service{Presence: rollout.Found}, grant.Undeployable(template.Bound(t)), nil
}

// barred is a service that may not be looked at.
func barred(no *access.Refusal) rollout.Service {
	return rollout.Service{Presence: rollout.Denied, Detail: google.Clean(no.Why), Remedy: no.Remedy}
}

// Listed implements Watcher. What may not be looked at is in no list, so that a live
// read says why.
func (p *guarded) Listed(
	ctx context.Context, ref rollout.ServiceRef, now time.Time, maxAge time.Duration,
) (rollout.Service, bool, error) {
	cloud, no, err := p.behind(ctx, ref)
	if err != nil || no != nil {
		return rollout.Service{}, false, nil //nolint:nilerr // the live read that follows meets it again
	}
	p.of = ref
	return cloud.Watcher.Listed(ctx, ref, now, maxAge)
}

// Remembered implements Watcher.
func (p *guarded) Remembered(
	ctx context.Context, ref rollout.ServiceRef, names []string, now time.Time, maxAge time.Duration,
) (map[string]rollout.Revision, error) {
	cloud, no, err := p.behind(ctx, ref)
	switch {
	case err != nil:
		return nil, err
	case no != nil:
		return withheld(names, no), nil
	}
	return cloud.Watcher.Remembered(ctx, ref, names, now, maxAge)
}

// Answer implements Metrics. What may not be asked is answered like what Google denies.
func (p *guarded) Answer(ctx context.Context, questions []analysis.Question, now time.Time) (analysis.Answers, error) {
	cloud, no, err := p.behind(ctx, p.of)
	open, scope := err == nil && no == nil, p.scope(ctx, cloud.grant.As())
	answers := analysis.Answers{}
	var asked []analysis.Question
	for _, q := range questions {
		if open && scope.Admits(q.Source) {
			asked = append(asked, q)
		} else {
			answers[q.Series] = analysis.Answer{Cause: analysis.CauseDenied, Detail: p.denied(ctx, q.Source)}
		}
	}
	if len(asked) == 0 {
		return answers, nil
	}
	got, err := cloud.Answer(monitoring.Within(ctx, scope), asked, now)
	maps.Copy(answers, got)
	return answers, err
}

// denied says why a source may not be asked about, and of a gateway what the platform
// team would write.
func (p *guarded) denied(ctx context.Context, source analysis.Source) string {
	grant, no, err := p.admit(ctx, p.of)
	switch {
	case err != nil:
		return google.Clean(err.Error())
	case no != nil:
		return google.Clean(no.Why)
	case source.IsGateway():
		return grant.Outside(google.Clean(source.Project))
	case source.IsQuery() && !grant.Queries():
		return grant.NoQueries()
	}
	return "no CloudRunAccess lets this namespace ask that"
}

// scope is what the pass may ask about as an account. Others look at it when the pass is
// over.
func (p *guarded) scope(ctx context.Context, as string) monitoring.Scope {
	ctx, of := context.WithoutCancel(ctx), p.of
	return monitoring.Scope{
		Admits: func(source analysis.Source) bool {
			grant, no, err := p.admit(ctx, of)
			if err != nil || no != nil || grant.As() != as {
				return false
			}
			if source.IsGateway() {
				return grant.LooksInto(source.Project)
			}
			if source.IsQuery() && !grant.Queries() {
				return false
			}
			return rollout.ServiceRef{Project: source.Project, Location: source.Location, Name: source.Service} == of
		},
		Everything: func(source analysis.Source) bool {
			grant, no, err := p.admit(ctx, of)
			return err == nil && no == nil && grant.As() == as && (source.IsGateway() || grant.Everything())
		},
	}
}

// Outlet implements Outlets.
func (p *guarded) Outlet(
	ctx context.Context, ref rollout.ServiceRef, revisions []rollout.Revision, named []analysis.Source, now time.Time,
) (rollout.Outlet, error) {
	cloud, no, err := p.behind(ctx, ref)
	switch {
	case err != nil:
		return rollout.Outlet{}, err
	case no != nil:
		return rollout.Outlet{Presence: rollout.Denied, Detail: google.Clean(no.Why)}, nil
	}
	return cloud.Outlets.Outlet(gateway.Within(ctx, cloud.grant.Outside), ref, revisions, named, now)
}

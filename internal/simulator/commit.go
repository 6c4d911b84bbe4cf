package simulator

import (
	"cmp"
	"maps"
	"reflect"
	"time"
)

// change is a checked write that is about to happen.
type change struct {
	next      Service
	author    string
	force     bool       // a new revision even where the template is the same
	behaviour *Behaviour // of the revision it makes, if known
}

// create makes a service and lets its first revision start.
func (w *World) create(req CreateRequest, author string) (Operation, error) {
	n, ok := parseServiceName(req.Parent + "/services/" + req.ID)
	if !ok {
		return Operation{}, invalid("parent", "Invalid resource name '%s'", req.Parent)
	}
	if _, err := w.service(n.String()); err == nil {
		return Operation{}, serviceExists(n)
	}
	next, err := w.normal(n, projectNumber(n.Project), req.Service)
	if err != nil {
		return Operation{}, err
	}
	if req.ValidateOnly {
		return w.rehearsal(n, next), nil
	}
	s := w.found(n, next, author)
	w.services = append(w.services, s)
	w.deployed(s, nil)
	w.start(s.newest())
	w.tell(Event{Kind: EventDesired, Service: s.Name, Author: author, Split: s.resolve(s.Traffic)})
	return w.underWay(s), nil
}

// found is a service at the moment of its creation.
func (w *World) found(n serviceName, spec Service, author string) *service {
	now := w.stampNow()
	s := &service{
		Service:   spec,
		name:      n,
		number:    projectNumber(n.Project),
		behaviour: map[string]Behaviour{},
		dice:      newDice(w.scenario.Seed, "users of "+n.String()),
		stopwatch: newDice(w.scenario.Seed, "latencies of "+n.String()),
		tags:      map[string]Timestamp{},
	}
	s.Name, s.UID, s.Generation = n.String(), w.naming.uuid(), 1
	s.CreateTime, s.UpdateTime = now, now
	s.Creator, s.LastModifier = author, author
	s.Etag = etagOf(now, s.Name)
	s.TerminalCondition = &Condition{State: ConditionPending}
	return s
}

// commit carries a checked write out.
func (w *World) commit(s *service, c change) Operation {
	c.next.Etag, c.next.UpdateTime = s.Etag, s.UpdateTime
	same := reflect.DeepEqual(writable(c.next), writable(s.Service)) && !c.force
	template := c.force || !c.next.Template.sameConfig(s.Template) || s.lacks(c.next.Template.Revision)
	before := s.resolve(s.Traffic)

	s.Service = c.next
	s.UpdateTime = w.stampNow()
	s.Etag = etagOf(s.UpdateTime, s.Name)
	s.LastModifier = c.author
	if !same || w.scenario.Switches.NoopPatch == "bumped" {
		s.Generation++
	}
	w.limitTags(s)
	if template {
		w.take(s, c)
	}
	if after := s.resolve(s.Traffic); !maps.Equal(before, after) {
		w.tell(Event{Kind: EventDesired, Service: s.Name, Author: c.author, Split: after})
	}
	if s.TerminalCondition != nil {
		pending := Condition{Type: "Ready", State: ConditionPending, LastTransitionTime: s.TerminalCondition.LastTransitionTime}
		s.TerminalCondition = &pending
	}
	return w.underWay(s)
}

// writable is what a caller can change of a service.
func writable(s Service) Service {
	return Service{
		Description: s.Description, Labels: s.Labels, Annotations: s.Annotations, Client: s.Client,
		ClientVersion: s.ClientVersion, Ingress: s.Ingress, LaunchStage: s.LaunchStage, Template: s.Template,
		Traffic: s.Traffic, Scaling: s.Scaling, InvokerIAMDisabled: s.InvokerIAMDisabled,
		DefaultURIDisabled: s.DefaultURIDisabled, CustomAudiences: s.CustomAudiences,
	}
}

// take makes the revision that the template describes, unless it names one that is there,
// which was found to have the same configuration: that one is the latest again, and the latest
// ready one once the change is applied ([World.reconcile]).
func (w *World) take(s *service, c change) {
	r := s.revision(s.Template.Revision)
	if r == nil || c.force {
		w.deployed(s, c.behaviour)
		w.start(s.newest())
		return
	}
	s.latestCreated = s.name.revision(r.name)
	s.templateWrite = true
	if w.scenario.Switches.LatestCreated == "onCreate" {
		s.LatestCreatedRevision = s.latestCreated
	}
}

// lacks tells whether a name is asked for that no revision has yet.
func (s *service) lacks(revision string) bool {
	return revision != "" && s.revision(revision) == nil
}

// underWay begins the reconciliation of what has just been written.
func (w *World) underWay(s *service) Operation {
	s.Reconciling, s.due = true, false
	op := w.newOperation(s)
	s.remember()
	generation := s.Generation
	updated := s.UpdateTime
	least := time.Duration(w.scenario.Timing.Reconcile)
	w.agenda.add(w.now.Add(w.pace.between(least, least+600*time.Millisecond)), func() {
		if s.Generation == generation && s.UpdateTime == updated {
			s.due = true
			w.reconcile(s)
			s.remember()
		}
	})
	return op.view()
}

// reconcile brings the service as near to its desired state as can be now. It
// ends when both the split and the newest revision have their verdict.
func (w *World) reconcile(s *service) {
	if !s.due || !s.Reconciling || w.lasting(FaultStuck, s.Name, w.now) != nil {
		return
	}
	newest := s.newest()
	waiting, err := s.obstacle(s.Traffic)
	if waiting && err == nil {
		return
	}
	broken := newest != nil && newest.phase == failed
	if err == nil && broken && !s.templateWrite && w.scenario.Switches.TrafficWithFailedTemplate == "refused" {
		err = &OperationError{Code: codeFailedPrecondition, Message: newest.notReady()}
	}
	if f := w.lasting(FaultFail, s.Name, w.now); err == nil && f != nil {
		err = &OperationError{Code: codeInternal, Message: cmp.Or(f.Message, "Internal system error, please try again later.")}
	}
	if err == nil {
		if r := s.revision(shortName(s.latestCreated)); r != nil && r.phase == ready {
			w.isLatest(r)
		}
		w.apply(s, s.LastModifier)
	}
	if newest != nil && newest.phase == starting {
		return
	}
	w.settle(s, err)
}

// settle ends a reconciliation.
func (w *World) settle(s *service, routes *OperationError) {
	newest := s.newest()
	s.Reconciling = false
	s.LatestCreatedRevision = s.latestCreated
	now := stamp(w.now)
	routesReady := condition("RoutesReady", routes, stamp(w.now.Add(-40*time.Millisecond)))
	configured := Condition{Type: "ConfigurationsReady", State: ConditionSucceeded, LastTransitionTime: stamp(s.CreateTime.Add(103 * time.Millisecond))}
	verdict := condition("Ready", routes, now)
	outcome := routes
	if newest != nil && newest.phase == failed {
		configured.State, configured.Message = ConditionFailed, newest.notReady()
		configured.RevisionReason, configured.LastTransitionTime = newest.failure.Reason, newest.updated
		verdict = configured
		verdict.Type, verdict.LastTransitionTime = "Ready", now
		if outcome == nil && s.templateWrite {
			outcome = &OperationError{Code: codeFailedPrecondition, Message: newest.notReady()}
		}
	}
	switch old := s.condition("ConfigurationsReady"); {
	case old.State == configured.State:
		configured.LastTransitionTime = old.LastTransitionTime
	case old.State == ConditionFailed && newest != nil:
		configured.LastTransitionTime = newest.readyAt
	}
	s.Conditions = []Condition{routesReady, configured}
	s.TerminalCondition = &verdict
	if outcome == nil {
		s.ObservedGeneration = s.Generation
	}
	if w.scenario.Switches.UpdateTimeOnSettle == "changed" {
		s.UpdateTime = w.stampNow()
		s.Etag = etagOf(s.UpdateTime, s.Name)
	}
	s.templateWrite = false
	s.finish(outcome)
	w.tell(Event{Kind: EventSettled, Service: s.Name, Text: outcome.text()})
}

func (e *OperationError) text() string {
	if e == nil {
		return ""
	}
	return e.Message
}

func condition(kind string, err *OperationError, at Timestamp) Condition {
	if err == nil {
		return Condition{Type: kind, State: ConditionSucceeded, LastTransitionTime: at}
	}
	return Condition{Type: kind, State: ConditionFailed, Message: err.Message, LastTransitionTime: at}
}

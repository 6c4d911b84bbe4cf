package simulator

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// host sets up a service that exists when the world begins: its revisions were
// made a day apart and are ready, its split is in force.
func (w *World) host(h Hosted) error {
	n := serviceName{h.Project, h.Location, h.Name}
	if _, err := w.service(n.String()); err == nil {
		return fmt.Errorf("service %s: it exists twice", n)
	}
	hour := w.pace.between(0, time.Hour)
	day := func(i int) time.Time {
		return w.scenario.Start.AddDate(0, 0, i-len(h.Revisions)).Add(hour)
	}
	spec := Service{Labels: h.Labels, Annotations: h.Annotations, Scaling: h.Scaling, Traffic: h.Traffic, Ingress: h.Ingress}
	spec.Template = h.Revisions[0].onto(Template{})
	spec, err := w.normal(n, projectNumber(h.Project), spec)
	if err != nil {
		return fmt.Errorf("service %s: %w", n, err)
	}
	s := w.found(n, spec, w.scenario.Caller)
	s.users = h.Users
	s.behaviour = maps.Clone(h.Images)
	created := stamp(day(0))
	s.CreateTime = created
	for i, d := range h.Revisions {
		if err := w.existing(s, d, stamp(day(i))); err != nil {
			return fmt.Errorf("service %s: revisions[%d]: %w", n, i, err)
		}
	}
	if len(h.Traffic) > 0 {
		for i := range s.Traffic {
			s.Traffic[i].Revision = s.named(s.Traffic[i].Revision)
		}
	}
	if _, blocked := s.obstacle(s.Traffic); blocked != nil {
		return fmt.Errorf("service %s: traffic: %s", n, blocked.Message)
	}
	w.settled(s)
	w.limitRevisions(s)
	w.services = append(w.services, s)
	return nil
}

// existing adds a revision from before the beginning.
func (w *World) existing(s *service, d Deployment, at Timestamp) error {
	s.Template = d.onto(s.Template).withDefaults(s.number)
	s.UpdateTime, s.Generation = at, int64(len(s.revisions)+1)
	r := w.deployed(s, d.Behaviour)
	r.phase, r.readyAt = ready, stamp(at.Add(r.behaviour.readyAfter()))
	var err error
	if w.plant != nil {
		err = w.house(r)
	}
	s.LatestReadyRevision = s.name.revision(r.name)
	w.tell(Event{Kind: EventRevisionReady, Service: s.Name, Revision: r.name})
	return err
}

// settled puts the split in force as if it had been for long.
func (w *World) settled(s *service) {
	s.Etag = etagOf(s.UpdateTime, s.Name)
	w.tell(Event{Kind: EventDesired, Service: s.Name, Author: s.LastModifier, Split: s.resolve(s.Traffic)})
	w.apply(s, s.LastModifier)
	s.formerly, s.switchedAt = s.routes, s.UpdateTime.Time
	for _, r := range s.revisions {
		if !r.addressable.IsZero() {
			r.addressable = r.readyAt
		}
	}
	w.settle(s, nil)
	done := stamp(s.UpdateTime.Add(time.Duration(w.scenario.Timing.Reconcile)))
	s.TerminalCondition.LastTransitionTime = done
	s.Conditions[0].LastTransitionTime = stamp(done.Add(-40 * time.Millisecond))
	s.remember()
}

// named turns "#2", the second revision of a service, into its name.
func (s *service) named(text string) string {
	for _, r := range s.revisions {
		if text == fmt.Sprintf("#%d", r.number) {
			return r.name
		}
	}
	return text
}

// onto is the template that results when the deployment is made with a service
// whose template is given.
func (d Deployment) onto(t Template) Template {
	t = t.clone()
	t.Revision = d.Revision
	if len(t.Containers) == 0 {
		t.Containers = []Container{{}}
	}
	if d.Image != "" {
		t.Containers[0].Image = d.Image
	}
	for _, name := range slices.Sorted(maps.Keys(d.Env)) {
		t.Containers[0].setEnv(EnvVar{Name: name, Value: d.Env[name]})
	}
	if d.Labels != nil {
		t.Labels = maps.Clone(d.Labels)
	}
	if d.Annotations != nil {
		t.Annotations = maps.Clone(d.Annotations)
	}
	if d.VPCAccess != nil {
		t.VPCAccess = d.VPCAccess
	}
	if d.Scaling != nil {
		c := *d.Scaling
		t.Scaling = &c
	}
	if d.Timeout != "" {
		t.Timeout = d.Timeout
	}
	if d.Concurrency != 0 {
		t.Concurrency = d.Concurrency
	}
	if d.SessionAffinity != nil {
		t.SessionAffinity = *d.SessionAffinity
	}
	if d.HealthCheckDisabled != nil {
		t.HealthCheckDisabled = *d.HealthCheckDisabled
	}
	return t
}

func (c *Container) setEnv(v EnvVar) {
	for i := range c.Env {
		if c.Env[i].Name == v.Name {
			c.Env[i] = v
			return
		}
	}
	c.Env = append(c.Env, v)
}

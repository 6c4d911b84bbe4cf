package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// human is the author of a change whose author is not named.
const human = "someone@example.com"

// Deploy makes a new revision, as a person or a pipeline does: the template
// changes, the split does not. Where the split follows LATEST, the revision
// gets its share the moment it is ready. The result is its short name.
func (w *World) Deploy(service string, d Deployment) (string, error) {
	s, err := w.find(service)
	if err != nil {
		return "", err
	}
	if err := cmp.Or(d.check(), w.scenario.checkBehaviour(d.Behaviour)); err != nil {
		return "", err
	}
	next := s.clone()
	next.Template = d.onto(next.Template)
	next, err = w.normal(s.name, s.number, next)
	if err != nil {
		return "", err
	}
	if r := s.revision(d.Revision); r != nil {
		return "", revisionExists(r.name)
	}
	w.commit(s, change{next: next, author: cmp.Or(d.By, human), force: true, behaviour: d.Behaviour})
	return s.newest().name, nil
}

// EditTraffic writes a split as a person does. A revision may be given as "#2",
// the second that the service ever had.
func (w *World) EditTraffic(service string, split []TrafficTarget, author string) error {
	s, err := w.find(service)
	if err != nil {
		return err
	}
	next := s.clone()
	next.Traffic = slices.Clone(split)
	for i := range next.Traffic {
		next.Traffic[i].Revision = s.named(next.Traffic[i].Revision)
	}
	if next, err = w.normal(s.name, s.number, next); err != nil {
		return err
	}
	w.commit(s, change{next: next, author: cmp.Or(author, human)})
	return nil
}

// LoseRevision deletes a revision, whatever goes to it.
func (w *World) LoseRevision(name string) error {
	s, r, err := w.findRevision(name)
	if err != nil {
		return err
	}
	r.phase = lost
	s.revisions = slices.DeleteFunc(s.revisions, func(o *revision) bool { return o == r })
	s.gone = append(s.gone, r)
	r.bury()
	w.tell(Event{Kind: EventRevisionLost, Service: s.Name, Revision: r.name})
	return nil
}

// FailRevision takes a revision's readiness away. Requests still go to it.
func (w *World) FailRevision(name string, why StartupFailure) error {
	_, r, err := w.findRevision(name)
	if err != nil {
		return err
	}
	r.updated = stamp(w.now)
	w.giveUp(r, why)
	return nil
}

// LoseService deletes a service. A later one of the same name has another uid.
func (w *World) LoseService(name string) error {
	s, err := w.find(name)
	if err != nil {
		return err
	}
	for _, r := range s.revisions {
		r.bury()
	}
	w.services = slices.DeleteFunc(w.services, func(o *service) bool { return o == s })
	return nil
}

// SetUsers changes the rate at which requests come, from now on, to a service or to
// a load balancer that is named in its place.
func (w *World) SetUsers(service string, requestsPerSecond float64) error {
	users, err := w.usersOf(service)
	if err != nil {
		return err
	}
	if requestsPerSecond < 0 {
		return fmt.Errorf("service %s: requestsPerSecond is negative", service)
	}
	*users = Users{RequestsPerSecond: requestsPerSecond, SessionLength: users.SessionLength}
	return nil
}

func (w *World) usersOf(name string) (*Users, error) {
	s, err := w.find(name)
	if err == nil {
		return &s.users, nil
	}
	if w.plant != nil {
		for i := range w.plant.balancers {
			if b := &w.plant.balancers[i]; b.Name == name {
				return &b.Users, nil
			}
		}
	}
	return nil, err
}

// Services lists the full names of the services.
func (w *World) Services() []string {
	names := make([]string, 0, len(w.services))
	for _, s := range w.services {
		names = append(names, s.Name)
	}
	return names
}

// State is what matters of a service, without a call.
func (w *World) State(service string) (State, error) {
	s, err := w.find(service)
	if err != nil {
		return State{}, err
	}
	return *s.state(), nil
}

// happen carries out a moment of the scenario's timeline. What cannot be done
// then is told in the log.
func (w *World) happen(m Moment) {
	var err error
	switch {
	case m.Deploy != nil:
		_, err = w.Deploy(w.only(m.Service), *m.Deploy)
	case m.EditTraffic != nil:
		err = w.EditTraffic(w.only(m.Service), m.EditTraffic.Traffic, m.EditTraffic.By)
	case m.LoseRevision != "":
		err = w.LoseRevision(w.numbered(m.Service, m.LoseRevision))
	case m.FailRevision != "":
		err = w.FailRevision(w.numbered(m.Service, m.FailRevision), StartupFailure{})
	case m.Users != nil:
		err = w.SetUsers(w.only(m.Service), *m.Users)
	case m.Fault != nil:
		err = w.Inject(*m.Fault)
	case m.ClearFaults:
		w.ClearFaults()
	}
	if err != nil {
		w.tell(Event{Kind: EventFault, Text: fmt.Sprintf("timeline at %v: %v", time.Duration(m.At), err)})
	}
}

// only is the name of the service meant where none is named and there is one.
func (w *World) only(service string) string {
	if service == "" && len(w.services) == 1 {
		return w.services[0].Name
	}
	return service
}

// numbered turns "#2" into the name of a service's second revision.
func (w *World) numbered(service, revision string) string {
	if s, err := w.find(w.only(service)); err == nil {
		return s.named(revision)
	}
	return revision
}

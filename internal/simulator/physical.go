package simulator

import (
	"cmp"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/fleet"
	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// house makes a revision's counterpart in the fleet. Where its network does not
// exist there is none that could run; the error says why.
func (w *World) house(r *revision) error {
	s, t, b := r.service, r.template, r.behaviour
	public := w.plant.public[s.Name]
	if public == nil {
		public = w.plant.fleet.NewService(s.Name)
		w.plant.public[s.Name] = public
	}
	spec := fleet.Spec{
		Name: r.name, Build: t.image(), Concurrency: t.Concurrency, Timeout: timeoutOf(t),
		ReadyAfter: b.readyAfter().Seconds(), Probe: probeOf(t), Fails: b.Startup.Fails != nil,
		Latency: b.latency().Seconds(), Spread: b.LatencySpread, Sticky: t.SessionAffinity,
	}
	if b.Assets != nil {
		spec.Assets, spec.Shared = b.Assets.PerPage, b.Assets.DeploymentID
	}
	exit, err := w.plant.exit(t, s.name.Location)
	if err != nil {
		r.hosted = w.plant.fleet.Add(public, spec)
		return err
	}
	spec.Exit = exit
	if err := w.plant.describe(&spec, b, s.Name); err != nil {
		r.hosted = w.plant.fleet.Add(public, spec)
		return err
	}
	r.hosted = w.plant.fleet.Add(public, spec)
	return nil
}

// describe adds what an image calls.
func (p *plant) describe(spec *fleet.Spec, b Behaviour, self string) error {
	calls, err := p.calls(b.Calls, self)
	if err != nil {
		return err
	}
	spec.Calls = calls
	for _, c := range b.Startup.Calls {
		made, err := p.call(c.Outgoing, self)
		if err != nil {
			return err
		}
		spec.Opens = append(spec.Opens, fleet.Open{Call: made, Connections: cmp.Or(c.Connections, 1), Required: c.Required})
	}
	return nil
}

func timeoutOf(t Template) float64 {
	d, err := time.ParseDuration(t.Timeout)
	if err != nil || d <= 0 {
		d = 300 * time.Second
	}
	return d.Seconds()
}

// probeOf is how long the startup probe waits.
func probeOf(t Template) float64 {
	if len(t.Containers) == 0 || t.Containers[0].StartupProbe == nil {
		return 240
	}
	p := t.Containers[0].StartupProbe
	return float64(p.InitialDelaySeconds + max(1, p.PeriodSeconds)*max(1, p.FailureThreshold))
}

// startInstance starts the one instance that the health check of a new revision
// needs.
func (w *World) startInstance(r *revision, err error) {
	switch {
	case err != nil:
		w.agenda.add(w.now.Add(time.Second), func() {
			w.examined(r, &StartupFailure{Reason: "VPC_NETWORK_NOT_FOUND", Message: err.Error()})
		})
	case r.template.HealthCheckDisabled:
		w.agenda.add(w.now.Add(time.Second), func() { w.examined(r, nil) })
	default:
		w.bound(r.service, r)
		r.hosted.HealthCheck()
	}
}

// examined ends a revision's start, well or for a reason.
func (w *World) examined(r *revision, why *StartupFailure) {
	if r.phase != starting {
		return
	}
	r.updated = stamp(w.now)
	if why != nil {
		w.giveUp(r, *why)
	} else {
		w.becomeReady(r)
	}
	w.reconcile(r.service)
	r.service.remember()
}

// bury ends a deleted revision's instances.
func (r *revision) bury() {
	if r.hosted != nil {
		r.hosted.Lose()
	}
}

// rate is how many requests a second users send to a service.
func (w *World) rate(s *service, second time.Time) float64 {
	since := second.Sub(w.scenario.Start)
	return s.users.at(since) + w.balanced(since, func(p LBPath) bool {
		return p.Service != "" && (p.Service == s.Name || p.Service == s.name.Service)
	})
}

func (w *World) machineRate(m *machinery, second time.Time) float64 {
	since := second.Sub(w.scenario.Start)
	return m.Users.at(since) + w.balanced(since, func(p LBPath) bool { return p.Machines == m.Name })
}

// balanced is how many requests a second load balancers send along some paths.
func (w *World) balanced(since time.Duration, wanted func(LBPath) bool) float64 {
	rate := 0.0
	for _, b := range w.plant.balancers {
		for _, p := range b.Paths {
			if wanted(p) {
				rate += b.Users.at(since) * p.Share / 100
			}
		}
	}
	return rate
}

// operate is one second of a physical world.
func (w *World) operate(second time.Time) {
	p := w.plant
	p.fleet.Begin(second)
	for _, s := range w.services {
		w.crowd(s, second)
	}
	for _, m := range p.machines {
		m.hosted.Arrive(m.dice.poisson(w.machineRate(m, second)))
	}
	p.fleet.Run()
	for _, m := range p.machines {
		m.minute.add(tallyOf(m.hosted.Take()))
	}
	for _, s := range w.services {
		for _, r := range s.revisions {
			w.collect(r, second)
		}
		for _, r := range s.gone {
			w.collect(r, second)
		}
	}
}

// crowd lets a service's users send their requests.
func (w *World) crowd(s *service, second time.Time) {
	public, rate := w.plant.public[s.Name], w.rate(s, second)
	public.Internal = s.Ingress != ingressAll
	paths := w.paths(nil, s, second)
	public.Shares = public.Shares[:0]
	for _, p := range paths {
		public.Shares = append(public.Shares, fleet.Share{Revision: p.revision.hosted, Part: p.share})
	}
	for _, r := range s.revisions {
		w.bound(s, r)
	}
	for _, p := range s.stick(paths) {
		r := p.revision
		r.life.minute.percent += 100 * p.share
		if r.hosted.Mix = r.hosted.Mix[:0]; len(r.behaviour.Errors) > 0 {
			var space [8]outcome
			for _, o := range r.behaviour.at(second.Sub(r.created.Time), 100*p.share, space[:0]) {
				r.hosted.Mix = append(r.hosted.Mix, fleet.Outcome{Share: o.share, Code: o.code, Latency: o.latency.Seconds(), Spread: o.spread})
			}
		}
		r.hosted.Arrive(s.dice.poisson(rate * p.share))
	}
}

// collect writes down what has happened at a revision.
func (w *World) collect(r *revision, second time.Time) {
	report := r.hosted.Take()
	if report.Arrived > 0 || report.Refused > 0 {
		t := Tally{Arrived: report.Arrived, Unreached: report.Refused}
		r.life.at(second.Unix()).add(t)
		r.life.minute.tally.add(t)
	}
	for _, e := range report.Ended {
		o := outcome{code: e.Code, latency: time.Duration(e.Latency * float64(time.Second)), spread: e.Spread}
		r.life.end(second.Unix(), ending{o, e.Count}, r.service.stopwatch)
	}
	r.warm(w.now)
	for _, e := range report.Events {
		w.hear(r, e)
	}
}

// hear takes note of what became of an instance.
func (w *World) hear(r *revision, e fleet.Event) {
	switch {
	case e.Healthy:
		w.examined(r, nil)
		return
	case e.First:
		why := StartupFailure{}
		if r.behaviour.Startup.Fails != nil {
			why = *r.behaviour.Startup.Fails
		} else if e.Failure != "" && r.hosted.Short() {
			why.Message = e.Failure
		}
		w.examined(r, &why)
	}
	w.tell(Event{Kind: EventInstanceFailed, Service: r.service.Name, Revision: r.name, Text: e.Failure})
}

func tallyOf(report fleet.Report) Tally {
	t := Tally{Arrived: report.Arrived, Unreached: report.Refused}
	for _, e := range report.Ended {
		t.Ended += e.Count
		if e.Code >= 500 {
			t.Failed += e.Count
		}
	}
	return t
}

// bound says how many instances a revision may have: the smaller of its own
// maximum and its part of the service's, and no more than the quota of Direct VPC
// egress; and how many it must have.
func (w *World) bound(s *service, r *revision) {
	most, least := r.template.Scaling.MaxInstanceCount, 0
	if !r.addressable.IsZero() {
		least = r.minimum()
	}
	if c := s.Scaling; c != nil {
		if part := s.part(r, c.MaxInstanceCount); part > 0 {
			most = min(most, part)
		}
		least = max(least, s.part(r, c.MinInstanceCount))
	}
	if e := r.hosted.Exit; e.Egress != "" && e.Connector == nil {
		most = min(most, w.scenario.Network.InstanceQuota)
	}
	r.hosted.Limits = fleet.Limits{Min: min(least, most), Max: most}
}

// part is a revision's part of a number of instances that is divided by percent.
// What rounding leaves goes to the entries from the first on
// [docs run/configuring/min-instances: 3 at 50/50 is 2 and 1].
func (s *service) part(r *revision, total int) int {
	if total == 0 || len(s.routes) == 0 {
		return 0
	}
	left, own, got := total, 0, 0
	for _, o := range s.routes {
		n := total * o.percent / 100
		left -= n
		if o.revision == r {
			own += n
			got++
		}
	}
	if got == 0 {
		return 0
	}
	for _, o := range s.routes[:min(left, len(s.routes))] {
		if o.revision == r {
			own++
		}
	}
	return max(1, own)
}

// warm notes since when the minimum instances are there.
func (r *revision) warm(now time.Time) {
	n := r.minimum()
	switch {
	case n == 0 || r.addressable.IsZero():
		r.provisioned = Timestamp{}
	case r.provisioned.IsZero() && r.hosted.Ready() >= n:
		r.provisioned = stamp(now)
	}
}

// NetworkStatus is how full gateways and subnetworks are; false in a world without
// a network. Gateways are in the order of the scenario.
func (w *World) NetworkStatus() (network.Status, bool) {
	if w.plant == nil {
		return network.Status{}, false
	}
	return w.plant.net.Status(), true
}

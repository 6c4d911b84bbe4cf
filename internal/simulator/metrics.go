package simulator

import (
	"cmp"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// reporter turns each minute of the world into data points, which become
// visible later, each at its own time.
type reporter struct {
	store *series.Store
	luck  map[string]dice          // by metric type
	delay map[string]time.Duration // by metric type, the longest
}

// apart are the metrics that have a luck of their own. The others share one.
var apart = []string{series.RequestLatencies, series.PendingRequests}

func newReporter(sc Scenario) reporter {
	r := reporter{store: series.NewStore(), luck: map[string]dice{}, delay: map[string]time.Duration{}}
	common := newDice(sc.Seed, "metrics")
	if descriptors, err := r.store.Descriptors(""); err == nil {
		for _, d := range descriptors {
			r.delay[d.Type], r.luck[d.Type] = d.IngestDelay, common
		}
	}
	for _, metric := range apart {
		r.luck[metric] = newDice(sc.Seed, "metrics "+metric)
	}
	r.store.Switches = series.Switches{
		PeriodsFromEpoch:      sc.Switches.AlignmentPeriods == "fromEpoch",
		KeepProject:           sc.Switches.ReducedProject == "kept",
		UnknownMetricNotFound: sc.Switches.UnknownMetric == "notFound",
		RejectUnknownLabels:   sc.Switches.UnknownLabels == "refused",
	}
	longest := 180 * time.Second
	if sc.Switches.RequestCountVisible == "after120s" {
		longest = 120 * time.Second
	}
	for _, metric := range []string{series.RequestCount, series.RequestLatencies} {
		r.delay[metric] = longest
		r.store.SetIngestDelay(metric, longest)
	}
	return r
}

// Series is where the data points are kept.
func (w *World) Series() *series.Store { return w.reporter.store }

// closeMinute reports the minute that ends now.
func (w *World) closeMinute(end time.Time) {
	for _, s := range w.services {
		w.reportService(s, end)
	}
	w.reportGateways(end)
	for _, s := range w.services {
		for _, r := range slices.Concat(s.gone, s.revisions) {
			if m := &r.life.minute; m.tally != (Tally{}) {
				tally := m.tally
				w.tell(Event{Kind: EventTally, Service: s.Name, Revision: r.name, Tally: &tally})
			}
			r.life.minute.reset()
		}
	}
}

func (w *World) reportGateways(end time.Time) {
	if w.plant != nil {
		w.plant.gateways = w.plant.net.Minute()
		for i, m := range w.plant.gateways {
			w.reportNetwork(&w.scenario.Gateways[i], m, end)
		}
		w.keepMinute(end)
		return
	}
	for i := range w.scenario.Gateways {
		w.reportGateway(&w.scenario.Gateways[i], end)
	}
}

// reset begins a new minute. The codes stay known, with a count of zero.
func (m *minute) reset() {
	for i := range m.codes {
		m.codes[i] = codeCount{code: m.codes[i].code}
	}
	*m = minute{codes: m.codes}
}

// instancesByLoad follows the traffic: what is needed is active, what was needed in
// the last 15 minutes is idle.
func (w *World) instancesByLoad(r *revision, end time.Time) (active, idle int) {
	most := r.template.Scaling.MaxInstanceCount
	active = min(most, instancesFor(r.life.minute.inFlight/60, r.template.Concurrency))
	if r.phase == starting || (r.phase == ready && end.Sub(r.readyAt.Time) < time.Minute) {
		r.life.keep(max(1, active), end) // the health check of a new revision runs one
	}
	if !r.addressable.IsZero() && r.phase == ready {
		r.life.keep(min(most, max(r.minimum(), active)), end)
	}
	r.life.keep(active, end)
	return active, r.life.kept(end) - active
}

// reportInstances writes how many instances a revision has.
func (w *World) reportInstances(r *revision, end time.Time) {
	active, idle := w.instancesOf(r, end)
	zero := w.scenario.Switches.ZeroSeries == "zero" && r.phase == ready
	for _, state := range []struct {
		name  string
		count int
	}{{"active", active}, {"idle", idle}} {
		if active+idle == 0 && !zero {
			continue
		}
		w.record(series.Point{
			Type: series.InstanceCount, ResourceType: series.ResourceRevision, Resource: r.labels(),
			Labels: map[string]string{"state": state.name}, End: end, Value: series.Int(int64(state.count)),
		})
	}
}

func (w *World) reportGateway(g *Gateway, end time.Time) {
	since := end.Sub(w.scenario.Start)
	zero := w.scenario.Switches.ZeroSeries == "zero"
	point := w.gatewayPoint(g, end)
	for _, d := range w.drops(g, since) {
		if d.packets > 0 || (zero && g.AllocatedPorts > 0) {
			point(series.DroppedSentPackets, map[string]string{"ip_protocol": d.protocol, "reason": d.reason}, series.Int(int64(d.packets)))
		}
	}
	failing := slices.ContainsFunc(g.AllocationFailures, func(i Interval) bool { return i.holds(since) })
	if failing || (zero && g.AllocatedPorts > 0) {
		point(series.AllocationFailed, nil, series.Bool(failing))
	}
	if g.AllocatedPorts == 0 {
		return
	}
	for _, ip := range g.IPs {
		point(series.AllocatedPorts, map[string]string{"nat_ip": ip}, series.Int(int64(g.AllocatedPorts)))
	}
	point(series.OpenConnections, map[string]string{"ip_protocol": "TCP"}, series.Int(int64(g.OpenConnections)))
}

// gatewayPoint makes data points of a gateway's minute.
func (w *World) gatewayPoint(g *Gateway, end time.Time) func(string, map[string]string, series.Value) {
	resource := map[string]string{
		"project_id": g.Project, "region": g.Region, "router_id": g.RouterID, "gateway_name": g.Name,
	}
	return func(kind string, labels map[string]string, v series.Value) {
		w.record(series.Point{
			Type: kind, ResourceType: series.ResourceGateway, Resource: resource, Labels: labels,
			Start: end.Add(-time.Minute), End: end, Value: v,
		})
	}
}

// dropped is how many packets of a protocol were dropped for a reason.
type dropped struct {
	protocol, reason string
	packets          int
}

// drops sums a gateway's causes per series; the usual series is always there.
func (w *World) drops(g *Gateway, since time.Duration) []dropped {
	sums := []dropped{{protocol: "TCP", reason: "OUT_OF_RESOURCES"}}
	for _, d := range g.Drops {
		i := slices.IndexFunc(sums, func(s dropped) bool { return s.protocol == d.Protocol && s.reason == d.Reason })
		if i < 0 {
			i = len(sums)
			sums = append(sums, dropped{protocol: d.Protocol, reason: d.Reason})
		}
		sums[i].packets += d.packets(w, since)
	}
	return sums
}

// record keeps a point, unless a gap swallows it, and decides when it becomes
// visible: between half and the whole of the metric's longest delay.
func (w *World) record(p series.Point) {
	longest := w.reporter.delay[p.Type]
	p.VisibleAt = p.End.Add(w.reporter.luck[p.Type].between(longest/2, longest))
	if late := w.lasting(FaultLate, p.Type, p.End); late != nil {
		p.VisibleAt = p.VisibleAt.Add(time.Duration(late.Delay))
	}
	if w.lasting(FaultGap, p.Type, p.End) == nil {
		w.reporter.store.Record(p)
	}
}

// idleTime is how long an instance without requests is kept.
const idleTime = 15 * time.Minute

// level is a number of instances needed at the end of a minute.
type level struct {
	at    time.Time
	count int
}

// keep notes how many instances a minute needed, and forgets what is too old.
func (l *ledger) keep(count int, at time.Time) {
	if count > 0 {
		l.levels = append(l.levels, level{at, count})
	}
	old := 0
	for old < len(l.levels) && at.Sub(l.levels[old].at) > idleTime {
		old++
	}
	l.levels = l.levels[old:]
}

// kept is how many instances are there: the most that the last minutes needed.
func (l *ledger) kept(at time.Time) int {
	if len(l.levels) == 0 || at.Sub(l.levels[len(l.levels)-1].at) > idleTime {
		return 0
	}
	most := slices.MaxFunc(l.levels, func(a, b level) int { return cmp.Compare(a.count, b.count) })
	return most.count
}

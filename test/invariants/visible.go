package invariants

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// Subject is what evidence is about.
type Subject struct {
	Project, Location, Service string
	Candidate, Stable          string
	Gateways                   []Gateway
	From                       time.Time // of the attempt, or a little before
}

// Gateway is a Cloud NAT as its metrics name it.
type Gateway struct{ Project, Region, Name string }

// Visible is the truth about what a careful reader could know at a moment: the
// minutes that were old enough to have arrived and did, silence told from zero
// by a witness. It reads the points one by one, not as the controller does.
func Visible(store *series.Store, subject Subject, at time.Time) (Evidence, error) {
	return Asked(store, subject, at, nil)
}

// Asked is what was visible to somebody who asked for some metrics before a moment, each
// by its type, and for the others at that moment.
func Asked(store *series.Store, subject Subject, at time.Time, before map[string]time.Time) (Evidence, error) {
	eye := eye{store: store, from: subject.From, at: at, before: before, delay: map[string]time.Duration{}}
	known, err := store.Descriptors("")
	if err != nil {
		return Evidence{}, fmt.Errorf("reading descriptors: %w", err)
	}
	for _, d := range known {
		eye.delay[d.Type] = d.IngestDelay
	}
	seen := Evidence{At: At(at), Gateways: map[string][]GatewayMinute{}}
	seen.Stable = eye.requests(subject, subject.Stable)
	candidate := eye.requests(subject, subject.Candidate)
	running := eye.points(series.InstanceCount, subject.Project, subject.revision(subject.Candidate))
	seen.Candidate = witnessed(candidate, running, seen.Stable)
	for _, g := range subject.Gateways {
		seen.Gateways[g.Name] = eye.gateway(g)
	}
	return seen, eye.err
}

func (s Subject) revision(name string) string {
	return fmt.Sprintf(`resource.type="cloud_run_revision" AND resource.labels.service_name=%q AND resource.labels.location=%q`+
		` AND resource.labels.revision_name=%q`, s.Service, s.Location, name)
}

// eye looks at a store at a moment, and has looked at some metrics before.
type eye struct {
	store  *series.Store
	from   time.Time
	at     time.Time
	before map[string]time.Time
	delay  map[string]time.Duration
	err    error
}

// looked is when it looked at a metric.
func (e *eye) looked(metric string) time.Time {
	if t, ok := e.before[metric]; ok {
		return t
	}
	return e.at
}

// sample is the sum of a minute's points, and of those that are bad.
type sample struct{ sum, bad int64 }

// points reads the raw points of a metric, by the end of their minute.
func (e *eye) points(metric, project, filter string) map[time.Time]sample {
	at := e.looked(metric)
	q := series.Query{
		Project: project, Filter: fmt.Sprintf("metric.type=%q AND %s", metric, filter),
		Start: e.from, End: at.Add(-e.delay[metric]).Truncate(time.Minute),
	}
	minutes := map[time.Time]sample{}
	if !q.End.After(q.Start) {
		return minutes
	}
	result, err := e.store.Query(q, at)
	if err != nil {
		e.err = fmt.Errorf("looking at %s: %w", metric, err)
		return minutes
	}
	for _, s := range result.Series {
		for _, p := range s.Points {
			m := minutes[p.End.UTC()]
			m.sum += p.Value.Int64()
			if strings.HasPrefix(s.Labels["response_code_class"], "5") {
				m.bad += p.Value.Int64()
			}
			minutes[p.End.UTC()] = m
		}
	}
	return minutes
}

func (e *eye) requests(s Subject, revision string) []Minute {
	var minutes []Minute
	for end, m := range e.points(series.RequestCount, s.Project, s.revision(revision)) {
		minutes = append(minutes, Minute{end, m.sum, m.bad})
	}
	slices.SortFunc(minutes, func(a, b Minute) int { return a.End.Compare(b.End) })
	return minutes
}

// witnessed adds the minutes without requests in which the candidate ran and
// stable's requests were counted.
func witnessed(candidate []Minute, running map[time.Time]sample, stable []Minute) []Minute {
	for _, m := range stable {
		_, ran := running[m.End]
		known := slices.ContainsFunc(candidate, func(c Minute) bool { return c.End.Equal(m.End) })
		if ran && !known {
			candidate = append(candidate, Minute{End: m.End})
		}
	}
	slices.SortFunc(candidate, func(a, b Minute) int { return a.End.Compare(b.End) })
	return candidate
}

func (e *eye) gateway(g Gateway) []GatewayMinute {
	filter := fmt.Sprintf(`resource.type="nat_gateway" AND resource.labels.region=%q AND resource.labels.gateway_name=%q`, g.Region, g.Name)
	drops := e.points(series.DroppedSentPackets, g.Project, filter)
	failed := e.points(series.AllocationFailed, g.Project, filter)
	minutes := map[time.Time]bool{}
	for _, metric := range []string{series.AllocatedPorts, series.OpenConnections} {
		for end := range e.points(metric, g.Project, filter) {
			minutes[end] = true
		}
	}
	var seen []GatewayMinute
	for end := range minutes {
		seen = append(seen, GatewayMinute{End: end, Drops: drops[end].sum, Failed: failed[end].sum > 0})
	}
	for end, flag := range failed {
		if !minutes[end] {
			seen = append(seen, GatewayMinute{End: end, Failed: flag.sum > 0, Early: true})
		}
	}
	slices.SortFunc(seen, func(a, b GatewayMinute) int { return a.End.Compare(b.End) })
	return seen
}

package simulator

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// reportService reports what a service's revisions did in the minute that ends.
// What is counted of requests is counted again for its instances.
func (w *World) reportService(s *service, end time.Time) {
	all := map[int]codeCount{}
	zero := w.scenario.Switches.ZeroSeries == "zero"
	for _, r := range s.revisions {
		for _, c := range r.life.minute.codes {
			sum := all[c.code]
			sum.code, sum.count = c.code, sum.count+c.count
			sum.latencies.Merge(c.latencies)
			all[c.code] = sum
			if c.count > 0 || zero {
				w.reportRequests(series.ResourceRevision, r.labels(), c, end)
			}
		}
		w.reportInstances(r, end)
		w.reportQueue(r, end)
	}
	instance := map[string]string{
		"project_id": s.name.Project, "location": s.name.Location, "instance_name": s.name.Service + "-instance",
	}
	for _, code := range slices.Sorted(maps.Keys(all)) {
		if all[code].count > 0 {
			w.reportRequests(series.ResourceInstance, instance, all[code], end)
		}
	}
}

// reportRequests writes how many requests ended with a code and how long they
// took. Both say the same number.
func (w *World) reportRequests(resourceType string, resource map[string]string, c codeCount, end time.Time) {
	p := series.Point{
		Type: series.RequestCount, ResourceType: resourceType, Resource: resource,
		Labels: codeLabels(c.code), Start: end.Add(-time.Minute), End: end, Value: series.Int(int64(c.count)),
	}
	w.record(p)
	p.Type, p.Value = series.RequestLatencies, series.Distributed(c.latencies)
	w.record(p)
}

// reportQueue writes how many requests wait for an instance as the minute ends.
func (w *World) reportQueue(r *revision, end time.Time) {
	n := r.waitingFor(end)
	if n == 0 && (w.scenario.Switches.ZeroSeries != "zero" || r.phase != ready) {
		return
	}
	w.record(series.Point{
		Type: series.PendingRequests, ResourceType: series.ResourceRevision, Resource: r.labels(),
		End: end, Value: series.Int(int64(n)),
	})
}

// labels are those of the monitored resource, which nobody changes.
func (r *revision) labels() map[string]string {
	if r.resource == nil {
		n := r.service.name
		r.resource = map[string]string{
			"project_id": n.Project, "location": n.Location, "service_name": n.Service,
			"revision_name": r.name, "configuration_name": n.Service,
		}
	}
	return r.resource
}

func codeLabels(code int) map[string]string {
	text := strconv.Itoa(code)
	return map[string]string{"response_code": text, "response_code_class": text[:1] + "xx"}
}

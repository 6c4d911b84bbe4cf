package simulator

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/fleet"
)

// prewarm puts the instances there that the load at the beginning needs.
func (w *World) prewarm() {
	rates := w.ratesAtStart()
	w.eachShare(func(s *service, r *revision, part float64) {
		busy := rates[w.plant.public[s.Name]] * part * w.expected(r.hosted, nil)
		w.bound(s, r)
		r.hosted.Prewarm(int(math.Ceil(busy / (0.6 * float64(r.template.Concurrency)))))
	})
	for _, s := range w.services {
		for _, r := range s.revisions {
			if r.hosted.Counts() == (fleet.Counts{}) {
				w.bound(s, r)
				r.hosted.Prewarm(0)
			}
		}
	}
}

// ratesAtStart are the requests a second that services get of users and of each
// other.
func (w *World) ratesAtStart() map[*fleet.Service]float64 {
	own, all := map[*fleet.Service]float64{}, map[*fleet.Service]float64{}
	for _, s := range w.services {
		public := w.plant.public[s.Name]
		own[public] = w.rate(s, w.scenario.Start.Add(time.Second))
		all[public] = own[public]
	}
	for range 3 { // calls of calls of calls
		next := map[*fleet.Service]float64{}
		maps.Copy(next, own)
		w.eachShare(func(s *service, r *revision, part float64) {
			for _, c := range r.hosted.Calls {
				if c.Target.Service != nil {
					next[c.Target.Service] += all[w.plant.public[s.Name]] * part * c.PerRequest
				}
			}
		})
		all = next
	}
	return all
}

// expected is how long a request takes while all is well. Calls to a service take
// what its first revision takes, but for those that would lead in a circle.
func (w *World) expected(r *fleet.Revision, within []*fleet.Service) float64 {
	took := r.Latency
	within = append(within, r.Service)
	for _, c := range r.Calls {
		each := c.Target.Latency
		switch target := w.behind(c.Target.Service); {
		case c.Target.Local:
			each = r.Latency
		case target != nil && (target == r || !slices.Contains(within, target.Service)):
			each = target.Latency
			if target != r {
				each = w.expected(target, within)
			}
		}
		took += c.PerRequest * each
	}
	return took
}

// behind is the revision that gets the first share of a service's requests.
func (w *World) behind(public *fleet.Service) *fleet.Revision {
	for _, s := range w.services {
		if w.plant.public[s.Name] == public && len(s.routes) > 0 {
			return s.routes[0].revision.hosted
		}
	}
	return nil
}

func (w *World) eachShare(do func(*service, *revision, float64)) {
	for _, s := range w.services {
		for _, p := range w.paths(nil, s, w.scenario.Start.Add(time.Hour)) {
			do(s, p.revision, p.share)
		}
	}
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// The targets of the forecast: how far it may be off in 95 of 100 rises, and what is
// kept in reserve, by more than which it is never below the truth.
const (
	largestError = 0.25
	reserve      = 20 // percent of the gateway's capacity
)

// watchAfterRise is how long after a rise its peak is looked for: within that time
// the candidate has started what it starts.
const watchAfterRise = 15 * time.Minute

// forecastWatched is how long a rollout that waits for room is watched: by then what
// lingers of its first shifts has gone, and it has risen as far as it will.
const forecastWatched = 2 * time.Hour

// foreseen is a forecast of a rise, and what came of it. Endpoints are counted in
// blocks of as many ports as a new one gets.
type foreseen struct {
	nat.Forecast
	seed     uint64
	inserted bool  // the weight is none of the plan
	each     int64 // endpoints of an instance
	at       time.Time
	until    time.Time
	peak     int64 // endpoints with ports or waiting for some, the most
}

// predicted is how many endpoints the forecast expects.
func (f foreseen) predicted() int64 { return f.Taken + f.Adds }

// off is the relative error; negative below the truth.
func (f foreseen) off() float64 { return float64(f.predicted()-f.peak) / float64(f.peak) }

// offOfAdded is the error relative to what came on top, at least an instance.
func (f foreseen) offOfAdded() float64 {
	return math.Abs(float64(f.predicted()-f.peak)) / float64(max(f.peak-f.Taken, f.each))
}

// tellForecasts measures the forecast against the world.
func tellForecasts(out io.Writer, o options) (verdict, error) {
	t, claims, err := playForecasts(o.seeds)
	if err != nil {
		return verdict{}, err
	}
	t.write(out)
	_, _ = fmt.Fprintln(out)
	return tellClaims(out, claims), nil
}

func playForecasts(of seeds) (table, []claim, error) {
	played, err := playSeeds(of, forecastTrial)
	if err != nil {
		return table{}, nil, err
	}
	all := slices.Concat(played...)
	t := table{
		title: fmt.Sprintf("The forecast of the peak of NAT endpoints against the world, %d rollouts in seeded worlds.\n"+
			"Error: relative to all endpoints at the peak, and to those that came on top of what was taken. Most below: by how much\n"+
			"of the gateway's capacity the truth exceeded a forecast. Overshoot: the candidate's instances at the peak over those\n"+
			"that the weight needs, where the forecast has %g.", of.trials, nat.DefaultPolicy().Overshoot),
		header: []string{"RISES", "NUMBER", "ERROR P50", "P95", "ABOVE P95", "BELOW P95", "OF WHAT IS ADDED P50", "P95", "MOST BELOW", "OVERSHOOT P50", "P95"},
	}
	for _, k := range kinds {
		if rises := k.among(all); len(rises) > 0 {
			t.row(append([]string{k.name}, errorsOf(rises)...)...)
		}
	}
	return t, claimsOfForecasts(all), nil
}

// kind is a group of rises.
type kind struct {
	name string
	has  func(foreseen) bool
}

// kinds are by weight, and by what the gateway is like; the last one is of all.
var kinds = []kind{
	{"to 5%", func(f foreseen) bool { return f.Weight == 5 && !f.inserted }},
	{"to 25%", func(f foreseen) bool { return f.Weight == 25 && !f.inserted }},
	{"to 50%", func(f foreseen) bool { return f.Weight == 50 && !f.inserted }},
	{"to 100%", func(f foreseen) bool { return f.Weight == 100 }},
	{"to an inserted weight", func(f foreseen) bool { return f.inserted }},
	{"one endpoint an instance", func(f foreseen) bool { return f.each == 1 }},
	{"two endpoints an instance", func(f foreseen) bool { return f.each == 2 }},
	{"static ports", func(f foreseen) bool { return !f.Dynamic }},
	{"dynamic ports", func(f foreseen) bool { return f.Dynamic }},
	{"all", func(foreseen) bool { return true }},
}

func (k kind) among(all []foreseen) []foreseen {
	return slices.DeleteFunc(slices.Clone(all), func(f foreseen) bool { return !k.has(f) })
}

func claimsOfForecasts(all []foreseen) []claim {
	if len(all) == 0 {
		return []claim{{text: "rises are forecast", found: "none was"}}
	}
	p95, over := quantile(all, 0.95, foreseen.size), overdrawn(all)
	return []claim{
		{
			text:  fmt.Sprintf("the forecast is off by less than %.0f%% in 95 of 100 rises", 100*largestError),
			found: fmt.Sprintf("%.0f%%, and half by less than %.0f%%", 100*p95, 100*quantile(all, 0.5, foreseen.size)), holds: p95 < largestError,
		},
		{
			text: fmt.Sprintf("never is the truth above it (taken + adds) by more than max(reserve of %d%%, worst - adds)", reserve),
			found: fmt.Sprintf("%d of %d; by more than the reserve alone in %d, by %.0f%% of the capacity at most%s",
				len(over), len(all), beyond(all), 100*mostBelow(all), named(over)),
			holds: len(over) == 0,
		},
	}
}

// errorsOf are the columns of some rises.
func errorsOf(rises []foreseen) []string {
	percent := func(v float64) string { return fmt.Sprintf("%.0f%%", 100*v) }
	return []string{
		strconv.Itoa(len(rises)), percent(quantile(rises, 0.5, foreseen.size)), percent(quantile(rises, 0.95, foreseen.size)),
		percent(quantile(rises, 0.95, func(f foreseen) float64 { return max(0, f.off()) })),
		percent(quantile(rises, 0.95, func(f foreseen) float64 { return max(0, -f.off()) })),
		percent(quantile(rises, 0.5, foreseen.offOfAdded)), percent(quantile(rises, 0.95, foreseen.offOfAdded)),
		percent(mostBelow(rises)),
		fmt.Sprintf("%.1f", quantile(rises, 0.5, foreseen.overshoot)), fmt.Sprintf("%.1f", quantile(rises, 0.95, foreseen.overshoot)),
	}
}

// overshoot is how many times the instances that it needs the candidate had at the
// peak, if all that came was its own.
func (f foreseen) overshoot() float64 {
	started := float64(max(0, f.peak-f.Taken)) / float64(f.each)
	return (started + float64(f.Has)) / float64(max(1, f.Needed))
}

func (f foreseen) size() float64 { return math.Abs(f.off()) }

// overdrawn are the seeds of the forecasts that the truth exceeded by more than what
// was kept beside them: the reserve, or room for the worst where that is more.
func overdrawn(rises []foreseen) []uint64 {
	var of []uint64
	for _, f := range rises {
		if f.peak-f.predicted() > max(f.Kept, f.Worst-f.Adds) {
			of = append(of, f.seed)
		}
	}
	return of
}

// beyond is in how many rises the truth exceeded the forecast by more than the reserve,
// so that only the room for the worst was enough.
func beyond(rises []foreseen) int {
	n := 0
	for _, f := range rises {
		if f.peak-f.predicted() > f.Kept {
			n++
		}
	}
	return n
}

// mostBelow is by which part of the capacity the truth exceeded a forecast at most.
func mostBelow(rises []foreseen) float64 {
	most := 0.0
	for _, f := range rises {
		most = max(most, float64(f.peak-f.predicted())/float64(f.Capacity))
	}
	return most
}

// quantile is the smallest value that a share of the values does not exceed.
func quantile(rises []foreseen, q float64, of func(foreseen) float64) float64 {
	values := make([]float64, 0, len(rises))
	for _, f := range rises {
		values = append(values, of(f))
	}
	slices.Sort(values)
	return values[max(0, int(math.Ceil(q*float64(len(values))))-1)]
}

// forecastTrial plays a rollout, and compares what was forecast of each rise with
// what came.
func forecastTrial(seed uint64) ([]foreseen, error) {
	s, err := forecastScene(seed)
	if err != nil {
		return nil, err
	}
	p, err := pilot.Open(s.world, s.plans()...)
	if err != nil {
		return nil, err
	}
	var rises []foreseen
	p.Watch = func(_ *pilot.Rollout, in rollout.Input, d rollout.Decision) { rises = note(rises, in, d) }
	if err := fly(p, releaseAt, forecastWatched); err != nil {
		return nil, err
	}
	for i := range rises {
		rises[i].seed = seed
		rises[i] = rises[i].seen(p.World())
	}
	return rises, nil
}

// forecastScene is the world that a seed gives the forecast.
func forecastScene(seed uint64) (scene, error) {
	t := newTown("forecast", seed)
	if err := t.vary(); err != nil {
		return scene{}, err
	}
	s, err := t.scene("forecast")
	s.longest = forecastWatched
	return s, err
}

// fly plays a release at a time to its end, or for so long.
func fly(p *pilot.Pilot, released, watched time.Duration) error {
	at := p.World().Start().Add(released)
	for until := length; until == length || until <= watched && underway(p.Rollouts()); until += 5 * time.Minute {
		if err := p.AdvanceTo(at.Add(until)); err != nil {
			return err
		}
	}
	return nil
}

// note keeps the forecast of a rise that is written. The forecast in a decision is
// of the next weight of the plan; for an inserted one it is made again.
func note(rises []foreseen, in rollout.Input, d rollout.Decision) []foreseen {
	if n := len(rises); d.Write != nil && n > 0 && rises[n-1].until.After(in.Now) {
		rises[n-1].until = in.Now
	}
	weight := int64(0)
	if d.Write != nil {
		for _, e := range d.Write.Targets() {
			if e.Revision == d.Progress.Candidate {
				weight += e.Percent
			}
		}
	}
	if weight <= d.Serves.Of(d.Progress.Candidate) {
		return rises
	}
	policy := nat.DefaultPolicy()
	policy.EndpointsPerInstance = cmp.Or(in.Plan.EndpointsPerInstance, policy.EndpointsPerInstance)
	for _, g := range d.Gateways {
		if f := g.Forecast; f != nil {
			again := nat.Foresee(g.Gateway, nat.Fleet{Candidate: f.Has, Busy: f.Load}, policy, weight)
			rises = append(rises, foreseen{
				Forecast: again, inserted: weight != f.Weight, each: policy.EndpointsPerInstance,
				at: in.Now, until: in.Now.Add(watchAfterRise),
			})
		}
	}
	return rises
}

// seen adds what came of it.
func (f foreseen) seen(world *simulator.World) foreseen {
	for _, m := range world.Minutes(f.at, f.until) {
		for _, g := range m.Gateways {
			with := int64(g.Endpoints)
			if f.Dynamic {
				with = (int64(g.Allocated) + f.Each - 1) / f.Each
			}
			f.peak = max(f.peak, with+int64(g.Without))
		}
	}
	f.peak = max(f.peak, 1)
	return f
}

package main

import (
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

// The targets of the forecast: how far it may be off in 95 of 100 rises, and that
// it is never below the truth by more than what is kept in reserve.
const (
	largestError = 0.25
	reserve      = 20 // percent of the gateway's capacity
)

// watchAfterRise is how long after a rise its peak is looked for: within that time
// the candidate has started what it starts.
const watchAfterRise = 15 * time.Minute

// foreseen is a forecast of a rise, and what came of it.
type foreseen struct {
	nat.Forecast
	at    time.Time
	until time.Time
	peak  int64 // endpoints with ports or waiting for some, the most
}

// predicted is how many endpoints the forecast expects.
func (f foreseen) predicted() int64 { return f.Taken + f.Adds }

// off is the relative error; negative below the truth.
func (f foreseen) off() float64 { return float64(f.predicted()-f.peak) / float64(f.peak) }

// tellForecasts measures the forecast against the world.
func tellForecasts(out io.Writer, o options) (verdict, error) {
	t, claims, err := playForecasts(o.trials)
	if err != nil {
		return verdict{}, err
	}
	t.write(out)
	_, _ = fmt.Fprintln(out)
	return tellClaims(out, claims), nil
}

func playForecasts(trials int) (table, []claim, error) {
	played, err := playAll(trials, func(i int) ([]foreseen, error) { return forecastTrial(uint64(i) + 1) }) //nolint:gosec // not negative
	if err != nil {
		return table{}, nil, err
	}
	all := slices.Concat(played...)
	t := table{
		title: fmt.Sprintf("The forecast of the peak of NAT endpoints against the world, %d rollouts in seeded worlds.\n"+
			"Relative error, and where it was below the truth, by how much of the gateway's capacity at most. Overshoot: the\n"+
			"candidate's instances at the peak over those that the weight needs, where the forecast has %g.", trials, nat.DefaultPolicy().Overshoot),
		header: []string{"RISE TO", "RISES", "ERROR P50", "ERROR P95", "ABOVE P95", "BELOW P95", "MOST BELOW", "OVERSHOOT P50", "P95"},
	}
	weights := []int64{}
	for _, f := range all {
		if !slices.Contains(weights, f.Weight) {
			weights = append(weights, f.Weight)
		}
	}
	slices.Sort(weights)
	for _, w := range weights {
		rises := slices.DeleteFunc(slices.Clone(all), func(f foreseen) bool { return f.Weight != w })
		if len(rises)*10 >= trials { // inserted weights are many, and each is rare
			t.row(append([]string{fmt.Sprintf("%d%%", w)}, errorsOf(rises)...)...)
		}
	}
	t.row(append([]string{"all"}, errorsOf(all)...)...)
	return t, claimsOfForecasts(all), nil
}

func claimsOfForecasts(all []foreseen) []claim {
	if len(all) == 0 {
		return []claim{{text: "rises are forecast", found: "none was"}}
	}
	p95, below := quantile(all, 0.95, foreseen.size), mostBelow(all)
	return []claim{
		{
			text:  fmt.Sprintf("the forecast is off by less than %.0f%% in 95 of 100 rises", 100*largestError),
			found: fmt.Sprintf("%.0f%%", 100*p95), holds: p95 < largestError,
		},
		{
			text:  fmt.Sprintf("it is never below the truth by more than the reserve of %d%%", reserve),
			found: fmt.Sprintf("%.0f%% of the capacity at most", 100*below), holds: below <= reserve/100.0,
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
		percent(mostBelow(rises)),
		fmt.Sprintf("%.1f", quantile(rises, 0.5, foreseen.overshoot)), fmt.Sprintf("%.1f", quantile(rises, 0.95, foreseen.overshoot)),
	}
}

// overshoot is how many times the instances that it needs the candidate had at the
// peak, if all that came was its own.
func (f foreseen) overshoot() float64 {
	started := float64(max(0, f.peak-f.Taken)) / endpointsPerInstance
	return (started + float64(f.Has)) / float64(max(1, f.Needed))
}

func (f foreseen) size() float64 { return math.Abs(f.off()) }

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

// forecastTrial plays a rollout where there is room for it, and compares what was
// forecast of each rise with what came.
func forecastTrial(seed uint64) ([]foreseen, error) {
	t := newTown("forecast", seed)
	t.roomFor(2*t.endpoints + 4*endpointsPerInstance*t.instances)
	s, err := t.scene("forecast")
	if err != nil {
		return nil, err
	}
	p, err := pilot.Open(s.world, s.plans()...)
	if err != nil {
		return nil, err
	}
	var rises []foreseen
	p.Watch = func(_ *pilot.Rollout, in rollout.Input, d rollout.Decision) { rises = note(rises, in, d) }
	if err := fly(p, releaseAt); err != nil {
		return nil, err
	}
	for i := range rises {
		rises[i] = rises[i].seen(p.World())
	}
	return rises, nil
}

// fly plays a release at a time to its end.
func fly(p *pilot.Pilot, released time.Duration) error {
	at := p.World().Start().Add(released)
	for until := length; until == length || until <= longest && underway(p.Rollouts()); until += 5 * time.Minute {
		if err := p.AdvanceTo(at.Add(until)); err != nil {
			return err
		}
	}
	return nil
}

// note keeps the forecast of a rise that is written, where it is to a weight of the
// plan: the forecast in a decision is of the next of these.
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
	for _, g := range d.Gateways {
		if g.Forecast != nil && g.Forecast.Weight == weight {
			rises = append(rises, foreseen{Forecast: *g.Forecast, at: in.Now, until: in.Now.Add(watchAfterRise)})
		}
	}
	return rises
}

// seen adds what came of it.
func (f foreseen) seen(world *simulator.World) foreseen {
	for _, m := range world.Minutes(f.at, f.until) {
		for _, g := range m.Gateways {
			f.peak = max(f.peak, int64(g.Endpoints+g.Without))
		}
	}
	f.peak = max(f.peak, 1)
	return f
}

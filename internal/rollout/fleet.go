package rollout

import (
	"maps"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// fleetMemory is how far back instances are counted: as long as one idles.
const fleetMemory = 15 * time.Minute

// recently is how old the newest count of the candidate's instances may be where nobody
// tells that it has none.
const recently = 3 * time.Minute

// fleet is what is known of the service's instances.
func (v view) fleet() nat.Fleet {
	stable, candidate := v.source(v.Progress.Stable), v.source(v.Progress.Candidate)
	f := nat.Fleet{
		CandidateLeast: v.revision(v.Progress.Candidate).MinInstances, CandidateMost: v.revision(v.Progress.Candidate).MaxInstances,
		ServiceLeast: v.Service.MinInstances, ServiceMost: v.Service.MaxInstances,
	}
	if p, ok := v.newestOf(analysis.Series{Metric: analysis.Instances, Source: stable}); ok {
		f.Stable = p.Value
	}
	f.Candidate = v.staying(f.CandidateLeast)
	busy := map[time.Time]int64{}
	for _, source := range []analysis.Source{stable, candidate} {
		a := v.Answers.Of(analysis.Series{Metric: analysis.ActiveInstances, Source: source})
		for _, p := range a.Points {
			if p.End.After(v.Now.Add(-fleetMemory)) && !p.End.After(a.Through) {
				busy[p.End] += p.Value
			}
		}
	}
	// The upper quartile: in the minute of a shift an instance of either revision
	// works for the same traffic, and the peak would count both for a quarter of an
	// hour.
	if minutes := slices.Sorted(maps.Values(busy)); len(minutes) > 0 {
		f.Busy = minutes[len(minutes)*3/4]
	}
	if a, b := v.revision(v.Progress.Stable).MaxInstances, f.CandidateMost; a > 0 && b > 0 {
		f.Busy = min(f.Busy, max(a, b)) // a part of an instance is one to each revision
	}
	f.Subnet = v.subnet(v.Progress.Candidate, f)
	return f
}

// staying is how many of the candidate's instances will be there when a rise brings them
// work: those of the newest minute that tells. Where stable's are counted and the
// candidate's are not, it has none; what was there before would make a rise look cheap.
// Without traffic nothing but the minimum stays for long: what has idled for almost as
// long as an instance may can end before the rise is seen to serve.
func (v view) staying(least int64) int64 {
	candidate, stable := v.source(v.Progress.Candidate), v.source(v.Progress.Stable)
	running := analysis.Series{Metric: analysis.Instances, Source: candidate}
	newest, ok := v.newestOf(running)
	witness, _ := v.newestOf(analysis.Series{Metric: analysis.Instances, Source: stable})
	through := v.Answers.Of(running).Through
	switch {
	case !ok, newest.End.Before(through.Add(-recently)), newest.End.Before(witness.End) && !witness.End.After(through):
		return 0
	case v.weight() > 0:
		return newest.Value
	}
	since := v.Now.Add(recently - nat.InstancesLinger)
	worked := least
	for _, p := range v.Answers.Of(analysis.Series{Metric: analysis.ActiveInstances, Source: candidate}).Points {
		if p.End.After(since) {
			worked = max(worked, p.Value)
		}
	}
	return min(newest.Value, max(worked, newest.Value-v.fewest(candidate, stable, since)))
}

// fewest is the least number of a revision's instances in the minutes from a time on in
// which another's are counted; 0 where there is none. What is more has come since.
func (v view) fewest(of, witness analysis.Source, since time.Time) int64 {
	counted := v.levels(analysis.Instances, of)
	through := v.Answers.Of(analysis.Series{Metric: analysis.Instances, Source: of}).Through
	var values []int64
	for end := range v.levels(analysis.Instances, witness) {
		if end.After(since) && !end.After(through) {
			values = append(values, counted[end])
		}
	}
	if len(values) == 0 {
		return 0
	}
	return slices.Min(values)
}

// fleetQuestions asks for what a forecast rests on, while one is made.
func (in Input) fleetQuestions(scope analysis.Scope) []analysis.Question {
	paces := in.Plan.Pacing == Headroom
	if len(scope.Gateways) == 0 || !paces && in.Progress.Hot.IsZero() {
		return nil
	}
	until := in.Now.Truncate(time.Minute)
	ask := func(m analysis.Metric, of analysis.Source) analysis.Question {
		return analysis.Question{Series: analysis.Series{Metric: m, Source: of}, After: until.Add(-2 * fleetMemory), Until: until}
	}
	var questions []analysis.Question
	for _, g := range scope.Gateways {
		questions = append(questions, ask(analysis.AllocatedPorts, g))
	}
	if !paces {
		return questions
	}
	for _, revision := range []analysis.Source{scope.Stable, scope.Candidate} {
		questions = append(questions, ask(analysis.Instances, revision), ask(analysis.ActiveInstances, revision))
	}
	return questions
}

package main

import (
	"math"
	"slices"
	"time"
)

// outcome is how a rollout ends.
type outcome int

const (
	promoted outcome = iota
	rolledBack
	held // it waits for a person: not decided within the deadlines
)

// String names it in a message.
func (o outcome) String() string { return [...]string{"promoted", "rolled back", "held"}[o] }

// result is what came of one trial.
type result struct {
	outcome outcome
	took    float64 // minutes from the deployment to the verdict
	weight  int64   // percent that the candidate had
	// reacted is the minutes from the moment at which the candidate's first error
	// could be seen to the verdict; negative when none could.
	reacted float64
}

// judge rolls a world's candidate out, or back.
type judge interface {
	judge(*world) result
}

// ended is the result of a world at the verdict.
func (w *world) ended(o outcome) result {
	r := result{outcome: o, took: w.now.Sub(began.Add(history * time.Minute)).Minutes(), weight: w.weight, reacted: -1}
	if seen := w.visible(); !seen.IsZero() {
		r.reacted = w.now.Sub(seen).Minutes()
	}
	return r
}

// tally sums up the trials of one world and one judge.
type tally struct {
	n       int       // trials
	count   [3]int    // by outcome
	took    []float64 // minutes of the promoted, ascending
	reacted []float64 // minutes of the rolled back, ascending
	weights []float64 // percent at which they were, ascending
}

func sum(results []result) tally {
	t := tally{n: len(results)}
	for _, r := range results {
		t.count[r.outcome]++
		switch r.outcome {
		case promoted:
			t.took = append(t.took, r.took)
		case rolledBack:
			t.reacted, t.weights = append(t.reacted, r.reacted), append(t.weights, float64(r.weight))
		case held:
		}
	}
	slices.Sort(t.took)
	slices.Sort(t.reacted)
	slices.Sort(t.weights)
	return t
}

// share is a part of the trials, with the ends of its interval.
type share struct{ value, low, high float64 }

// of is the share of an outcome, with its two-sided 95 % Wilson interval.
// Wilson, "Probable inference", JASA 22 (1927).
func (t tally) of(o outcome) share {
	const z = 1.959964
	n := float64(t.n)
	p := float64(t.count[o]) / n
	whole := 1 + z*z/n
	centre := (p + z*z/(2*n)) / whole
	spread := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n)) / whole
	return share{p, max(0, centre-spread), min(1, centre+spread)}
}

// quantile is the smallest value that a share of an ascending list does not
// exceed. The list must not be empty.
func quantile(ascending []float64, q float64) float64 {
	return ascending[max(0, int(math.Ceil(q*float64(len(ascending))))-1)]
}

package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// The trials of a full run. With ten thousand, three false alarms still have an
// upper end of the interval below one in a thousand; with four thousand, none.
const (
	cleanTrials = 10_000
	badTrials   = 4_000
	fewTrials   = 1_000
)

// clean is the share of errors of a candidate that is as good as stable.
const clean = stableErrors

// rates are the service's requests per second.
var rates = []float64{0.05, 0.5, 1, 5, 20, 50, 500}

// rule is a setting of the check that is measured, and where.
type rule struct {
	name, meaning string
	rule          analysis.Rule
	promised      bool // its targets are checked
	errors, rates []float64
}

// rules are the settings; the first is the product's default and the one that
// models are compared with.
var rules = []rule{
	{
		name: "absolute limit", meaning: "`serverErrors: {maxPercent: 1, minRequests: 100}`, the default.",
		rule: analysis.ServerErrors{MaxRatio: limit, MinRequests: 100}, promised: true,
		errors: []float64{clean, 0.005, 0.02, 0.05, 0.2, 1}, rates: rates,
	},
	{
		name: "0.2 % more than stable", meaning: "`serverErrors: {maxPercent: 0.2, minRequests: 100, relativeToStable: true}`.",
		rule:   analysis.ServerErrors{MaxRatio: 0.002, MinRequests: 100, RelativeToStable: true},
		errors: []float64{clean, 0.005, 0.02}, rates: []float64{5, 20, 500},
	},
	{
		name: "0.1 % more than stable", meaning: "`serverErrors: {maxPercent: 0.1, minRequests: 100, relativeToStable: true}`.",
		rule:   analysis.ServerErrors{MaxRatio: 0.001, MinRequests: 100, RelativeToStable: true},
		errors: []float64{clean, 0.005}, rates: []float64{20},
	},
}

// standard is the product with its defaults.
func standard() judge { return sluice{rules[0].rule, 1} }

// judgement plays the grid of rates and errors for one rule.
func (b *bench) judgement(ctx context.Context, r rule) ([]played, error) {
	var cells []cell
	for _, e := range r.errors {
		for _, rate := range r.rates {
			c := conditions{rate: rate, errors: e}
			cells = append(cells, cell{c, sluice{r.rule, 1}, r.trials(c)})
		}
	}
	return b.playAll(ctx, "Sluice, "+r.name, cells)
}

// judgementTable shows the grid.
func judgementTable(r rule, grid []played) table {
	t := table{
		title: "Sluice, " + r.name,
		intro: r.meaning,
		header: []string{
			"errors", "rps", "of the candidate at 5 %", "trials", "promoted, %", "rolled back, %", "held, %",
			"way back after, minutes", "at a weight of", "promoted after, minutes",
		},
	}
	for _, p := range grid {
		t.row(percent(p.errors), number(p.rate), number(p.rate*float64(steps[0].weight)/100), strconv.Itoa(p.n),
			p.of(promoted).String(), p.of(rolledBack).String(), p.of(held).brief(),
			pair(p.reacted), middle(p.weights, " %"), middle(p.took, ""))
	}
	return t
}

// mostWrong is the most that a target allows, as a share of the trials.
const mostWrong = 0.001

// sureRate is the service's rate from which on no bad candidate may pass: one
// request per second at the first step.
const sureRate = 20

// target is the outcome that must be rare in these conditions, if there is one.
func (c conditions) target() (rare outcome, ok bool) {
	switch {
	case c.errors <= clean:
		return rolledBack, true
	case c.errors >= 0.02 && c.rate >= sureRate:
		return promoted, true
	}
	return held, false
}

// trials are as many as the target needs.
func (r rule) trials(c conditions) int {
	switch rare, ok := c.target(); {
	case !ok:
		return fewTrials
	case !r.promised:
		return 2 * fewTrials
	case rare == rolledBack && c.rate > rates[0]: // three errors hardly ever come at the slowest
		return cleanTrials
	}
	return badTrials
}

// missed holds a grid against the targets. A full run must show that they are
// met; one with fewer trials can only show that they are not.
func (b *bench) missed(r rule, grid []played) (checked int, missed []string) {
	for _, p := range grid {
		rare, ok := p.target()
		if !ok || !r.promised {
			continue
		}
		checked++
		s := p.of(rare)
		end := s.high
		if b.part > 1 {
			end = s.low
		}
		if end > mostWrong {
			missed = append(missed, fmt.Sprintf("%s, %s errors, %s rps: %s in %d of %d trials, %s %%, and at most %s is allowed",
				r.name, percent(p.errors), number(p.rate), rare, p.count[rare], p.n, s, percent(mostWrong)))
		}
	}
	return checked, missed
}

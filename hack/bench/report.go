package main

import (
	"context"
	"fmt"
	"strings"
)

// report is everything a run has to say.
type report struct {
	text    string
	checked int      // targets
	missed  []string // those that were not met
}

// report plays everything.
func (b *bench) report(ctx context.Context) (report, error) {
	var r report
	var tables []table
	var first []played // the grid of the product's default
	for i, rule := range rules {
		grid, err := b.judgement(ctx, rule)
		if err != nil {
			return r, err
		}
		if i == 0 {
			first = grid
		}
		checked, missed := b.missed(rule, grid)
		r.checked, r.missed = r.checked+checked, append(r.missed, missed...)
		tables = append(tables, judgementTable(rule, grid))
	}
	others, err := b.others(ctx, first)
	if err != nil {
		return r, err
	}
	var parts []string
	for _, t := range append(tables, others...) {
		parts = append(parts, t.String())
	}
	r.text = fmt.Sprintf("Seed %d; %d trials where no number is given. %s\n\n%s",
		b.seed, b.count(fewTrials), r.verdict(), strings.Join(parts, "\n"))
	return r, nil
}

// verdict sums up the targets.
func (r report) verdict() string {
	lines := []string{fmt.Sprintf("%d targets checked, %d missed.", r.checked, len(r.missed))}
	for _, m := range r.missed {
		lines = append(lines, "- missed: "+m)
	}
	return strings.Join(lines, "\n")
}

// others plays what has no target.
func (b *bench) others(ctx context.Context, grid []played) ([]table, error) {
	tables, err := b.comparison(ctx, grid)
	if err != nil {
		return nil, err
	}
	for _, play := range []func(context.Context) ([]table, error){b.broken, b.bursts, b.looks} {
		more, err := play(ctx)
		if err != nil {
			return nil, err
		}
		tables = append(tables, more...)
	}
	return tables, nil
}

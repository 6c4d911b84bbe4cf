package main

import (
	"context"
	"fmt"
	"strings"
)

// headed are the columns of a table that ends with one column for each judge.
func headed(columns ...string) []string {
	columns = append(columns, "Sluice")
	for _, m := range models {
		columns = append(columns, "model: "+m.name)
	}
	return columns
}

// legend says what the models do.
func legend() string {
	lines := []string{"Models, which are ours and no tool:\n"}
	for _, m := range models {
		lines = append(lines, fmt.Sprintf("- *%s*: %s.", m.name, m.meaning))
	}
	return strings.Join(lines, "\n")
}

// comparison plays the models in the worlds of a grid.
func (b *bench) comparison(ctx context.Context, grid []played) ([]table, error) {
	alarms := table{title: "Rolled back although within the limit, %", intro: legend(), header: headed("errors", "rps")}
	passed := table{title: "Promoted although bad, %", header: headed("errors", "rps")}
	taken := table{
		title:  "Where the way back began",
		intro:  "The candidate's weight and the minutes since its first error could be seen, medians.",
		header: headed("errors", "rps"),
	}
	rows, err := b.beside(ctx, "Models in the same worlds", grid)
	if err != nil {
		return nil, err
	}
	for _, all := range rows {
		errors, begin := all[0].errors, []string{percent(all[0].errors), number(all[0].rate)}
		if errors <= limit {
			alarms.row(append(begin, each(all, func(p played) string { return p.of(rolledBack).String() })...)...)
			continue
		}
		passed.row(append(begin, each(all, func(p played) string { return p.of(promoted).String() })...)...)
		if all[0].rate >= 5 {
			taken.row(append(begin, each(all, func(p played) string {
				return middle(p.weights, " %") + ", " + middle(p.reacted, "")
			})...)...)
		}
	}
	return []table{alarms, passed, taken}, nil
}

func each(all []played, say func(played) string) []string {
	texts := make([]string, 0, len(all))
	for _, p := range all {
		texts = append(texts, say(p))
	}
	return texts
}

// ends writes how rollouts ended: promoted / rolled back / held.
func (p played) ends() string {
	return p.of(promoted).brief() + " / " + p.of(rolledBack).brief() + " / " + p.of(held).brief()
}

// broken plays worlds whose data are not whole.
func (b *bench) broken(ctx context.Context) ([]table, error) {
	t := table{
		title: "Broken data", intro: "50 rps. Promoted / rolled back / held, %.",
		header: headed("data", "errors"),
	}
	var worlds []conditions
	for _, f := range []fault{noFault, absent, late, gap} {
		for _, e := range []float64{clean, 0.2} {
			worlds = append(worlds, conditions{rate: 50, errors: e, fault: f})
		}
	}
	worlds = append(worlds, conditions{rate: 50, errors: 1, fault: uncounted})
	rows, err := b.everyJudge(ctx, "Broken data", worlds)
	for _, all := range rows {
		t.row(append([]string{all[0].fault.meaning(), percent(all[0].errors)}, each(all, played.ends)...)...)
	}
	return []table{t}, err
}

// bursts plays errors that do not come one by one.
func (b *bench) bursts(ctx context.Context) ([]table, error) {
	t := table{
		title:  "Errors in bursts",
		intro:  "All errors come in one minute of fifty. Promoted / rolled back / held, %.",
		header: headed("errors on average", "in a burst", "who fails", "rps"),
	}
	var worlds []conditions
	for _, c := range []conditions{
		{errors: clean, bursts: burst{every: 50}},
		{errors: clean, bursts: burst{every: 50, shared: true}},
		{errors: 0.02, bursts: burst{every: 50}},
	} {
		for _, c.rate = range []float64{1, 20, 500} {
			worlds = append(worlds, c)
		}
	}
	rows, err := b.everyJudge(ctx, "Errors in bursts", worlds)
	for _, all := range rows {
		c := all[0].conditions
		who := "candidate"
		if c.bursts.shared {
			who = "both"
		}
		t.row(append([]string{percent(c.errors), percent(min(1, c.errors*c.bursts.every)), who, number(c.rate)},
			each(all, played.ends)...)...)
	}
	return []table{t}, err
}

// looks plays the same worlds with fewer looks, each by itself.
func (b *bench) looks(ctx context.Context) ([]table, error) {
	judges := []judge{standard()}
	t := table{title: "Rolled back, by how often one looks, %", header: []string{"errors", "rps", "Sluice"}}
	for _, minutes := range []int{1, 5, 15} {
		t.header = append(t.header, fmt.Sprintf("single looks, every %d min", minutes))
		judges = append(judges, sluice{single{rules[0].rule}, minutes})
	}
	var cells []cell
	for _, e := range []float64{clean, limit} {
		for _, rate := range []float64{5, 500} {
			for _, j := range judges {
				cells = append(cells, cell{conditions{rate: rate, errors: e}, j, fewTrials})
			}
		}
	}
	all, err := b.playAll(ctx, "Fewer looks", cells)
	for i := 0; i+len(judges) <= len(all); i += len(judges) {
		row := all[i : i+len(judges)]
		t.row(append([]string{percent(row[0].errors), number(row[0].rate)},
			each(row, func(p played) string { return p.of(rolledBack).String() })...)...)
	}
	return []table{t}, err
}

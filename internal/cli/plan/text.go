package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// String writes a plan as a table, with the arithmetic of the forecasts below it.
func (p Plan) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "STEP\tWEIGHT\tBAKE\tFROM\tTAKES\tNAT\tBEFORE IT")
	for _, s := range p.Steps {
		step, bake := "inserted", "-"
		if s.Number > 0 {
			step, bake = fmt.Sprintf("%d/%d", s.Number, p.planned()), length(s.Bake)
		}
		_, _ = fmt.Fprintf(w, "%s\t%d%%\t%s\t+%s\t%s\t%s\t%s\n", step, s.Weight, bake, length(s.Starts), length(s.Takes), s.Verdict, p.before(s))
	}
	_ = w.Flush() // a builder does not fail
	text.WriteString("\n" + p.ending() + "\n")
	fmt.Fprintf(&text, "A step takes %s in which nothing is judged and its bake, or %s in which a hung request ends, and then %s until the metrics have arrived.\n",
		length(analysis.Settle), length(analysis.DefaultTimeout), length(p.Delay))
	if p.Calendar != nil {
		text.WriteString(p.Calendar.text())
	}
	return text.String() + p.arithmetic()
}

// before says what a step waits for.
func (p Plan) before(s Step) string {
	var waits []string
	if s.Approval {
		waits = append(waits, "a person's approval")
	}
	if !s.Opens.IsZero() {
		waits = append(waits, "the window of "+p.Calendar.clock(s.Opens))
	}
	return cmp.Or(strings.Join(waits, ", "), "-")
}

// stuck is the number of the first step that waits for room, counted from 0; -1 for none.
func (p Plan) stuck() int {
	return slices.IndexFunc(p.Steps, func(s Step) bool { return s.Verdict == Waits })
}

// ending says when the rollout is done, or at which weight it waits for room.
func (p Plan) ending() string {
	i := p.stuck()
	if i < 0 {
		return fmt.Sprintf("Done after %s at the earliest, without waiting for anybody.", length(p.Total))
	}
	last := int32(0)
	if i > 0 {
		last = p.Steps[i-1].Weight
	}
	return fmt.Sprintf("Does not get beyond %d%%: %d%% waits until the gateways have more room than this release leaves them.", last, p.Steps[i].Weight)
}

// arithmetic is what each weight asks of each gateway.
func (p Plan) arithmetic() string {
	var text strings.Builder
	for _, s := range p.Steps {
		for _, f := range s.Forecasts {
			if text.Len() == 0 {
				text.WriteString("\nForecast\n")
			}
			fmt.Fprintf(&text, "  %4d%%  %s: %s\n", f.Weight, f.Verdict, f.Text)
		}
	}
	for _, assumption := range p.Assumes {
		fmt.Fprintf(&text, "  %s\n", assumption)
	}
	return text.String()
}

func (p Plan) planned() int {
	planned := 0
	for _, s := range p.Steps {
		planned = max(planned, s.Number)
	}
	return planned
}

// String says the verdict in a word or two.
func (v Verdict) String() string {
	switch v {
	case Fits:
		return "fits"
	case Waits:
		return "waits, nothing fits"
	case Exceeds:
		return "does not fit"
	case Unknown:
	}
	return "not forecast"
}

// length writes a length of time without what is zero: "1h5m", "4m45s".
func length(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

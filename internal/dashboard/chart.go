package dashboard

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/standing"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// The chart's place on its drawing: percent to the left of it, times below.
const (
	chartWidth, chartHeight = 720.0, 150.0
	left, right             = 34.0, 12.0
	top, bottom             = 14.0, 20.0
)

// chart is the candidate's weight over the time of an attempt.
type chart struct {
	Path  string
	Lines []gridLine
	Marks []chartMark
	Holds []span
	Times []chartTime
	// Says tells the same in words.
	Says string
	// Short tells that the history no longer holds the beginning.
	Short bool
}

// gridLine is a weight: of the axis, or of a step of the plan.
type gridLine struct {
	Y, Label string
	Planned  bool
}

// chartMark is a change of weight.
type chartMark struct{ X, Y, Label, Anchor string }

// span is a time in which it was held or stood still.
type span struct {
	X, Width, Says string
	// Label is the reason, where there is room for it.
	Label string
}

// chartTime is a time on the axis.
type chartTime struct{ X, Label, Anchor string }

// moment is one entry of the history that tells a weight.
type moment struct {
	at     time.Time
	weight float64
	reason string
}

// momentsOf are the entries of the newest candidate's attempt.
func momentsOf(ro *v1alpha1.CloudRunRollout) []moment {
	var moments []moment
	if ro.Status.Candidate == nil {
		return nil
	}
	for _, h := range ro.Status.History {
		weight, _, known := view.Quantity(h.Weight)
		if known && h.Revision == ro.Status.Candidate.Revision {
			moments = append(moments, moment{h.Time.Time, weight, h.Reason})
		}
	}
	return moments
}

// chartOf draws the attempt of the newest candidate; nil where the history tells
// nothing of it.
func chartOf(ro *v1alpha1.CloudRunRollout, r view.Reader) *chart {
	moments := momentsOf(ro)
	if len(moments) == 0 {
		return nil
	}
	first, last := moments[0].at, endOf(ro, moments, r.Now)
	s := scale{first, last}
	c := &chart{
		Lines: linesOf(ro),
		Short: len(ro.Status.History) == v1alpha1.MaxHistory && ro.Status.History[0].Revision == ro.Status.Candidate.Revision,
		Times: []chartTime{{s.x(first), r.Clock(first), "start"}, {s.x(last), r.Clock(last), "end"}},
	}
	c.Path = pathOf(moments, s)
	says := []string{"Weight of " + ro.Status.Candidate.Revision + " in percent: " + px(moments[0].weight) + " at " + r.Clock(first)}
	for i, m := range moments {
		if i > 0 && m.weight != moments[i-1].weight {
			c.Marks = append(c.Marks, markAt(m, s))
			says = append(says, px(m.weight)+" at "+r.Clock(m.at))
		}
		if until := s.until(moments, i); slices.Contains(holds, m.reason) {
			c.Holds = append(c.Holds, s.hold(m, until, r))
		}
	}
	c.Says = strings.Join(says, ", ") + "."
	return c
}

// holds are the reasons for which an attempt stands still, and is drawn so.
var holds = []string{
	v1alpha1.ReasonHeldByAnalysis, v1alpha1.ReasonMetricsUnavailable, v1alpha1.ReasonTooFewRequests, v1alpha1.ReasonWaitingForNat,
	v1alpha1.ReasonOutsideWindow, v1alpha1.ReasonAssetsMissed,
	v1alpha1.ReasonAccessDenied, v1alpha1.ReasonPaused, v1alpha1.ReasonTrafficConflict, v1alpha1.ReasonStepDeadlineExceeded,
	v1alpha1.ReasonNoDataDeadlineExceeded, v1alpha1.ReasonAwaitingApproval,
}

// endOf is where the chart ends: now, or a little after the attempt's end.
func endOf(ro *v1alpha1.CloudRunRollout, moments []moment, now time.Time) time.Time {
	newest := moments[len(moments)-1].at
	over := standing.Of(ro) == standing.Settled || standing.Of(ro) == standing.RolledBack
	if tail := newest.Add(max(time.Minute, newest.Sub(moments[0].at)/10)); over && tail.Before(now) {
		return tail
	}
	if !now.After(newest) { // the reader's clock is behind
		return newest.Add(time.Minute)
	}
	return now
}

// scale maps times and weights to places.
type scale struct{ first, last time.Time }

func (s scale) at(t time.Time) float64 {
	return left + (chartWidth-left-right)*float64(t.Sub(s.first))/float64(s.last.Sub(s.first))
}

func (s scale) x(t time.Time) string { return px(s.at(t)) }

// hold is the time in which a moment's reason held.
func (s scale) hold(m moment, until time.Time, r view.Reader) span {
	const letter = 6.2 // how wide one is
	wide := s.at(until) - s.at(m.at)
	made := span{X: s.x(m.at), Width: px(wide), Says: m.reason + " " + r.Clock(m.at) + " to " + r.Clock(until)}
	if wide > letter*float64(len(m.reason)) {
		made.Label = m.reason
	}
	return made
}

// until is when the entry after one begins, or the chart ends.
func (s scale) until(moments []moment, i int) time.Time {
	if i+1 < len(moments) {
		return moments[i+1].at
	}
	return s.last
}

func yOf(weight float64) string {
	return px(chartHeight - bottom - (chartHeight-top-bottom)*weight/100)
}

// pathOf is a line that keeps a weight until the next one.
func pathOf(moments []moment, s scale) string {
	var path strings.Builder
	path.WriteString("M" + s.x(moments[0].at) + " " + yOf(moments[0].weight))
	for _, m := range moments[1:] {
		path.WriteString("H" + s.x(m.at) + "V" + yOf(m.weight))
	}
	return path.String() + "H" + s.x(s.last)
}

// markAt labels a change of weight, on the side where there is room.
func markAt(m moment, s scale) chartMark {
	anchor := "start"
	if s.at(m.at) > chartWidth-80 {
		anchor = "end"
	}
	return chartMark{s.x(m.at), yOf(m.weight), px(m.weight) + "%", anchor}
}

// linesOf are the weights that are worth a line: none, all, and the plan's. A label
// that would stand on another one is left out.
func linesOf(ro *v1alpha1.CloudRunRollout) []gridLine {
	lines, below := []gridLine{{Y: yOf(0), Label: "0"}, {Y: yOf(100), Label: "100"}}, int32(0)
	for _, step := range ro.Spec.Strategy.Steps {
		if step.Weight <= 0 || step.Weight >= 100 {
			continue
		}
		line := gridLine{Y: yOf(float64(step.Weight)), Planned: true}
		if step.Weight-below >= apart && 100-step.Weight >= apart {
			line.Label, below = strconv.Itoa(int(step.Weight)), step.Weight
		}
		lines = append(lines, line)
	}
	return lines
}

// apart is how many percent two labels must lie apart to be read.
const apart = 9

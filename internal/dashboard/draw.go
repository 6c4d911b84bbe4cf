package dashboard

import (
	"math"
	"strconv"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// px is a place in a drawing. It has one digit after the point at most, so that
// pages stay small.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// The sizes of the small drawings, in their own units.
const (
	shareWidth = 80.0
	meterWidth = 120.0
	portsWidth = 480.0
)

// share is the candidate's part of the traffic as a bar.
type share struct{ Known, Width string }

func shareOf(ro *v1alpha1.CloudRunRollout) share {
	c := ro.Status.Candidate
	if c == nil || ro.Status.Weight == "" {
		return share{}
	}
	return share{ro.Status.Weight, px(shareWidth * float64(c.Percent) / 100)}
}

// meter is a number against its limit.
type meter struct{ Value, Limit string }

// meterOf draws a check whose value and limit are numbers of one unit; nil of
// another. The limit stands at two thirds, unless the value is far above it.
func meterOf(c v1alpha1.CheckStatus) *meter {
	value, unit, measured := view.Quantity(c.Value)
	limit, of, limited := view.Quantity(c.Limit)
	if !measured || !limited || unit != of {
		return nil
	}
	full := max(limit*1.5, value*1.1)
	if full == 0 {
		return &meter{Value: "0", Limit: px(meterWidth * 2 / 3)}
	}
	return &meter{Value: px(meterWidth * value / full), Limit: px(meterWidth * limit / full)}
}

// spark is what a check measured one time after another, and its limit.
type spark struct{ Points, Limit string }

const (
	sparkWidth  = 90.0
	sparkHeight = 18.0
)

// sparkOf draws points, oldest first; nil of fewer than two.
func sparkOf(points []point, c v1alpha1.CheckStatus) *spark {
	if len(points) < 2 {
		return nil
	}
	full := 0.0
	limit, _, limited := view.Quantity(c.Limit)
	if limited {
		full = limit
	}
	for _, p := range points {
		full = max(full, p.value)
	}
	y := func(value float64) string {
		if full == 0 {
			return px(sparkHeight - 1)
		}
		return px(sparkHeight - 1 - (sparkHeight-2)*value/full)
	}
	first, last := points[0].through, points[len(points)-1].through
	var made spark
	for _, p := range points {
		made.Points += px(sparkWidth*float64(p.through.Sub(first))/float64(last.Sub(first))) + "," + y(p.value) + " "
	}
	if limited {
		made.Limit = y(limit)
	}
	return &made
}

// portsBar is what a gateway has: what is taken, what the next weight would take,
// and where the room of this rollout ends.
type portsBar struct{ Allocated, Forecast, Room string }

// portsOf draws a gateway whose capacity and use are known; nil of another.
func portsOf(g v1alpha1.GatewayStatus) *portsBar {
	if g.Capacity == nil || *g.Capacity == 0 || g.Allocated == nil {
		return nil
	}
	at := func(ports int32) string { return px(portsWidth * min(1, float64(ports)/float64(*g.Capacity))) }
	bar := &portsBar{Allocated: at(*g.Allocated)}
	if g.Forecast != nil {
		bar.Forecast = at(*g.Forecast)
	}
	if g.Headroom != nil {
		bar.Room = at(*g.Allocated + *g.Headroom)
	}
	return bar
}

package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The picture's measures, in its own units.
const (
	width, height  = 760, 420
	left, right    = 64, 744
	portsTop       = 64
	portsBottom    = 214
	failedTop      = 262
	failedBottom   = 362
	axisBottom     = failedBottom + 16
	pictureBefore  = 10 * time.Minute // the release
	tick           = 15 * time.Minute
	largestPicture = 30 << 10 // bytes
)

// style makes a picture readable on light and on dark pages.
const style = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.quiet { fill: #59636e }
.axis { stroke: #59636e; stroke-width: 1; fill: none }
.grid { stroke: #59636e; stroke-opacity: .25; stroke-width: 1; fill: none }
.limit { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 6 4; fill: none }
.ports { stroke: #0969da; stroke-width: 2; fill: none }
.waiting { fill: #bf8700; fill-opacity: .55 }
.failed { fill: #cf222e }
.weight { stroke: #1a7f37; stroke-width: 1.5; fill: none }
.step { fill: #1a7f37 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #9198a1 }
  .axis, .grid, .limit { stroke: #9198a1 }
  .ports { stroke: #4493f8 } .waiting { fill: #d29922 } .failed { fill: #f85149 }
  .weight { stroke: #3fb950 } .step { fill: #3fb950 }
}`

// picture draws a run: ports that are lent, and what users felt, over time. Those
// that are compared have the same measures.
type picture struct {
	title  string
	run    run
	after  time.Duration // how long after the release it ends
	ports  int           // at the top of the upper panel
	failed int           // a minute, at the top of the lower panel
	text   strings.Builder
}

// draw writes the picture as SVG.
func (p *picture) draw() string {
	figures := p.run.figures()
	summary := fmt.Sprintf("%s: %d of %d requests failed, %d minutes of trouble.", p.title, figures.failed, figures.asked, figures.trouble)
	p.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height, html.EscapeString(summary))
	p.add(`<style>%s</style>`, style)
	p.add(`<text class="title" x="%d" y="22">%s</text>`, left, html.EscapeString(p.title))
	p.add(`<text class="quiet" x="%d" y="40">%s</text>`, left, html.EscapeString(fmt.Sprintf(
		"%s of %s requests failed; %d minutes with more than 1%% failing", thousands(figures.failed), thousands(figures.asked), figures.trouble)))
	p.panels()
	p.curves()
	p.bars()
	p.weights()
	p.add(`</svg>`)
	return p.text.String()
}

func (p *picture) add(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

// x is where a time stands.
func (p *picture) x(at time.Time) float64 {
	return left + p.minuteWidth()*at.Sub(p.run.released.Add(-pictureBefore)).Minutes()
}

func (p *picture) minuteWidth() float64 {
	return float64(right-left) / (pictureBefore + p.after).Minutes()
}

// shown tells whether a time is in the picture.
func (p *picture) shown(at time.Time) bool {
	since := at.Sub(p.run.released)
	return since > -pictureBefore && since <= p.after
}

// y is where a value stands in a panel.
func y(value, most float64, top, bottom int) float64 {
	return float64(bottom) - min(1, value/most)*float64(bottom-top)
}

// panels draws the axes and what they count.
func (p *picture) panels() {
	for after := -pictureBefore.Truncate(tick); after <= p.after; after += tick {
		p.vertical(after)
	}
	for _, panel := range [][2]int{{portsTop, portsBottom}, {failedTop, failedBottom}} {
		p.add(`<path class="axis" d="M%d %dV%dH%d"/>`, left, panel[0], panel[1], right)
	}
	p.add(`<text class="quiet" x="%d" y="%d">minutes after the release</text>`, left, axisBottom+18)
	p.add(`<text x="%d" y="%d">NAT ports lent</text>`, left+6, portsTop-6)
	p.add(`<text x="%d" y="%d">requests failing, a minute</text>`, left+6, failedTop-6)
	p.add(`<text class="quiet" x="%d" y="%d" text-anchor="end">%s</text>`, left-6, failedTop+8, thousands(p.failed))
	p.add(`<text class="quiet" x="%d" y="%d" text-anchor="end">0</text>`, left-6, failedBottom)
	p.add(`<text class="quiet" x="%d" y="%d" text-anchor="end">0</text>`, left-6, portsBottom)
}

// vertical draws the line of a time after the release.
func (p *picture) vertical(after time.Duration) {
	x := p.x(p.run.released.Add(after))
	if x < left || x > right {
		return
	}
	p.add(`<path class="grid" d="M%.1f %dV%d"/>`, x, portsTop, failedBottom)
	p.add(`<text class="quiet" x="%.1f" y="%d" text-anchor="middle">%d</text>`, x, axisBottom, int(after.Minutes()))
}

// curves draws the ports that are lent, what waits for ports on top of them, and
// what there is.
func (p *picture) curves() {
	most := float64(p.ports)
	var ports, wanted, lent []string
	capacity := 0
	for _, m := range p.run.minutes {
		if !p.shown(m.end) {
			continue
		}
		x, low := p.x(m.end), y(float64(m.ports), most, portsTop, portsBottom)
		ports = append(ports, fmt.Sprintf("%.1f %.1f", x, low))
		wanted = append(wanted, fmt.Sprintf("%.1f %.1f", x, y(float64(m.wanted()), most, portsTop, portsBottom)))
		lent = append([]string{fmt.Sprintf("%.1f %.1f", x, low)}, lent...)
		capacity = max(capacity, m.capacity)
	}
	if len(ports) == 0 {
		return
	}
	p.add(`<path class="waiting" d="M%sL%sZ"/>`, strings.Join(wanted, "L"), strings.Join(lent, "L"))
	p.add(`<path class="ports" d="M%s"/>`, strings.Join(ports, "L"))
	limit := y(float64(capacity), most, portsTop, portsBottom)
	p.add(`<path class="limit" d="M%d %.1fH%d"/>`, left, limit, right)
	p.add(`<text class="quiet" x="%d" y="%.1f" text-anchor="end">%s</text>`, left-6, limit+4, thousands(capacity))
	p.add(`<text class="quiet" x="%d" y="%.1f" text-anchor="end">dashed: all that the gateway has; above it: waiting for ports</text>`, right-4, float64(portsTop)-6)
}

// bars draws the requests that failed.
func (p *picture) bars() {
	for _, m := range p.run.minutes {
		if !p.shown(m.end) || m.failed == 0 {
			continue
		}
		top := y(float64(m.failed), float64(p.failed), failedTop, failedBottom)
		p.add(`<rect class="failed" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
			p.x(m.end)-p.minuteWidth(), top, p.minuteWidth()*.9, float64(failedBottom)-top)
	}
}

// weights draws the share of the new revision.
func (p *picture) weights() {
	var steps []string
	last := -1
	for _, m := range p.run.minutes {
		if !p.shown(m.end) || m.weight == last {
			continue
		}
		x, level := p.x(m.end), y(float64(m.weight), 100, failedTop, failedBottom)
		if last >= 0 {
			steps = append(steps, fmt.Sprintf("H%.1fV%.1f", x, level))
			p.add(`<text class="step" x="%.1f" y="%.1f">%d%%</text>`, x+3, max(level-4, failedTop+10), m.weight)
		} else {
			steps = append(steps, fmt.Sprintf("M%.1f %.1f", x, level))
		}
		last = m.weight
	}
	if len(steps) > 0 {
		p.add(`<path class="weight" d="%sH%d"/>`, strings.Join(steps, ""), right)
	}
	p.add(`<text class="step" x="%d" y="%d" text-anchor="end">traffic of the new revision</text>`, right-4, failedTop-6)
}

// thousands writes a number with commas.
func thousands(n int) string {
	text := strconv.Itoa(int(math.Abs(float64(n))))
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if n < 0 {
		return "-" + text
	}
	return text
}

// picturesOf draws both ways of a release, by the name of the file.
func picturesOf(p pair) map[string]string {
	ports, failed := 1, 1
	for _, m := range append(slices.Clone(p.atOnce.minutes), p.stepwise.minutes...) {
		ports, failed = max(ports, m.capacity, m.wanted()), max(failed, m.failed)
	}
	ports, failed = ports*106/100, (failed+199)/100*100 // with some air, in round numbers
	after := min(max(p.stepwise.moved()+20*time.Minute, 4*tick), 12*tick).Round(tick)
	instant := picture{title: "The release at once", run: p.atOnce, after: after, ports: ports, failed: failed}
	sluice := picture{title: "The same release with Sluice", run: p.stepwise, after: after, ports: ports, failed: failed}
	return map[string]string{"incident-instant.svg": instant.draw(), "incident-sluice.svg": sluice.draw()}
}

// moved is how long after the release traffic was moved last.
func (r run) moved() time.Duration {
	var last time.Duration
	for i := 1; i < len(r.minutes); i++ {
		if r.minutes[i].weight != r.minutes[i-1].weight {
			last = r.minutes[i].end.Sub(r.released)
		}
	}
	return last
}

package crashmatrix

import (
	"fmt"
	"strings"
	"time"
)

// Report is what a matrix came to.
type Report struct {
	Scenes []SceneReport
	Took   time.Duration
}

// SceneReport is what the cells of a scene came to.
type SceneReport struct {
	Scene     string
	Calls     int // K
	Points    int
	Singles   int
	Pairs     int
	Different []Difference
	Took      time.Duration
}

// Difference is a cell after which somebody could tell that there was a crash.
type Difference struct {
	Cell Cell
	What []string
}

// add counts a cell, and keeps it if it differs.
func (r *SceneReport) add(d Difference) {
	if len(d.Cell.Crashes) <= 1 {
		r.Singles++
	} else {
		r.Pairs++
	}
	if len(d.What) > 0 {
		r.Different = append(r.Different, d)
	}
}

// String is a line for the scene, and some for each cell that differs.
func (r SceneReport) String() string {
	var text strings.Builder
	cells := r.Singles + r.Pairs
	fmt.Fprintf(&text, "%-10s K %4d, points %3d: %d singles, %d pairs, %d/%d as undisturbed, %.0f s",
		r.Scene, r.Calls, r.Points, r.Singles, r.Pairs, cells-len(r.Different), cells, r.Took.Seconds())
	for _, d := range r.Different {
		fmt.Fprintf(&text, "\n%s", d)
	}
	return text.String()
}

// String is what differs, and the command that plays it again.
func (d Difference) String() string {
	return fmt.Sprintf("  VIOLATION %s\n    %s", strings.Join(d.What, "\n  VIOLATION "), d.Cell)
}

// Cells counts them.
func (r Report) Cells() (cells, different int) {
	for _, s := range r.Scenes {
		cells, different = cells+s.Singles+s.Pairs, different+len(s.Different)
	}
	return cells, different
}

// String is the sum.
func (r Report) String() string {
	cells, different := r.Cells()
	return fmt.Sprintf("%d scenes, %d/%d cells as undisturbed, %d violations found, %.0f s",
		len(r.Scenes), cells-different, cells, different, r.Took.Seconds())
}

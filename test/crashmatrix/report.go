package crashmatrix

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// Report is what a matrix came to.
type Report struct {
	Scenes []SceneReport
	Took   time.Duration
}

// SceneReport is what the cells of a scene came to.
type SceneReport struct {
	Scene     string
	What      string
	Calls     int // K
	Points    int
	Singles   int
	Pairs     int
	AllPairs  int // that begin with a single crash that was played, played themselves or not
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

// Head names the columns of [SceneReport.Row], in Markdown.
const Head = `| Scene | K | Points | Singles | Pairs | As undisturbed | Violations found | Commit |
|---|---|---|---|---|---|---|---|
`

// Row is the scene as a row of a table in Markdown. Where no pair was played it is not
// said how many there are.
func (r SceneReport) Row(commit string) string {
	pairs, cells := "none", r.Singles+r.Pairs
	if r.Pairs > 0 {
		pairs = fmt.Sprintf("%d of %d", r.Pairs, r.AllPairs)
	}
	return fmt.Sprintf("| `%s`: %s | %d | %d | %d of %d | %s | %d/%d | %d | %s |\n", r.Scene, r.What, r.Calls, r.Points,
		r.Singles, r.Calls*len(soak.CrashKinds), pairs, cells-len(r.Different), cells, len(r.Different), commit)
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

// Table is a table of the scenes in Markdown.
func (r Report) Table(commit string) string {
	var text strings.Builder
	text.WriteString(Head)
	for _, s := range r.Scenes {
		text.WriteString(s.Row(commit))
	}
	return text.String()
}

// String is the sum.
func (r Report) String() string {
	cells, different := r.Cells()
	return fmt.Sprintf("%d scenes, %d/%d cells as undisturbed, %d violations found, %.0f s",
		len(r.Scenes), cells-different, cells, different, r.Took.Seconds())
}

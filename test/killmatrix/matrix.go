package killmatrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Options say how much of a matrix is played.
type Options struct {
	// Every plays every n-th point only. 0 and 1 are all.
	Every int
	// Workers is how many plays go on side by side. Default 2.
	Workers int
	// Progress hears how far it is.
	Progress io.Writer
	// Bug is a deliberate mistake; nil for the controller as it is.
	Bug *Bug
	// Only leaves the other points out; nil takes all.
	Only func(Scene, Point) bool
	// Scene, At and Kind pick one scene, point or kind; the zero values take all.
	Scene string
	At    int
	Kind  Kind
	// First ends a matrix at its first divergence.
	First bool
}

// Report is what a matrix came to.
type Report struct {
	K           int
	Kills       int
	Divergences []Divergence
	Took        time.Duration
}

// String writes the numbers.
func (r Report) String() string {
	return fmt.Sprintf("K %d, kills %d, divergences %d, %.0f s", r.K, r.Kills, len(r.Divergences), r.Took.Seconds())
}

// And adds another report to this one.
func (r Report) And(other Report) Report {
	return Report{
		r.K + other.K, r.Kills + other.Kills, append(r.Divergences, other.Divergences...), r.Took + other.Took,
	}
}

// Divergence is a kill that somebody could tell afterwards.
type Divergence struct {
	Scene string
	Kill  *Kill // nil: it is the reference that is wrong
	What  []string
	Story string
}

// String tells it with everything that is needed to play it again.
func (d Divergence) String() string {
	at := "undisturbed"
	if d.Kill != nil {
		at = d.Kill.String()
	}
	return fmt.Sprintf("DIVERGENCE in scene %s, %s\n    %s\n%s", d.Scene, at, strings.Join(d.What, "\n    "), d.Story)
}

// performance plays a scene, undisturbed or with a kill.
type performance func(ctx context.Context, s Scene, kill *Kill) (outcome, []Point, error)

// Matrix plays every scene in this process, with a kill at every point.
func (b *Bench) Matrix(ctx context.Context, o Options) (Report, error) {
	return matrix(ctx, o, func(ctx context.Context, s Scene, kill *Kill) (outcome, []Point, error) {
		return b.perform(ctx, s, kill, o.Bug)
	})
}

func matrix(ctx context.Context, o Options, perform performance) (Report, error) {
	began := time.Now()
	var all Report
	for _, s := range Scenes {
		if o.First && len(all.Divergences) > 0 {
			break
		}
		if o.Scene != "" && o.Scene != s.Name {
			continue
		}
		m := scenery{scene: s, options: o, perform: perform, began: began}
		err := m.play(ctx)
		all = all.And(m.report)
		if err != nil {
			return all, fmt.Errorf("scene %s: %w", s.Name, err)
		}
	}
	all.Took = time.Since(began)
	return all, ctx.Err()
}

// scenery is the matrix of one scene.
type scenery struct {
	scene     Scene
	options   Options
	perform   performance
	began     time.Time
	reference outcome
	kills     []Kill

	mu     sync.Mutex
	report Report
}

// play plays the reference and every kill.
func (m *scenery) play(ctx context.Context) error {
	reference, points, err := m.perform(ctx, m.scene, nil)
	if err != nil {
		return err
	}
	m.reference = reference
	m.choose(points)
	if wrong := m.wrong(); len(wrong) > 0 {
		m.report.Divergences = append(m.report.Divergences, Divergence{m.scene.Name, nil, wrong, inFull(reference)})
		return nil
	}
	m.say("K is %d, %d kills to play; undisturbed it goes %s", m.report.K, len(m.kills), strings.Join(reference.splits, " > "))
	m.playKills(ctx)
	return ctx.Err()
}

// choose takes the points that are played.
func (m *scenery) choose(points []Point) {
	for i, p := range points {
		o := m.options
		if o.Only != nil && !o.Only(m.scene, p) || o.At > 0 && o.At != i+1 {
			continue
		}
		m.report.K++
		if every := max(1, o.Every); (m.report.K-1)%every != 0 {
			continue
		}
		for _, kind := range Kinds {
			if o.Kind == "" || o.Kind == kind {
				m.kills = append(m.kills, Kill{i + 1, p, kind})
			}
		}
	}
}

// wrong is what is wrong with the reference itself.
func (m *scenery) wrong() []string {
	wrong := m.reference.problems
	if want := "phase: " + string(m.scene.ends); m.reference.end[0] != want {
		wrong = append(wrong, "it ends with "+m.reference.end[0]+", not with "+want)
	}
	return wrong
}

func inFull(o outcome) string {
	var text strings.Builder
	for _, l := range o.lines {
		fmt.Fprintf(&text, "      +%s  %s\n", l.at.Sub(morning).Round(time.Second), l.what)
	}
	return text.String()
}

// playKills plays the kills, some side by side.
func (m *scenery) playKills(ctx context.Context) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	todo := make(chan Kill)
	var group sync.WaitGroup
	for range max(1, m.options.Workers) {
		group.Go(func() {
			for kill := range todo {
				if m.playKill(ctx, kill) && m.options.First {
					enough()
				}
			}
		})
	}
	for _, kill := range m.kills {
		select {
		case todo <- kill:
		case <-ctx.Done():
		}
	}
	close(todo)
	group.Wait()
}

// playKill plays one kill, and tells whether it diverged.
func (m *scenery) playKill(ctx context.Context, kill Kill) bool {
	o, _, err := m.perform(ctx, m.scene, &kill)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return false
	}
	d := Divergence{Scene: m.scene.Name, Kill: &kill}
	if err != nil {
		d.What = []string{"the harness failed: " + err.Error()}
	} else {
		d.What, d.Story = o.differences(m.reference), o.story(m.reference)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report.Kills++
	if len(d.What) > 0 {
		m.report.Divergences = append(m.report.Divergences, d)
	}
	if m.report.Kills%30 == 0 || m.report.Kills == len(m.kills) {
		m.say("%d of %d kills, %d divergences", m.report.Kills, len(m.kills), len(m.report.Divergences))
	}
	return len(d.What) > 0
}

// say writes a line of progress.
func (m *scenery) say(format string, args ...any) {
	if m.options.Progress != nil {
		_, _ = fmt.Fprintf(m.options.Progress, "%4.0f s  %s: %s\n", time.Since(m.began).Seconds(), m.scene.Name, fmt.Sprintf(format, args...))
	}
}

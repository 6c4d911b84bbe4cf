package crashmatrix

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluice-rollouts/sluice/test/soak"
)

// Options say how much of the matrix is played.
type Options struct {
	// Scenes are the names of those that are played; none are all.
	Scenes []string
	// Singles are the calls at which one crash is played.
	Singles Calls
	// Sample plays every n-th of them; 0 is all. No multiple of the number of kinds:
	// it would leave kinds out.
	Sample int
	// Pairs is which of the pairs are played: every n-th, or none with 0.
	Pairs int
	// Workers is how many plays go on side by side. Default: one for each CPU.
	Workers int
	// First ends with the first cell that differs.
	First bool
	// Progress hears of each scene that is done, and of each cell that differs.
	Progress io.Writer
}

// Calls are some of the calls of a play.
type Calls int

const (
	// Points are the calls without those that repeat a read: from each write to the
	// next, the first of each name. In a scene that has a phase from which on it is
	// crashed, they are those after it.
	Points Calls = iota
	// All are all calls.
	All
)

// Cell is a scene with crashes.
type Cell struct {
	Scene   Scene
	Crashes []soak.Crash
}

// String is the command that plays it again.
func (c Cell) String() string {
	words := []string{"go run ./hack/crashmatrix -scene", c.Scene.Name}
	for _, crash := range c.Crashes {
		words = append(words, "-crash", crash.String())
	}
	return strings.Join(words, " ")
}

// Play plays a cell, and tells how it differs from the undisturbed scene.
func (c Cell) Play(ctx context.Context, undisturbed Reference) ([]string, soak.Outcome, error) {
	script := c.Scene.script
	script.Crashes = c.Crashes
	o, err := soak.PlayAlone(ctx, script)
	if err != nil {
		return nil, o, fmt.Errorf("%s: %w", c, err)
	}
	r, err := resultOf(o)
	if err != nil {
		return nil, o, fmt.Errorf("%s: %w", c, err)
	}
	different := r.differences(c, undisturbed.result)
	if o.Crashed() < len(c.Crashes) {
		different = append(different, "the call to crash at was never made")
	}
	return different, o, nil
}

// Tell tells a cell's story.
func (c Cell) Tell(o soak.Outcome) string {
	script := c.Scene.script
	script.Crashes = c.Crashes
	return soak.Tell(script, o)
}

// Reference is a scene that was played undisturbed.
type Reference struct {
	Calls  []soak.Called
	result result
	// wrong is what is wrong with it: then nothing can be compared with it.
	wrong []string
}

// Undisturbed plays a scene without a crash.
func (s Scene) Undisturbed(ctx context.Context) (Reference, error) {
	o, err := soak.PlayAlone(ctx, s.script)
	if err != nil {
		return Reference{}, fmt.Errorf("scene %s: %w", s.Name, err)
	}
	r, err := resultOf(o)
	if err != nil {
		return Reference{}, fmt.Errorf("scene %s: %w", s.Name, err)
	}
	wrong := r.violations()
	if o.Phase != string(s.ends) {
		wrong = append(wrong, fmt.Sprintf("I11: undisturbed it ends %q, not %q", o.Phase, s.ends))
	}
	return Reference{o.Calls(), r, wrong}, nil
}

// numbers are those of the calls to crash at.
func (s Scene) numbers(calls []soak.Called, which Calls) []int {
	var numbers []int
	read, begun := map[string]bool{}, s.from == ""
	for i, c := range calls {
		begun = begun || c.Phase == string(s.from)
		again := read[c.Name]
		if c.Write {
			clear(read)
		} else {
			read[c.Name] = true
		}
		if which == All || begun && !again {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

// Run plays the matrix.
func Run(ctx context.Context, o Options) (Report, error) {
	began := time.Now()
	var all Report
	for _, s := range Scenes {
		if len(o.Scenes) > 0 && !slices.Contains(o.Scenes, s.Name) {
			continue
		}
		r, err := s.run(ctx, o)
		all.Scenes = append(all.Scenes, r)
		if err != nil {
			return all, err
		}
		if o.Progress != nil {
			_, _ = fmt.Fprintln(o.Progress, r)
		}
		if o.First && len(r.Different) > 0 {
			break
		}
	}
	all.Took = time.Since(began)
	return all, nil
}

// run plays the cells of a scene.
func (s Scene) run(ctx context.Context, o Options) (SceneReport, error) {
	reference, err := s.Undisturbed(ctx)
	if err != nil {
		return SceneReport{Scene: s.Name}, err
	}
	if len(reference.wrong) > 0 {
		return SceneReport{Scene: s.Name, Different: []Difference{{Cell{Scene: s}, reference.wrong}}}, nil
	}
	r := &runner{scene: s, options: o, reference: reference, report: SceneReport{
		Scene: s.Name, Calls: len(reference.Calls), Points: len(s.numbers(reference.Calls, Points)),
	}}
	began := time.Now()
	r.singles(ctx)
	r.report.Took = time.Since(began)
	slices.SortFunc(r.report.Different, func(a, b Difference) int { return strings.Compare(a.Cell.String(), b.Cell.String()) })
	return r.report, r.err
}

// runner plays the cells of one scene, some side by side.
type runner struct {
	scene     Scene
	options   Options
	reference Reference

	mu     sync.Mutex
	report SceneReport
	err    error
}

// singles plays each single crash, and the pairs that begin with it.
func (r *runner) singles(ctx context.Context) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	workers := r.options.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	todo := make(chan soak.Crash)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for crash := range todo {
				if r.single(ctx, crash) {
					enough()
				}
			}
		})
	}
	crashes := crashesAt(r.scene.numbers(r.reference.Calls, r.options.Singles))
	for i := 0; i < len(crashes); i += max(1, r.options.Sample) {
		select {
		case todo <- crashes[i]:
		case <-ctx.Done():
		}
	}
	close(todo)
	group.Wait()
}

// crashesAt are those of every kind at some calls.
func crashesAt(numbers []int) []soak.Crash {
	var all []soak.Crash
	for _, n := range numbers {
		for _, kind := range soak.CrashKinds {
			all = append(all, soak.Crash{Call: n, Kind: kind})
		}
	}
	return all
}

// single plays one crash and the pairs that begin with it, and tells whether that is
// enough.
func (r *runner) single(ctx context.Context, first soak.Crash) (enough bool) {
	calls, enough := r.cell(ctx, first)
	if r.options.Pairs == 0 || !slices.Contains(r.scene.numbers(r.reference.Calls, Points), first.Call) {
		return enough
	}
	seconds := crashesAt(r.scene.numbers(calls, Points))
	for i := first.Call % r.options.Pairs; i < len(seconds) && !enough; i += r.options.Pairs {
		_, enough = r.cell(ctx, first, seconds[i])
	}
	return enough
}

// cell plays a cell, and returns the calls after its last crash.
func (r *runner) cell(ctx context.Context, crashes ...soak.Crash) (calls []soak.Called, enough bool) {
	c := Cell{r.scene, crashes}
	different, o, err := c.Play(ctx, r.reference)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, true
	case err != nil:
		r.err = err
		return nil, true
	}
	r.report.add(Difference{c, different})
	return o.Calls(), r.options.First && len(different) > 0
}

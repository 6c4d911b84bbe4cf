package crashmatrix

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
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
	// Sample plays one of n of them, drawn by lot, the same ones each time; 0 is all.
	Sample int
	// Pairs plays one of n pairs, drawn in the same way; 0 is none, 1 is all.
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
		all.Scenes, all.Took = append(all.Scenes, r), time.Since(began)
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
	return all, nil
}

// run plays the cells of a scene.
func (s Scene) run(ctx context.Context, o Options) (SceneReport, error) {
	reference, err := s.Undisturbed(ctx)
	if err != nil {
		return SceneReport{Scene: s.Name, What: s.What}, err
	}
	if len(reference.wrong) > 0 {
		return SceneReport{Scene: s.Name, What: s.What, Different: []Difference{{Cell{Scene: s}, reference.wrong}}}, nil
	}
	r := &runner{scene: s, options: o, reference: reference, report: SceneReport{
		Scene: s.Name, What: s.What, Calls: len(reference.Calls), Points: len(s.numbers(reference.Calls, Points)),
	}}
	began := time.Now()
	r.singles(ctx)
	r.report.Took = time.Since(began)
	slices.SortFunc(r.report.Different, func(a, b Difference) int { return strings.Compare(a.Cell.String(), b.Cell.String()) })
	return r.report, cmp.Or(r.err, ctx.Err())
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
	for _, crash := range crashesAt(r.scene.numbers(r.reference.Calls, r.options.Singles)) {
		if !drawn(max(1, r.options.Sample), crash) {
			continue
		}
		select {
		case todo <- crash:
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

// drawn tells whether some crashes are among one of n that are drawn by lot. A lot has
// no period, so a small sample too has crashes of all kinds at early and at late calls.
func drawn(n int, crashes ...soak.Crash) bool {
	if n == 0 {
		return false
	}
	lot := sha256.Sum256([]byte(fmt.Sprint(crashes)))
	return binary.BigEndian.Uint64(lot[:8])%uint64(n) == 0 //nolint:gosec // not negative
}

// single plays one crash and the pairs that begin with it, and tells whether that is
// enough.
func (r *runner) single(ctx context.Context, first soak.Crash) (enough bool) {
	calls, enough := r.cell(ctx, first)
	if enough || !slices.Contains(r.scene.numbers(r.reference.Calls, Points), first.Call) {
		return enough
	}
	seconds := crashesAt(r.scene.numbers(calls, Points))
	r.mu.Lock()
	r.report.AllPairs += len(seconds)
	r.mu.Unlock()
	for _, second := range seconds {
		if drawn(r.options.Pairs, first, second) {
			if _, enough = r.cell(ctx, first, second); enough {
				return true
			}
		}
	}
	return false
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

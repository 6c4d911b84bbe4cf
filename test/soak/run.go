package soak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options say which seeds are played, and how.
type Options struct {
	From     uint64       // the first seed
	Rollouts int          // how many are wanted: seeds are played until there are as many
	Workers  int          // seeds side by side; 0 means one for each CPU
	Twice    bool         // play each seed twice, and compare
	First    bool         // end with the first seed that breaks something, and tell it as it is
	Told     func(string) // if set, hears of every violation as soon as its seeds are counted
}

// Report is what a range of seeds came to. Reports add up.
type Report struct {
	From, To   uint64 // the seeds, the last one included
	Rollouts   int    // attempts that moved traffic
	Passes     int
	Faults     map[string]int
	Sometimes  map[string]int
	Violations int
	Broken     []string        // stories of seeds that broke something, at most a few
	Backs      []time.Duration // without faults
	Afterwards []time.Duration // after them
	Took       time.Duration
}

// mostStories is how many stories a report tells.
const mostStories = 5

// chunk is how many seeds are played before it is counted how many rollouts there
// are. It does not depend on the workers, so the same options play the same seeds.
const chunk = 64

// few is the same where the first seed that breaks something is looked for.
const few = 8

// Run plays seeds until there are enough rollouts.
func Run(ctx context.Context, o Options) (Report, error) {
	began := time.Now()
	r := Report{From: o.From, Faults: map[string]int{}, Sometimes: map[string]int{}}
	size := uint64(chunk)
	if o.First {
		size = few
	}
	for next := o.From; r.Rollouts < o.Rollouts; next += size {
		outcomes := make([]Outcome, size)
		if err := o.play(ctx, next, outcomes); err != nil {
			return r, err
		}
		if o.First && r.first(next, outcomes) {
			break
		}
		o.tell(next, outcomes)
		for i, outcome := range outcomes {
			r.add(ctx, next+uint64(i), outcome)
		}
		r.To = next + size - 1
	}
	r.Took = time.Since(began)
	return r, nil
}

// play plays one seed after another, some side by side.
func (o Options) play(ctx context.Context, from uint64, outcomes []Outcome) error {
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	errs := make([]error, len(outcomes))
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(outcomes)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				outcomes[i], errs[i] = o.seed(ctx, from+uint64(i)) //nolint:gosec // not negative
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("seed %d: %w", from+uint64(i), err)
		}
	}
	return ctx.Err()
}

func (o Options) seed(ctx context.Context, seed uint64) (Outcome, error) {
	outcome, err := Play(ctx, Write(seed))
	if err != nil || !o.Twice {
		return outcome.brief(), err
	}
	again, err := Play(ctx, Write(seed))
	if err == nil && again.Hash() != outcome.Hash() {
		err = errors.New("two plays differ")
	}
	return outcome.brief(), err
}

// tell says what was broken, seed by seed: a report has the stories of the first ones only.
func (o Options) tell(from uint64, outcomes []Outcome) {
	for i, outcome := range outcomes {
		for _, v := range outcome.Violations {
			if o.Told != nil {
				o.Told(fmt.Sprintf("seed %d: %s", from+uint64(i), v))
			}
		}
	}
}

// first takes the first seed that breaks something, if one does.
func (r *Report) first(from uint64, outcomes []Outcome) bool {
	for i, outcome := range outcomes {
		if len(outcome.Violations) > 0 {
			r.To, r.Violations = from+uint64(i), len(outcome.Violations)
			r.Broken = append(r.Broken, Tell(Write(r.To), outcome))
			return true
		}
	}
	return false
}

// add adds what a seed came to.
func (r *Report) add(ctx context.Context, seed uint64, o Outcome) {
	r.Rollouts += o.Rollouts
	r.Passes += o.Passes
	for what, n := range o.Faults {
		r.Faults[what] += n
	}
	for what, n := range o.Sometimes {
		r.Sometimes[what] += n
	}
	r.Backs, r.Afterwards = append(r.Backs, o.Backs...), append(r.Afterwards, o.Afterwards...)
	r.Violations += len(o.Violations)
	if len(o.Violations) > 0 && len(r.Broken) < mostStories {
		r.Broken = append(r.Broken, Story(ctx, seed))
	}
}

// Story shrinks what a seed breaks to as little as shows it, and tells it.
func Story(ctx context.Context, seed uint64) string {
	script := Shrink(ctx, Write(seed))
	o, err := Play(ctx, script)
	text := Tell(script, o)
	if err != nil {
		text += fmt.Sprintf("  ERROR %v\n", err)
	}
	return text + fmt.Sprintf("  again: make soak SEED=%d ROLLOUTS=1\n", seed)
}

// Missing are the rare paths that were not reached.
func (r Report) Missing() []string {
	var missing []string
	for _, what := range Sometimes {
		if r.Sometimes[what] == 0 {
			missing = append(missing, what)
		}
	}
	return missing
}

// String is the report.
func (r Report) String() string {
	var text strings.Builder
	faults := 0
	for _, n := range r.Faults {
		faults += n
	}
	minutes := r.Took.Minutes()
	fmt.Fprintf(&text, "%d rollouts in seeds %d to %d, %d faults and deeds, %d looks, %d violations\n",
		r.Rollouts, r.From, r.To, faults, r.Passes, r.Violations)
	fmt.Fprintf(&text, "%.0f rollouts a minute\n", float64(r.Rollouts)/minutes)
	latency(&text, "without faults", r.Backs)
	latency(&text, "after all faults", r.Afterwards)
	table(&text, "faults and deeds", r.Faults)
	table(&text, "rare paths", r.Sometimes)
	return text.String()
}

// latency tells how long ways back took.
func latency(text *strings.Builder, when string, took []time.Duration) {
	if len(took) > 0 {
		fmt.Fprintf(text, "%s, from a visible breach until stable serves everything, %d times: p50 %s, p99 %s, max %s\n",
			when, len(took), quantile(took, 0.5), quantile(took, 0.99), quantile(took, 1))
	}
}

func table(text *strings.Builder, title string, counts map[string]int) {
	fmt.Fprintf(text, "%s\n", title)
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(text, "  %7d  %s\n", counts[what], what)
	}
}

// quantile is the nearest rank of a share.
func quantile(times []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))].Round(time.Second)
}

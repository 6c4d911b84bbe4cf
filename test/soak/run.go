package soak

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Options say which seeds are played, and how.
type Options struct {
	From     uint64       // the first seed
	Rollouts int          // how many are wanted: seeds are played until there are as many
	Workers  int          // seeds side by side; 0 means one for each CPU
	Kept     bool         // Config Connector keeps each seed's service
	Burst    bool         // a neighbour takes the ports of each seed's gateway for a while
	Twice    bool         // play each seed twice, and compare
	First    bool         // end with the first seed that breaks something, and tell it as it is
	Told     func(string) // if set, hears of every violation as soon as its seeds are counted
	Counted  func(Report) // if set, hears how far it came whenever seeds are counted
}

// mostStories is how many stories a report tells.
const mostStories = 5

// chunk is how many seeds are played before it is counted how many rollouts there
// are. It does not depend on the workers, so the same options play the same seeds.
const chunk = 64

// few is the same where the first seed that breaks something is looked for.
const few = 8

// Run plays seeds until there are enough rollouts. Where it is ended before that, its
// report is that of the seeds up to a number, without a gap.
func Run(ctx context.Context, o Options) (Report, error) {
	began := time.Now()
	r := Report{Faults: map[string]int{}, Sometimes: map[string]int{}, Backs: Latencies{}, Afterwards: Latencies{}}
	size := uint64(chunk)
	if o.First {
		size = few
	}
	for next := o.From; r.Rollouts < o.Rollouts; next += size {
		outcomes := make([]Outcome, size)
		if err := o.play(ctx, next, outcomes); err != nil {
			return r, err
		}
		if o.First {
			if found, ok := r.first(o, next, outcomes); ok {
				r.played(o.From, found, began)
				break
			}
		}
		o.tell(next, outcomes)
		for i, outcome := range outcomes {
			r.add(ctx, o, next+uint64(i), outcome)
		}
		r.played(o.From, next+size-1, began)
		if o.Counted != nil {
			o.Counted(r)
		}
	}
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

// Write writes the script of a seed.
func (o Options) Write(seed uint64) Script {
	switch {
	case o.Kept:
		return WriteKept(seed)
	case o.Burst:
		return WriteBurst(seed)
	}
	return Write(seed)
}

func (o Options) seed(ctx context.Context, seed uint64) (Outcome, error) {
	outcome, err := Play(ctx, o.Write(seed))
	if err != nil || !o.Twice {
		return outcome.brief(), err
	}
	again, err := Play(ctx, o.Write(seed))
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

// played notes how far it came, and how long that took.
func (r *Report) played(from, to uint64, began time.Time) {
	r.Seeds, r.Took = []Range{{from, to}}, time.Since(began)
}

// first takes the first seed that breaks something, if one does.
func (r *Report) first(o Options, from uint64, outcomes []Outcome) (seed uint64, ok bool) {
	for i, outcome := range outcomes {
		if len(outcome.Violations) > 0 {
			seed = from + uint64(i)
			r.Violations = len(outcome.Violations)
			r.Broken = append(r.Broken, Tell(o.Write(seed), outcome))
			return seed, true
		}
	}
	return 0, false
}

// add adds what a seed came to.
func (r *Report) add(ctx context.Context, o Options, seed uint64, came Outcome) {
	r.Rollouts += came.Rollouts
	r.Passes += came.Passes
	for what, n := range came.Faults {
		r.Faults[what] += n
	}
	for what, n := range came.Sometimes {
		r.Sometimes[what] += n
	}
	r.Backs.count(came.Backs...)
	r.Afterwards.count(came.Afterwards...)
	r.Violations += len(came.Violations)
	if len(came.Violations) > 0 && len(r.Broken) < mostStories {
		r.Broken = append(r.Broken, o.Story(ctx, seed))
	}
}

// Story shrinks what a seed breaks to as little as shows it, and tells it.
func (o Options) Story(ctx context.Context, seed uint64) string {
	script := Shrink(ctx, o.Write(seed))
	played, err := Play(ctx, script)
	text := Tell(script, played)
	if err != nil {
		text += fmt.Sprintf("  ERROR %v\n", err)
	}
	return text + "  again: " + o.again(seed) + "\n"
}

// again is the command that plays a seed in the same kind of world.
func (o Options) again(seed uint64) string {
	command := fmt.Sprintf("make soak SEED=%d ROLLOUTS=1", seed)
	switch {
	case o.Kept:
		return command + " KEPT=1"
	case o.Burst:
		return command + " BURST=1"
	}
	return command
}

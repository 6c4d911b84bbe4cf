package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// bench plays trials.
type bench struct {
	seed     uint64
	part     int // plays one trial in so many; 1 plays all
	workers  int
	progress io.Writer
}

func newBench(seed uint64, part int, progress io.Writer) *bench {
	return &bench{seed: seed, part: part, workers: runtime.GOMAXPROCS(0), progress: progress}
}

// cell is one world under one judge.
type cell struct {
	conditions
	judge  judge
	trials int // of a full run
}

// played is a cell with what came of it.
type played struct {
	cell
	tally
}

// playAll plays cells, with a dot for each.
func (b *bench) playAll(ctx context.Context, title string, cells []cell) ([]played, error) {
	_, _ = fmt.Fprintf(b.progress, "%s, %d times ", title, len(cells))
	began := time.Now()
	all := make([]played, 0, len(cells))
	for _, c := range cells {
		tally, err := b.play(ctx, c)
		if err != nil {
			return nil, err
		}
		all = append(all, played{c, tally})
		_, _ = fmt.Fprint(b.progress, ".")
	}
	_, _ = fmt.Fprintf(b.progress, " %.0f s\n", time.Since(began).Seconds())
	return all, nil
}

// count is how many of a full run's trials are played.
func (b *bench) count(trials int) int { return max(1, trials/b.part) }

// play plays the trials of one cell. Each is told by its number, so that it does
// not matter who plays it when.
func (b *bench) play(ctx context.Context, c cell) (tally, error) {
	results := make([]result, b.count(c.trials))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range b.workers {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < len(results) && ctx.Err() == nil; i = int(next.Add(1) - 1) {
				results[i] = c.judge.judge(newWorld(c.conditions, b.seed, i))
			}
		})
	}
	wg.Wait()
	return sum(results), ctx.Err()
}

// beside plays each world under every model, next to what Sluice made of it.
func (b *bench) beside(ctx context.Context, title string, sluices []played) ([][]played, error) {
	var cells []cell
	for _, s := range sluices {
		for _, m := range models {
			cells = append(cells, cell{s.conditions, m, fewTrials})
		}
	}
	all, err := b.playAll(ctx, title, cells)
	if err != nil {
		return nil, err
	}
	var rows [][]played
	for i, s := range sluices {
		rows = append(rows, append([]played{s}, all[i*len(models):(i+1)*len(models)]...))
	}
	return rows, nil
}

// everyJudge plays each world under Sluice and under every model.
func (b *bench) everyJudge(ctx context.Context, title string, worlds []conditions) ([][]played, error) {
	var cells []cell
	for _, c := range worlds {
		cells = append(cells, cell{c, standard(), fewTrials})
	}
	sluices, err := b.playAll(ctx, title+", Sluice", cells)
	if err != nil {
		return nil, err
	}
	return b.beside(ctx, title+", models", sluices)
}

package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// pair is a scene as it was played in both ways.
type pair struct{ atOnce, stepwise run }

// playBoth plays scenes in both ways, and returns them by name.
func playBoth(all []scene) (map[string]pair, error) {
	runs, err := playAll(2*len(all), func(i int) (run, error) {
		return all[i/2].play([]way{atOnce, stepwise}[i%2])
	})
	if err != nil {
		return nil, err
	}
	pairs := map[string]pair{}
	for i, s := range all {
		pairs[s.name] = pair{runs[2*i], runs[2*i+1]}
	}
	return pairs, nil
}

// playWorlds plays scenes in both ways in several worlds each: those of their own seed and
// of the seeds that follow it.
func playWorlds(all []scene, n int) ([]map[string]pair, error) {
	worlds := make([]map[string]pair, n)
	for i := range worlds {
		seeded := slices.Clone(all)
		for k := range seeded {
			seeded[k].world.Seed += uint64(i)
		}
		var err error
		if worlds[i], err = playBoth(seeded); err != nil {
			return nil, err
		}
	}
	return worlds, nil
}

// playAll plays n things at the same time, in any order. The first error counts.
func playAll[T any](n int, play func(int) (T, error)) ([]T, error) {
	results, errs := make([]T, n), make([]error, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				results[i], errs[i] = play(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return results, nil
}

// playSeeds plays worlds by their seeds.
func playSeeds[T any](of seeds, play func(seed uint64) (T, error)) ([]T, error) {
	return playAll(of.trials, func(i int) (T, error) { return play(of.from + uint64(i)) }) //nolint:gosec // not negative
}

// writeScenarios writes the table of all scenarios, with a sentence for each.
func writeScenarios(out io.Writer, pairs map[string]pair) {
	t := table{
		title: fmt.Sprintf("From the release on, for %d minutes or until it is over. Trouble: minutes in which more than 1%% of the\n"+
			"requests failed. Ports, endpoints and addresses of the subnetworks: the most at the end of a minute.", int(length.Minutes())),
		header: []string{"SCENARIO", "RELEASED", "FAILED", "TROUBLE", "PORTS", "ENDPOINTS", "WITHOUT", "ADDRESSES", "100% AFTER", "END"},
	}
	for _, name := range names(pairs) {
		for i, r := range []run{pairs[name].atOnce, pairs[name].stepwise} {
			f := r.figures()
			title := name
			if i > 0 {
				title = ""
			}
			t.row(title, string(r.way), f.losses(), fmt.Sprintf("%d min", f.trouble), f.lent(), strconv.Itoa(f.endpoints),
				strconv.Itoa(f.without), strconv.Itoa(f.addresses), f.time(), r.ending())
		}
	}
	t.write(out)
	_, _ = fmt.Fprintln(out)
	for _, name := range names(pairs) {
		_, _ = fmt.Fprintf(out, "  %s: %s\n", name, pairs[name].atOnce.scene.sentence)
	}
}

// names are the names of scenes: the incident first, then by letter.
func names(pairs map[string]pair) []string {
	var all []string
	for name := range pairs {
		all = append(all, name)
	}
	slices.SortFunc(all, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == "incident" || b != "incident" && a < b:
			return -1
		}
		return 1
	})
	return all
}

// namedScene is a scenario by its name, or a seeded world by a name such as blame/7.
func namedScene(name string) (scene, error) {
	kind, number, seeded := strings.Cut(name, "/")
	of := map[string]func(uint64) (scene, error){"blame": blameScene, "forecast": forecastScene}[kind]
	if !seeded || of == nil {
		return readScene(name)
	}
	seed, err := strconv.ParseUint(number, 10, 64)
	if err != nil || seed == 0 {
		return scene{}, fmt.Errorf("%s: write a seed from 1 on after the slash, such as %s/7", name, kind)
	}
	return of(seed)
}

// showMinutes plays one scenario and shows every minute, and what was told.
func showMinutes(out io.Writer, name string) error {
	s, err := namedScene(name)
	if err != nil {
		return err
	}
	for _, how := range []way{atOnce, stepwise} {
		r, err := s.play(how)
		if err != nil {
			return err
		}
		r.show(out)
	}
	return nil
}

func (r run) show(out io.Writer) {
	t := table{
		title:  fmt.Sprintf("%s, %s", r.scene.name, r.way),
		header: []string{"MINUTE", "WEIGHT", "REQUESTS", "FAILED", "504", "UNREACHED", "INSTANCES", "PORTS", "ENDPOINTS", "WITHOUT", "ADDRESSES", "DROPPED"},
	}
	for _, m := range r.minutes {
		since := m.end.Sub(r.released)
		if since < -pictureBefore {
			continue
		}
		row := []string{strconv.Itoa(int(since / time.Minute))}
		for _, n := range []int{
			m.weight, m.asked, m.failed, m.timedOut, m.unreached, m.instances, m.ports, m.endpoints, m.without, m.addresses, m.dropped,
		} {
			row = append(row, strconv.Itoa(n))
		}
		t.row(row...)
	}
	t.write(out)
	for _, e := range r.ends {
		for _, s := range e.told {
			_, _ = fmt.Fprintf(out, "  minute %d, %d%%, %s/%s: %s\n", int(s.At.Sub(r.released)/time.Minute), s.Weight, s.Phase, s.Reason, s.Note)
		}
		_, _ = fmt.Fprintf(out, "  %s %s: %s\n", e.service, e.revision, e.state)
	}
}

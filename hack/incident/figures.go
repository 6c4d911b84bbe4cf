package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// minute is what was true in a minute of a world.
type minute struct {
	end           time.Time
	asked, failed int // requests that ended
	timedOut      int // of those that failed: with 504
	unreached     int // of those that failed: no instance took them
	weight        int // percent of the first revision that was released
	instances     int
	truth         // at its end, and what was dropped in it
}

// troubled tells whether more than 1 % of a minute's requests failed.
func (m minute) troubled() bool { return m.failed*100 > m.asked }

// run is a scene as it was played in one way.
type run struct {
	scene    scene
	way      way
	released time.Time
	minutes  []minute
	ends     []end
	advised  map[nat.Code]int64 // by a rollout, and at which weight first
	waited   int                // rollouts that waited for a gateway at some time
}

// end is what became of one service's release.
type end struct {
	service, revision string
	state             string        // in the words of the rollout, or of Cloud Run
	next              string        // what a rollout says that it waits for
	took              time.Duration // until it had all traffic; 0 if it never had
	told              []pilot.State // by a rollout, oldest first
}

// figures are what a run comes to, from its release on.
type figures struct {
	asked, failed int
	trouble       int // minutes in which more than 1 % of requests failed
	truth
	took time.Duration // until the last release had all traffic; 0 if one never had
}

func (r run) figures() figures {
	var f figures
	for _, m := range r.minutes {
		if !m.end.After(r.released) {
			continue
		}
		f.asked, f.failed = f.asked+m.asked, f.failed+m.failed
		if m.troubled() {
			f.trouble++
		}
		f.truth = f.beside(m.truth)
	}
	for _, e := range r.ends {
		f.took = max(f.took, e.took)
	}
	for _, e := range r.ends {
		if e.took == 0 {
			f.took = 0
		}
	}
	return f
}

// failedAt is how many requests failed from the release on in minutes that ended with
// a weight of the first release, and in those that ended with a larger one.
func (r run) failedAt(weight int) (at, above int) {
	for _, m := range r.minutes {
		switch {
		case !m.end.After(r.released):
		case m.weight == weight:
			at += m.failed
		case m.weight > weight:
			above += m.failed
		}
	}
	return at, above
}

// before is the share of requests that failed before the release, in percent.
func (r run) before() float64 {
	var f figures
	for _, m := range r.minutes {
		if m.end.After(r.released) {
			break
		}
		f.asked, f.failed = f.asked+m.asked, f.failed+m.failed
	}
	return f.percent()
}

// percent is the share of the requests that failed.
func (f figures) percent() float64 {
	if f.asked == 0 {
		return 0
	}
	return 100 * float64(f.failed) / float64(f.asked)
}

// losses writes how many requests failed, and their share.
func (f figures) losses() string {
	if f.failed == 0 {
		return "none"
	}
	return fmt.Sprintf("%s (%.2g%%)", thousands(f.failed), f.percent())
}

// lent writes the most ports that were lent, and of how many.
func (f figures) lent() string {
	if f.capacity == 0 {
		return "no NAT"
	}
	return fmt.Sprintf("%s of %s", thousands(f.ports), thousands(f.capacity))
}

// time writes how long it was until everything had all traffic.
func (f figures) time() string {
	if f.took == 0 {
		return "never"
	}
	return fmt.Sprintf("%d min", int(f.took.Round(time.Minute).Minutes()))
}

// ending writes what became of the releases, in a few words.
func (r run) ending() string {
	var words []string
	for _, e := range r.ends {
		word, _, _ := strings.Cut(e.state, ":")
		if phase, reason, ok := strings.Cut(word, "/"); ok && phase == reason {
			word = phase
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// ledger is what a revision's requests come to.
type ledger struct {
	first   int64 // the Unix second of the first tally
	tallies []Tally
	due     map[int64][]ending // requests that hang, by the second of their end
	minute  minute
	levels  []level // of instances, in the last minutes
}

// minute gathers what metrics report at its end.
type minute struct {
	codes    []codeCount
	tally    Tally
	inFlight float64 // summed over the seconds
	percent  float64 // summed over the seconds
}

// codeCount is what a minute's requests with one response code come to.
type codeCount struct {
	code      int
	count     int
	latencies series.Distribution // in milliseconds; one sample for each request
}

// ending is a number of requests that end alike.
type ending struct {
	outcome
	count int
}

// serve is one second of a service: users send requests, the split in force
// takes them to revisions, and each revision does with them what it does.
func (w *World) serve(s *service, second time.Time) {
	rate := s.users.at(second.Sub(w.scenario.Start))
	var space [4]path
	for _, r := range w.paths(space[:0], s, second) {
		w.answer(r.revision, rate*r.share, 100*r.share, second)
	}
	for _, r := range s.revisions {
		r.life.hangUp(second.Unix(), s.stopwatch)
	}
}

// at is the rate some time after the beginning.
func (u Users) at(since time.Duration) float64 {
	rate := u.RequestsPerSecond
	for _, c := range u.Changes {
		if since > time.Duration(c.At) {
			rate = c.RequestsPerSecond
		}
	}
	return rate
}

// path is the share of requests that a revision really gets.
type path struct {
	revision *revision
	share    float64
}

// paths are the routes in force. For a while after a change some requests still
// take the former ones. They are appended to out.
func (w *World) paths(out []path, s *service, second time.Time) []path {
	progress := 1.0
	if lag := time.Duration(*w.scenario.Timing.Propagation); lag > 0 {
		progress = min(1, float64(second.Sub(s.switchedAt))/float64(lag))
	}
	for _, r := range s.routes {
		out = addPath(out, r, progress)
	}
	if progress < 1 {
		for _, r := range s.formerly {
			out = addPath(out, r, 1-progress)
		}
	}
	return out
}

func addPath(paths []path, r route, weight float64) []path {
	share := weight * float64(r.percent) / 100
	for i := range paths {
		if paths[i].revision == r.revision {
			paths[i].share += share
			return paths
		}
	}
	return append(paths, path{r.revision, share})
}

// answer lets a revision meet a second's requests.
func (w *World) answer(r *revision, rate, percent float64, second time.Time) {
	s := r.service
	cell := r.life.at(second.Unix())
	r.life.minute.percent += percent
	if r.phase != ready && r.phase != failed {
		n := s.dice.poisson(rate)
		cell.Arrived += n
		cell.Unreached += n
		r.life.minute.tally.add(Tally{Arrived: n, Unreached: n})
		return
	}
	var space [8]outcome
	mix := r.behaviour.at(second.Sub(r.created.Time), percent, space[:0])
	if busy, most := mix.busy(rate), r.mostInFlight(); busy > most {
		n := s.dice.poisson(rate * (1 - most/busy))
		rate *= most / busy
		cell.Arrived += n
		cell.Unreached += n
		r.life.minute.tally.add(Tally{Arrived: n, Unreached: n})
	}
	r.life.minute.inFlight += mix.busy(rate)
	for _, o := range mix {
		n := s.dice.poisson(rate * o.share)
		if n == 0 {
			continue
		}
		cell.Arrived += n
		r.life.minute.tally.Arrived += n
		if wait := int64(o.latency / time.Second); wait > 0 {
			r.life.hang(second.Unix()+wait, ending{o, n})
			continue
		}
		r.life.end(second.Unix(), ending{o, n}, s.stopwatch)
	}
}

// mostInFlight is how many requests all of the revision's instances take at once.
// What comes beyond is refused with 429 and reaches none of them.
func (r *revision) mostInFlight() float64 {
	return float64(r.template.Scaling.MaxInstanceCount * r.template.Concurrency)
}

// at is the tally of a second.
func (l *ledger) at(second int64) *Tally {
	if len(l.tallies) == 0 {
		l.first = second
	}
	for int64(len(l.tallies)) <= second-l.first {
		l.tallies = append(l.tallies, Tally{})
	}
	return &l.tallies[second-l.first]
}

// hang keeps requests that will end later.
func (l *ledger) hang(until int64, e ending) {
	if l.due == nil {
		l.due = map[int64][]ending{}
	}
	l.due[until] = append(l.due[until], e)
}

// hangUp ends the requests whose time has come.
func (l *ledger) hangUp(second int64, stopwatch dice) {
	if len(l.due) == 0 {
		return
	}
	for _, e := range l.due[second] {
		l.end(second, e, stopwatch)
	}
	delete(l.due, second)
}

// end counts requests as answered, and how long each of them took.
func (l *ledger) end(second int64, e ending, stopwatch dice) {
	t := Tally{Ended: e.count}
	if e.code >= 500 {
		t.Failed = e.count
	}
	l.at(second).add(t)
	l.minute.tally.add(t)
	i := slices.IndexFunc(l.minute.codes, func(c codeCount) bool { return c.code == e.code })
	if i < 0 {
		i = len(l.minute.codes)
		l.minute.codes = append(l.minute.codes, codeCount{code: e.code})
	}
	l.minute.codes[i].count += e.count
	e.measure(&l.minute.codes[i].latencies, stopwatch)
}

// between sums the tallies of the seconds in (from, to].
func (l *ledger) between(from, to time.Time) Tally {
	var sum Tally
	for i := max(0, from.Unix()+1-l.first); i <= to.Unix()-l.first && i < int64(len(l.tallies)); i++ {
		sum.add(l.tallies[i])
	}
	return sum
}

// Requests is the truth about a revision's requests in (from, to], in whole
// seconds, be it deleted or not. It is named in full or in short.
func (w *World) Requests(revision string, from, to time.Time) (Tally, error) {
	short := shortName(revision)
	for _, s := range w.services {
		all, err := w.AllRequests(s.Name, from, to)
		if err != nil {
			return Tally{}, err
		}
		if t, ok := all[short]; ok && (short == revision || strings.HasPrefix(revision, s.Name+"/")) {
			return t, nil
		}
	}
	return Tally{}, fmt.Errorf("no revision is called %q", revision)
}

// AllRequests is the truth about a service's requests in (from, to], by the
// short name of the revision.
func (w *World) AllRequests(service string, from, to time.Time) (map[string]Tally, error) {
	s, err := w.find(service)
	if err != nil {
		return nil, err
	}
	all := map[string]Tally{}
	for _, r := range slices.Concat(s.gone, s.revisions) {
		all[r.name] = r.life.between(from, to)
	}
	return all, nil
}

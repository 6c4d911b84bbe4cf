package simulator

import (
	"cmp"
	"reflect"
	"slices"
	"time"
)

// service is a hosted service: what the API prints, and what lies behind it.
type service struct {
	Service

	name      serviceName
	number    string // of the project
	revisions []*revision
	gone      []*revision // deleted; their requests still count
	created   int         // revisions ever made
	behaviour map[string]Behaviour
	users     Users
	dice      dice
	stopwatch dice                 // of how long requests take
	tags      map[string]Timestamp // since when a tag exists

	// Reconciliation of the current generation.
	due           bool // the shortest time has passed
	templateWrite bool // a new template waits for its verdict
	latestCreated string
	open          []*operation

	// The split in force: as targets, and as the routes that requests take.
	applied    []TrafficTarget
	routes     []route
	formerly   []route
	switchedAt time.Time
	sessions   []path // shares of users that session affinity binds

	history []Service
	told    *told // the newest state
}

// A route is a share of the requests.
type route struct {
	revision *revision
	percent  int
}

// view is the service as a reader sees it.
func (s *service) view() Service {
	v := s.clone()
	if v.LatestReadyRevision == "" {
		v.Ingress = ""
	}
	return v
}

// remember keeps what the service was like, for stale reads.
func (s *service) remember() {
	const depth = 16
	now := s.view()
	if n := len(s.history); n > 0 && reflect.DeepEqual(s.history[n-1], now) {
		return
	}
	s.history = append(s.history, now)
	if len(s.history) > depth {
		s.history = s.history[1:]
	}
}

// stale is the service as it was n changes ago.
func (s *service) stale(n int) Service {
	if len(s.history) == 0 {
		return s.view()
	}
	return s.history[max(0, len(s.history)-1-n)].clone()
}

func (s *service) revision(short string) *revision {
	for _, r := range s.revisions {
		if r.name == short {
			return r
		}
	}
	return nil
}

// newest is the revision that the template describes; where that is gone, the one that
// was made last. It is nil where there is none.
func (s *service) newest() *revision {
	if r := s.revision(shortName(s.latestCreated)); r != nil {
		return r
	}
	if len(s.revisions) == 0 {
		return nil
	}
	return s.revisions[len(s.revisions)-1]
}

// state is what the log keeps of the service. What is as it was is kept once.
func (s *service) state() *State {
	now := told{
		state:  State{Generation: s.Generation, Etag: s.Etag, Reconciling: s.Reconciling, Traffic: s.Traffic},
		latest: s.LatestReadyRevision, applied: s.applied,
	}
	if s.told == nil || !s.told.same(now) {
		now.applied = slices.Clone(s.applied)
		now.state.Traffic = append([]TrafficTarget(nil), s.Traffic...)
		now.state.Desired, now.state.Effective = s.resolve(s.Traffic), s.resolve(s.applied)
		s.told = &now
	}
	return &s.told.state
}

// told is a state of the service, and what its splits follow from.
type told struct {
	state   State
	latest  string // revision that is ready
	applied []TrafficTarget
}

// same tells whether another state, whose splits are not resolved yet, is this one.
func (t *told) same(other told) bool {
	a, b := &t.state, &other.state
	return a.Generation == b.Generation && a.Etag == b.Etag && a.Reconciling == b.Reconciling && t.latest == other.latest &&
		slices.Equal(a.Traffic, b.Traffic) && slices.Equal(t.applied, other.applied)
}

// resolve sums a split per revision; LATEST is the latest ready one; it
// keeps that name until there is one.
func (s *service) resolve(targets []TrafficTarget) map[string]int {
	split := map[string]int{}
	for _, t := range targets {
		if t.Percent == 0 {
			continue
		}
		name := t.Revision
		if t.Type == AllocateLatest {
			name = cmp.Or(shortName(s.LatestReadyRevision), AuthorLatest)
		}
		split[name] += t.Percent
	}
	return split
}

// condition returns the service's condition of a type, adding it if need be.
func (s *service) condition(kind string) *Condition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == kind {
			return &s.Conditions[i]
		}
	}
	s.Conditions = append(s.Conditions, Condition{Type: kind})
	return &s.Conditions[len(s.Conditions)-1]
}

package invariants

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// FromLog makes a trace of what the world's log says of one service, given by
// its full name. The calls of any other callers than ours are somebody else's.
func FromLog(log []simulator.Event, service string, ours ...string) Trace {
	var trace Trace
	for _, e := range log {
		if e.Service != service && !lists(e, service) {
			continue
		}
		if event := convert(e, ours); event != nil {
			trace = append(trace, event)
		}
	}
	return trace
}

// lists tells whether an event is a list of services that a service is in.
func lists(e simulator.Event, service string) bool {
	return e.Call != nil && e.Call.Operation == "services.list" && strings.HasPrefix(service, e.Call.Resource+"/services/")
}

func convert(e simulator.Event, ours []string) Event {
	at := At(e.At)
	switch e.Kind {
	case simulator.EventCall:
		return convertCall(e, ours)
	case simulator.EventDesired:
		return Desired{at, Split(maps.Clone(e.Split)), slices.Contains(ours, e.Author)}
	case simulator.EventEffective:
		return Effective{at, Split(maps.Clone(e.Split))}
	case simulator.EventRevisionCreated:
		return Life{at, e.Revision, Created}
	case simulator.EventRevisionReady:
		return Life{at, e.Revision, Ready}
	case simulator.EventRevisionFailed:
		return Life{at, e.Revision, Failed}
	case simulator.EventRevisionLost:
		return Life{at, e.Revision, Lost}
	case simulator.EventSettled, simulator.EventTally, simulator.EventFault, simulator.EventInstanceFailed:
	}
	return nil
}

func convertCall(e simulator.Event, ours []string) Event {
	c := e.Call
	switch {
	case !slices.Contains(ours, c.Caller):
		return nil
	case c.Operation == "revisions.get":
		return looked(e)
	case c.Lost && c.Operation != "services.patch": // nobody heard the answer
		return nil
	case c.Operation == "services.list" && c.Code == 200:
		return Listed{At(e.At), c.UserAgent, c.Fault == string(simulator.FaultStale)}
	case c.Before == nil:
		return nil
	case c.Operation == "services.get" && c.Code == 200:
		return Read{At(e.At), c.UserAgent, state(*c.Before), c.Fault == string(simulator.FaultStale)}
	case c.Operation == "services.patch" && slices.Contains(c.Mask, "template"):
		return Deploy{
			At: At(e.At), By: c.UserAgent, Mask: c.Mask, Etag: c.Etag, Digest: c.Template[templateAnnotation],
			Before: state(*c.Before), Accepted: c.Accepted, Landed: c.Late || c.Again,
		}
	case c.Operation == "services.patch":
		w := Write{
			At: At(e.At), By: c.UserAgent, Mask: c.Mask, Etag: c.Etag, Targets: targets(c.Traffic), Split: Split{},
			Before: state(*c.Before), Accepted: c.Accepted, Landed: c.Late || c.Again,
		}
		for _, t := range w.Targets {
			if t.Percent > 0 {
				w.Split[t.Revision] += t.Percent
			}
		}
		return w
	}
	return nil
}

func state(s simulator.State) State {
	return State{Etag: s.Etag, Generation: s.Generation, Traffic: targets(s.Traffic), Desired: Split(maps.Clone(s.Desired))}
}

func targets(list []simulator.TrafficTarget) []Target {
	out := make([]Target, 0, len(list))
	for _, t := range list {
		out = append(out, Target{Latest: t.Type == simulator.AllocateLatest, Revision: t.Revision, Percent: t.Percent, Tag: t.Tag})
	}
	return out
}

// Merge puts two traces together by time. At the same moment the events of the
// first come first.
func Merge(first, second Trace) Trace {
	merged := slices.Concat(first, second)
	slices.SortStableFunc(merged, func(a, b Event) int { return a.when().Compare(b.when()) })
	return merged
}

// Tallies is the evidence of a revision that the world's own count of requests
// would give at a moment, were every minute visible exactly delay after its end.
func Tallies(log []simulator.Event, revision string, at time.Time, delay time.Duration) []Minute {
	var minutes []Minute
	for _, e := range log {
		if e.Kind == simulator.EventTally && e.Revision == revision && !e.At.Add(delay).After(at) {
			minutes = append(minutes, Minute{e.At, int64(e.Tally.Ended), int64(e.Tally.Failed)})
		}
	}
	slices.SortFunc(minutes, func(a, b Minute) int { return cmp.Compare(a.End.UnixNano(), b.End.UnixNano()) })
	return minutes
}

package explorer

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// tick is by how much time advances, all at once. Looks in between take none.
	tick = 4 * time.Minute
	// oldest is the age beyond which times are not told apart: longer than
	// everything in a plan that is waited for, the step's deadline apart, which is
	// kept as time spent.
	oldest = 3 * tick
)

// now is when every decision is made. Time advances by making what is remembered
// older, so that equal situations are equal states whenever they occur.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Words for what is only compared.
const (
	etagNow   = "etag"     // the service's present version
	etagOld   = "old etag" // any version before it: none of them comes back
	requestID = "request"  // of the newest request
	attempt   = 1          // number of the newest attempt
	seen      = 7          // the service's present generation
	newest    = 100        // number of the newest write that was decided
	manyTimes = 3          // that a template was sent, from which on nothing is told apart
	longAgo   = 90         // of every write from which on nothing is told apart
)

// normal is a progress without what no decision rests on in this scope, and with
// counters that only grow put back to where they began.
func normal(p rollout.Progress) rollout.Progress {
	p = reshape(p, clamp)
	p.Since, p.Baked, p.Judged, p.LastRequest = time.Time{}, 0, time.Time{}, rollout.Reply{}
	p.Rises, p.Lowered, p.Elsewhere, p.Called = nil, time.Time{}, 0, time.Time{} // of gateways, and there are none
	p.Generation = min(p.Generation, seen)
	p.Attempt = min(p.Attempt, attempt)
	if p.Cause != "" {
		p.Cause = "a cause"
	}
	for _, t := range []*time.Time{&p.FirstWrite, &p.Watched} { // asked for is only whether they were
		if !t.IsZero() {
			*t = now.Add(-oldest)
		}
	}
	for i := range p.Intents {
		p.Intents[i].Generation, p.Intents[i].Seq = 0, max(longAgo, newest-(p.Seq-p.Intents[i].Seq))
	}
	if p.Seq > 0 {
		p.Seq = newest
	}
	p.Sent.Times = min(p.Sent.Times, manyTimes)
	p.Clock = spent(p.Clock)
	return p
}

// spent adds up a stopwatch, so that only the sum counts.
func spent(s rollout.Stopwatch) rollout.Stopwatch {
	if !s.Running.IsZero() {
		s.Spent, s.Running = s.Spent+now.Sub(s.Running), now
	}
	s.Spent = min(s.Spent, stepDeadline)
	return s
}

// aged is a progress one tick later.
func aged(p rollout.Progress) rollout.Progress {
	return normal(reshape(p, func(t time.Time) time.Time { return t.Add(-tick) }))
}

// outdated is a progress after the service got another etag.
func outdated(p rollout.Progress) rollout.Progress {
	p = reshape(p, func(t time.Time) time.Time { return t })
	for i := range p.Intents {
		if p.Intents[i].ETag == etagNow {
			p.Intents[i].ETag = etagOld
		}
	}
	return p
}

func clamp(t time.Time) time.Time {
	if limit := now.Add(-oldest); t.Before(limit) {
		return limit
	}
	return t
}

// reshape is a deep copy of a progress in which every time that is set was changed.
// It finds them by itself, so that a field which is new is not forgotten. Cutoff
// alone is no age: it is compared with creation times, which do not move either.
func reshape(p rollout.Progress, change func(time.Time) time.Time) rollout.Progress {
	cutoff := p.Cutoff
	v := reflect.ValueOf(&p).Elem()
	walk(v, change)
	p.Cutoff = cutoff
	return p
}

func walk(v reflect.Value, change func(time.Time) time.Time) {
	if t, ok := reflect.TypeAssert[time.Time](v); ok {
		if !t.IsZero() {
			v.Set(reflect.ValueOf(change(t)))
		}
		return
	}
	switch v.Kind() { //nolint:exhaustive // the others hold no times
	case reflect.Struct:
		for _, field := range v.Fields() {
			walk(field, change)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
			return
		}
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(list, v)
		for i := range list.Len() {
			walk(list.Index(i), change)
		}
		v.Set(list)
	case reflect.Map, reflect.Pointer:
		panic(fmt.Sprintf("a progress has a %s, which is not copied yet", v.Type()))
	}
}

// keyOf tells progresses apart.
func keyOf(p rollout.Progress) string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // it is plain data
	}
	return string(text)
}

package invariants

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// after is a time: "10m5s" after the beginning.
func after(text string) At {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return At(start.Add(d))
}

func snap(etag string, generation int64, traffic ...Target) State {
	s := State{Etag: etag, Generation: generation, Traffic: traffic, Desired: Split{}}
	for _, t := range traffic {
		if t.Percent > 0 {
			s.Desired[t.Revision] += t.Percent
		}
	}
	return s
}

func tenth() []Target {
	return []Target{{Revision: "web-2", Percent: 10}, {Revision: "web-1", Percent: 90, Tag: ourTag}}
}

func everything() []Target {
	return []Target{{Revision: "web-2", Percent: 100}, {Revision: "web-1", Tag: ourTag}}
}

// written is an accepted write and the split that it asks for.
func written(at, etag string, before State, targets []Target) []Event {
	split := snap("", 0, targets...).Desired
	return []Event{
		Desired{after(at), split, true},
		Write{
			At: after(at), Mask: []string{"traffic"}, Etag: etag, Targets: targets, Split: split, Before: before, Accepted: true,
		},
	}
}

func minutes(from, to int) []Minute {
	var list []Minute
	for m := from; m <= to; m++ {
		list = append(list, Minute{start.Add(time.Duration(m) * time.Minute), 50, 0})
	}
	return list
}

func gatewayMinutes(from, to int) map[string][]GatewayMinute {
	var list []GatewayMinute
	for m := from; m <= to; m++ {
		list = append(list, GatewayMinute{End: start.Add(time.Duration(m) * time.Minute)})
	}
	return map[string][]GatewayMinute{"nat-1": list}
}

// good is a rollout of two steps as it should be.
func good() Trace {
	old := snap("a", 1, Target{Revision: "web-1", Percent: 100}, Target{Revision: "web-1", Tag: "blue"})
	blue := Target{Revision: "web-1", Tag: "blue"}
	first, second := append(tenth(), blue), append(everything(), blue)
	idle := Saved{At: after("1s"), Plan: 1, Generation: 1, Phase: "Idle", Stable: "web-1"}
	shift := Saved{
		At: after("10m5s"), Plan: 1, Generation: 1, Phase: "Shifting", Attempt: 1, Stable: "web-1", Candidate: "web-2",
		Intent: &Intent{Split{"web-2": 10, "web-1": 90}, "a", nil},
	}
	bake := shift
	bake.At, bake.Phase, bake.Generation, bake.Intent, bake.Serving = after("10m15s"), "Baking", 2, nil, Split{"web-2": 10, "web-1": 90}
	raise := shift
	raise.At, raise.Generation, raise.Intent = after("16m"), 2, &Intent{Split{"web-2": 100}, "b", nil}
	last := bake
	last.At, last.Generation, last.Serving = after("16m10s"), 3, Split{"web-2": 100}
	done := Saved{At: after("22m"), Plan: 1, Generation: 3, Phase: "Completed", Attempt: 1, Stable: "web-2", Candidate: "web-2"}

	return slices.Concat(
		Trace{
			Plan{
				At: after("0s"), Number: 1, Steps: []Step{{Weight: 10, Bake: 3}, {Weight: 100, Bake: 3}},
				Errors: &ErrorLimit{0.01, 100}, Drops: &DropLimit{0, 2}, Allocation: &AllocationLimit{0}, Gateways: []string{"nat-1"},
			},
			Life{after("0s"), "web-1", Created},
			Life{after("0s"), "web-1", Ready},
			Desired{after("0s"), Split{"web-1": 100}, false},
			Effective{after("0s"), Split{"web-1": 100}},
			Read{At: after("1s"), State: old},
			idle,
			Life{after("10m"), "web-2", Created},
			Life{after("10m"), "web-2", Ready},
			Read{At: after("10m5s"), State: old},
			Evidence{At: after("10m5s"), Stable: minutes(1, 7), Gateways: gatewayMinutes(1, 6)},
			shift,
		},
		written("10m5s", "a", old, first),
		Trace{
			Effective{after("10m10s"), Split{"web-2": 10, "web-1": 90}},
			Read{At: after("10m15s"), State: snap("b", 2, first...)},
			bake,
			Read{At: after("16m"), State: snap("b", 2, first...)},
			Evidence{At: after("16m"), Candidate: minutes(11, 15), Stable: minutes(1, 15), Gateways: gatewayMinutes(1, 15)},
			raise,
		},
		written("16m", "b", snap("b", 2, first...), second),
		Trace{
			Effective{after("16m5s"), Split{"web-2": 100}},
			Read{At: after("16m10s"), State: snap("c", 3, second...)},
			last,
			Read{At: after("22m"), State: snap("c", 3, second...)},
			Evidence{At: after("22m"), Candidate: minutes(11, 21), Gateways: gatewayMinutes(1, 21)},
			done,
		},
	)
}

// edit changes the nth event of a type, counted from 1.
func edit[E Event](trace Trace, n int, change func(*E)) Trace {
	trace = slices.Clone(trace)
	i := find[E](trace, n)
	e := trace[i].(E)
	change(&e)
	trace[i] = e
	return trace
}

// before inserts events before the nth of a type.
func before[E Event](trace Trace, n int, events ...Event) Trace {
	return slices.Insert(slices.Clone(trace), find[E](trace, n), events...)
}

func find[E Event](trace Trace, n int) int {
	for i, e := range trace {
		if _, ok := e.(E); ok {
			if n--; n == 0 {
				return i
			}
		}
	}
	panic("no such event")
}

func nth[E Event](trace Trace, n int) E { return trace[find[E](trace, n)].(E) }

// until cuts a trace behind the nth event of a type.
func until[E Event](trace Trace, n int) Trace { return slices.Clone(trace)[:find[E](trace, n)+1] }

func TestWhatIsAllowed(t *testing.T) {
	t.Parallel()
	cases := map[string]func() Trace{
		"a rollout of two steps as it should be": good,
		"a rise whose stable was lost just before it": func() Trace {
			return before[Read](until[Write](good(), 2), 4, Life{after("15m56s"), "web-1", Lost})
		},
		"a write that lost against somebody else's": func() Trace {
			return edit(until[Write](good(), 1), 1, func(w *Write) { w.Accepted, w.Before.Etag = false, "z" })
		},
		"a rise after a person resumed over a foreign split": func() Trace {
			return foreignThen(func(s *Saved) { s.Answered, s.Accepted = "r1", true })
		},
		"few requests that a person approved": func() Trace {
			trace := edit(good(), 1, func(p *Plan) { p.Errors.MinRequests = 1000 })
			trace = edit(trace, 4, func(s *Saved) { s.Answered, s.Accepted = "r1", true })
			trace = before[Evidence](trace, 2, Request{At: after("15m"), ID: "r1", Verb: "approve"},
				Saved{At: after("15m"), Plan: 1, Generation: 2, Phase: "Held", Attempt: 1, Stable: "web-1", Candidate: "web-2", Answered: "r1", Accepted: true})
			return until[Write](trace, 2)
		},
		"few requests at the last step, in the status that ends it": func() Trace {
			return approvedAtTheEnd("17m", true)
		},
		"a pause that comes just as the rise is sent": func() Trace {
			return before[Saved](good(), 4, pausedAt("15m58s"))
		},
		"an abort over a person's split": func() Trace {
			return before[Read](aborted(), 4, Desired{after("12m"), Split{"web-2": 100}, false})
		},
		"an abort that is obeyed":                        aborted,
		"a late write after an abort that is taken back": func() Trace { return lateRise("20m", "21m") },
		"a new attempt that a person asked for": func() Trace {
			trace := secondAttempt("40m")
			trace = edit(trace, 6, func(s *Saved) { s.Answered, s.Accepted = "r2", true })
			trace = edit(trace, 2, func(e *Evidence) { e.Stable, e.Gateways = minutes(6, 37), gatewayMinutes(6, 36) })
			return before[Saved](trace, 6, Request{At: after("39m"), ID: "r2", Verb: "retry"})
		},
		"an inserted weight that is held for a minute": inserted,
		"one of few requests":                          func() Trace { return edit(inserted(), 1, func(p *Plan) { p.Errors.MinRequests = 220 }) },
		"one on the way to a gate that was passed before it": func() Trace {
			trace := edit(inserted(), 1, func(p *Plan) { p.Steps[1].Approval = true })
			return before[Read](trace, 2, Request{At: after("10m4s"), ID: "r1", Verb: "approve"}, answered("10m4s"))
		},
		"a promote that ends a bake": func() Trace { return promotedAt("12m", Request{At: after("12m"), ID: "r1", Verb: "promote"}) },
		"a promote to the end": func() Trace {
			return threeSteps(promotedAt("12m", Request{At: after("12m"), ID: "r1", Verb: "promote", Mode: "full"}))
		},
		"a rise that was decided before a person gave stable everything": func() Trace {
			trace := edit(until[Write](good(), 2), 3, func(d *Desired) { d.Split, d.Ours = Split{"web-1": 100}, false })
			return edit(trace, 2, func(w *Write) { w.Accepted, w.Before = false, snap("x", 3, backTo()...) })
		},
		"a rise after a person gave stable everything, and the candidate its traffic again": func() Trace {
			return dismissed(good(), Desired{after("10m30s"), Split{"web-2": 10, "web-1": 90}, false}, Effective{after("10m35s"), Split{"web-2": 10, "web-1": 90}})
		},
		"one after a person resumed": func() Trace {
			trace := dismissed(good(), Request{At: after("15m59s"), ID: "r1", Verb: "resume"})
			return edit(trace, 4, func(s *Saved) { s.Answered, s.Accepted = "r1", true })
		},
		"a promote to the end that goes on after a rise which was on its way": func() Trace {
			return threeSteps(promotedAt("12m", Request{At: after("10m9s"), ID: "r1", Verb: "promote", Mode: "full"}))
		},
		"an undo": func() Trace { return undone(Request{At: after("30m"), ID: "r1", Verb: "undo"}) },
		"a rise after a pause that a person took back": func() Trace {
			resumed := answered("15m40s")
			resumed.Answered = "r2"
			return before[Read](until[Write](good(), 2), 4, pauseAsked("15m"), answered("15m"), Request{At: after("15m30s"), ID: "r2", Verb: "resume"}, resumed)
		},
		"drops that were usual before": func() Trace { return edit(usualDrops(good()), 2, dropAlways) },
	}
	for name, trace := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, v := range Judge(trace()) {
				t.Error(v)
			}
		})
	}
}

// inserted is the good rollout up to its second rise, with 10 % on the way from 5
// to 100 %.
func inserted() Trace {
	trace := edit(until[Write](good(), 2), 1, func(p *Plan) { p.Steps, p.Paced = []Step{{Weight: 5, Bake: 5}, {Weight: 100, Bake: 3}}, true })
	small := []Target{{Revision: "web-2", Percent: 5}, {Revision: "web-1", Percent: 95, Tag: ourTag}, {Revision: "web-1", Tag: "blue"}}
	trace = edit(trace, 2, func(r *Read) { r.State = snap("a", 1, small...) })
	trace = edit(trace, 1, func(w *Write) { w.Before = snap("a", 1, small...) })
	trace = edit(trace, 1, func(e *Evidence) { e.Candidate, e.Gateways = minutes(2, 7), gatewayMinutes(1, 7) })
	return before[Read](trace, 2, Desired{after("10s"), Split{"web-2": 5, "web-1": 95}, true}, Effective{after("20s"), Split{"web-2": 5, "web-1": 95}})
}

// pauseAsked is a person's request to pause.
func pauseAsked(at string) Request { return Request{At: after(at), ID: "r1", Verb: "pause"} }

// dismissed is a rollout up to its second rise, before which a person gives stable
// everything and a controller reads that; more happens then.
func dismissed(trace Trace, more ...Event) Trace {
	return before[Read](until[Write](trace, 2), 4, slices.Concat(
		[]Event{Desired{after("10m20s"), Split{"web-1": 100}, false}, Effective{after("10m22s"), Split{"web-1": 100}}},
		[]Event{Read{At: after("10m24s"), State: snap("x", 3, backTo()...)}}, more)...)
}

// backTo is the traffic list of a rollout that has gone back.
func backTo() []Target {
	return []Target{{Revision: "web-1", Percent: 100, Tag: ourTag}, {Revision: "web-1", Tag: "blue"}}
}

// saidAgain is the status of the good rollout's first bake, saved once more.
func saidAgain(at string) Saved {
	s := nth[Saved](good(), 3)
	s.At, s.Serving = after(at), nil
	return s
}

// promotedAt is the good rollout whose second rise comes when its bake has only just
// begun, as the answer to a request.
func promotedAt(at string, r Request) Trace {
	trace := until[Write](good(), 2)
	trace = edit(trace, 4, func(s *Saved) { s.At, s.Answered, s.Accepted = after(at), r.ID, true })
	trace = edit(trace, 2, func(e *Evidence) { e.At, e.Candidate, e.Gateways = after(at), nil, gatewayMinutes(1, 9) })
	trace = edit(trace, 4, func(r *Read) { r.At = after(at) })
	trace = edit(trace, 2, func(w *Write) { w.At = after(at) })
	return before[Read](edit(trace, 3, func(d *Desired) { d.At = after(at) }), 4, r)
}

// threeSteps puts a step between those of a trace.
func threeSteps(trace Trace) Trace {
	return edit(trace, 1, func(p *Plan) { p.Steps = []Step{{Weight: 10, Bake: 3}, {Weight: 50, Bake: 3}, {Weight: 100, Bake: 3}} })
}

// halfway lets the second rise of a trace go to 50 %.
func halfway(trace Trace) Trace {
	split := Split{"web-2": 50, "web-1": 50}
	trace = edit(trace, 4, func(s *Saved) { s.Intent = &Intent{split, "b", nil} })
	trace = edit(trace, 3, func(d *Desired) { d.Split = split })
	return edit(trace, 2, func(w *Write) {
		w.Split, w.Targets = split, []Target{
			{Revision: "web-2", Percent: 50}, {Revision: "web-1", Percent: 50, Tag: ourTag}, {Revision: "web-1", Tag: "blue"},
		}
	})
}

// undone is the good rollout, taken back after its end.
func undone(r Request) Trace {
	now := snap("c", 3, nth[Write](good(), 2).Targets...)
	given := Saved{
		At: after("30m"), Plan: 1, Generation: 3, Phase: "RollingBack", Attempt: 1, Stable: "web-1", Candidate: "web-2",
		Latched: []string{"web-2"}, Answered: r.ID, Accepted: true, Intent: &Intent{Split{"web-1": 100}, "c", nil},
	}
	back := []Target{{Revision: "web-1", Percent: 100, Tag: ourTag}, {Revision: "web-1", Tag: "blue"}}
	return slices.Concat(good(), Trace{r, Read{At: after("30m"), State: now}, given}, written("30m", "c", now, back),
		Trace{Effective{after("30m5s"), Split{"web-1": 100}}})
}

// answered is a status that accepts the request r1.
func answered(at string) Saved {
	return Saved{At: after(at), Plan: 1, Generation: 1, Phase: "Held", Attempt: 1, Stable: "web-1", Candidate: "web-2", Answered: "r1", Accepted: true}
}

// approvedAtTheEnd is the good rollout with an approve whose answer is the status that
// completes it. Its last step has too few requests, and the one before had enough.
func approvedAtTheEnd(at string, accepted bool) Trace {
	trace := edit(good(), 1, func(p *Plan) { p.Errors.MinRequests = 1000 })
	trace = edit(trace, 2, func(e *Evidence) {
		for i := range e.Candidate {
			e.Candidate[i].Requests = 1000
		}
	})
	trace = edit(trace, 6, func(s *Saved) { s.Answered, s.Accepted = "r1", accepted })
	return before[Evidence](trace, 3, Request{At: after(at), ID: "r1", Verb: "approve"})
}

func pausedAt(at string) Plan {
	p := nth[Plan](good(), 1)
	p.At, p.Number, p.Paused = after(at), 2, true
	return p
}

// foreignThen is the good rollout with a foreign split before its second rise;
// the rise's status is changed.
func foreignThen(change func(*Saved)) Trace {
	trace := edit(until[Write](good(), 2), 4, change)
	return before[Read](trace, 4,
		Desired{after("15m"), Split{"web-2": 50, "web-1": 50}, false}, Effective{after("15m5s"), Split{"web-2": 50, "web-1": 50}},
		Request{At: after("15m30s"), ID: "r1", Verb: "resume"})
}

// aborted is the good rollout up to its first bake, then aborted.
func aborted() Trace {
	trace := until[Saved](good(), 3)
	now := snap("b", 2, nth[Write](good(), 1).Targets...)
	given := Saved{
		At: after("13m"), Plan: 1, Generation: 2, Phase: "RollingBack", Attempt: 1, Stable: "web-1", Candidate: "web-2",
		Latched: []string{"web-2"}, Answered: "r1", Accepted: true, Intent: &Intent{Split{"web-1": 100}, "b", nil},
	}
	ended := given
	ended.At, ended.Phase, ended.Intent = after("13m10s"), "RolledBack", nil
	back := []Target{{Revision: "web-1", Percent: 100, Tag: ourTag}, {Revision: "web-1", Tag: "blue"}}
	return slices.Concat(trace,
		Trace{Request{At: after("13m"), ID: "r1", Verb: "abort"}, Read{At: after("13m"), State: now}, given},
		written("13m", "b", now, back),
		Trace{Effective{after("13m5s"), Split{"web-1": 100}}, Read{At: after("13m10s"), State: snap("c", 3, back...)}, ended})
}

// lateRise lets a rise land after an abort and takes it back.
func lateRise(lands, back string) Trace {
	now := snap("c", 3, Target{Revision: "web-1", Percent: 100, Tag: ourTag}, Target{Revision: "web-1", Tag: "blue"})
	rise := append(tenth(), Target{Revision: "web-1", Tag: "blue"})
	landed := written(lands, "c", now, rise)
	w := landed[1].(Write)
	w.Landed = true
	landed[1] = w
	return slices.Concat(aborted(), landed, []Event{Desired{after(back), Split{"web-1": 100}, true}, Life{after("30m"), "web-3", Created}})
}

// usualDrops lets the gateway have dropped packets in every minute before the
// first write, and lets the first write pass.
func usualDrops(trace Trace) Trace {
	return edit(trace, 1, func(p *Plan) { p.Allocation = nil })
}

func dropAlways(e *Evidence) {
	var list []GatewayMinute
	for _, m := range e.Gateways["nat-1"] {
		m.Drops = 7
		list = append(list, m)
	}
	e.Gateways = map[string][]GatewayMinute{"nat-1": list}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		trace     func() Trace
		invariant string
		what      string
	}{
		"a write without traffic":   {firstWrite(func(w *Write) { w.Targets = nil }), "I1", "newest revision"},
		"a write with another mask": {firstWrite(func(w *Write) { w.Mask = []string{"traffic", "template"} }), "I1", "mask"},
		"a write without an etag":   {firstWrite(func(w *Write) { w.Etag, w.Before.Etag = "", "" }), "I1", "no etag"},
		"a write that sums to 90":   {firstWrite(func(w *Write) { w.Targets = w.Targets[1:] }), "I1", "sums to 90"},
		"a write of 110 percent":    {firstWrite(func(w *Write) { w.Targets[0].Percent = 110 }), "I1", "110 percent"},
		"a write that lets traffic follow LATEST": {firstWrite(func(w *Write) {
			w.Targets[0] = Target{Latest: true, Percent: 10}
		}), "I1", "LATEST"},
		"a write that names a revision twice": {firstWrite(func(w *Write) {
			w.Targets = append(w.Targets, Target{Revision: "web-2", Percent: 10})
		}), "I1", "twice"},
		"a write to a revision that does not exist": {firstWrite(func(w *Write) { w.Targets[0].Revision = "web-9" }), "I1", "does not exist"},
		"a write that takes somebody's tag":         {firstWrite(func(w *Write) { w.Targets = w.Targets[:2] }), "I1", `tag "blue"`},

		"a write over a state that was not read":           {firstWrite(func(w *Write) { w.Before.Etag = "z" }), "I2", "took effect"},
		"a write with a fresh etag that nobody decided on": {firstWrite(func(w *Write) { w.Etag, w.Before.Etag = "z", "z" }), "I2", "newest read"},
		"a write that was not saved":                       {func() Trace { return edit(until[Write](good(), 1), 2, func(s *Saved) { s.Intent = nil }) }, "I2", "does not announce"},
		"a write that was saved long ago": {func() Trace {
			return edit(until[Write](good(), 1), 2, func(s *Saved) { s.At = after("9m") })
		}, "I2", "after its decision"},
		"a write that rests on an old read": {func() Trace {
			return edit(until[Write](good(), 1), 2, func(r *Read) { r.At = after("8m") })
		}, "I2", "after the read"},
		"a write sent twice": {func() Trace {
			trace := until[Write](good(), 1)
			return append(trace, nth[Write](trace, 1))
		}, "I2", "sent twice"},
		"a write that follows a plan of yesterday": {func() Trace {
			p := nth[Plan](good(), 1)
			p.At, p.Number = after("9m"), 2
			return before[Read](until[Write](good(), 1), 2, p)
		}, "I2", "plan 2"},

		"a promote of a rise to the end without full": {func() Trace {
			return threeSteps(promotedAt("12m", Request{At: after("12m"), ID: "r1", Verb: "promote"}))
		}, "I3", "the plan has 50% next"},
		"a rise to the next weight on a promote to the end": {func() Trace {
			return halfway(threeSteps(promotedAt("12m", Request{At: after("12m"), ID: "r1", Verb: "promote", Mode: "full"})))
		}, "I3", "the step at 10% ended after"},
		"a promote after a hold": {func() Trace {
			trace := promotedAt("12m", Request{At: after("10m16s"), ID: "r1", Verb: "promote"})
			return before[Read](trace, 4, answered("10m17s"))
		}, "I3", "its bake is 3m"},
		"a rise at a weight after the one that was promoted": {func() Trace {
			trace := promotedAt("12m", Request{At: after("12m"), ID: "r2", Verb: "approve"})
			trace = edit(trace, 4, func(s *Saved) { s.Answered = "r1" })
			trace = edit(trace, 2, func(s *Saved) { s.Answered, s.Accepted = "r1", true })
			return before[Saved](trace, 2, Request{At: after("10m4s"), ID: "r1", Verb: "promote"})
		}, "I3", "its bake is 3m"},
		"a baseline that changes though nobody asked to undo": {func() Trace {
			return undone(Request{At: after("30m"), ID: "r1", Verb: "abort"})
		}, "I6", "the baseline changed from web-2"},
		"a rise after a person paused": {func() Trace {
			return before[Read](until[Write](good(), 2), 4, pauseAsked("15m"), answered("15m"))
		}, "I9", "a person had paused attempt 1"},
		"a rise that does not hear a pause": {func() Trace {
			return before[Read](until[Write](good(), 2), 4, pauseAsked("15m"))
		}, "I9", "after a pause was asked"},
		"a rise of a revision that the status does not call its candidate": {func() Trace { return unnamed(func(*Saved) {}) }, "I3", `the candidate is ""`},
		"one of another revision than the candidate": {func() Trace {
			return unnamed(func(s *Saved) { s.Candidate = "web-3" })
		}, "I3", `the candidate is "web-3"`},
		"one of another revision beside the candidate": {func() Trace {
			return edit(good(), 2, func(w *Write) { w.Split = Split{"web-2": 90, "web-3": 10} })
		}, "I3", `a rise of ["web-2" "web-3"]`},
		"one in a pause": {func() Trace { return before[Read](unnamed(func(*Saved) {}), 2, pausedAt("9m")) }, "I9", "spec.paused"},
		"one of a revision that is not ready": {func() Trace {
			return edit(unnamed(func(*Saved) {}), 4, func(l *Life) { l.State = Failed })
		}, "I4", "web-2, which is failed"},
		"one that nobody could watch": {func() Trace {
			return edit(unnamed(func(*Saved) {}), 1, func(e *Evidence) { e.Stable = nil })
		}, "I4", "no request of stable"},
		"one after it was given up": {func() Trace {
			return before[Saved](unnamed(func(*Saved) {}), 2, Saved{
				At: after("9m"), Plan: 1, Generation: 1, Phase: "RolledBack", Attempt: 1, Stable: "web-1", Candidate: "web-2",
			})
		}, "I5", "given up"},
		"one when the object is to go": {func() Trace {
			return before[Read](unnamed(func(*Saved) {}), 2, Deleting{after("9m")})
		}, "I14", "deletion of the object"},
		"a rise past the next weight": {func() Trace {
			return edit(good(), 1, func(p *Plan) { p.Steps = []Step{{Weight: 10, Bake: 3}, {Weight: 50, Bake: 3}, {Weight: 100, Bake: 3}} })
		}, "I3", "the plan has 50% next"},
		"a rise to a smaller weight of a plan that inserts none": {func() Trace {
			return edit(inserted(), 1, func(p *Plan) { p.Paced = false })
		}, "I3", "the plan has 100% next and inserts nothing"},
		"an inserted weight above that of the next step": {func() Trace {
			return edit(inserted(), 1, func(p *Plan) { p.Steps = []Step{{Weight: 5, Bake: 5}, {Weight: 8, Bake: 5}, {Weight: 100, Bake: 3}} })
		}, "I3", "the plan has 8% next"},
		"an inserted weight that nobody saw": {func() Trace {
			return edit(inserted(), 2, func(e *Evidence) { e.Gateways = gatewayMinutes(1, 10) })
		}, "I4", "0 visible minutes; 1 are needed"},
		"an inserted weight on errors": {func() Trace {
			return edit(inserted(), 2, func(e *Evidence) { e.Candidate[3].Errors = 5 })
		}, "I4", "5 errors in"},
		"a weight of the plan held like an inserted one": {func() Trace {
			return edit(inserted(), 1, func(p *Plan) { p.Steps[0] = Step{Weight: 10, Bake: 6} })
		}, "I3", "ended after 5m50s"},
		"an inserted weight before the gate": {func() Trace {
			return edit(inserted(), 1, func(p *Plan) { p.Steps[1].Approval = true })
		}, "I3", "the step after 5% needs an approval"},
		"a first rise past the first weight": {func() Trace {
			return edit(good(), 1, func(p *Plan) { p.Steps = []Step{{Weight: 5, Bake: 3}, {Weight: 100, Bake: 3}} })
		}, "I3", "the plan has 5% next"},
		"a bake cut short": {func() Trace {
			return edit(good(), 1, func(p *Plan) { p.Steps[0].Bake = 6 })
		}, "I3", "ended after 5m50s"},
		"a last bake cut short": {func() Trace {
			return edit(good(), 1, func(p *Plan) { p.Steps[1].Bake = 6 })
		}, "I3", "the step at 100% ended"},
		"a step without its approval": {func() Trace {
			return edit(good(), 1, func(p *Plan) { p.Steps[1].Approval = true })
		}, "I3", "approval"},

		"a step on minutes that were not there": {func() Trace {
			return edit(good(), 2, func(e *Evidence) { e.Candidate = minutes(11, 14) })
		}, "I4", "2 visible minutes"},
		"a step on too few requests": {func() Trace {
			return edit(good(), 1, func(p *Plan) { p.Errors.MinRequests = 1000 })
		}, "I4", "1000 are needed"},
		"a last step on too few requests":                 {func() Trace { return approvedAtTheEnd("17m", false) }, "I4", "1000 are needed"},
		"one that was approved before it served anything": {func() Trace { return approvedAtTheEnd("15m", true) }, "I4", "1000 are needed"},
		"a step on errors": {func() Trace {
			return edit(good(), 2, func(e *Evidence) { e.Candidate[3].Errors = 5 })
		}, "I4", "5 errors in 150"},
		"a completion on errors": {func() Trace {
			return edit(good(), 3, func(e *Evidence) { e.Candidate[9].Errors = 5 })
		}, "I4", "the step at 100%"},
		"a step over a gateway that drops": {func() Trace {
			return edit(good(), 2, func(e *Evidence) { e.Gateways["nat-1"][13].Drops, e.Gateways["nat-1"][14].Drops = 3, 3 })
		}, "I4", "dropped packets in 2"},
		"a step over a gateway that fails to allocate": {func() Trace {
			return edit(good(), 2, func(e *Evidence) { e.Gateways["nat-1"][14].Failed = true })
		}, "I4", "failed to allocate"},
		"a step over a gateway that is silent": {func() Trace {
			return edit(good(), 2, func(e *Evidence) { e.Gateways = nil })
		}, "I4", "0 visible minutes"},
		"a start that nobody could watch": {func() Trace {
			return edit(good(), 1, func(e *Evidence) { e.Stable = nil })
		}, "I4", "no request of stable"},
		"a start on a revision that is not ready": {func() Trace {
			return edit(good(), 4, func(l *Life) { l.State = Failed })
		}, "I4", "which is failed"},
		"a start behind a gateway that drops already": {func() Trace { return edit(good(), 1, dropAlways) }, "I4", "dropped packets"},
		"a start before the ports are free again":     {func() Trace { return secondAttempt("15m") }, "I4", "lost its traffic"},

		"a rise after the candidate was given up": {func() Trace {
			return before[Read](good(), 4, Saved{
				At: after("15m"), Plan: 1, Generation: 2, Phase: "RollingBack", Attempt: 1, Stable: "web-1", Candidate: "web-2",
			})
		}, "I5", "given up"},
		"a rise of a latched candidate in a later attempt": {func() Trace {
			return edit(good(), 2, func(s *Saved) { s.Latched = []string{"web-2"} })
		}, "I5", "latched"},
		"a new attempt of a candidate that was given up": {func() Trace { return secondAttempt("40m") }, "I5", "nobody asked to retry"},
		"a late rise that stays":                         {func() Trace { return lateRise("20m", "29m") }, "I5", "still stands"},

		"a write before a baseline was saved": {func() Trace {
			return edit(until[Write](good(), 1), 2, func(s *Saved) { s.Stable = "" })
		}, "I6", "before a baseline"},
		"a baseline that changes on the way": {func() Trace {
			return edit(good(), 4, func(s *Saved) { s.Stable = "web-2" })
		}, "I6", "changed from web-1"},
		"a rise when stable is gone": {func() Trace {
			return before[Read](good(), 4, Life{after("15m"), "web-1", Lost})
		}, "I6", "web-1 was lost"},
		"a rise when stable does not start": {func() Trace {
			return before[Read](good(), 4, Life{after("15m"), "web-1", Failed})
		}, "I6", "web-1 was failed"},
		"a rise long after stable was lost, although it was ready before": {func() Trace {
			return before[Read](good(), 4, Life{after("15m54s"), "web-1", Lost})
		}, "I6", "web-1 was lost"},
		"a rise that takes stable's address": {func() Trace {
			return edit(good(), 2, func(w *Write) { w.Targets = []Target{{Revision: "web-2", Percent: 100}} })
		}, "I6", "without a tag"},

		"a write over a person's split": {func() Trace { return foreignThen(func(*Saved) {}) }, "I7", "somebody else had set"},
		"a write over a person's split, which a promote does not let": {func() Trace {
			trace := foreignThen(func(s *Saved) { s.Answered, s.Accepted = "r2", true })
			return before[Saved](trace, 4, Request{At: after("15m59s"), ID: "r2", Verb: "promote"})
		}, "I7", "somebody else had set"},
		"a write over a person's newer split, after an older resume": {func() Trace {
			trace := foreignThen(func(s *Saved) { s.Answered, s.Accepted = "r1", true })
			return before[Desired](trace, 4, Desired{after("16m"), Split{"web-2": 1, "web-1": 99}, false})
		}, "I7", "somebody else had set"},
		"a RunService written over a split of long ago": {func() Trace {
			return edit(foreignThen(func(*Saved) {}), 2, func(w *Write) { w.Unclaimed = true })
		}, "I7", "somebody else had set"},

		"a rise after a person gave stable everything": {func() Trace { return dismissed(good()) }, "I7", "given stable everything"},
		"one that comes when the split has settled": {func() Trace {
			return before[Read](dismissed(good()), 5, saidAgain("13m"))
		}, "I7", "given stable everything"},

		"a rise in a pause": {func() Trace {
			return before[Read](until[Write](good(), 2), 4, pausedAt("15m"))
		}, "I9", "spec.paused"},
		"a rise after an abort": {func() Trace {
			return before[Read](until[Write](good(), 2), 4, Request{At: after("15m"), ID: "r1", Verb: "abort"})
		}, "I9", "abort was asked"},

		"a completion that is none": {func() Trace {
			return before[Saved](good(), 6, Desired{after("20m"), Split{"web-1": 100}, false}, Effective{after("20m"), Split{"web-1": 100}})
		}, "I10", "says Completed"},
		"a rollback that is none": {func() Trace {
			return edit(aborted(), 3, func(e *Effective) { e.At = after("13m"); e.Split = Split{"web-2": 10, "web-1": 90} })
		}, "I10", "says RolledBack"},
		"a split that does not serve yet": {func() Trace {
			return edit(good(), 3, func(s *Saved) { s.Serving = Split{"web-2": 100} })
		}, "I10", "serves"},
		"a generation that never was": {func() Trace { return edit(good(), 3, func(s *Saved) { s.Generation = 9 }) }, "I10", "generation 9"},
		"a plan that never was":       {func() Trace { return edit(good(), 3, func(s *Saved) { s.Plan = 9 }) }, "I10", "plan 9"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := Judge(tc.trace())
			fits := func(v Violation) bool { return v.Invariant == tc.invariant && strings.Contains(v.What, tc.what) }
			if !slices.ContainsFunc(found, fits) {
				t.Errorf("%s %q was not found in %v", tc.invariant, tc.what, found)
			}
		})
	}
}

// firstWrite is the good rollout up to its first write, which is changed.
func firstWrite(change func(*Write)) func() Trace {
	return func() Trace {
		return edit(until[Write](good(), 1), 1, func(w *Write) {
			w.Targets = slices.Clone(w.Targets)
			change(w)
		})
	}
}

// unnamed is the good rollout up to its first write, whose status says that nothing is
// rolled out, or what change makes of it.
func unnamed(change func(*Saved)) Trace {
	return edit(until[Write](good(), 1), 2, func(s *Saved) {
		s.Candidate = ""
		change(s)
	})
}

// secondAttempt is an aborted rollout and the first rise of the next attempt.
func secondAttempt(at string) Trace {
	now := snap("c", 3, Target{Revision: "web-1", Percent: 100, Tag: ourTag}, Target{Revision: "web-1", Tag: "blue"})
	shift := nth[Saved](good(), 2)
	shift.At, shift.Attempt, shift.Generation, shift.Intent = after(at), 2, 3, &Intent{Split{"web-2": 10, "web-1": 90}, "c", nil}
	shift.Answered, shift.Accepted = "r1", true
	return slices.Concat(aborted(),
		Trace{Read{At: after(at), State: now}, Evidence{At: after(at), Stable: minutes(1, 12), Gateways: gatewayMinutes(1, 11)}, shift},
		written(at, "c", now, append(tenth(), Target{Revision: "web-1", Tag: "blue"})))
}

// TestDeltaIsLongerWhereTheWorldIsHurried: what a process does within Delta takes
// longer in a world that passes faster.
func TestDeltaIsLongerWhereTheWorldIsHurried(t *testing.T) {
	t.Parallel()
	before := snap("1", 1, Target{Revision: "web-1", Percent: 100})
	trace := Trace{
		Read{At: after("0s"), State: before},
		Write{At: after("950s"), Mask: []string{"traffic"}, Etag: "1", Targets: tenth(), Split: snap("", 0, tenth()...).Desired, Before: before},
	}
	late := func(found []Violation) bool {
		return slices.ContainsFunc(found, func(v Violation) bool { return strings.Contains(v.What, "after the read it rests on") })
	}
	if !late(Judge(trace)) || !late(JudgeHurried(trace, 9)) || late(JudgeHurried(trace, 10)) {
		t.Errorf("judged %v, hurried 9 times %v, 10 times %v", Judge(trace), JudgeHurried(trace, 9), JudgeHurried(trace, 10))
	}
}

// TestADeletionInAHurriedWorld: what was under way at a deletion takes longer there too.
func TestADeletionInAHurriedWorld(t *testing.T) {
	t.Parallel()
	for _, end := range []Event{Deleting{after("15m52s")}, Gone{after("15m52s")}} {
		trace := before[Read](until[Write](good(), 2), 4, end)
		if found := JudgeHurried(trace, 2); len(found) > 0 {
			t.Errorf("%T 8 s before, hurried twice: %v", end, found)
		}
		if found := Judge(trace); len(found) == 0 || found[0].Invariant != "I14" {
			t.Errorf("%T 8 s before: %v", end, found)
		}
	}
}

// TestARunServiceIsWrittenAsSomebodySetsTheService: no version of the service is in it that
// could keep the write away, as an etag does where the service itself is written.
func TestARunServiceIsWrittenAsSomebodySetsTheService(t *testing.T) {
	t.Parallel()
	crossing := func(unclaimed bool) Trace {
		trace := edit(until[Write](good(), 2), 2, func(w *Write) { w.Unclaimed = unclaimed })
		return before[Write](trace, 2, Desired{nth[Write](trace, 2).At, Split{"web-2": 50, "web-1": 50}, false})
	}
	const what = "somebody else had set"
	if finds(crossing(true), what) {
		t.Error("nobody could keep the write away")
	}
	hidden := func(generation int64) bool {
		p := rewindable()
		p.foreign, p.generation = &Desired{after("3m"), Split{"web-2": 50, "web-1": 50}, false}, 3
		p.reads["a"], p.saves["a"] = &Read{At: after("9m59s"), Stale: true}, Saved{Generation: generation}
		return p.crosses(Write{At: after("10m"), By: "a", Unclaimed: true})
	}
	if !hidden(2) || hidden(3) {
		t.Error("only who has seen nothing newer cannot know what an answer of the past hides")
	}
	if !finds(crossing(false), what) {
		t.Error("the etag of the service does, and the write is not found")
	}
}

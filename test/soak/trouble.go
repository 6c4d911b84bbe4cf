package soak

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// families are the kinds of trouble of which a seed has some. Each adds one act.
var families = []func(*author){
	(*author).crash, (*author).leadership, (*author).watches, (*author).saves, (*author).writes, (*author).reads,
	(*author).reconciling, (*author).metrics, (*author).edits, (*author).deploys, (*author).revisions, (*author).verbs,
	(*author).pauses, (*author).plans, (*author).removal, (*author).memory, (*author).quotas, (*author).freezes,
}

// cue is some time, or some time after a phase began.
func (a *author) cue() Cue {
	if a.chance(0.4) {
		return Cue{After: a.between(0, lasts)}
	}
	return Cue{
		Phase: pick(*a, "Checking", "Shifting", "Shifting", "Baking", "Baking", "Baking", "RollingBack", "RollingBack", "Held", "Paused", "RolledBack", "Completed"),
		After: a.between(0, pick(*a, time.Second, 10*time.Second, time.Minute, 5*time.Minute)),
	}
}

// atCall makes a cue wait for a call.
func (a *author) atCall(c Cue) Cue {
	c.Call = pick(*a, getService, getRevision, askMetrics, saveCall, saveCall, patchCall, patchCall, finalize)
	c.Side = pick(*a, before, after)
	return c
}

// anywhere is a cue that may wait for a call.
func (a *author) anywhere() Cue {
	c := a.cue()
	if a.chance(0.3) {
		return a.atCall(c)
	}
	return c
}

func (a *author) crash() {
	down := pick(*a, a.between(time.Second, 10*time.Second), a.between(10*time.Second, time.Minute), a.between(time.Minute, 20*time.Minute))
	a.act(Act{Cue: a.atCall(a.cue()), Deed: Kill, For: down})
}

func (a *author) leadership() {
	switch a.IntN(4) {
	case 0:
		a.act(Act{Cue: a.cue(), Deed: Exchange})
	case 1:
		a.act(Act{Cue: a.cue(), Deed: Usurp, Who: a.IntN(2), For: a.between(5*time.Second, 3*time.Minute)})
	default:
		a.act(Act{Cue: a.atCall(a.cue()), Deed: Stop, For: a.between(time.Second, pick(*a, 10*time.Second, time.Minute, 10*time.Minute))})
	}
}

func (a *author) watches() {
	act := Act{Cue: a.cue(), Who: a.IntN(2), For: a.between(time.Second, pick(*a, 10*time.Second, 5*time.Minute))}
	act.Deed = pick(*a, Freeze, Freeze, Rewind, Relist)
	act.Count = 1 + a.IntN(5)
	a.act(act)
}

func (a *author) saves() {
	switch a.IntN(3) {
	case 0:
		a.act(Act{Cue: a.anywhere(), Deed: Refuse, Word: pick(*a, "409", "500", "429"), Count: 1 + a.IntN(3)})
	case 1:
		a.act(Act{Cue: a.anywhere(), Deed: Swallow, Count: 1 + a.IntN(2)})
	default:
		a.act(Act{Cue: a.atCall(a.cue()), Deed: Annotate})
	}
}

// break adds a fault of the cloud.
func (a *author) breaks(c Cue, f simulator.Fault) { a.act(Act{Cue: c, Deed: Break, Fault: f}) }

func (a *author) writes() {
	const patch = "services.patch"
	f := simulator.Fault{Operation: patch, Times: 1 + a.IntN(3)}
	switch a.IntN(5) {
	case 0:
		f.Kind = simulator.FaultDrop
	case 1:
		f.Kind, f.Times = simulator.FaultPark, 1
		f.Delay = simulator.Duration(a.between(time.Second, pick(*a, 20*time.Second, 3*time.Minute, 15*time.Minute)))
	case 2:
		f.Kind = simulator.FaultDuplicate
	default:
		f.Kind, f.Code = simulator.FaultError, pick(*a, 409, 429, 500, 503, 403, 412)
		f.Times = 1 + a.IntN(6)
	}
	a.breaks(a.cue(), f)
}

func (a *author) reads() {
	f := simulator.Fault{Operation: pick(*a, "services.get", "services.get", "revisions.get", "services.list", "services.*"), Times: 1 + a.IntN(5)}
	switch a.IntN(3) {
	case 0:
		f.Kind, f.Versions = simulator.FaultStale, 1+a.IntN(3)
	case 1:
		f.Kind = simulator.FaultDrop
		if f.Operation == "services.*" {
			f.Operation = "services.get"
		}
	default:
		f.Kind, f.Code = simulator.FaultError, pick(*a, 429, 500, 503, 403, 404)
		if f.Operation == "services.*" {
			f.Times = 20
		}
	}
	a.breaks(a.cue(), f)
}

// quotas are used up by somebody else for a while.
func (a *author) quotas() {
	a.breaks(a.cue(), simulator.Fault{
		Kind: simulator.FaultError, Code: 429, Operation: pick(*a, "services.list", "services.list", "services.get", "services.*"),
		Times: 1 + a.IntN(pick(*a, 5, 40)),
	})
}

func (a *author) reconciling() {
	a.breaks(a.cue(), simulator.Fault{
		Kind: pick(*a, simulator.FaultStuck, simulator.FaultStuck, simulator.FaultFail),
		For:  simulator.Duration(a.between(10*time.Second, pick(*a, time.Minute, 10*time.Minute))),
	})
}

func (a *author) metrics() {
	f := simulator.Fault{
		Metric: pick(*a, series.RequestCount, series.InstanceCount, series.AllocatedPorts, series.DroppedSentPackets, ""),
		For:    simulator.Duration(a.between(time.Minute, pick(*a, 3*time.Minute, 15*time.Minute))),
	}
	switch a.IntN(4) {
	case 0:
		f.Kind = simulator.FaultGap
	case 1:
		f.Kind, f.Delay = simulator.FaultLate, simulator.Duration(a.between(time.Minute, 10*time.Minute))
	case 2:
		f = simulator.Fault{Kind: simulator.FaultPartial, Operation: "timeSeries.list", Times: 1 + a.IntN(20)}
	default:
		f = simulator.Fault{Kind: simulator.FaultError, Operation: "timeSeries.list", Code: pick(*a, 403, 429, 503), Times: 1 + a.IntN(40)}
	}
	a.breaks(a.cue(), f)
}

func (a *author) edits() {
	if a.chance(0.3) {
		a.act(Act{Cue: a.anywhere(), Deed: SetTag, Word: pick(*a, "blue", "sluice-stable")})
		return
	}
	a.act(Act{Cue: a.anywhere(), Deed: EditTraffic, Word: pick(*a,
		"half and half", "stable alone", "candidate alone", "the first alone", "LATEST", "most to stable")})
}

func (a *author) deploys() { a.act(Act{Cue: a.anywhere(), Deed: Deploy, Word: a.image()}) }

// templates are edits in Git: new ones, old ones, and those that were there before.
func (a *author) templates() { a.act(Act{Cue: a.anywhere(), Deed: Push, Word: a.image()}) }

func (a *author) revisions() {
	a.act(Act{Cue: a.anywhere(), Deed: pick(*a, Lose, Fail), Word: pick(*a, "stable", "candidate", "candidate")})
}

func (a *author) verbs() {
	act := Act{Cue: a.anywhere(), Deed: Ask, Word: pick(*a, "approve", "resume", "abort", "retry", "adopt", "promote", "pause", "undo")}
	if a.chance(0.1) {
		act.Count = 1 + a.IntN(3)
	}
	a.act(act)
}

func (a *author) pauses() {
	c := a.anywhere()
	a.act(Act{Cue: c, Deed: Pause})
	c.Call, c.After = "", c.After+a.between(time.Second, 10*time.Minute)
	a.act(Act{Cue: c, Deed: Unpause})
}

func (a *author) freezes() {
	a.act(Act{Cue: a.anywhere(), Deed: Shut, For: a.between(time.Minute, 20*time.Minute)})
}

func (a *author) plans() {
	switch a.IntN(3) {
	case 0:
		a.act(Act{Cue: a.anywhere(), Deed: Respec, Spec: a.spec()})
	case 1:
		a.act(Act{Cue: a.anywhere(), Deed: NameOne, Word: pick(*a, "stable", "candidate", "newest", "first", "none")})
	default:
		a.act(Act{Cue: a.anywhere(), Deed: NameStable, Word: pick(*a, "stable", "candidate", "newest", "first", "none")})
	}
}

func (a *author) removal() {
	act := Act{Cue: a.anywhere(), Deed: Remove}
	if a.chance(0.7) {
		act.For = a.between(time.Second, 5*time.Minute)
	}
	a.act(act)
}

func (a *author) memory() {
	if a.chance(0.5) {
		a.act(Act{Cue: a.anywhere(), Deed: Wipe})
		return
	}
	a.act(Act{Cue: a.anywhere(), Deed: GoBack, Count: 1 + a.IntN(6)})
}

package explorer

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// sees is Decide on an input that a bug has changed.
func sees(change func(*rollout.Input)) func(rollout.Input) rollout.Decision {
	return func(in rollout.Input) rollout.Decision {
		change(&in)
		return rollout.Decide(in)
	}
}

// says is a decision that a bug has changed.
func says(change func(rollout.Input, *rollout.Decision)) func(rollout.Input) rollout.Decision {
	return func(in rollout.Input) rollout.Decision {
		d := rollout.Decide(in)
		change(in, &d)
		return d
	}
}

func judging(in *rollout.Input, outcome analysis.Outcome) {
	in.Plan.Guards = slices.Clone(in.Plan.Guards)
	for i := range in.Plan.Guards {
		in.Plan.Guards[i].Rule = metrics{outcome}
	}
}

// TestBugsAreFound seeds bugs, of Decide and of the loop around it, and wants each
// of them to be found by the rule that is there for it.
func TestBugsAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bug          func(rollout.Input) rollout.Decision
		careless     Careless
		git, kept    bool
		faults, acts int
		want         string
	}{
		"clears the latch":          {bug: sees(func(in *rollout.Input) { in.Progress.Latched = nil }), acts: 1, want: "I5"},
		"forgets an abort in pause": {bug: sees(forgetsAbort), acts: 2, want: "I9"},
		"ignores spec.paused":       {bug: sees(func(in *rollout.Input) { in.Plan.Paused = false }), acts: 1, want: "I9"},
		"takes a foreign split for its own": {bug: sees(func(in *rollout.Input) {
			in.Progress.Confirmed = splitOf(in.Service.Desired)
		}), faults: 1, want: "I7"},
		"rises again after a person gave stable everything": {bug: sees(func(in *rollout.Input) {
			if split := splitOf(in.Service.Desired); split.Of(in.Progress.Stable) == 100 {
				in.Progress.Confirmed = split
			}
		}), faults: 1, want: "I7"},
		"rises without evidence": {bug: sees(func(in *rollout.Input) { judging(in, analysis.Pass) }), faults: 1, want: "I4"},
		"cuts the bake short": {bug: sees(func(in *rollout.Input) {
			in.Plan.Steps = slices.Clone(in.Plan.Steps)
			for i := range in.Plan.Steps {
				in.Plan.Steps[i].Bake = min(in.Plan.Steps[i].Bake, short)
			}
		}), want: "I3"},
		"does not call what rises its candidate": {bug: says(func(_ rollout.Input, d *rollout.Decision) {
			if d.Write != nil {
				d.Progress.Candidate = ""
			}
		}), want: "I3"},
		"skips a step":             {bug: sees(func(in *rollout.Input) { in.Plan.Steps = in.Plan.Steps[len(in.Plan.Steps)-1:] }), want: "I3"},
		"needs no approval":        {bug: sees(func(in *rollout.Input) { in.Plan.Steps = ungated(in.Plan.Steps) }), want: "I3"},
		"relies on a lost stable":  {bug: sees(relies), faults: 1, want: "I6"},
		"rises to what is unready": {bug: sees(trusts), faults: 1, want: "I4"},
		"goes on when deleted":     {bug: sees(func(in *rollout.Input) { in.Deleting = false }), acts: 1, want: "I14"},
		"believes what it asked for": {bug: sees(func(in *rollout.Input) {
			in.Service.Effective, in.Service.Reconciling, in.Service.ObservedGeneration = in.Service.Desired, false, seen
		}), want: "I10"},
		"forgets what it meant": {bug: says(func(_ rollout.Input, d *rollout.Decision) { d.Progress.Intents = nil }), want: "I2"},
		"moves the baseline": {bug: says(func(_ rollout.Input, d *rollout.Decision) {
			if d.Progress.Phase == rollout.Baking {
				d.Progress.Stable = d.Progress.Candidate
			}
		}), want: "I6"},
		"never looks again": {bug: says(func(_ rollout.Input, d *rollout.Decision) { d.LookAt = time.Time{} }), want: "I16"},
		"writes each status anew": {bug: says(func(in rollout.Input, d *rollout.Decision) {
			d.Progress.Approved = in.Progress.Approved + 1
		}), want: "I12"},
		"does not go back on a breach": {bug: says(func(in rollout.Input, d *rollout.Decision) {
			if in.Progress.Phase == rollout.Baking && d.Progress.Phase == rollout.RollingBack {
				d.Progress, d.Write = in.Progress, nil
			}
		}), faults: 1, want: "I15"},
		"obeys an abort of nothing": {bug: says(func(in rollout.Input, d *rollout.Decision) {
			d.Progress.LastRequest.Accepted = in.Request.Verb == rollout.Abort
		}), acts: 1, want: "I5"},
		"lets a pause use up the time": {bug: says(func(in rollout.Input, d *rollout.Decision) {
			if in.Progress.Reason == rollout.ReasonPaused && d.Progress.Reason == rollout.ReasonPaused {
				d.Progress.Reason = rollout.StepDeadlineExceeded
			}
		}), acts: 1, want: "I16"},
		"begins a wait anew": {bug: says(func(in rollout.Input, d *rollout.Decision) {
			if d.Progress.Reason == rollout.MetricsUnavailable {
				d.Progress.NoDataSince = in.Now
			}
		}), faults: 1, want: "I16"},
		"goes nowhere from a pause": {bug: says(func(in rollout.Input, d *rollout.Decision) {
			if in.Progress.Phase == rollout.Paused {
				d.Progress, d.Write = in.Progress, nil
			}
		}), acts: 1, want: "reachability"},
		"ends an attempt without giving it up": {bug: says(func(in rollout.Input, d *rollout.Decision) {
			if d.Progress.Phase == rollout.RolledBack && in.Request.Verb == rollout.Abort {
				d.Progress.Phase, d.Progress.Reason = rollout.Idle, rollout.Steady
			}
		}), want: "reachability"},
		"is over before stable is ready": {bug: says(func(in rollout.Input, d *rollout.Decision) {
			if in.Progress.Phase == rollout.RollingBack && in.Revisions[in.Progress.Stable].Readiness == rollout.NotReady {
				d.Progress.Phase, d.Progress.Reason = rollout.Idle, rollout.Steady
			}
		}), faults: 1, want: "reachability"},
		"does not see a freeze":             {bug: sees(func(in *rollout.Input) { in.Hours = rollout.Hours{} }), acts: 1, want: "I9"},
		"ignores a person's pause":          {bug: sees(deaf(rollout.VerbPause)), acts: 1, want: "I9"},
		"forgets a person's pause":          {bug: sees(func(in *rollout.Input) { in.Progress.Cause = "" }), acts: 1, want: "I9"},
		"does not see whose the service is": {bug: sees(func(in *rollout.Input) { in.Service.Claim = nil }), acts: 1, want: "I8"},
		"promotes past a breach":            {bug: sees(promotesAnyway), faults: 1, acts: 1, want: "I4"},
		"promotes to the end when asked for the next weight": {bug: sees(func(in *rollout.Input) {
			in.Request.Full = true
		}), acts: 1, want: "I3"},
		"obeys a promote of another step": {bug: sees(func(in *rollout.Input) {
			if in.Request.Verb == rollout.Promote {
				in.Request.Step = in.Progress.Step
			}
		}), acts: 1, want: "I3"},
		"undoes what nobody asked to undo": {bug: says(func(_ rollout.Input, d *rollout.Decision) {
			if d.Progress.Phase == rollout.Completed && d.Progress.Former != "" {
				d.Progress.Stable = d.Progress.Former
			}
		}), want: "I10"},
		"invents an edge": {bug: says(func(in rollout.Input, d *rollout.Decision) {
			if in.Progress.Phase == rollout.Checking {
				d.Progress.Phase = rollout.Completed
			}
		}), want: "edges"},
		"never deploys": {bug: sees(func(in *rollout.Input) { in.Plan.Template = rollout.Template{} }), git: true, want: "reachability"},
		"deploys again what is there": {bug: sees(func(in *rollout.Input) {
			in.Service.Template, in.Progress.Deployed, in.Progress.Sent = "", "", rollout.Sent{}
		}), git: true, want: "I16"},
		"deploys while traffic follows LATEST": {bug: sees(func(in *rollout.Input) {
			in.Service.Desired = []rollout.Entry{{Revision: names[1], Percent: 100}}
			in.Service.Effective = in.Service.Desired
		}), git: true, want: "I1"},
		"deploys though it is paused": {bug: sees(func(in *rollout.Input) { in.Plan.Paused = false }), git: true, acts: 1, want: "I9"},
		"forgets what it sent before": {bug: sees(func(in *rollout.Input) { in.Progress.Sent.Before = nil }), git: true, acts: 1, want: "I7"},
		"does not see that Git went back": {bug: sees(func(in *rollout.Input) {
			if r := in.Revisions[in.Progress.Stable]; r.Template == in.Plan.Template.Digest && in.Progress.Candidate != "" {
				in.Plan.Template = rollout.Template{}
			}
		}), git: true, acts: 1, want: "I7"},
		"does not look at what spec says":       {bug: sees(func(in *rollout.Input) { in.Service.Kept.Says = nil }), kept: true, faults: 1, want: "I7"},
		"panics":                                {bug: sees(func(in *rollout.Input) { _ = in.Progress.Intents[:1] }), want: "I16"},
		"sends again what was refused":          {careless: Careless{RefreshesEtag: true}, faults: 1, want: "I7"},
		"saves over what a person just changed": {careless: Careless{SavesBlindly: true}, acts: 1, want: "I9"},
		"sends before it saves":                 {careless: Careless{SendsFirst: true}, want: "I2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.bug == nil {
				c.bug = rollout.Decide
			}
			r := Explore(Scope{
				Faults: c.faults, Acts: c.acts, Git: c.git, Kept: c.kept, MostStates: 200_000, Workers: 1, Decide: c.bug, Careless: c.careless,
			})
			if !slices.ContainsFunc(r.Violations, func(v Violation) bool { return strings.HasPrefix(v.What, c.want) }) {
				t.Errorf("in %d states %s is not found, but\n%v", r.States, c.want, r.Violations)
			}
		})
	}
}

// deaf is a bug that does not hear a verb.
func deaf(verb rollout.Verb) func(*rollout.Input) {
	return func(in *rollout.Input) {
		if in.Request.Verb == verb {
			in.Request = rollout.Request{}
		}
	}
}

func promotesAnyway(in *rollout.Input) {
	if in.Request.Verb == rollout.Promote {
		judging(in, analysis.Pass)
	}
}

func forgetsAbort(in *rollout.Input) {
	if in.Plan.Paused {
		in.Request, in.Plan.Paused = rollout.Request{}, false
	}
}

func relies(in *rollout.Input) {
	in.Revisions[in.Progress.Stable] = rollout.Revision{Presence: rollout.Found, Name: in.Progress.Stable, Readiness: rollout.Ready}
}

func trusts(in *rollout.Input) {
	r := in.Revisions[in.Progress.Candidate]
	r.Presence, r.Readiness = rollout.Found, rollout.Ready
	in.Revisions[in.Progress.Candidate] = r
}

func ungated(steps []rollout.Step) []rollout.Step {
	steps = slices.Clone(steps)
	for i := range steps {
		steps[i].Approval = false
	}
	return steps
}

func splitOf(entries []rollout.Entry) rollout.Split {
	sums := map[string]int64{}
	for _, e := range entries {
		sums[e.Revision] += e.Percent
	}
	return rollout.NewSplit(sums)
}

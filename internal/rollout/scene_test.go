package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// now is when the decisions of these tests are made.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// stub is a rule that says what it is told to.
type stub struct {
	outcome analysis.Outcome
	shared  bool
	healthy int // minutes
}

func (r stub) Questions(analysis.Scope) []analysis.Question { return nil }

func (r stub) Preflight(s analysis.Scope, _ analysis.Answers) analysis.Verdict { return r.verdict(s) }

func (r stub) Judge(s analysis.Scope, _ analysis.Answers) analysis.Verdict { return r.verdict(s) }

func (r stub) verdict(s analysis.Scope) analysis.Verdict {
	v := analysis.Verdict{Outcome: r.outcome, Shared: r.shared, Note: "it says " + string(r.outcome)}
	switch r.outcome { //nolint:exhaustive // the others have judged something
	case analysis.NoData, analysis.NotApplicable, analysis.Incomplete:
		return v
	}
	v.Through = s.Now.Add(-3 * time.Minute)
	for n := r.healthy; n > 0; n-- {
		v.Healthy = append(v.Healthy, s.Now.Truncate(time.Minute).Add(-time.Duration(n)*time.Minute))
	}
	return v
}

// scene is an input under construction; its methods change a copy.
type scene Input

// idle is a service that web-1 serves, with web-2 just deployed.
func idle() scene {
	s := scene{
		Plan: Plan{
			Service: ServiceRef{"acme", "asia-northeast1", "web"},
			Steps: []Step{
				{Weight: 5, Bake: 10 * time.Minute},
				{Weight: 25, Bake: 10 * time.Minute},
				{Weight: 100, Bake: 20 * time.Minute},
			},
			StepDeadline: time.Hour,
			Window:       5 * time.Minute,
			NoData:       NoDataPolicy{After: 30 * time.Minute, Action: Pause},
		},
		Progress: Progress{
			Phase: Idle, Reason: Steady, ServiceUID: "uid", Generation: 7, Stable: "web-1",
			Cutoff: ago(48 * time.Hour), Confirmed: all("web-1"),
		},
		Service: Service{
			Presence: Found, UID: "uid", Generation: 7, ObservedGeneration: 7, ETag: "etag-7",
			LatestReady: "web-2", LatestCreated: "web-2",
		},
		Revisions: map[string]Revision{},
		Now:       now,
	}
	s = s.revision("web-1", 48*time.Hour).revision("web-2", 2*time.Hour)
	return s.split("web-1", 100).says("errors", Rollback, stub{outcome: analysis.Pass, healthy: 60})
}

// at is an attempt whose candidate web-2 has a weight that is baked.
func at(weight int64) scene {
	s := idle()
	s.Progress.Attempt, s.Progress.Candidate = 1, "web-2"
	s.Progress.Phase, s.Progress.Reason = Checking, Preparing
	if weight == 0 {
		return s
	}
	s.Progress.Phase, s.Progress.Reason = Baking, Progressing
	s.Progress.FirstWrite, s.Progress.Effective = ago(time.Hour), ago(30*time.Minute)
	s.Progress.Confirmed = between("web-2", "web-1", weight)
	s.Progress.Step = s.Plan.stepAt(weight)
	s.Progress.Elsewhere = weight
	s.Progress.Clock = Stopwatch{Running: ago(31 * time.Minute)}
	return s.split("web-2", weight, "web-1", 100-weight)
}

// in is an attempt at 25 % that stands in a phase for a reason.
func in(phase Phase, reason Reason) scene {
	s := at(25)
	s.Progress.Phase, s.Progress.Reason, s.Progress.Cause = phase, reason, "a cause"
	if phase == Paused && reason == ReasonPaused { // by spec.paused
		s.Progress.Cause = ""
	}
	return s
}

func (s scene) revision(name string, age time.Duration) scene {
	return s.with(func(s *scene) {
		s.Revisions[name] = Revision{Presence: Found, Name: name, CreatedAt: ago(age), Readiness: Ready, Egress: EgressNone}
	})
}

func (s scene) readiness(name string, r Readiness) scene {
	return s.with(func(s *scene) {
		revision := s.Revisions[name]
		revision.Readiness, revision.Why = r, "it crashed"
		s.Revisions[name] = revision
	})
}

func (s scene) presence(name string, p Presence) scene {
	return s.with(func(s *scene) { s.Revisions[name] = Revision{Presence: p, Name: name} })
}

// newer is a revision deployed after web-2.
func (s scene) newer() scene {
	s = s.revision("web-3", time.Hour)
	s.Service.LatestReady, s.Service.LatestCreated = "web-3", "web-3"
	return s
}

// split is what is asked for and serves.
func (s scene) split(shares ...any) scene {
	s = s.wants(shares...)
	s.Service.Effective = s.Service.Desired
	return s
}

// wants is what is asked for; something else may serve.
func (s scene) wants(shares ...any) scene {
	s.Service.Desired = nil
	for i := 0; i < len(shares); i += 2 {
		e := Entry{Revision: shares[i].(string)}
		switch percent := shares[i+1].(type) {
		case int:
			e.Percent = int64(percent)
		case int64:
			e.Percent = percent
		}
		s.Service.Desired = append(s.Service.Desired, e)
	}
	return s
}

// says sets the only guard of a name.
func (s scene) says(name string, action Action, r stub) scene {
	guard := Guard{Name: name, Rule: r, OnBreach: action, Mode: Enforce}
	if action == Hold {
		guard.RollbackAfter = 5 * time.Minute
	}
	s.Plan.Guards = slices.DeleteFunc(slices.Clone(s.Plan.Guards), func(g Guard) bool { return g.Name == name })
	s.Plan.Guards = append(s.Plan.Guards, guard)
	return s
}

func (s scene) errors(o analysis.Outcome) scene {
	return s.says("errors", Rollback, stub{outcome: o, healthy: 60})
}

func (s scene) nat(o analysis.Outcome) scene {
	return s.says("nat", Hold, stub{outcome: o, healthy: 60})
}

// meant is a write that was saved on the present version and not seen to serve.
func (s scene) meant(split Split) scene {
	s.Progress.Intents = append(slices.Clone(s.Progress.Intents), Intent{split, s.Service.ETag, s.Service.Generation, 1, ago(time.Minute)})
	return s
}

func (s scene) unsettled() scene {
	s.Service.Reconciling = true
	return s
}

func (s scene) asks(verb Verb) scene {
	s.Request = Request{ID: "r1", Verb: verb, Attempt: s.Progress.Attempt, Step: s.Progress.Step, By: "ann"}
	return s
}

// answered is a request that was accepted, and the state that it led to.
func (s scene) answered(verb Verb, phase Phase, reason Reason) scene {
	s.Progress.LastRequest = Reply{ID: "r1", Verb: verb, Accepted: true}
	s.Progress.Phase, s.Progress.Reason = phase, reason
	return s
}

func (s scene) with(change func(*scene)) scene {
	s.Revisions = maps.Clone(s.Revisions)
	s.Plan.Steps = slices.Clone(s.Plan.Steps)
	s.Plan.Guards = slices.Clone(s.Plan.Guards)
	s.Progress.Intents = slices.Clone(s.Progress.Intents)
	s.Service.Desired = slices.Clone(s.Service.Desired)
	change(&s)
	return s
}

// in words: "Baking/Progressing", what is written, how a request was answered.
func inWords(d Decision) string {
	text := fmt.Sprintf("%s/%s", d.Progress.Phase, d.Progress.Reason)
	if d.Write != nil {
		text += ", writes " + splitOf(d.Write).String()
	}
	if d.Deploy != nil {
		text += ", deploys " + d.Deploy.Template().Digest
	}
	if d.reply != nil && d.reply.Accepted {
		text += ", accepts"
	}
	if d.reply != nil && !d.reply.Accepted {
		text += ", refuses"
	}
	return text
}

func splitOf(w *Write) Split { return Service{}.split(w.Targets()) }

// row is an input and what is decided on it, in words.
type row struct {
	in   scene
	want string
	says string // a part of the note, of what is next, or of the reply
}

func check(t *testing.T, rows map[string]row) {
	t.Helper()
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Decide(Input(r.in))
			if diff := cmp.Diff(r.want, inWords(d)); diff != "" {
				t.Errorf("decides (-want +got):\n%s\nnote: %s\nnext: %s", diff, d.Note, d.Next)
			}
			text := d.Note + "\n" + d.Next
			if d.reply != nil {
				text += "\n" + d.reply.Message
			}
			if !strings.Contains(text, r.says) {
				t.Errorf("says %q, want a part %q", text, r.says)
			}
			sane(t, Input(r.in), d)
		})
	}
}

// sane is what holds for every decision.
func sane(t interface{ Fatalf(string, ...any) }, in Input, d Decision) {
	p := d.Progress
	switch {
	case d.Deploy != nil && (d.Write != nil || in.Service.followsLatest() || in.Service.ETag != d.Deploy.ETag()):
		t.Fatalf("a template is sent beside a split, where LATEST has traffic, or of another version: %v", d)
	case !slices.Contains(Phases, p.Phase):
		t.Fatalf("unknown phase %q", p.Phase)
	case !follows(in.Progress.Phase, p.Phase):
		t.Fatalf("%s does not follow %s", p.Phase, in.Progress.Phase)
	case !d.LookAt.After(in.Now):
		t.Fatalf("looks at %v, which is not after %v", d.LookAt, in.Now)
	case d.Note == "" || d.Next == "" || p.Reason == "":
		t.Fatalf("decision without reason, note or next: %+v", d)
	case d.Write != nil && d.Write.validate() != nil:
		t.Fatalf("malformed write: %v", d.Write.validate())
	case d.Write != nil && len(p.Intents) == 0:
		t.Fatalf("write without a saved intent")
	case len(p.Confirmed) > maxShares, slices.ContainsFunc(p.Intents, func(i Intent) bool { return len(i.Split) > maxShares }):
		t.Fatalf("a split is remembered whole: %v", p.Confirmed)
	case len(p.Intents) > maxIntents || len(p.Latched) > maxLatched:
		t.Fatalf("%d intents, %d latched", len(p.Intents), len(p.Latched))
	}
}

package rollout

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// garbage draws inputs that no adapter sends, from pieces that rules look at.
type garbage struct{ *rapid.T }

func pick[T any](g garbage, what string, from ...T) T {
	return rapid.SampledFrom(from).Draw(g.T, what)
}

func (g garbage) name() string { return pick(g, "name", "web-1", "web-2", "web-3", "web-4", "") }

func (g garbage) percent() int64 {
	return pick[int64](g, "percent", 0, 5, 25, 50, 75, 95, 100, -3, 150)
}

func (g garbage) time() time.Time {
	return pick(g, "time", time.Time{}, ago(48*time.Hour), ago(time.Hour), ago(20*time.Minute), ago(90*time.Second), now, now.Add(time.Hour))
}

func (g garbage) duration() time.Duration {
	return pick(g, "duration", 0, time.Second, 10*time.Minute, time.Hour, -time.Minute)
}

func (g garbage) split() Split {
	return pick(g, "split", all("web-1"), all("web-2"), all(g.name()), nil, between(g.name(), g.name(), g.percent()), crowd(),
		between("web-2", "web-1", 5), between("web-2", "web-1", 25))
}

func (g garbage) entries() []Entry {
	var entries []Entry
	for _, share := range g.split() {
		entries = append(entries, Entry{Revision: share.Revision, Percent: share.Percent, Tag: pick(g, "tag", "", "", Tag, WarmTag, "blue")})
	}
	if pick(g, "odd", false, false, false, true) {
		entries = append(entries, Entry{pick(g, "latest", true, false), g.name(), g.percent(), pick(g, "tag", "", Tag, WarmTag, "next")})
	}
	return entries
}

func (g garbage) plan() Plan {
	p := Plan{
		Service: ServiceRef{"p", "l", "web"}, Paused: pick(g, "paused", false, false, true),
		CandidateRevision: pick(g, "named", "", "", g.name()), StableRevision: pick(g, "stable", "", "", g.name()),
		StepDeadline: g.duration(), Warmup: g.duration(), Window: g.duration(), NatUnwanted: pick(g, "unwanted", false, true),
		NoData: NoDataPolicy{g.duration(), pick(g, "action", Pause, Rollback, "")},
		Pacing: pick(g, "pacing", Headroom, Fixed, ""), Reserve: g.percent(), RunService: pick(g, "RunService", "", "web"),
	}
	for range rapid.IntRange(0, 4).Draw(g.T, "steps") {
		p.Steps = append(p.Steps, Step{g.percent(), g.duration(), pick(g, "approval", false, true)})
	}
	for i := range rapid.IntRange(0, 3).Draw(g.T, "guards") {
		p.Guards = append(p.Guards, Guard{
			Name: fmt.Sprint("guard", i), OnBreach: pick(g, "on breach", Hold, Rollback, Pause, ""), RollbackAfter: g.duration(),
			Mode: pick(g, "mode", Enforce, Enforce, Shadow, Off, ""),
			Rule: pick[analysis.Rule](g, "rule",
				stub{outcome: analysis.Pass, healthy: 60}, stub{outcome: analysis.Pass}, stub{outcome: analysis.Breach},
				stub{outcome: analysis.Breach, shared: true}, stub{outcome: analysis.NoData}, stub{outcome: analysis.Insufficient, healthy: 60},
				stub{outcome: analysis.Undecided, healthy: 60}, stub{outcome: analysis.NotApplicable}, stub{},
				analysis.ServerErrors{MaxRatio: 0.01, MinRequests: 100}, analysis.NatDroppedPackets{MinMinutes: 2}),
		})
	}
	if pick(g, "gateways", false, true) {
		p.Gateways = []analysis.Source{{Gateway: "nat-1"}}
	}
	return p
}

func (g garbage) kept() Kept {
	return Kept{
		Waits: pick(g, "waits", "", "it waits"), Late: pick(g, "late", "", "it is late"), Owner: pick(g, "owner", "", "", "it is theirs"),
		Blocks: pick(g, "blocks", nil, nil, []string{"a block"}), Notes: pick(g, "notes", nil, []string{"a note"}),
	}
}

func (g garbage) progress() Progress {
	p := Progress{
		Phase: pick(g, "phase", append([]Phase{""}, Phases...)...), Reason: pick(g, "reason", Steady, Progressing, ReasonPaused,
			TrafficConflict, StepDeadlineExceeded, NoDataDeadlineExceeded, AccessDenied, ReasonCompleted, HeldByAnalysis, ""),
		Since: g.time(), ServiceUID: pick(g, "uid", "uid", "uid", "", "other"), Generation: pick[int64](g, "seen", 0, 7, 7, 8),
		Stable: pick(g, "stable", "web-1", "web-1", g.name()), Cutoff: g.time(), Attempt: pick[int64](g, "attempt", 0, 1, 5),
		Candidate: pick(g, "candidate", "web-2", "web-2", g.name()), Requested: pick(g, "requested", "", g.name()),
		Step: pick(g, "step", -1, 0, 1, 2, 99), FirstWrite: g.time(), Effective: g.time(), Lowered: g.time(), Elsewhere: pick[int64](g, "elsewhere", -1, 0, 5, 100, 101), Baked: pick(g, "baked", -1, 0, 9),
		Confirmed: g.split(), Tagged: g.name(), Cause: "a cause", Approved: pick[int64](g, "approved", 0, 25, 100),
		ThinAccepted: pick(g, "thin", 0, 2), NoDataSince: g.time(), SettledBy: pick(g, "settled by", "", g.name()),
		Clock: Stopwatch{g.duration(), g.time()}, Warmup: Warmup{g.name(), g.time(), g.time()},
	}
	for range rapid.IntRange(0, 3).Draw(g.T, "intents") {
		p.Intents = append(p.Intents, Intent{g.split(), pick(g, "etag", "e", "old", ""), 6, 1, g.time()})
	}
	p.Watches = pick(g, "watches", nil, nil, []Watch{{Source: nat1, Claimed: g.percent()}}, []Watch{{Source: nat2, Named: true}, {Source: nat1}})
	p.Waiting, p.Hot = g.time(), g.time()
	for range rapid.IntRange(0, 2).Draw(g.T, "latched") {
		p.Latched = append(p.Latched, g.name())
	}
	return p
}

func (g garbage) input() Input {
	in := Input{
		Plan: g.plan(), Progress: g.progress(), Now: pick(g, "now", now, now, time.Time{}), Revisions: map[string]Revision{},
		Service: Service{
			Presence: pick(g, "presence", Found, Found, Found, Missing, Denied, ""), UID: "uid", Generation: 7,
			ObservedGeneration: pick[int64](g, "observed", 7, 7, 7, 6), ETag: pick(g, "etag", "e", "e", ""),
			Reconciling: pick(g, "reconciling", false, false, true), Failure: pick(g, "failure", "", "", "failed"),
			LatestReady: g.name(), LatestCreated: g.name(), Desired: g.entries(), Keeper: pick(g, "keeper", "", "", "somebody"), Kept: g.kept(),
		},
	}
	in.Hours = pick(g, "hours", Hours{}, Hours{}, Hours{Shut: true, Why: "a freeze"}, Hours{Shut: true, Opens: now.Add(time.Hour)})
	in.Service.Effective = pick(g, "effective", in.Service.Desired, g.entries())
	for _, name := range []string{"web-1", "web-2", "web-3"} {
		in.Revisions[name] = Revision{
			Presence: pick(g, "presence", Found, Found, Missing, Denied, Unknown), Name: name, CreatedAt: g.time(),
			Readiness: pick(g, "ready", Ready, Ready, NotReady, Pending, ""), Egress: pick(g, "egress", EgressNone, EgressAll, ""),
			MinInstances: pick[int64](g, "least", 0, 3, -1), Provisioned: pick(g, "provisioned", true, false),
		}
	}
	in.Outlet = pick(g, "outlet", Outlet{}, leaves(nat1), leaves(nat1, nat2), leaves(), Outlet{Presence: Missing, Ambiguous: true, Detail: "two"},
		Outlet{Presence: Denied}, Outlet{Presence: Unknown, Gateways: []Gateway{{Source: nat1, Unread: "oops"}}}, Outlet{Presence: "odd"})
	in.Peers = pick(g, "peers", nil, []Peer{{nat1, nat.Claim{ID: "x", Ports: g.percent(), Hot: true}}, {}})
	if pick(g, "answers", false, true) {
		in.Answers = scene(in).counts(analysis.AllocatedPorts, nat1, g.percent()).counts(analysis.Instances, in.source("web-1"), g.percent()).Answers
	}
	if pick(g, "asked", false, true) {
		in.Request = Request{
			ID: "r1", Verb: pick(g, "verb", Approve, Resume, Abort, Retry, "dance"), Attempt: pick[int64](g, "of attempt", 0, in.Progress.Attempt, 4),
			Step: pick(g, "of step", -1, in.Progress.Step, 1, 2), Revision: pick(g, "of revision", "", g.name()),
		}
	}
	return in
}

// TestDecideIsTotal holds for arbitrary garbage.
func TestDecideIsTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			in := garbage{t}.input()
			was := in.Progress.Phase
			before := fmt.Sprintf("%+v", in)
			d := Decide(in)
			// What was never a state of ours need not follow the edges, but leads to one.
			in.Progress.Phase = d.Progress.Phase
			sane(t, in, d)
			in.Progress.Phase = was
			if after := fmt.Sprintf("%+v", in); before != after {
				t.Fatalf("the input was changed\nfrom %s\nto   %s", before, after)
			}
			if diff := cmp.Diff(d, Decide(in), cmp.AllowUnexported(Decision{}, Write{})); diff != "" {
				t.Fatalf("equal inputs, different decisions:\n%s", diff)
			}
			Questions(in)
			Leaving(in)
			Involved(in.Plan, in.Progress, in.Service, in.Request)
		}
	})
}

// TestAbortReachesTheWayBack: from every phase of an attempt, whatever else is
// the case, an abort leads back in one decision as long as the service and its
// stable revision are there.
func TestAbortReachesTheWayBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := garbage{t}
		in := g.input()
		in.Progress.Phase = pick(g, "phase", Checking, WarmingUp, Shifting, Baking, AwaitingApproval, Held, Paused, RollingBack)
		in.Progress.Stable, in.Progress.ServiceUID, in.Progress.Generation = "web-1", "uid", 7
		in.Service.Presence, in.Service.ETag = Found, "e"
		in.Revisions["web-1"] = Revision{Presence: Found, Readiness: Ready}
		in.Request = Request{ID: "r1", Verb: Abort, Step: -1}
		in.Service.Desired = at(25).Service.Desired
		d := Decide(in)
		if d.Progress.Phase != RollingBack && d.Progress.Phase != RolledBack {
			t.Fatalf("from %s: %s (%s)", in.Progress.Phase, inWords(d), d.Note)
		}
		if d.reply == nil || !d.reply.Accepted || d.Progress.Phase == RollingBack && d.Write == nil {
			t.Fatalf("%s: %s", inWords(d), d.Note)
		}
	})
}

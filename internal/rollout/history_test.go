package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// TestHistories plays random histories of one service and its people, and
// judges every decision.
func TestHistories(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := newTown()
		h := history{town: w, t: t, seen: seen}
		h.plan.Steps[rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "gate")].Approval = rapid.Bool().Draw(t, "approval")
		h.plan.NoData.Action = rapid.SampledFrom([]Action{Pause, Rollback}).Draw(t, "on no data")
		h.headStart(rapid.SampledFrom([]int{0, 1, 3, 5, 6, 7, 8, 9, 10}).Draw(t, "head start"))
		for range rapid.SampledFrom([]int{5, 20, 40}).Draw(t, "moves") {
			h.move()
		}
		h.comeToRest()
	})
	for _, what := range []string{"completed", "rolled back", "a person's split", "stale", "superseded"} {
		if t.Logf("%s: %d", what, seen[what]); seen[what] == 0 {
			t.Errorf("no history has %q: they are too tame to show anything", what)
		}
	}
}

type history struct {
	*town
	t    *rapid.T
	seen map[string]int
}

// headStart leads quietly to somewhere on the way of a first rollout.
func (h history) headStart(passes int) {
	for i := range passes {
		if i == 2 {
			h.deploy(Ready)
		}
		h.settle()
		h.wait(20 * time.Minute)
		h.pass("ok", false)
	}
}

// moves are drawn evenly, which rapid does not do with a range of numbers.
var moves = []int{
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
}

// move is one thing that happens. Time and the controller go on most often.
func (h history) move() {
	switch rapid.SampledFrom(moves).Draw(h.t, "move") {
	case 0, 1, 2, 3:
		h.wait(rapid.SampledFrom([]time.Duration{5 * time.Second, time.Minute, 7 * time.Minute}).Draw(h.t, "wait"))
	case 4, 5, 6, 7, 8, 9, 10:
		h.settle()
		h.wait(20 * time.Minute)
		h.pass("ok", false)
	case 11:
		h.settle()
	case 12:
		h.change() // a label
		h.say("CI changes a label")
	case 13, 14:
		h.deploy(rapid.SampledFrom([]Readiness{Ready, Ready, Ready, NotReady, Pending}).Draw(h.t, "readiness"))
	case 15:
		h.person()
	case 16:
		h.metrics(rapid.SampledFrom([]analysis.Outcome{analysis.Breach, analysis.NoData, analysis.Insufficient, analysis.Undecided}).Draw(h.t, "outcome"))
	case 17:
		h.metrics(analysis.Pass)
	case 18, 19, 20:
		h.verb()
	case 21:
		h.git()
	case 22:
		h.trouble()
	case 23:
		if len(h.flying) > 0 {
			h.arrive(h.flying[0])
			h.flying = h.flying[1:]
		}
	case 24:
		h.pass("stale", true)
	default:
		h.pass(rapid.SampledFrom([]string{"ok", "ok", "ok", "late", "lost", "crash"}).Draw(h.t, "fate"), false)
	}
}

func (h history) wait(d time.Duration) { h.now = h.now.Add(d) }

// person edits the traffic.
func (h history) person() {
	share := rapid.SampledFrom([]int64{0, 5, 25, 50, 100}).Draw(h.t, "share")
	older, newer := "web-1", fmt.Sprint("web-", rapid.IntRange(1, max(2, h.deployed)).Draw(h.t, "revision"))
	if older == newer {
		share = 0
	}
	var entries []Entry
	if share > 0 {
		entries = append(entries, Entry{Revision: newer, Percent: share})
	}
	if share < 100 {
		entries = append(entries, Entry{Revision: older, Percent: 100 - share})
	}
	h.edit(entries...)
	h.seen["a person's split"]++
}

// verb is a person's request, in half of the cases the one that fits.
func (h history) verb() {
	fits := map[Phase]Verb{AwaitingApproval: Approve, Held: Approve, Paused: Resume, RolledBack: Retry}
	verb, ok := fits[h.saved.Phase]
	if !ok || h.saved.Phase != AwaitingApproval && rapid.Bool().Draw(h.t, "any") {
		verb = rapid.SampledFrom([]Verb{Approve, Resume, Abort, Retry}).Draw(h.t, "verb")
	}
	h.ask(verb, rapid.Bool().Draw(h.t, "bound"))
}

// git edits the manifest.
func (h history) git() {
	name := fmt.Sprint("web-", rapid.IntRange(1, 4).Draw(h.t, "named"))
	switch rapid.IntRange(0, 5).Draw(h.t, "edit") {
	case 0:
		h.plan.Paused = !h.plan.Paused
	case 1:
		h.plan.CandidateRevision = name
	case 2:
		h.plan.StableRevision = name
	case 3:
		h.plan.Paused, h.plan.CandidateRevision, h.plan.StableRevision = false, "", ""
	case 4:
		h.plan.Steps = []Step{{Weight: 10, Bake: 3 * time.Minute}, {Weight: 100, Bake: 3 * time.Minute}}
	case 5:
		h.plan.Steps = idle().Plan.Steps
	}
	h.say("Git: paused %v, candidate %q, stable %q, %d steps", h.plan.Paused, h.plan.CandidateRevision, h.plan.StableRevision, len(h.plan.Steps))
}

// trouble befalls what the controller needs.
func (h history) trouble() {
	name := fmt.Sprint("web-", rapid.IntRange(1, max(1, h.deployed)).Draw(h.t, "troubled"))
	r, there := h.revisions[name]
	switch rapid.IntRange(0, 3).Draw(h.t, "trouble") {
	case 0:
		h.denied = !h.denied
		h.say("access denied: %v", h.denied)
	case 1:
		delete(h.revisions, name)
		h.say("%s is deleted", name)
	case 2:
		r.Readiness = NotReady
	case 3:
		r.Readiness = Ready
	}
	if there && h.revisions[name].Name != "" {
		h.revisions[name] = r
		h.say("%s is %s", name, r.Readiness)
	}
}

// pass is one pass of the controller; fate is what becomes of its write.
func (h history) pass(fate string, stale bool) {
	in := h.read(stale)
	d := Decide(in)
	h.say("%s: %s", inWords(d), d.Note)
	h.judge(in, d)
	if fate == "crash" {
		h.say("and dies before it saves")
		return
	}
	h.saved = d.Progress
	h.remember(in, d)
	if d.Write == nil {
		return
	}
	switch fate {
	case "late":
		h.flying = append(h.flying, d.Write)
	case "lost":
		h.seen["a write is lost"]++
		h.say("its write is lost")
	default:
		h.arrive(d.Write)
	}
}

// remember keeps what people have acknowledged.
func (h history) remember(in Input, d Decision) {
	if stale := in.Service.Generation != h.svc.Generation; stale {
		h.seen["stale"]++
	}
	if accepted(d, Resume, Abort) || !d.Progress.active() || d.Progress.ours(h.human) {
		h.human = nil
	}
	if accepted(d, Approve) {
		h.seen["approved"]++
		if h.errors == analysis.Insufficient {
			h.thin = in.Progress.Confirmed.Of(in.Progress.Candidate)
		}
	}
	for _, e := range d.Events {
		switch e.Reason { //nolint:exhaustive // these are what is counted
		case RolloutStarted, TrafficShifted:
			h.thin = 0
		case Superseded:
			h.seen["superseded"]++
		}
	}
}

// judge holds every decision against what really is the case.
func (h history) judge(in Input, d Decision) {
	sane(h.fail(), in, d)
	was, is := in.Progress, d.Progress
	effective := in.Service.split(in.Service.Effective)
	started := slices.ContainsFunc(d.Events, func(e Event) bool { return e.Reason == RolloutStarted })
	sole, served := effective.sole()
	switch {
	case is.Attempt != was.Attempt && (!started || is.Attempt != was.Attempt+1):
		h.fatal("attempt %d became %d", was.Attempt, is.Attempt)
	case is.Phase == Completed && was.Phase != Completed:
		h.seen["completed"]++
		if !served || sole != is.Stable {
			h.fatal("completed while %s serves", effective)
		}
	case is.Phase == RolledBack && was.Phase != RolledBack:
		h.seen["rolled back"]++
		if in.Service.Presence == Found && (!served || sole != is.Stable) {
			h.fatal("rolled back while %s serves", effective)
		}
	case was.active() && is.active() && was.Stable != "" && is.Stable != was.Stable && is.SettledBy != is.Stable:
		h.fatal("the baseline changed from %s to %s in an attempt", was.Stable, is.Stable)
	case d.Write != nil && h.human != nil && in.Service.split(in.Service.Desired).Equal(h.human) &&
		!accepted(d, Resume, Abort) && h.plan.StableRevision == "":
		h.fatal("a person's split %s was overwritten by %s", h.human, splitOf(d.Write))
	}
	if rises(in, d) > 0 && in.Service.ETag == h.svc.ETag { // else Cloud Run refuses it
		h.judgeRise(in, d)
	}
	h.probe(in)
}

// resumesAgain tells whether a write is the one that an accepted resume had led to,
// and that did not arrive.
func resumesAgain(in Input, d Decision) bool {
	last := in.Progress.LastRequest
	return last.Verb == Resume && last.Accepted && slices.ContainsFunc(in.Progress.Intents, func(i Intent) bool {
		return i.ETag == in.Service.ETag && i.Split.Equal(splitOf(d.Write))
	})
}

// judgeRise wants for each rise evidence, a plan's weight, and a way back.
func (h history) judgeRise(in Input, d Decision) {
	p := d.Progress
	from, to := in.Service.split(in.Service.Desired).Of(p.Candidate), splitOf(d.Write).Of(p.Candidate)
	switch {
	case p.latched(p.Candidate):
		h.fatal("%s rises from %d%% to %d%% after it was given up", p.Candidate, from, to)
	case p.Candidate == p.Stable:
		return // pinned, or put back as the baseline
	case in.Plan.Paused:
		h.fatal("%s rises while spec.paused is true", p.Candidate)
	case h.revisions[p.Stable].Readiness != Ready:
		h.fatal("%s rises without a way back", p.Candidate)
	case accepted(d, Resume), resumesAgain(in, d):
		return
	}
	if next := in.Plan.after(from); in.Plan.step(next).Weight != to {
		h.fatal("%s rises from %d%% to %d%%, and the plan's next weight is %d%%", p.Candidate, from, to, in.Plan.step(next).Weight)
	}
	thin := h.errors == analysis.Insufficient && (from == 0 || h.thin == from || accepted(d, Approve))
	first := h.errors == analysis.Undecided && from == 0
	if h.errors != analysis.Pass && !thin && !first {
		h.fatal("%s rises from %d%% to %d%% while the metrics say %s", p.Candidate, from, to, h.errors)
	}
	if step := in.Plan.step(max(1, in.Plan.stepAt(from))); from > 0 && h.now.Sub(h.served) < step.Bake+settle {
		h.fatal("%s rises from %d%% to %d%% after %s of %s", p.Candidate, from, to, h.now.Sub(h.served), step.Bake)
	}
}

// probe asks what an abort would do now: it always leads back.
func (h history) probe(in Input) {
	p := in.Progress
	if !p.active() || p.Stable == "" || in.Service.Presence != Found || in.stale() || in.Revisions[p.Stable].Presence == Missing {
		return
	}
	in.Request = Request{ID: "probe", Verb: Abort, Step: -1}
	d := Decide(in)
	if !accepted(d, Abort) || d.Progress.Phase != RollingBack && d.Progress.Phase != RolledBack {
		h.fatal("an abort in %s leads to %s: %s", p.Phase, inWords(d), d.Note)
	}
	if diff := cmp.Diff(Decide(in), d, cmp.AllowUnexported(Decision{}, Write{})); diff != "" {
		h.fatal("equal inputs, different decisions:\n%s", diff)
	}
}

// comeToRest ends all troubles: the rollout ends, or waits for a person, and
// then says the same each time it is asked.
func (h history) comeToRest() {
	h.denied, h.flying, h.request = false, nil, Request{}
	h.say("troubles end")
	for looks, still := 0, 0; still < 4; looks++ {
		h.settle()
		h.pass("ok", false)
		h.wait(time.Minute)
		still++
		if phase := h.saved.Phase; phase.active() && phase != AwaitingApproval && phase != Paused {
			still = 0
		}
		if looks > 6*60 {
			h.fatal("it never ends: %s/%s", h.saved.Phase, h.saved.Reason)
		}
	}
	h.pass("ok", false)
	was := h.saved
	h.pass("ok", false)
	if diff := cmp.Diff(was, h.saved); diff != "" {
		h.fatal("the same facts, another state:\n%s", diff)
	}
}

func (h history) fatal(format string, args ...any) {
	h.t.Helper()
	h.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(h.told, "\n"))
}

func (h history) fail() interface{ Fatalf(string, ...any) } { return teller{h} }

// teller fails with the story so far.
type teller struct{ history }

func (t teller) Fatalf(format string, args ...any) { t.fatal(format, args...) }

package rollout

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// town is a Cloud Run of one service, as small as it can be: it applies writes
// by compare-and-swap, takes its time, loses answers, is edited by people and
// gets new revisions. It knows nothing of the core but its words.
type town struct {
	now       time.Time
	svc       Service
	revisions map[string]Revision
	flying    []*Write // sent, not yet arrived
	past      Service  // what a stale read shows
	denied    bool
	deployed  int

	errors    analysis.Outcome
	goodSince time.Time
	served    time.Time // since when the split that serves does

	plan    Plan
	saved   Progress
	request Request
	asked   int
	told    []string // the story, for the reader of a failure

	human Split // a person's split that nobody has acknowledged
	thin  int64 // weight that a person let pass with too few requests
}

func newTown() *town {
	s := idle()
	w := &town{now: now, svc: s.Service, revisions: maps.Clone(s.Revisions), plan: s.Plan, errors: analysis.Pass, deployed: 2}
	w.svc.LatestReady, w.svc.LatestCreated = "web-1", "web-1"
	delete(w.revisions, "web-2")
	w.deployed = 1
	w.svc.Desired = []Entry{{Latest: true, Percent: 100}}
	w.svc.Effective, w.past = w.svc.Desired, w.svc
	w.plan.Guards = []Guard{{Name: "errors", Rule: living{w}, OnBreach: Rollback, Mode: Enforce}}
	w.saved = Progress{Phase: Idle, Reason: Preparing}
	w.goodSince, w.served = now.Add(-time.Hour), now.Add(-time.Hour)
	return w
}

// living is a rule whose evidence is the town's.
type living struct{ *town }

func (r living) Questions(analysis.Scope) []analysis.Question { return nil }

func (r living) Preflight(s analysis.Scope, _ analysis.Answers) analysis.Verdict {
	v := stub{outcome: r.errors}.verdict(s)
	if r.errors == analysis.Insufficient || r.errors == analysis.Undecided {
		v.Outcome = analysis.Pass
	}
	return v
}

func (r living) Judge(s analysis.Scope, _ analysis.Answers) analysis.Verdict {
	v := stub{outcome: r.errors}.verdict(s)
	if r.errors == analysis.NoData {
		return v
	}
	v.Healthy = nil
	from := later(s.StepSince, r.goodSince).Add(time.Minute).Truncate(time.Minute)
	for end := from.Add(time.Minute); !end.After(v.Through); end = end.Add(time.Minute) {
		v.Healthy = append(v.Healthy, end)
	}
	return v
}

func (w *town) say(format string, args ...any) {
	w.told = append(w.told, w.now.Format("15:04:05 ")+fmt.Sprintf(format, args...))
}

func (w *town) metrics(o analysis.Outcome) {
	w.say("metrics: %s", o)
	if w.errors != o {
		w.goodSince = w.now
	}
	w.errors = o
}

// change makes a new version of the service.
func (w *town) change() {
	w.past = w.svc
	w.svc.Generation++
	w.svc.ETag = fmt.Sprint("etag-", w.svc.Generation)
	w.svc.Reconciling = true
}

// settle lets Cloud Run finish what it was asked for.
func (w *town) settle() {
	if !w.svc.split(w.svc.Effective).Equal(w.svc.split(w.svc.Desired)) {
		w.served = w.now
	}
	w.svc.Effective = w.svc.Desired
	w.svc.Reconciling, w.svc.ObservedGeneration = false, w.svc.Generation
	w.say("Cloud Run serves %s", w.svc.split(w.svc.Effective))
}

// arrive lets a write reach Cloud Run, which takes it if nothing came between.
func (w *town) arrive(write *Write) {
	if write.ETag() != w.svc.ETag {
		w.say("a write arrives too late: 409")
		return
	}
	w.change()
	w.svc.Desired, w.svc.Claim = write.Targets(), write.claim
	w.say("a write arrives: %s", w.svc.split(w.svc.Desired))
}

// edit is a person with gcloud.
func (w *town) edit(entries ...Entry) {
	w.change()
	w.svc.Desired = entries
	split := w.svc.split(entries)
	w.human = nil
	known := w.saved
	if w.svc.Claim != nil {
		known = known.carried(w.svc.Claim.Seq)
	}
	if known.active() && !known.ours(split) {
		w.human = split
	}
	w.say("a person sets %s", split)
}

// deploy is CI: the revision becomes the newest; traffic follows if LATEST does.
func (w *town) deploy(r Readiness) {
	w.deployed++
	name := fmt.Sprint("web-", w.deployed)
	w.change()
	w.revisions[name] = Revision{Presence: Found, Name: name, CreatedAt: w.now, Readiness: r, Why: "crashed"}
	w.svc.LatestCreated = name
	if r == Ready {
		w.svc.LatestReady = name
	}
	w.say("CI deploys %s, %s", name, r)
}

func (w *town) ask(verb Verb, bound bool) {
	w.asked++
	w.request = Request{ID: fmt.Sprint("r", w.asked), Verb: verb, Step: -1}
	if bound || verb == Approve {
		w.request.Attempt, w.request.Step = w.saved.Attempt, w.saved.Step
	}
	w.say("a person asks to %s", verb)
}

// read is what a pass of the controller sees.
func (w *town) read(stale bool) Input {
	in := Input{
		Plan: w.plan, Progress: w.saved, Service: w.svc, Revisions: map[string]Revision{},
		Request: w.request, Now: w.now.Truncate(time.Second), Self: self,
	}
	if stale {
		in.Service = w.past
	}
	if w.denied {
		in.Service = Service{Presence: Denied, Detail: "403"}
		return in
	}
	for _, name := range Involved(in.Plan, in.Progress, in.Service, in.Request) {
		in.Revisions[name] = Revision{Presence: Missing, Name: name}
		if r, ok := w.revisions[name]; ok {
			in.Revisions[name] = r
		}
	}
	return in
}

// rises tells by how much a decision's write raises the candidate.
func rises(in Input, d Decision) int64 {
	if d.Write == nil || d.Progress.Candidate == "" {
		return 0
	}
	c := d.Progress.Candidate
	return splitOf(d.Write).Of(c) - in.Service.split(in.Service.Desired).Of(c)
}

// accepted tells whether a decision accepts one of the verbs.
func accepted(d Decision, verbs ...Verb) bool {
	return d.reply != nil && d.reply.Accepted && slices.Contains(verbs, d.reply.Verb)
}

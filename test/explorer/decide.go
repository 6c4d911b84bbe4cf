package explorer

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// world is what all workers share: the values behind the numbers in states.
type world struct {
	scope     Scope
	statuses  *pool[rollout.Progress]
	lists     *pool[traffic]
	decisions *pool[decision]
}

// decision is what of a decision can matter later.
type decision struct {
	status   uint32 // number of the progress to save
	write    write  // to send, if there is any
	numbered bool   // it counts writes on
	rises    bool   // the write gives a revision more that is not stable
	answered bool   // the request got its answer,
	accepted bool   // and was heard
	thin     bool   // there were too few requests
	began    bool   // an attempt begins
	released bool   // the object, which is being deleted, may go
}

// sight is what a decision rests on.
type sight struct {
	object  object
	cloud   cloud
	weather weather
	shut    bool
}

// judged is a decision, and what is wrong with it by itself.
type judged struct {
	number uint32
	wrong  string
}

// worker explores. Its memory of decisions is its own, so that nobody waits.
type worker struct {
	*world
	memory map[sight]judged
	older  map[uint32]uint32 // by the number of a status: of the same one tick later
	staler map[uint32]uint32 // by the number of a status: of the same with another etag
	wrong  string            // what the last action broke
}

// memorable is how many decisions a worker remembers.
const memorable = 1 << 18

func (w *world) worker() *worker {
	return &worker{world: w, memory: map[sight]judged{}, older: map[uint32]uint32{}, staler: map[uint32]uint32{}}
}

func (w *world) status(p rollout.Progress) uint32 { return w.statuses.number(keyOf(p), p) }

// decide is the decision of a controller that looks now.
func (w *worker) decide(s sight) judged {
	s.cloud.parked = write{} // nobody can see it
	if j, ok := w.memory[s]; ok {
		return j
	}
	if len(w.memory) >= memorable {
		clear(w.memory)
	}
	j := w.ask(s)
	w.memory[s] = j
	return j
}

// ask calls the real Decide. What it returns is judged as far as it can be without
// what happened before.
func (w *worker) ask(s sight) (j judged) {
	defer func() {
		if r := recover(); r != nil {
			j = judged{w.decision(decision{status: s.object.status}), fmt.Sprintf("I16: Decide panics: %v", r)}
		}
	}()
	in := w.input(s)
	d := w.scope.Decide(in)
	next := w.status(normal(d.Progress))
	short := decision{
		status: next, began: d.Progress.Attempt > in.Progress.Attempt, released: d.Release != nil,
		thin: s.weather == thin, answered: s.object.request != noVerb && d.Progress.LastRequest.ID == requestID,
	}
	short.accepted = short.answered && d.Progress.LastRequest.Accepted
	short.numbered = d.Progress.Seq > in.Progress.Seq // also by a claim that is taken up without a write
	if d.Write != nil {
		short.write.list, short.write.number = w.traffic(d.Write.Targets()), newest
		if claim, _ := d.Write.Claim(); claim != nil { // none is written where Config Connector keeps the service
			short.write.number = uint8(newest - (d.Progress.Seq - claim.Seq)) //nolint:gosec // at most newest
		}
		short.rises = w.risen(s.cloud, d.Progress.Stable, short.write.list) != 0
	}
	if d.Deploy != nil {
		short.write.template = templateOf(d.Deploy.Template().Digest)
	}
	j = judged{number: w.decision(short)}
	j.wrong = w.judge(s, in, d)
	if j.wrong == "" {
		j.wrong = w.judgeQuiet(s, d, short)
	}
	return j
}

// risen is the first revision that a list gives more than it has, stable apart, 0 for
// none. It does not matter which one a decision calls its candidate.
func (w *world) risen(c cloud, stable string, list uint32) uint8 {
	was, is := w.lists.at(c.asked()), w.lists.at(list)
	for r := uint8(1); r <= mostRevisions; r++ {
		if names[r] != stable && is.share(r, 0) > was.share(r, c.ready) {
			return r
		}
	}
	return 0
}

// input is what the controller reads.
func (w *world) input(s sight) rollout.Input {
	svc := rollout.Service{
		Presence: rollout.Found, UID: "uid", Generation: seen, ObservedGeneration: seen, ETag: etagNow,
		Reconciling: s.cloud.busy(),
		Desired:     slices.Clone(w.lists.at(s.cloud.asked()).entries), Effective: slices.Clone(w.lists.at(s.cloud.effective).entries),
		LatestReady: names[s.cloud.ready], LatestCreated: names[s.cloud.created], Template: digests[s.cloud.template],
	}
	if s.cloud.reconciling {
		svc.ObservedGeneration--
	}
	if s.cloud.failed {
		svc.ObservedGeneration, svc.Failure = seen-1, "a revision is not ready"
	}
	if w.scope.Kept {
		svc.Kept = w.kept(s.cloud)
	}
	if s.cloud.keeper.standing == refused && svc.Failure == "" {
		svc.Failure = "the update was refused"
	}
	if s.cloud.claim > 0 {
		svc.Claim = claim(s.cloud)
	}
	in := rollout.Input{
		Self: self, Plan: plan(s.object, s.weather), Progress: *w.statuses.at(s.object.status), Service: svc,
		Request: request(s.object), Deleting: s.object.life == deleting, Now: now, Revisions: map[string]rollout.Revision{},
	}
	if w.scope.Kept {
		in.Plan.RunService = "web"
	}
	if s.shut {
		in.Hours = rollout.Hours{Shut: true, Why: "RolloutFreeze quiet: a quarter ends"}
	}
	for _, name := range rollout.Involved(in.Plan, in.Progress, svc, in.Request) {
		in.Revisions[name] = revision(numberOf(name), s.cloud)
	}
	return in
}

// self is who the controllers are in a claim: both are one manager.
var self = rollout.Holder{Cluster: "cluster", Namespace: "shop", Name: "web", UID: "uid"}

// rival is the one who rolls the service out from another cluster.
var rival = rollout.Holder{Cluster: "another cluster", Namespace: "shop", Name: "web", UID: "another uid"}

// claim is what the service says of whose it is.
func claim(c cloud) *rollout.Claim {
	said := rollout.Claim{Holder: self, Attempt: attempt, Seq: int64(c.claim), Stable: names[1]}
	if c.rival > 0 {
		said.Holder, said.Stable = rival, names[c.rival]
	}
	return &said
}

// born is when a revision was created.
func born(revision uint8) time.Time {
	return now.Add(-48*time.Hour + time.Duration(revision)*time.Hour)
}

func revision(number uint8, c cloud) rollout.Revision {
	r := rollout.Revision{
		Presence: rollout.Found, Name: names[number], CreatedAt: born(number), Readiness: rollout.Ready,
		Egress: rollout.EgressNone, Timeout: timeout, Template: digests[c.made[number]],
	}
	switch c.revisions[number] {
	case absent, lost:
		return rollout.Revision{Presence: rollout.Missing, Name: names[number]}
	case unready:
		r.Readiness, r.Why = rollout.NotReady, "it does not start"
	case ready:
	}
	return r
}

func (w *world) decision(d decision) uint32 { return w.decisions.number(fmt.Sprint(d), d) }

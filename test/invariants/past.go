package invariants

import (
	"cmp"
	"slices"
	"time"
)

// past is what had happened before an event.
type past struct {
	delta        time.Duration // Delta, in the world's time
	generation   int64
	generationAt time.Time     // since when it was known
	settle       time.Duration // as the controllers' clocks may measure it
	desired      Split
	desiredOurs  bool
	known        Split       // the newest of those that is ours, or was read
	askedAt      time.Time   // since when that split has been asked for
	askedBefore  time.Time   // and the split before it
	effective    []Effective // every split that served, oldest first
	lives        map[string]LifeState
	left         map[string]Life // when each revision last stopped being ready, and what it became
	lost         map[string]time.Time
	looks        looks
	reads        map[string]*Read  // the newest of each process
	read         *Read             // the newest of all
	versions     map[string]Split  // what was asked for in each version of the service that was seen, by its etag
	lists        map[string]Listed // the newest of each process
	stood        map[string]Stood  // and when it stood still last
	untold       untold
	plans        []Plan
	saved        Saved
	savedOnce    bool
	intents      []Split         // of the attempt: what we meant
	sent         map[string]bool // by each process, on what it saved last
	deleting     time.Time       // since when the object is to go, and since when it is gone
	gone         time.Time
	anew         time.Time // since when there is the object, where one was there before
	heir         time.Time // since when there was a later object, where the status was put back to one of a former one
	firstWrite   time.Time // of the attempt
	reached      bool      // the candidate had traffic by a write of ours in it
	raised       bool      // since the newest status was saved
	settledBy    string    // spec.stableRevision at the newest baseline
	tagged       string    // where we put our tag
	unexplained  string    // the baseline that a person named who was told that our tag has no explanation
	warmed       string    // where we put that of a warm-up
	requests     []Request
	answered     map[string]bool  // by request: accepted
	acceptedIn   map[string]int64 // by request: the attempt in which it was first
	wishes       wishes
	foreign      *Desired // a split of somebody else's that nobody acknowledged
	dismissed    dismissal
	given        map[int64]bool   // attempts that were given up
	sparing      bool             // everything goes back, and nothing is given up
	spared       map[int64]bool   // attempts in which it did
	abandoned    map[string]bool  // candidates that were given up, until a retry
	posts        map[string]post  // every write as it was sent last
	saves        map[string]Saved // the newest status of each process
	claim        post             // what the claim on the service says
	unclaimed    bool             // no claim tells of the newest write
	overwritten  Saved            // the status before somebody else put another in its place
	put          time.Time        // when they did
	wished       wishes           // before that
	rewound      time.Time        // when the object was put back into its past
	lateRise     overdue
	lowered      time.Time // when a candidate last lost traffic
	loweredByUs  bool
	lowering     time.Time // when somebody else last asked for that, until it serves
	etagsHeld    bool      // Cloud Run refuses a write on a former version
	memoryLost   bool      // the status forgot the attempt, and nobody has taken it up yet
	takenUp      time.Time // when the attempt was taken up after that
	seen         time.Time // when a status first said that the candidate has its present percent
	begins       []begin   // by every status of a process
	again        again     // what serves as a status says that was put back
	back         back
	freezes      []Frozen
	deploys      deployed
	stepTold     Desired   // what a status last told as the step under way before it served
	resumption   Saved     // the answer to the newest resume
	resumedAt    time.Time // when what it announces was asked for
	evidence     Evidence
}

func newPast(delta time.Duration) *past {
	return &past{
		delta: delta, settle: Settle,
		lives: map[string]LifeState{}, left: map[string]Life{}, lost: map[string]time.Time{}, looks: newLooks(),
		reads: map[string]*Read{}, versions: map[string]Split{}, lists: map[string]Listed{}, stood: map[string]Stood{}, sent: map[string]bool{}, posts: map[string]post{}, saves: map[string]Saved{},
		answered: map[string]bool{}, acceptedIn: map[string]int64{}, given: map[int64]bool{}, spared: map[int64]bool{}, abandoned: map[string]bool{},
	}
}

// learn adds an event to the past.
func (p *past) learn(e Event) {
	p.learnBack(e)
	switch e := e.(type) {
	case Read:
		p.learnRead(e)
	case Listed:
		p.lists[e.By] = e
	case Looked:
		p.looks.learn(e)
	case Frozen:
		p.freezes = append(p.freezes, e)
	case Apart:
		p.settle = Settle - e.Most
	case Known:
		p.learnGeneration(e.Generation, e.when())
	case Write:
		p.learnWrite(e)
	case Deploy:
		p.learnDeploy(e)
	case Desired:
		if !e.Ours {
			p.dismiss(e)
		}
		p.learnDesired(e)
	case Restored:
		p.learnRestored(e.Desired)
	case Rewound:
		p.learnRewound(e)
	case Effective:
		p.learnEffective(e)
	case Life:
		p.learnLife(e)
	case Evidence:
		p.evidence = e
	case Plan:
		p.learnPlan(e)
	case Request:
		p.requests = append(p.requests, e)
	case Saved:
		p.overwritten, p.saves[e.By] = Saved{}, e
		p.tells(e)
		p.looks.told(e)
		p.learnSaved(e)
	case Put:
		p.learnPut(e)
	case Stood:
		p.stood[e.By] = e
	case Died:
		p.learnDied(e)
	case Deleting:
		p.deleting = e.when()
	case Gone:
		p.gone = e.when()
	}
}

func (p *past) learnRead(r Read) {
	p.learnGeneration(r.State.Generation, r.when())
	p.learnUntold(r)
	p.read, p.reads[r.By] = &r, &r
	p.versions[r.State.Etag] = r.State.Desired
	if !r.Stale {
		p.known = r.State.Desired
	}
	if p.dismissed.candidate != "" && !r.Stale {
		p.dismissed.seen[r.By] = true
	}
}

// learnPlan notes what the user asks for. After the end of an object it is that of a new
// one, of the same name.
func (p *past) learnPlan(plan Plan) {
	if len(p.plans) > 0 && plan.StableRevision != "" && plan.StableRevision != p.plan().StableRevision {
		p.foreign = nil
	}
	if len(p.plans) > 0 && plan.Candidate != p.plan().Candidate {
		p.dismissed = dismissal{} // whoever names another one says what they want
	}
	if !p.gone.IsZero() {
		p.anew = plan.when()
		p.saved, p.savedOnce, p.deleting, p.gone, p.memoryLost = Saved{}, false, time.Time{}, time.Time{}, true
		p.forgotten()
		p.forgetLateRise()
		p.requests, p.wishes = nil, wishes{} // they stood in the former object
		p.named(plan)
		p.nothingSaysSo()
	}
	p.plans = append(p.plans, plan)
}

func (p *past) learnLife(l Life) {
	if l.State == Created {
		p.deploys.learnCreated()
	}
	if p.lives[l.Revision] == Ready && l.State != Ready {
		p.left[l.Revision] = l
	}
	switch p.lives[l.Revision] = l.State; l.State {
	case Lost:
		p.lost[l.Revision] = l.when()
	case Created:
		p.learnGeneration(p.generation+1, l.when()) // of which a list tells, and lists are in no trace
	case Ready, Failed:
	}
}

// asOf is the past as whoever sent a write knows it: a status that somebody put in the
// place of the one that announced it, a moment ago, is not known to them.
func (p *past) asOf(e Event) *past {
	w, ok := e.(Write)
	meant := p.overwritten.Intent
	if !ok || w.Landed || p.overwritten.By != w.By || !meant.announces(w) ||
		w.when().Sub(p.put) > p.delta {
		return p.overtaken(e)
	}
	then := *p
	then.saved, then.wishes = p.overwritten, p.wished
	return &then
}

func (p *past) learnWrite(w Write) {
	p.learnPost(w)
	p.versions[w.Before.Etag] = w.Before.Desired
	if !w.Landed {
		p.sent[w.By] = true
		if p.isRise(w) {
			p.raised = true
			if p.firstWrite.IsZero() {
				p.firstWrite = w.when()
			}
		}
	}
	if !w.Accepted {
		return
	}
	p.learnCrossing(w)
	p.learnLateRise(w)
	if p.unclaimed = w.Unclaimed; !w.Unclaimed {
		p.claim = p.post(w)
		p.claim.generation = w.makes()
	}
	p.reached = p.reached || w.Split[p.saved.Candidate] > 0
	if w.Etag != w.Before.Etag { // where etags are ignored; what it asks for was decided for another state
		p.desiredOurs = false
	}
	if w.Split[p.saved.Candidate] < w.Before.Desired[p.saved.Candidate] {
		p.lowered, p.loweredByUs = w.when(), true
	}
	p.warmed = cmp.Or(w.newlyWarmed(), p.warmed)
	for _, t := range w.Targets {
		if t.Tag == ourTag {
			p.tagged = t.Revision
		}
	}
}

// learnGeneration notes the newest generation of the service, and since when it was known.
func (p *past) learnGeneration(generation int64, at time.Time) {
	if generation > p.generation {
		p.generation, p.generationAt = generation, at
	}
}

// The phases that the rules know. They are the words of the API.
const (
	phaseRollingBack = "RollingBack"
	phaseRolledBack  = "RolledBack"
	phaseShifting    = "Shifting"
	phaseCompleted   = "Completed"
	phaseIdle        = "Idle"
	phaseBaking      = "Baking"
	phasePaused      = "Paused"

	reasonStateLost    = "StateLost"
	reasonBaselineLost = "BaselineLost"
)

// wasReady tells whether a revision is ready, or was until just now: nobody can know
// what becomes of one between the read and the write that rests on it.
func (p *past) wasReady(revision string, t time.Time) bool {
	left, known := p.left[revision]
	return p.lives[revision] == Ready || known && t.Sub(left.when()) <= p.delta
}

// decided is when a write was decided on: when it was announced, or else when it is sent.
func (p *past) decided(w Write) time.Time {
	if p.saved.Intent.announces(w) {
		return p.saved.when()
	}
	return w.when()
}

// underway tells whether an attempt is. What people do with its candidate after its
// end is their own affair, as with any revision. One may be out of sight in a status that
// says Idle, but not where that tells of what serves, or of what is to follow.
func (p *past) underway() bool {
	switch p.saved.Phase {
	case phaseRolledBack, phaseCompleted:
		return false
	case phaseIdle:
		return !slices.Contains([]string{"Steady", "BaselineUnknown", "RevisionNotFound", "RevisionNotReady"}, p.saved.Reason)
	}
	return true
}

// plan is the newest plan.
func (p *past) plan() Plan {
	if len(p.plans) == 0 {
		return Plan{}
	}
	return p.plans[len(p.plans)-1]
}

// used is the plan that the newest status was decided on.
func (p *past) used() Plan { return p.numbered(p.saved.Plan) }

// numbered returns a plan; the newest where there is none of that number.
func (p *past) numbered(number int) Plan {
	for _, plan := range p.plans {
		if plan.Number == number {
			return plan
		}
	}
	return p.plan()
}

// announced lets a process send a write again. Where nobody knows who saved, it may
// be any of them.
func (p *past) announced(by string) {
	if by == "" {
		clear(p.sent)
		return
	}
	p.sent[by] = false
}

// request returns the newest request of a verb.
func (p *past) request(verb string) (Request, bool) {
	for _, r := range slices.Backward(p.requests) {
		if r.Verb == verb {
			return r, true
		}
	}
	return Request{}, false
}

// resumes tells whether a write carries out the newest resume: what its answer announces,
// until that is asked for, whatever else is asked meanwhile.
func (p *past) resumes(w Write) bool {
	r := p.resumption
	return r.Attempt == p.saved.Attempt && r.Intent != nil && w.Split.equal(r.Intent.Split) &&
		(p.resumedAt.IsZero() || !w.when().After(p.resumedAt))
}

// approved tells whether an approve was accepted since a time.
func (p *past) approved(since time.Time) bool {
	for _, r := range slices.Backward(p.requests) {
		if r.Verb == verbApprove && p.answered[r.ID] && !r.when().Before(since) {
			return true
		}
	}
	return false
}

// approves tells whether an event is a status that accepts an approve made since a time.
func (p *past) approves(e Event, since time.Time) bool {
	s, ok := e.(Saved)
	r, known := p.asked(s.Answered)
	return ok && known && s.Accepted && r.Verb == verbApprove && s.Answered != p.saved.Answered && !r.when().Before(since)
}

// serving is the split that serves.
func (p *past) serving() Split {
	if len(p.effective) == 0 {
		return nil
	}
	return p.effective[len(p.effective)-1].Split
}

// servedSince tells whether a split served at some moment since a time.
func (p *past) servedSince(fits func(Split) bool, t time.Time) bool {
	_, ok := p.servesFrom(fits, t)
	return ok
}

// servesFrom is since when a split served that did so at some moment since a time: the newest
// that fits.
func (p *past) servesFrom(fits func(Split) bool, t time.Time) (time.Time, bool) {
	for i, e := range slices.Backward(p.effective) {
		if fits(e.Split) {
			return e.when(), i == len(p.effective)-1 || !p.effective[i+1].when().Before(t)
		}
		if e.when().Before(t) {
			return time.Time{}, false
		}
	}
	return time.Time{}, false
}

package invariants

import (
	"slices"
	"time"
)

// learnTakenUp notes that an attempt goes on from the claim on the service, or where it
// was when the service could not be found: from the status on that says since when it is
// judged.
func (p *past) learnTakenUp(s Saved) {
	if p.dates(s) {
		p.takenUp = p.looked(s)
	}
	if p.saved.Phase == phaseIdle && s.Phase == phaseBaking && s.Attempt == p.saved.Attempt {
		p.takenUp = s.when()
	}
	if p.guards(s) || p.recalled(s) {
		p.triesAnew(s)
	}
	if s.Candidate != "" && (p.memoryLost || p.guards(s) || p.recalled(s)) {
		p.memoryLost, p.takenUp = false, p.looked(s)
		p.stepTold = Desired{s.At, s.Confirmed, true}
		p.intents = append(p.intents, p.claim.split)
		p.claimed() // also where a person has set that again
	}
}

// triesAnew notes that a candidate was given up in an attempt of before: so says the claim of a
// later one, which somebody has asked for, and whose status was put back to before that.
func (p *past) triesAnew(s Saved) {
	if p.claim.attempt > p.saved.Attempt && !slices.Contains(p.claim.latched, s.Candidate) {
		delete(p.abandoned, s.Candidate)
	}
}

// guards tells whether a status is the first of a pause that goes on guarding what the claim
// on the service tells, after the status was put back into its past.
func (p *past) guards(s Saved) bool {
	first := s.Reason == reasonStateLost && p.saved.Reason != reasonStateLost
	return first && s.Candidate != "" && s.Stable == p.claim.stable && s.Attempt == p.claim.attempt
}

// dates tells whether a status is the first to say since when a bake is judged that has been
// taken up, or brought back for a person who resumes, whatever served meanwhile.
func (p *past) dates(s Saved) bool {
	return p.saved.Undated && s.Attempt == p.saved.Attempt || p.broughtBackBy(s)
}

// looked is when whoever saved a status had read the service for it: it was decided then, or
// later.
func (p *past) looked(s Saved) time.Time {
	at := s.when()
	if r := p.reads[s.By]; r != nil {
		at = r.when()
	}
	if l := p.lists[s.By]; l.when().After(at) {
		at = l.when()
	}
	return at
}

// learnSeen notes that a status is the first to say that a split serves, or the first to say
// so after it did not serve: whoever read or remembers a time before that begins the bake
// anew.
func (p *past) learnSeen(s Saved) {
	serves := s.Serving != nil && s.Serving[s.Candidate] == p.serving()[s.Candidate]
	again := p.saved.Phase == phaseShifting && p.saved.Intent == nil
	if serves && (p.seen.Before(p.servesSince()) || again || p.dates(s)) {
		p.seen = s.when()
	}
}

// broughtBackBy tells whether a status is the first to say that what a resume announced serves.
func (p *past) broughtBackBy(s Saved) bool {
	back := p.resumption
	return back.Intent != nil && s.Serving.equal(back.Intent.Split) && p.seen.Before(back.when()) && s.when().After(back.when())
}

// learnBegin notes what a status knows that may be put back.
func (p *past) learnBegin(s Saved) {
	b := begin{saved: s.when(), takenUp: p.takenUp, seen: p.seen, intents: slices.Clone(p.intents)}
	if s.Intent != nil {
		if r, promoted := p.promoted(s.Intent.Split[s.Candidate]); promoted {
			b.promote = r
		}
	}
	p.begins = append(p.begins, b)
}

// begin is since when a status judges what serves, what was announced by then, and the promote
// whose write it announces.
type begin struct {
	saved, takenUp, seen time.Time
	intents              []Split
	promote              Request
}

// remembered is since when one judges it that was saved at a moment and is put back.
func (p *past) remembered(saved time.Time) begin {
	for _, b := range slices.Backward(p.begins) {
		if !b.saved.After(saved) {
			return b
		}
	}
	return begin{seen: p.servesSince()}
}

// again is a split that serves as a status says that was put back into its past, and since
// when that status has it; at is its place among all that served.
type again struct {
	at    int
	since time.Time
}

// learnAgain notes that what serves, carried out by Config Connector, whose object was put
// back too, is what the status says, before any process looked: what served in between is
// known to nobody.
func (p *past) learnAgain() {
	percent := p.saved.Confirmed[p.saved.Candidate]
	if p.unseen() && percent > 0 && percent == p.serving()[p.saved.Candidate] && !p.seen.IsZero() && p.seen.Before(p.servesSince()) {
		p.again = again{len(p.effective) - 1, p.seen}
	}
}

// unseen tells whether a status was put in the place of another, and no process has said
// since what it sees.
func (p *past) unseen() bool { return p.overwritten.Phase != "" }

// judgedSince is since when the present percent must be judged: who takes an attempt up
// after its status was lost begins its bake anew.
func (p *past) judgedSince() time.Time {
	return later(p.servesSince(), p.takenUp)
}

// servesSince is since when the candidate has had its present percent.
func (p *past) servesSince() time.Time {
	var since time.Time
	percent := p.serving()[p.saved.Candidate]
	for i, e := range slices.Backward(p.effective) {
		if e.Split[p.saved.Candidate] != percent {
			break
		}
		since = e.when()
		if i > 0 && i == p.again.at {
			return p.again.since
		}
	}
	return since
}

// wayBegan is since when the candidate has had its weight; where it is an inserted
// one, since when it has had the weight of the plan below it, or the zero time.
func (p *past) wayBegan(plan Plan) time.Time {
	weight := p.serving()[p.saved.Candidate]
	if !plan.inserted(weight) {
		return p.servesSince()
	}
	floor := 0
	for _, s := range plan.Steps {
		if s.Weight < weight {
			floor = max(floor, s.Weight)
		}
	}
	var since time.Time
	for _, e := range slices.Backward(p.effective) {
		if floor == 0 || e.Split[p.saved.Candidate] < floor {
			break
		}
		since = e.when()
	}
	return since
}

package invariants

import "time"

// learnTakenUp notes that an attempt goes on from the claim on the service, or where it
// was when the service could not be found.
func (p *past) learnTakenUp(s Saved) {
	back := p.saved.Phase == phaseIdle && s.Phase == phaseBaking && s.Attempt == p.saved.Attempt
	if back {
		p.takenUp = s.when()
	}
	if s.Candidate != "" && (p.memoryLost || p.recalled(s)) {
		p.memoryLost, p.takenUp = false, s.when()
		p.intents = append(p.intents, p.claim.split)
	}
}

// learnSeen notes that a status is the first to say that a split serves.
func (p *past) learnSeen(s Saved) {
	if s.Serving != nil && s.Serving[s.Candidate] == p.serving()[s.Candidate] && p.seen.Before(p.servesSince()) {
		p.seen = s.when()
	}
}

// judgedSince is since when the present percent must be judged: who takes an attempt up
// after its status was lost begins its bake anew.
func (p *past) judgedSince() time.Time {
	return later(p.servesSince(), p.takenUp)
}

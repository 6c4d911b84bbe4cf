package invariants

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// oneRiseOfTheNextWeight: I3. The weight is the next one of the plan, or, where
// smaller ones may be inserted, one on the way to it; and each look at the service
// raises once.
func oneRiseOfTheNextWeight(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise || p.resumes(w) {
		return ""
	}
	risen := p.risen(w)[0]
	served, weight := p.risesFrom(w, risen), w.Split[risen]
	promote, promoted := p.promoted(weight)
	switch next := p.used().after(served); {
	case promoted && promote.full() && weight == 100 && !p.raised:
	case weight > next:
		return fmt.Sprintf("a rise from %d%% to %d%% was sent; the plan has %d%% next", served, weight, next)
	case weight < next && !p.used().Paced:
		return fmt.Sprintf("a rise from %d%% to %d%% was sent; the plan has %d%% next and inserts nothing", served, weight, next)
	case p.raised:
		return "two rises were sent on one look"
	}
	return ""
}

// advance is a rise from a weight that served, or the end of the last step.
type advance struct {
	served int
	from   time.Time // since when it served
	since  time.Time // of the minutes that count for it
	firm   time.Time // of those that count against it, too: a status says when it saw the weight serve
	plan   Plan
	step   Step
}

// advances tells whether an event ends a step.
func (p *past) advances(e Event) (advance, bool) {
	p = p.atTheEnd(e)
	a := advance{served: p.serving()[p.saved.Candidate], plan: p.used()}
	w, rise := p.sentRise(e)
	if rise && w.Etag != "" && w.Etag != w.Before.Etag && (p.etagsHeld || w.Split.equal(p.versions[w.Etag])) {
		return a, false // it rests on a read of the past: it never arrives, or says what was asked for then
	}
	s, saved := e.(Saved)
	done := saved && s.Phase == phaseCompleted && p.saved.Phase != phaseCompleted && s.Candidate == p.saved.Candidate
	if a.served == 0 || !done && (!rise || p.resumes(w)) {
		return a, false
	}
	if done {
		a.plan = p.numbered(s.Plan)
	}
	if _, promoted := p.promoted(w.Split[p.saved.Candidate]); promoted || done && p.endsByPromote(s) {
		return a, false
	}
	a.from = p.servesSince()
	a.since, a.firm = p.countedSince(p.judgedSince()), p.countedAgainst(later(p.judgedSince(), p.seen))
	a.step = a.plan.held(a.served)
	return a, true
}

// atTheEnd is the past as a status knows it that completes an attempt: the candidate had
// everything a moment before, and nobody can know what somebody else has served since.
func (p *past) atTheEnd(e Event) *past {
	s, ok := e.(Saved)
	if !ok || s.Phase != phaseCompleted {
		return p
	}
	since, served := p.servesFrom(func(split Split) bool { return split[s.Candidate] == 100 }, s.when().Add(-p.delta))
	if !served {
		return p
	}
	then := *p
	then.effective = slices.DeleteFunc(slices.Clone(p.effective), func(e Effective) bool { return e.when().After(since) })
	return &then
}

// bakedInFull: I3. Every weight of the plan serves for as many minutes as the plan
// says, an inserted one for a minute. A gate is passed once, however many weights
// are on the way to it.
func bakedInFull(p *past, e Event) string {
	a, ok := p.advances(e)
	if !ok {
		return ""
	}
	held := e.when().Sub(a.from)
	if held < time.Duration(a.step.Bake)*time.Minute+p.settle {
		return fmt.Sprintf("the step at %d%% ended after %s; its bake is %dm and a minute to settle", a.served, held, a.step.Bake)
	}
	if _, rise := p.sentRise(e); rise && p.needsApproval(a) && !p.approved(p.wayBegan(a.plan)) {
		return fmt.Sprintf("the step after %d%% needs an approval and had none", a.served)
	}
	return ""
}

// needsApproval tells whether the step after an advance waits for a person.
func (p *past) needsApproval(a advance) bool {
	return a.plan.step(a.plan.after(a.served)).Approval
}

// healthyEvidence: I4. The candidate's visible minutes fill the bake, hold
// enough requests and stay below the limit. An inserted weight needs no number of
// requests, and too few decide nothing there.
func healthyEvidence(p *past, e Event) string {
	a, ok := p.advances(e)
	if !ok || a.plan.Errors == nil {
		return ""
	}
	var requests int64
	minutes := 0
	for _, m := range p.evidence.Candidate {
		if m.End.After(a.since) {
			requests, minutes = requests+m.Requests, minutes+1
		}
	}
	few := requests < a.plan.Errors.MinRequests
	switch {
	case minutes < a.step.Bake:
		return fmt.Sprintf("the step at %d%% ended on %d visible minutes; its bake is %dm", a.served, minutes, a.step.Bake)
	case few && a.plan.inserted(a.served):
	case few && !p.approved(a.from) && !p.approves(e, a.from):
		return fmt.Sprintf("the step at %d%% ended on %d requests; %d are needed", a.served, requests, a.plan.Errors.MinRequests)
	}
	return p.evidence.against(a.fails)
}

// fails tells whether too many of the candidate's requests failed.
func (a advance) fails(e Evidence) string {
	var requests, errors int64
	for _, m := range e.Candidate {
		if m.End.After(a.firm) {
			requests, errors = requests+m.Requests, errors+m.Errors
		}
	}
	if float64(errors) <= a.plan.Errors.MaxRatio*float64(requests) {
		return ""
	}
	return fmt.Sprintf("the step at %d%% ended on %d errors in %d requests", a.served, errors, requests)
}

// healthyGateways: I4. No watched gateway was in breach.
func healthyGateways(p *past, e Event) string {
	a, ok := p.advances(e)
	if !ok {
		return ""
	}
	return p.gatewaysFail(a.plan, a.since, a.firm, a.step.Bake)
}

// gatewaysFail looks at the newest minutes of every gateway: so many are needed after a
// time, and those after another one count against it.
func (p *past) gatewaysFail(plan Plan, since, firm time.Time, needed int) string {
	if plan.Drops == nil && plan.Allocation == nil {
		return ""
	}
	for _, name := range plan.Gateways {
		if n := len(whole(p.evidence.minutesOf(name, since))); n < max(1, needed) {
			return fmt.Sprintf("gateway %s had %d visible minutes; %d are needed", name, n, max(1, needed))
		}
		usual := p.usual(name)
		what := p.evidence.against(func(e Evidence) string {
			minutes := e.minutesOf(name, firm)
			return cmp.Or(dropping(plan, usual, newest(whole(minutes))), failing(plan, newest(minutes)))
		})
		if what != "" {
			return "gateway " + name + " " + what
		}
	}
	return ""
}

// whole are the minutes of which everything has arrived.
func whole(minutes []GatewayMinute) []GatewayMinute {
	return slices.DeleteFunc(slices.Clone(minutes), func(m GatewayMinute) bool { return m.Early })
}

// usual is a gateway's median of drops in the half hour before the attempt's
// first write; 0 before it.
func (p *past) usual(gateway string) int64 {
	var before []int64
	for _, m := range p.evidence.Gateways[gateway] {
		if !m.Early && !m.End.After(p.firstWrite) && m.End.After(p.firstWrite.Add(-30*time.Minute)) {
			before = append(before, m.Drops)
		}
	}
	if len(before) == 0 {
		return 0
	}
	slices.Sort(before)
	return before[(len(before)-1)/2]
}

// newest are the last five of some minutes.
func newest(minutes []GatewayMinute) []GatewayMinute { return minutes[max(0, len(minutes)-5):] }

func dropping(plan Plan, usual int64, newest []GatewayMinute) string {
	count := 0
	for _, m := range newest {
		if plan.Drops != nil && m.Drops > max(plan.Drops.MaxPerMinute, usual) {
			count++
		}
	}
	if plan.Drops == nil || count < plan.Drops.MinMinutes {
		return ""
	}
	return fmt.Sprintf("dropped packets in %d of its newest minutes", count)
}

func failing(plan Plan, newest []GatewayMinute) string {
	count := 0
	for _, m := range newest {
		if m.Failed {
			count++
		}
	}
	if plan.Allocation == nil || count <= plan.Allocation.MaxMinutes {
		return ""
	}
	return fmt.Sprintf("failed to allocate in %d of its newest minutes", count)
}

// coolDown is how long stopped instances may hold a gateway's ports. It counts from
// the decision to lower, which came up to Delta before the write arrived.
const coolDown = 20 * time.Minute

// mayBegin: I4. Before the first write stable's requests could be seen, the
// gateways were well, and the last attempt's instances were gone.
func mayBegin(p *past, e Event) string {
	w, rise := p.sentRise(e)
	if !rise || p.resumes(w) {
		return ""
	}
	plan, risen := p.used(), p.risen(w)[0]
	if max(p.serving()[risen], p.risesFrom(w, risen)) > 0 {
		return ""
	}
	_, promoted := p.promoted(w.Split[risen])
	switch {
	case !p.wasReady(risen, p.decided(w)):
		return fmt.Sprintf("the first write goes to %s, which is %s", risen, p.lives[risen])
	case promoted:
		return ""
	case plan.Errors != nil && len(p.evidence.Stable) == 0:
		return "the first write was sent though no request of stable could be seen"
	case len(plan.Gateways) > 0 && !p.lowered.IsZero() && w.when().Sub(p.lowered) < coolDown-Delta-p.apart():
		return fmt.Sprintf("the first write was sent %s after the last attempt lost its traffic", w.when().Sub(p.lowered))
	case plan.step(0).Approval && !p.approved(time.Time{}):
		return "the first step needs an approval and had none"
	}
	return p.gatewaysFail(plan, time.Time{}, time.Time{}, 1)
}

// countedSince is the minute after which minutes count of what serves since a moment, by
// the controllers' earliest clock. They date in whole seconds.
func (p *past) countedSince(served time.Time) time.Time {
	return ceilMinute(served.Add(-p.apart()).Truncate(time.Second).Add(Settle))
}

// countedAgainst is the minute after which minutes count by their latest clock, too.
func (p *past) countedAgainst(seen time.Time) time.Time {
	return ceilMinute(seen.Add(p.apart()).Truncate(time.Second).Add(Settle))
}

// apart is how far the controllers' clocks may be from the world's.
func (p *past) apart() time.Duration { return Settle - p.settle }

func ceilMinute(t time.Time) time.Time {
	if floor := t.Truncate(time.Minute); !floor.Equal(t) {
		return floor.Add(time.Minute)
	}
	return t
}

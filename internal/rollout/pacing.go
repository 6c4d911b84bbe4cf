package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// mostInserted is in how many writes a way from one weight of the plan to the
// next is cut at most while what earlier shifts left behind is still going.
const mostInserted = 5

// course is a rise that is wanted, and what decides how far it may go.
type course struct {
	from, to int64
	gateways []nat.Gateway // without what others may still take
	sources  []analysis.Source
	fleet    nat.Fleet
	policy   nat.Policy
	// oneSubnet: stable has its addresses from the candidate's subnetwork.
	oneSubnet bool
}

// course puts together what decides on a rise of the candidate.
func (v view) course(from, to int64) course {
	c := course{from: from, to: to, sources: v.scope.Gateways, fleet: v.fleet(), policy: v.policy(), oneSubnet: v.oneSubnet()}
	for _, source := range c.sources {
		g := v.gateway(source).Gateway
		g.Reserved = 0
		c.gateways = append(c.gateways, g)
	}
	return c
}

// largest is the largest weight that every gateway can carry, were the rollout
// alone; 0 for none.
func (c course) largest() int64 {
	return nat.LargestSafeWeight(c.gateways, c.fleet, c.policy, c.from, c.to)
}

// forecast is of the i-th gateway at a weight.
func (c course) forecast(i int, weight int64) nat.Forecast {
	return nat.Foresee(c.gateways[i], c.fleet, c.policy, weight)
}

// inserted tells whether the candidate's weight is one on the way to a step. With
// a pace of its own an attempt has none: such a weight is then one that a plan
// had, and is baked.
func (v view) inserted() bool {
	p := v.Progress
	return v.paces() && p.Step > 0 && v.weight() < v.Plan.step(p.Step).Weight
}

// onTheWay holds an inserted weight until every gateway has reported a complete
// minute of it and every check a healthy one. It is no step: it is not baked, and
// needs no number of requests.
func (v view) onTheWay(minutes int, through time.Time) Decision {
	stands := fmt.Sprintf("%s, on the way to %d%%%s", v.stands(), v.Plan.step(v.Progress.Step).Weight, v.short())
	if minutes < 1 || !v.reported() {
		return v.at(Baking, Progressing, stands+v.findings()).next(v.untilReported(minutes, through))
	}
	if c, ok := v.find(analysis.Undecided); ok {
		return v.at(Held, HeldByAnalysis, stands+"; "+c.dated()).next(v.untilDeadline("Goes on when more requests decide it"))
	}
	return v.passed()
}

// short says why an inserted weight is not that of its step, as far as that can be
// foreseen. It reckons with what is known now, as the forecast in the status does.
func (v view) short() string {
	if v.unforeseen() != "" {
		return ""
	}
	return v.course(v.weight(), v.Plan.step(v.Progress.Step).Weight).shortage()
}

// stands says which weight serves, and since when.
func (v view) stands() string {
	p := v.Progress
	switch {
	case v.weight() == 0:
		return "before the first write"
	case p.Effective.IsZero():
		return fmt.Sprintf("%s at %d%%", p.Candidate, v.weight())
	}
	return fmt.Sprintf("%s at %d%% since %s", p.Candidate, v.weight(), Clock(p.Effective))
}

// lacking holds the first write behind a gateway that cannot carry even what it
// has, whatever the pacing.
func (v view) lacking() (Decision, bool) {
	for _, source := range v.scope.Gateways {
		g := v.gateway(source).Gateway
		if g.Auto || g.ExtraIPs <= 0 {
			continue
		}
		c := course{sources: v.scope.Gateways}
		return v.claiming(c, nothing).waits(
			fmt.Sprintf("%s: %s lacks %s for what it carries already (minExtraNatIpsNeeded), and has %d",
				v.stands(), g.Name, addresses(g.ExtraIPs), g.IPs),
			fmt.Sprintf("Starts by itself when it lacks none: add %s to %s, or lower its minPortsPerVm, which is %d%s.",
				addresses(g.ExtraIPs), g.Name, g.PortsEach(), breaks)), true
	}
	return Decision{}, false
}

// rise sends the weight of a step, or, where the gateways cannot follow, a smaller
// one on the way to it; never a larger one.
func (v view) rise(step Step) Decision {
	p := v.Progress
	whole := between(p.Candidate, p.Stable, step.Weight)
	if !v.paces() {
		return v.send(whole)
	}
	if why := v.unforeseen(); why != "" {
		return v.noData(Check{Name: "nat", Verdict: analysis.Verdict{Note: why}})
	}
	if !p.Hot.IsZero() && v.sent() == 0 {
		return v.unreported(step)
	}
	c := v.course(v.weight(), step.Weight)
	weight := v.fitting(c)
	if d, ok := v.breaksMore(weight); ok {
		return d
	}
	if d, ok := v.outOfReach(c, weight); ok {
		if torn, ok := v.breaksPages(fmt.Sprintf("%d%% waits for a gateway.", step.Weight)); ok {
			return torn
		}
		return d
	}
	d := v.send(between(p.Candidate, p.Stable, weight))
	if weight < step.Weight {
		d.Note += c.shortage()
	}
	return d
}

// outOfReach waits where no weight fits, or others go first.
func (v view) outOfReach(c course, weight int64) (Decision, bool) {
	if weight == 0 {
		return v.waitForRoom(c), true
	}
	if why := v.turn(c, weight); why != "" {
		return v.waitForTurn(c, weight, why), true
	}
	return Decision{}, false
}

// unforeseen says what keeps a forecast from being made, or "".
func (v view) unforeseen() string {
	for _, source := range v.scope.Gateways {
		s := v.gateway(source)
		switch {
		case !s.Known:
			return fmt.Sprintf("%s: %s", source.Gateway, cmp.Or(v.scope.Pools[source].Why, "what it has to give was not read"))
		case s.Gateway.Dynamic && !s.Measured:
			return source.Gateway + ": its allocated ports are not known"
		}
	}
	for _, revision := range []analysis.Source{v.scope.Stable, v.scope.Candidate} {
		for _, m := range []analysis.Metric{analysis.Instances, analysis.ActiveInstances} {
			if a := v.Answers.Of(analysis.Series{Metric: m, Source: revision}); a.Cause != analysis.CauseNone {
				return fmt.Sprintf("instances of %s: %s", revision.Revision, a.Cause)
			}
		}
	}
	if f := v.fleet(); f.Busy+f.Stable+f.Candidate == 0 {
		return fmt.Sprintf("no instance of %s or %s was counted in the last %d minutes, and without one nothing can be forecast: %s",
			v.scope.Stable.Revision, v.scope.Candidate.Revision, int(2*fleetMemory/time.Minute), fixed)
	}
	return ""
}

// cannotPace tells whether a rise still waits because nothing can be forecast.
func (v view) cannotPace() bool {
	return v.was.Phase == Held && v.was.Reason == MetricsUnavailable && v.paces() && v.unforeseen() != ""
}

// unreported holds until the gateways have told of the last rise: what it took
// cannot be told from what it will take.
func (v view) unreported(step Step) Decision {
	until, of := v.Progress.Hot.Add(longestHeat), "that"
	if v.untouched() {
		of = "the warm-up"
	}
	return v.waits(fmt.Sprintf("%s; %d%% waits: no gateway has reported a complete minute of %s yet", v.stands(), step.Weight, of),
		fmt.Sprintf("Goes on when they have, or at %s.", Clock(until)))
}

// fitting is how far a rise may go now, were the rollout alone; 0: not at all. A
// write that was decided and not seen is sent again as it was, if it still fits:
// it may be under way.
func (v view) fitting(c course) int64 {
	weight := c.largest()
	if again := v.sent(); again > 0 && again <= weight {
		return again
	}
	if !v.worth(c, weight) {
		return 0
	}
	return weight
}

// sent is the weight of the newest rise that was decided and not seen; 0 without.
func (v view) sent() int64 {
	for _, i := range slices.Backward(v.Progress.Intents) {
		if weight := i.Split.Of(v.Progress.Candidate); weight > v.weight() && !i.seen() {
			return weight
		}
	}
	return 0
}

// worth tells whether a weight is worth a write. While what earlier shifts left
// behind is going, an inserted one must gain a fifth of the way between two
// weights of the plan: waiting brings more than many small writes, and each of
// them would start the wait anew. Once nothing more goes, what fits is all the
// progress there can be.
func (v view) worth(c course, weight int64) bool {
	if weight == 0 || weight == c.to || !v.lingers() {
		return weight > 0
	}
	way := c.to - v.Plan.below(c.to)
	return (weight-c.from)*mostInserted >= way
}

// below is the largest weight of the plan below another; 0 for none.
func (p Plan) below(weight int64) int64 {
	below := int64(0)
	for _, s := range p.Steps {
		if s.Weight < weight {
			below = max(below, s.Weight)
		}
	}
	return below
}

// shifted is when traffic was last seen to have moved from one revision to the
// other; zero if it never did.
func (v view) shifted() time.Time { return later(v.Progress.Effective, v.Progress.Lowered) }

// lingers tells whether something that the last shift left behind may still hold
// ports.
func (v view) lingers() bool {
	shifted := v.shifted()
	return !shifted.IsZero() && v.Now.Before(nat.LingersUntil(shifted).Addresses)
}

// roomAgain tells why a weight that served before cannot be written again now.
func (v view) roomAgain(weight int64) (Decision, bool) {
	if !v.paces() {
		return Decision{}, false
	}
	if why := v.unforeseen(); why != "" {
		return v.at(Held, MetricsUnavailable, "nat: "+why), true
	}
	c := v.course(v.desired.Of(v.Progress.Candidate), weight)
	for i := range c.gateways {
		if f := c.forecast(i, weight); !f.Fits() {
			return v.at(Held, WaitingForNat, f.String()), true
		}
	}
	if why := v.turn(c, weight); why != "" {
		return v.at(Held, WaitingForNat, why), true
	}
	return Decision{}, false
}

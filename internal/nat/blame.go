package nat

import (
	"fmt"
	"slices"
	"time"
)

// Role is what a rollout is to a gateway's trouble.
type Role string

// The roles.
const (
	// Culprit: the candidate caused it; the check's policy applies.
	Culprit Role = "Culprit"
	// Bystander: it did not; going back would not cure it. Hold and say so.
	Bystander Role = "Bystander"
	// Unknown: nobody can tell. Hold and call a person.
	Unknown Role = "Unknown"
)

// Sample is a series' value in the minute that ends at End.
type Sample struct {
	End   time.Time
	Value int64
}

// Evidence is what is known of a gateway's trouble. An empty series is not
// known; the order of its samples does not matter.
type Evidence struct {
	Gateway Gateway
	Policy  Policy

	// Rises are the times at which the candidate's weight was raised in this
	// attempt. Give when each was written rather than when it was seen to serve:
	// what begins before a rise was not caused by it.
	Rises []time.Time
	// Began is the end of the first bad minute of the trouble; zero: not known.
	Began time.Time
	// Usual is the level before the attempt, Worst the level since Began, such
	// as dropped packets per minute.
	Usual, Worst int64
	// Reasons of the drops, as Cloud NAT names them.
	Reasons []string
	// AllocationFailed: the gateway found no address for an endpoint.
	AllocationFailed bool
	// Filling: what is bad is how many ports are allocated. Nobody suffers yet.
	Filling bool

	// Allocated ports and open Connections of the gateway, and the candidate's
	// Instances, active and idle, from [Before] a rise on.
	Allocated, Connections, Instances []Sample
	// OthersHot is how many other rollouts behind the gateway were hot when the
	// trouble began.
	OthersHot int64

	// Candidate and Stable are how their users fare in the requests that ended
	// since Began.
	Candidate, Stable Health
}

// Health is how a revision's users fare.
type Health struct {
	Requests int64 // 0: none, or not known
	Failed   int64 // answered 5xx
	// Slow is a high percentile of the latencies, the same for both revisions.
	// 0: not known.
	Slow time.Duration
}

// Verdict is who is to blame.
type Verdict struct {
	Role Role
	// Because is one clause with the numbers that decide.
	Because string
	// Recurs: it comes with every rise, whoever is to blame, so that its coming back
	// tells nothing.
	Recurs bool
}

const (
	// Before is how far before a rise evidence is read: what others began shortly
	// before must not pass for calm.
	Before = 10 * time.Minute
	// after is how long after the first bad minute growth still counts.
	after = 2 * time.Minute
	// soon is within what time of a rise trouble begins that the rise caused: new
	// instances start within a minute or two and fill TIME_WAIT in two.
	soon = 5 * time.Minute
	// conflict is the reason that more ports do not cure.
	conflict = "ENDPOINT_INDEPENDENCE_CONFLICT"
)

// Blame tells what a rollout is to a gateway's trouble. An innocent one is never
// called the culprit for what its numbers leave open.
func Blame(e Evidence) Verdict {
	t := understand(e)
	verdict := t.unexplained()
	for _, rule := range blames {
		if v, ok := rule(t); ok {
			verdict = v
			break
		}
	}
	if slices.Contains(e.Reasons, conflict) {
		verdict.Because += "; endpoint-independent mapping conflicts, which more ports do not cure"
	}
	return verdict
}

// blames are asked in this order; the first that speaks decides.
var blames = []func(trouble) (Verdict, bool){
	undated,     // without a beginning nothing can be compared
	earlier,     // it was there before anything was raised
	asUsual,     // it is no worse than before
	inCompany,   // another rollout took a step as well
	unmeasured,  // without allocated ports others cannot be seen
	unread,      // without its size nobody knows whether ports were left
	filling,     // who allocated the ports?
	exhausted,   // no ports are left: who took the last ones?
	others,      // somebody else grew
	suffersOnly, // only the candidate's users feel it: its own ports
	growing,     // ports that grow drop packets, which a rise makes them do
	nothingElse, // nothing but the candidate changed, just before: it may be chance
	unfelt,      // nobody of ours feels it
}

// trouble is evidence with what follows from it.
type trouble struct {
	Evidence
	rise                              time.Time // the last one before it began
	allocated, connections, instances growth
}

// growth is how much a series grew around a rise, and by how much it moves from
// one minute to the next otherwise.
type growth struct {
	known             bool
	before, moves, by int64
}

func understand(e Evidence) trouble {
	e.Policy = e.Policy.usable()
	t := trouble{Evidence: e}
	for _, rise := range e.Rises {
		if rise.Before(e.Began) && rise.After(t.rise) {
			t.rise = rise
		}
	}
	t.allocated, t.connections, t.instances = t.grew(e.Allocated), t.grew(e.Connections), t.grew(e.Instances)
	return t
}

// grew compares the least before the rise with the most until the trouble was
// there. A series that does not reach the first bad minute is not known.
func (t trouble) grew(series []Sample) growth {
	var before, since []int64
	reaches := false
	inTime := slices.SortedFunc(slices.Values(series), func(a, b Sample) int { return a.End.Compare(b.End) })
	for _, s := range inTime {
		switch {
		case s.End.After(t.rise.Add(-Before)) && !s.End.After(t.rise):
			before = append(before, count(s.Value))
		case s.End.After(t.rise) && !s.End.After(t.Began.Add(after)):
			since = append(since, count(s.Value))
		}
		reaches = reaches || !s.End.Before(t.Began)
	}
	if len(before) == 0 || len(since) == 0 || !reaches {
		return growth{}
	}
	least := slices.Min(before)
	return growth{known: true, before: least, moves: moves(before), by: max(0, slices.Max(since)-least)}
}

// moves is the median of the changes from one value to the next, in either
// direction: one burst among them does not count.
func moves(values []int64) int64 {
	var changes []int64
	for i := 1; i < len(values); i++ {
		changes = append(changes, max(values[i]-values[i-1], values[i-1]-values[i]))
	}
	if len(changes) == 0 {
		return 0
	}
	slices.Sort(changes)
	return changes[(len(changes)-1)/2]
}

// ours is how many endpoints the candidate's new instances are.
func (t trouble) ours() int64 { return t.instances.by * t.Policy.EndpointsPerInstance }

// early is how many new instances the candidate had by the first bad minute. Those that
// it starts later may be what came of the trouble: who waits for ports serves nobody, and
// others are started in its place.
func (t trouble) early() int64 {
	by := int64(0)
	for _, s := range t.Instances {
		if s.End.After(t.rise) && !s.End.After(t.Began) {
			by = max(by, count(s.Value)-t.instances.before)
		}
	}
	return by
}

// slack is how many endpoints come and go without meaning.
func (t trouble) slack() int64 { return max(2, t.ours()/10) }

// grown is by how many endpoints the gateway's allocated ports grew.
func (t trouble) grown() int64 { return ceilDiv(t.allocated.by, t.Gateway.PortsEach()) }

// ofOthers tells whether others surely grew: the candidate's instances cannot
// explain it, were each two endpoints with all the ports that one can have.
func (t trouble) ofOthers() bool {
	now := t.instances.before + t.instances.by
	if t.Gateway.Dynamic {
		if t.allocated.by > 2*now*t.Gateway.MostPortsEach()+t.slack()*t.Gateway.PortsEach() {
			return true
		}
	} else if t.grown() > 2*t.instances.by+t.slack() {
		return true
	}
	return t.connections.known && t.connections.by > 2*now*t.Gateway.MostPortsEach()+16+t.connections.before/50
}

// scatter is how many connections come and go without meaning: a few times what
// did so before, but not so many that a burst of some size could hide in them.
func (t trouble) scatter() int64 {
	return 16 + min(3*t.connections.moves, t.connections.before/50)
}

// calm tells whether nothing changed but the candidate's new instances. Its new
// connections are not told from those of a burst elsewhere, so there may be
// none.
func (t trouble) calm() bool {
	return t.connections.known && t.connections.by <= t.scatter() && t.grown() <= t.ours()+t.slack()
}

func (t trouble) soon() bool { return t.Began.Sub(t.rise) <= soon }

func undated(t trouble) (Verdict, bool) {
	return Verdict{Role: Unknown, Because: "it is not known when it began"}, t.Began.IsZero()
}

func earlier(t trouble) (Verdict, bool) {
	if len(t.Rises) == 0 {
		return Verdict{Role: Bystander, Because: "nothing has been raised"}, true
	}
	first := slices.MinFunc(t.Rises, time.Time.Compare)
	return Verdict{Role: Bystander, Because: "it began " + minutes(first.Sub(t.Began)) + " before the first rise"}, t.rise.IsZero()
}

func asUsual(t trouble) (Verdict, bool) {
	return Verdict{Role: Bystander, Because: fmt.Sprintf("%s a minute at most, and %s were usual before the attempt",
		thousands(t.Worst), thousands(t.Usual))}, t.Usual > 0 && t.Worst <= 2*t.Usual
}

func inCompany(t trouble) (Verdict, bool) {
	return Verdict{Role: Unknown, Because: fmt.Sprintf("%s behind %s had just taken a step too",
		plural(t.OthersHot, "other rollout", "other rollouts"), t.Gateway.Name)}, t.OthersHot > 0
}

func unmeasured(t trouble) (Verdict, bool) {
	return Verdict{Role: Unknown, Because: "the allocated ports of " + t.Gateway.Name + " around the rise are not known"}, !t.allocated.known
}

// unread: who is to blame turns on how many ports an endpoint gets and how many were
// left. A guess would give up an innocent candidate, or clear a guilty one.
func unread(t trouble) (Verdict, bool) {
	because := "what " + t.Gateway.Name + " has to give is not known"
	if t.alone() {
		because += "; " + t.users()
	}
	return Verdict{Role: Unknown, Because: because}, !t.Gateway.Auto && t.Gateway.Capacity().Endpoints == 0
}

// filling: many ports are allocated, which is a matter of endpoints alone. Were
// each instance one endpoint or two, the truth lies between.
func filling(t trouble) (Verdict, bool) {
	v := Verdict{Role: Unknown, Because: t.growths()}
	least, most := t.instances.by, 2*t.instances.by
	switch {
	case !t.Filling:
		return Verdict{}, false
	case !t.instances.known || t.Gateway.Dynamic:
	case t.grown() > 2*most+t.slack():
		v.Role = Bystander
	case t.soon() && least > 0 && t.grown() <= least+t.slack():
		v.Role = Culprit
	}
	return v, true
}

// exhausted: an endpoint found no ports. What counts is whether the candidate's
// instances alone would have filled what was free, because those that were left
// without ports do not show in what is allocated.
func exhausted(t trouble) (Verdict, bool) {
	capacity, each := t.Gateway.Capacity().Endpoints, t.Gateway.PortsEach()
	before := ceilDiv(t.allocated.before, each)
	full := before+t.grown() >= capacity-capacity/50
	if t.Gateway.Auto || !full && !t.AllocationFailed {
		return Verdict{}, false
	}
	free := max(0, capacity-before)
	numbers := fmt.Sprintf("%s had %s free before the rise, and the candidate started %s",
		t.Gateway.Name, plural(free, "endpoint", "endpoints"), plural(t.instances.by, "instance", "instances"))
	if early := t.early(); early < t.instances.by {
		numbers += fmt.Sprintf(", %d of them by the first bad minute", early)
	}
	switch {
	case !t.instances.known:
		return Verdict{Role: Unknown, Because: "no ports are left, and the candidate's instances are not known"}, true
	case !full:
		return Verdict{Role: Unknown, Because: "an allocation failed; " + numbers}, true
	case t.soon() && t.early()*t.Policy.EndpointsPerInstance > free:
		return Verdict{Role: Culprit, Because: numbers}, true
	case 2*t.instances.by+t.slack() <= free && !t.Gateway.Dynamic: // dynamic ones grow by more
		return Verdict{Role: Bystander, Because: numbers + ": others took the rest"}, true
	}
	return Verdict{Role: Unknown, Because: numbers}, true
}

func others(t trouble) (Verdict, bool) {
	v := Verdict{Role: Unknown, Because: t.growths()}
	if t.well() {
		v = Verdict{Role: Bystander, Because: v.Because + "; " + t.users()}
	}
	return v, t.ofOthers()
}

func suffersOnly(t trouble) (Verdict, bool) {
	return Verdict{Role: Culprit, Because: t.users() + ", and " + t.Gateway.Name + " has free ports: the candidate's own ran out"}, t.alone()
}

// growing: Cloud NAT drops packets while it gives an endpoint more ports (docs
// nat/troubleshooting), and new instances need more. It is nobody's fault, and nobody can
// tell it from others' ports that grow; but it came of the rise, and a larger one brings more.
func growing(t trouble) (Verdict, bool) {
	return Verdict{Role: Unknown, Because: fmt.Sprintf("%s drops packets while ports grow, and it began %s after the rise; %s",
		t.Gateway.Name, minutes(t.Began.Sub(t.rise)), t.growths()), Recurs: true}, t.Gateway.Dynamic && t.soon()
}

// nothingElse: what follows upon a rise need not follow from it. Connections that
// somebody opens and closes do not show in what is open.
func nothingElse(t trouble) (Verdict, bool) {
	return Verdict{Role: Unknown, Because: "it began " + minutes(t.Began.Sub(t.rise)) + " after the rise and nothing else changed: " + t.growths()},
		t.soon() && t.calm()
}

func unfelt(t trouble) (Verdict, bool) {
	return Verdict{Role: Bystander, Because: "nobody of this service suffers: " + t.users()}, t.well()
}

func (t trouble) unexplained() Verdict {
	return Verdict{Role: Unknown, Because: "it began " + minutes(t.Began.Sub(t.rise)) + " after the rise; " + t.growths()}
}

// growths writes what grew, and how much of it the candidate explains.
func (t trouble) growths() string {
	explain, first := "explain", ""
	if t.Gateway.Dynamic {
		explain, first = "got", " at first"
	}
	text := fmt.Sprintf("allocated ports grew by %s, of which the candidate's %s %s %s%s", thousands(t.allocated.by),
		plural(t.instances.by, "new instance", "new instances"), explain, thousands(t.ours()*t.Gateway.PortsEach()), first)
	if !t.connections.known {
		return text + "; open connections are not known"
	}
	return text + fmt.Sprintf("; open connections grew by %s from %s", thousands(t.connections.by), thousands(t.connections.before))
}

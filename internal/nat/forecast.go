package nat

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Limit names what keeps a candidate from having more instances.
type Limit string

// The limits. Unlimited: nothing is known that would.
const (
	Unlimited     Limit = ""
	GatewayPorts  Limit = "the gateway's ports"
	SubnetFree    Limit = "the subnetwork's free addresses"
	CandidateMost Limit = "the candidate's maximum of instances"
	ServiceMost   Limit = "the service's maximum of instances, divided by weight"
)

// unlimited is more instances than anything here can count.
const unlimited = math.MaxInt64

// Forecast is a gateway at the peak after a step to a weight, with every number
// on the way to it. Endpoints are counted in blocks of Each ports.
type Forecast struct {
	Gateway string
	Weight  int64

	// Load is how many instances the whole traffic keeps busy, Needed how many
	// of them the candidate does at the weight, Least its minimum there, Peak how
	// many it may have at once, Has how many it has and Starts the difference.
	Load, Needed, Least, Peak, Has, Starts int64

	// Each is how many ports a new endpoint gets, and Grown how many times as many it
	// is foreseen to have: 1 where they do not grow. Capacity of the gateway, Kept
	// in reserve, and Room, the rest; Taken now, Adds by the step, Worst what it
	// adds where Cloud Run starts instances for what waits as well, Promised to
	// other rollouts.
	Each, Grown, Capacity, Kept, Room, Taken, Adds, Worst, Promised int64

	// Reserve is Kept in percent of Capacity.
	Reserve int64
	// Auto: the gateway takes further addresses by itself.
	Auto bool
	// Rules is how many NAT rules the gateway has, whose addresses are not counted.
	Rules int64
	// Subnet that the candidate's instances take addresses from.
	Subnet Subnet
	// Dynamic: ports are counted, and not endpoints.
	Dynamic bool
	// ExtraIPs is how many addresses it lacks already.
	ExtraIPs int64

	// Allowed is how many instances the candidate may have at once, Bound what
	// binds first, whether the forecast fits or not, and Most the number that
	// people know that limit by.
	Allowed, Most int64
	Bound         Limit
}

// Foresee forecasts a gateway at the peak after a step to a weight, 0..100.
func Foresee(g Gateway, f Fleet, p Policy, weight int64) Forecast {
	p = p.usable()
	weight = min(max(weight, 0), 100)
	capacity := g.Capacity().Endpoints
	c := Forecast{
		Gateway: g.Name, Weight: weight,
		Load: f.Load(), Needed: f.needs(weight), Least: f.least(weight), Has: count(f.Candidate),
		Each: g.PortsEach(), Grown: g.grown(f, p), Capacity: capacity, Taken: g.Taken(),
		Kept: ceilDiv(capacity*p.ReservePercent, 100), Reserve: p.ReservePercent,
		Auto: g.Auto, Rules: count(g.Rules), Dynamic: g.Dynamic, Subnet: f.Subnet,
	}
	if g.lacksIPs() {
		c.ExtraIPs = g.ExtraIPs
	}
	c.Room = c.Capacity - c.Kept
	c.Promised = ceilDiv(count(g.Reserved), c.Each)
	c.Peak = max(c.Has+p.overshot(max(0, c.Needed-c.Has)), c.Least)
	c.Starts = max(0, c.Peak-c.Has)
	c.Adds = c.Starts * c.perInstance(p)
	c.Worst = max(c.Starts, c.rush(f, p)) * c.perInstance(p)
	return c.limited(f, p)
}

const (
	// busyShare is at how many percent of their concurrency the autoscaler keeps
	// instances (docs run/about-instance-autoscaling).
	busyShare = 60
	// rushes is how many times the instances that are foreseen Cloud Run starts at
	// worst where more waits than the candidate's instances can take.
	rushes = 3
)

// rush is how many instances a step starts at worst. Those that there are can take
// what they do not do yet of their concurrency. What is beyond that goes to new ones,
// which are slow to reach the network, or waits; and the autoscaler counts what hangs
// and what waits as load. Without a reserve nothing is kept for it either.
func (c Forecast) rush(f Fleet, p Policy) int64 {
	if p.ReservePercent == 0 || c.Needed*busyShare <= c.Has*100 {
		return 0
	}
	starts := rushes * p.overshot(c.Needed-c.Has)
	if f.CandidateMost > 0 { // which Cloud Run may exceed for a while, as above
		starts = min(starts, max(0, p.overshot(f.CandidateMost)-c.Has))
	}
	return starts
}

// perInstance is how much of the gateway a new instance is foreseen to take.
func (c Forecast) perInstance(p Policy) int64 { return p.EndpointsPerInstance * c.Grown }

// Needs is for how many endpoints more there must be room beside the reserve: for what
// the step adds, or for so much of the worst as the reserve is not enough for.
func (c Forecast) Needs() int64 { return max(c.Adds, c.Worst-c.Kept) }

// limited finds the limit that binds first.
func (c Forecast) limited(f Fleet, p Policy) Forecast {
	c.Allowed = unlimited
	limit := func(name Limit, number, instances int64) {
		if instances < c.Allowed {
			c.Bound, c.Most, c.Allowed = name, number, instances
		}
	}
	if !c.Auto {
		allowed := c.Has + c.Headroom()/c.perInstance(p)
		if c.Needs() > c.Headroom() {
			allowed = min(allowed, c.Peak-1)
		}
		limit(GatewayPorts, c.Headroom(), allowed)
	}
	if f.Subnet.limits() {
		limit(SubnetFree, f.Subnet.free(), c.Has+f.Subnet.Instances())
	}
	if f.CandidateMost > 0 {
		limit(CandidateMost, f.CandidateMost, c.permitted(f.CandidateMost, p))
	}
	if f.ServiceMost > 0 { // the load is within it, so that it never binds alone
		share := ceilDiv(count(f.ServiceMost)*c.Weight, 100)
		limit(ServiceMost, share, max(p.overshot(share), c.Peak))
	}
	return c
}

// permitted is how many instances a maximum permits at once. Cloud Run may exceed
// it for a while, so it binds when more are needed, not when more are there.
func (c Forecast) permitted(maximum int64, p Policy) int64 {
	allowed := p.overshot(count(maximum))
	if max(c.Needed, c.Least) <= maximum {
		return max(allowed, c.Peak)
	}
	return min(allowed, c.Peak-1)
}

// overshot is how many instances there may be at once of those that are needed.
func (p Policy) overshot(instances int64) int64 {
	return round(math.Ceil(float64(instances) * p.Overshoot))
}

// Headroom is how many endpoints a step may add: nothing while the gateway
// lacks addresses for what it carries.
func (c Forecast) Headroom() int64 {
	if c.ExtraIPs > 0 {
		return 0
	}
	return max(0, c.Room-c.Taken-c.Promised)
}

// Fits tells whether the step may be made. One that starts no instance always
// may.
func (c Forecast) Fits() bool { return c.Starts == 0 || c.Peak <= c.Allowed }

// Ports is how many ports the step may still take: the claim of its rollout on
// the gateway.
func (c Forecast) Ports() int64 { return c.Needs() * c.Each }

// LargestSafeWeight is the largest weight in (from, to] that every gateway can
// carry; 0 if there is none.
func LargestSafeWeight(gateways []Gateway, f Fleet, p Policy, from, to int64) int64 {
	for weight := min(to, 100); weight > max(from, 0); weight-- {
		fits := func(g Gateway) bool { return Foresee(g, f, p, weight).Fits() }
		if !slices.ContainsFunc(gateways, func(g Gateway) bool { return !fits(g) }) {
			return weight
		}
	}
	return 0
}

// String writes the forecast in one clause: what is taken of how much, what the
// step adds, and for how much there is room.
func (c Forecast) String() string {
	if c.Bound != GatewayPorts && !c.Fits() {
		return c.elsewhere()
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s; %s adds up to %s", c.taken(), c.rise(), c.amount(c.Adds))
	room := "room for " + c.amount(c.Room)
	if c.Adds <= c.Headroom() && c.Needs() > c.Headroom() && !c.Auto {
		fmt.Fprintf(&text, ", at worst %s", c.amount(c.Worst))
		room += ", at worst for " + c.amount(c.Capacity)
	}
	if c.Promised > 0 {
		fmt.Fprintf(&text, "; %s promised to other rollouts", c.amount(c.Promised))
	}
	switch {
	case c.ExtraIPs > 0:
		fmt.Fprintf(&text, "; it lacks %s already", plural(c.ExtraIPs, "address", "addresses"))
	case c.Auto:
		text.WriteString("; it takes more addresses by itself, and may drop packets until it has them")
	default:
		fmt.Fprintf(&text, "; %d%% is kept in reserve: %s", c.Reserve, room)
	}
	return text.String()
}

// elsewhere writes what does not fit where the gateway is not what binds.
func (c Forecast) elsewhere() string {
	if c.Bound == SubnetFree {
		return fmt.Sprintf("%s; %s starts up to %s, which take %s in blocks of %d",
			c.Subnet, c.rise(), plural(c.Starts, "instance", "instances"), thousands(AddressesOf(c.Starts)), AddressBlock)
	}
	return fmt.Sprintf("%s needs %s; %s is %s",
		c.rise(), plural(max(c.Needed, c.Least), "instance", "instances"), c.Bound, thousands(c.Most))
}

// rise names the step. One to no traffic starts the candidate's minimum alone.
func (c Forecast) rise() string {
	if c.Weight == 0 {
		return "its minimum"
	}
	return fmt.Sprintf("%d%%", c.Weight)
}

// taken writes how much of the gateway is taken.
func (c Forecast) taken() string {
	if c.Dynamic {
		each := fmt.Sprintf("at least %s per endpoint", thousands(c.Each))
		if c.Grown > 1 {
			each += fmt.Sprintf(", now %s", c.amount(c.Grown))
		}
		return fmt.Sprintf("%s: %s of %s ports (%s) taken", c.gateway(), c.amount(c.Taken), c.amount(c.Capacity), each)
	}
	return fmt.Sprintf("%s: %s of %s endpoints (%s ports each) taken",
		c.gateway(), c.amount(c.Taken), c.amount(c.Capacity), thousands(c.Each))
}

// gateway names the gateway, and what of it the numbers leave out.
func (c Forecast) gateway() string {
	if c.Rules == 0 {
		return c.Gateway
	}
	return fmt.Sprintf("%s (without the addresses of %s)", c.Gateway, plural(c.Rules, "NAT rule", "NAT rules"))
}

// amount writes a number of endpoints as what the gateway is counted in.
func (c Forecast) amount(endpoints int64) string {
	if c.Dynamic {
		return thousands(endpoints * c.Each)
	}
	return thousands(endpoints)
}

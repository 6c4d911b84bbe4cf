package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/nat"
)

// waitForRoom holds a rise that does not fit, and says what will change that.
func (v view) waitForRoom(c course) Decision {
	i := max(0, c.tight())
	smaller := "; no smaller weight fits either"
	if weight := c.largest(); weight > 0 {
		smaller = fmt.Sprintf("; %d%% would fit, which gains too little while instances of the last shift are going", weight)
	}
	note := fmt.Sprintf("%s; %d%% waits for room: %s%s", v.stands(), c.to, c.forecast(i, c.to), smaller)
	return v.claiming(c, nothing).waits(note, v.room(c, i))
}

// tight is the first gateway that has no room for the whole rise; -1 if there is none.
func (c course) tight() int {
	return slices.IndexFunc(c.gateways, func(g nat.Gateway) bool { return !c.fits(g, c.policy) })
}

// shortage says what keeps the whole rise waiting where a part of it was made.
func (c course) shortage() string {
	i := c.tight()
	if i < 0 {
		return fmt.Sprintf("; there is room for %d%% by now", c.to)
	}
	return fmt.Sprintf("; %d%% waits for room: %s", c.to, c.forecast(i, c.to))
}

// room says when there will be room for a rise, and what a person can do if not.
func (v view) room(c course, i int) string {
	if !v.lingers() {
		return c.relief(i)
	}
	left, verb, freed := nat.LingersUntil(v.shifted()), "end", c.lingering()
	if !v.Now.Before(left.Instances) {
		verb, freed = "ended", 0
	}
	text := fmt.Sprintf("Instances that the shift of %s left idle %s by %s and give back their addresses by %s; goes on by itself",
		Clock(v.shifted()), verb, Clock(left.Instances), Clock(left.Addresses))
	after := c.after(freed)
	weight := after.largest()
	then := fmt.Sprintf("without %d of stable's instances it is %s", freed, after.forecast(i, cmp.Or(weight, c.to)))
	switch {
	case freed > 0 && weight > 0:
		return fmt.Sprintf("%s then: %s.", text, then)
	case freed > 0:
		return fmt.Sprintf("%s if that is enough, but %s. Else: %s.", text, then, after.cure(i))
	}
	return fmt.Sprintf("%s if that is enough; else: %s.", text, after.cure(i))
}

// after is the course as it would be with so many of stable's instances fewer.
func (c course) after(instances int64) course {
	gateways := make([]nat.Gateway, 0, len(c.gateways))
	for _, g := range c.gateways {
		gateways = append(gateways, g.With(-instances, c.fleet, c.policy))
	}
	c.gateways = gateways
	c.fleet.Busy, c.fleet.Stable = c.fleet.Load(), c.fleet.Stable-instances
	if c.oneSubnet {
		c.fleet.Subnet = c.fleet.Subnet.Without(instances)
	}
	return c
}

// relief says what lets the whole rise be made when nothing of ours is going.
func (c course) relief(i int) string {
	when := fmt.Sprintf("others behind %s need less", c.gateways[i].Name)
	switch c.forecast(i, c.to).Bound {
	case nat.SubnetFree:
		when = fmt.Sprintf("others in subnetwork %s need less", c.fleet.Subnet.Name)
	case nat.CandidateMost, nat.ServiceMost, nat.Unlimited:
		when = "the service has less traffic"
	case nat.GatewayPorts:
	}
	return fmt.Sprintf("Goes on by itself when %s; else: %s.", when, c.cure(i))
}

// lingering is how many of stable's instances its traffic does not need.
func (c course) lingering() int64 {
	needed := nat.Foresee(nat.Gateway{}, c.fleet, c.policy, 100-c.from).Needed
	return max(0, c.fleet.Stable-needed)
}

// fixed is what always helps.
const fixed = "set spec.strategy.pacing: Fixed, which rises without a forecast"

// breaks warns of what lowering minPortsPerVm can do (docs nat/ports-and-addresses).
const breaks = " (can break open connections)"

// cure lists what would let the weight fit behind the i-th gateway.
func (c course) cure(i int) string {
	switch bound := c.forecast(i, c.to).Bound; bound {
	case nat.SubnetFree:
		cures := []string{fmt.Sprintf("expand the range of subnetwork %s", c.fleet.Subnet.Name)}
		return strings.Join(append(append(cures, c.smallerMinimum(i)...), "or "+fixed), ", ")
	case nat.CandidateMost, nat.ServiceMost, nat.Unlimited:
		return fmt.Sprintf("raise %s, or %s", bound, fixed)
	case nat.GatewayPorts:
	}
	g := c.gateways[i]
	var cures []string
	if more := c.moreIPs(i); more > 0 {
		cures = append(cures, fmt.Sprintf("add %s to %s", addresses(more), g.Name))
	}
	if ports := c.fewerPorts(i); ports > 0 {
		cures = append(cures, fmt.Sprintf("lower its minPortsPerVm to %d%s", ports, breaks))
	}
	if reserve, ok := c.lessReserve(i); ok {
		cures = append(cures, fmt.Sprintf("set spec.nat.reservePercent: %d", reserve))
	}
	cures = append(cures, c.smallerMinimum(i)...)
	return strings.Join(append(cures, "or "+fixed), ", ")
}

// addresses counts NAT IPs.
func addresses(n int64) string {
	if n == 1 {
		return "1 NAT IP"
	}
	return strconv.FormatInt(n, 10) + " NAT IPs"
}

// mostIPs bounds the addresses that are advised.
const mostIPs = 100

// fits tells whether a gateway as it could be would carry the whole rise.
func (c course) fits(g nat.Gateway, p nat.Policy) bool {
	return nat.Foresee(g, c.fleet, p, c.to).Fits()
}

// moreIPs is the least number of further addresses that is enough; 0 for none.
func (c course) moreIPs(i int) int64 {
	for more := int64(1); more <= mostIPs; more++ {
		g := c.gateways[i]
		g.IPs, g.ExtraIPs = g.IPs+more, max(0, g.ExtraIPs-more)
		if c.fits(g, c.policy) {
			return more
		}
	}
	return 0
}

// fewerPorts is the largest number of ports per endpoint that is few enough, with
// all endpoints given anew; 0 for none.
func (c course) fewerPorts(i int) int64 {
	g := c.gateways[i]
	if g.ExtraIPs > 0 || g.Dynamic {
		return 0 // how many addresses it would need then is not known
	}
	g.Endpoints, g.Allocated = g.Taken(), 0
	for ports := g.PortsEach() / 2; ports >= leastPorts; ports /= 2 {
		if g.Ports = ports; c.fits(g, c.policy) {
			return ports
		}
	}
	return 0
}

// leastPorts is the least number of ports per endpoint that is advised: fewer than
// Cloud NAT's default of 64 run out soon.
const leastPorts = 64

// smallerMinimum says by which minimum of instances the rise would fit, where it is
// the candidate's own that is too many: it starts all of them at any weight. Those of
// the service follow the weight.
func (c course) smallerMinimum(i int) []string {
	if c.fits(c.gateways[i], c.policy) {
		return nil // another gateway is what is tight
	}
	for least := c.fleet.CandidateLeast - 1; least >= 0; least-- {
		f := c.fleet
		f.CandidateLeast = least
		if nat.Foresee(c.gateways[i], f, c.policy, c.to).Fits() {
			return []string{fmt.Sprintf("deploy with --min-instances %d at most in place of %d (the service's minimum, --min, is divided by weight)",
				least, c.fleet.CandidateLeast)}
		}
	}
	return nil
}

// lessReserve is the largest reserve in percent that leaves room.
func (c course) lessReserve(i int) (int64, bool) {
	p := c.policy
	for p.ReservePercent--; p.ReservePercent >= 0; p.ReservePercent-- {
		if c.fits(c.gateways[i], p) {
			return p.ReservePercent, true
		}
	}
	return 0, false
}

package rollout

import (
	"cmp"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// maxWatches bounds the gateways that an attempt remembers, as many as may be
// named.
const maxWatches = 4

// longestHeat is how long a rise counts as hot at most: after the time for which
// stopped instances may keep their ports, whatever it took is long measured.
const longestHeat = coolDown

// Watch is a NAT gateway that an attempt watches, as it is remembered.
type Watch struct {
	Source analysis.Source
	// Named is set when the spec names it; otherwise it was discovered.
	Named bool
	// Claimed are the ports that the last rise may still take, or that the next
	// one would where it waits.
	Claimed int64
	// Growing: it was last read to give endpoints more ports, or itself more addresses,
	// as they are needed. Until it has, it drops packets.
	Growing bool
}

// Peer is what another rollout claims of a gateway.
type Peer struct {
	Gateway analysis.Source
	Claim   nat.Claim
}

// Claims are what a rollout claims of the gateways that it watches: by a rise that
// is still hot, by one that waits, or on its way back, which waits for nobody. A way
// back that does not end, because access was lost or the service is gone, moves
// nothing, and keeps the others waiting for no longer than a rise would.
func (p Progress) Claims(id string, at time.Time) []Peer {
	c := nat.Claim{ID: id}
	switch {
	case p.Phase == RollingBack, p.active() && p.latched(p.Candidate):
		if at.Sub(p.Since) >= longestHeat {
			return nil
		}
		c.Back, c.Since = true, p.Since
	case p.active() && !p.Hot.IsZero() && at.Sub(p.Hot) < longestHeat:
		c.Hot, c.Since = true, p.Hot
	case p.Phase == Held && p.Reason == WaitingForNat && !p.Waiting.IsZero():
		c.Since = p.Waiting
	default:
		return nil
	}
	peers := make([]Peer, 0, len(p.Watches))
	for _, w := range p.Watches {
		c.Ports = w.Claimed
		peers = append(peers, Peer{w.Source, c})
	}
	return peers
}

// GatewayState is what is known of a gateway that an attempt watches, for people.
type GatewayState struct {
	Watch
	// Known tells that Gateway's addresses and endpoints are.
	Known   bool
	Gateway nat.Gateway
	// Measured tells that Gateway's allocated ports are, up to Through.
	Measured bool
	Through  time.Time
	// Forecast is of the next weight; nil where nothing is forecast.
	Forecast *nat.Forecast
}

// Leaving lists the revisions whose way out a decision will want to know. There
// are none at rest, on the way back until it serves, and where nothing leaves through
// NAT: none of that needs the Compute API.
func Leaving(in Input) []Revision {
	v := view{Input: in}
	p := in.Progress
	candidate := p.Candidate
	if !p.active() {
		candidate = v.wanted()
	}
	switch {
	case in.Plan.NatUnwanted, in.Deleting, in.Service.Presence != Found, p.Stable == "", candidate == "", candidate == p.Stable:
		return nil
	case p.Phase == RollingBack && !v.heard(), p.active() && p.latched(candidate), p.underway() && v.asked(Abort), !in.throughNat(candidate):
		return nil
	}
	return []Revision{v.revision(candidate), v.revision(p.Stable)}
}

// Pressing tells whether what is known without the way out sends everything back
// already: the candidate fails, or its users do. Nothing that the Compute API could
// say changes that, so nobody waits for it. Where a gateway suffers as well, what it has
// to give tells whether the candidate is given up.
func Pressing(in Input) bool {
	in.Outlet = Outlet{}
	alone := in
	alone.Plan.Guards = slices.DeleteFunc(slices.Clone(in.Plan.Guards), func(g Guard) bool { return aboutGateways(g.Rule) })
	v := look(alone)
	if _, broken := v.broken(); !broken || !v.Progress.active() || v.scope.AttemptSince.IsZero() {
		return false
	}
	since, _ := v.began()
	if _, excused := look(in).excuse(since); excused {
		return false
	}
	return v.decide().Progress.Phase == RollingBack
}

// watched lists the gateways that an attempt watches: those that are named; else
// those that discovery finds, and, once traffic was moved, those that it found
// before as well. What an attempt began to watch it does not lose from sight.
func (in Input) watched() []analysis.Source {
	if len(in.Plan.Gateways) > 0 {
		return in.Plan.Gateways
	}
	var found []analysis.Source
	if in.Outlet.Presence != Found || !in.Progress.FirstWrite.IsZero() {
		for _, w := range in.Progress.Watches {
			found = append(found, w.Source)
		}
	}
	if in.Outlet.Presence == Found {
		for _, g := range in.Outlet.Gateways {
			if !slices.Contains(found, g.Source) {
				found = append(found, g.Source)
			}
		}
	}
	return found[:min(len(found), maxWatches)]
}

// astray says why it is not known by which gateway traffic leaves, or "" where it
// is, or where the spec says so.
func (in Input) astray() string {
	switch {
	case len(in.Plan.Gateways) > 0:
		return ""
	case in.Outlet.Presence == "" && len(in.watched()) == 0:
		return "no NAT gateway is named"
	case in.Outlet.Presence == "":
		return ""
	case in.Outlet.Presence != Found && in.Outlet.Detail != "":
		return in.Outlet.Detail
	case in.Outlet.Presence != Found, len(in.Outlet.Gateways) == 0:
		return "no NAT gateway was found"
	}
	return ""
}

// passing tells whether what is wrong with the way out may pass by itself.
func (in Input) passing() bool { return in.Outlet.Presence == Unknown }

// found returns what was read of a gateway.
func (in Input) found(source analysis.Source) (Gateway, bool) {
	i := slices.IndexFunc(in.Outlet.Gateways, func(g Gateway) bool { return g.Source == source })
	if i < 0 {
		return Gateway{}, false
	}
	return in.Outlet.Gateways[i], true
}

// pools tells what the gateways have to give.
func (in Input) pools(gateways []analysis.Source) map[analysis.Source]analysis.Pool {
	pools := map[analysis.Source]analysis.Pool{}
	for _, source := range gateways {
		g, ok := in.found(source)
		switch {
		case !ok:
			pools[source] = analysis.Pool{Why: in.Outlet.Detail}
		case g.Unread != "":
			pools[source] = analysis.Pool{Why: g.Unread}
		default:
			pools[source] = analysis.Pool{Ports: g.NAT.Capacity().Ports, Automatic: g.NAT.Auto}
		}
	}
	return pools
}

// paces tells whether rises follow what the gateways have left.
func (v view) paces() bool { return v.Plan.Pacing == Headroom && len(v.scope.Gateways) > 0 }

// measured returns the newest number of allocated ports that is known, and the
// end of its minute.
func (v view) measured(source analysis.Source) (ports int64, through time.Time) {
	newest, _ := v.newestOf(analysis.Series{Metric: analysis.AllocatedPorts, Source: source})
	return newest.Value, newest.End
}

// newestOf returns the newest whole minute of a series.
func (v view) newestOf(series analysis.Series) (newest analysis.Point, ok bool) {
	a := v.Answers.Of(series)
	for _, p := range a.Points {
		if p.End.After(newest.End) && !p.End.After(a.Through) {
			newest = p
		}
	}
	return newest, !newest.End.IsZero()
}

// gateway puts together what is known of a gateway: what was read of it, what
// Monitoring measured, and what others may still take.
func (v view) gateway(source analysis.Source) GatewayState {
	s := GatewayState{Watch: v.watch(source), Gateway: nat.Gateway{Name: source.Gateway}}
	if g, ok := v.found(source); ok {
		s.Known, s.Gateway, s.Through = g.Unread == "", g.NAT, g.ReadAt
		s.Growing = s.Known && (g.NAT.Dynamic || g.NAT.Auto) || !s.Known && s.Growing
	}
	if ports, through := v.measured(source); !through.IsZero() {
		s.Measured, s.Gateway.Allocated, s.Through = true, ports, through
	}
	for _, c := range v.claims(source) {
		if c.Hot || c.Back {
			s.Gateway.Reserved += max(0, c.Ports)
		}
	}
	return s
}

// watch returns what is remembered of a gateway.
func (in Input) watch(source analysis.Source) Watch {
	w := Watch{Source: source, Named: slices.Contains(in.Plan.Gateways, source)}
	for _, was := range in.Progress.Watches {
		if was.Source == source {
			w.Claimed, w.Growing = was.Claimed, was.Growing
		}
	}
	return w
}

// claims lists what other rollouts claim of a gateway.
func (in Input) claims(source analysis.Source) []nat.Claim {
	var claims []nat.Claim
	for _, p := range in.Peers {
		if p.Gateway == source {
			claims = append(claims, p.Claim)
		}
	}
	return claims
}

// policy is what the plan says of how much may be taken.
func (v view) policy() nat.Policy {
	p := nat.DefaultPolicy()
	p.ReservePercent = v.Plan.Reserve
	p.EndpointsPerInstance = cmp.Or(v.Plan.EndpointsPerInstance, p.EndpointsPerInstance)
	return p
}

// states tells of the gateways that are watched, with a forecast of the next
// weight of the plan where pacing applies.
func (v view) states() []GatewayState {
	if !v.Progress.active() {
		return nil
	}
	next := int64(0)
	if n := v.Plan.after(v.weight()); n > 0 && v.paces() {
		next = v.Plan.step(n).Weight
	}
	var states []GatewayState
	for _, source := range v.scope.Gateways {
		s := v.gateway(source)
		if next > 0 && s.Known {
			forecast := nat.Foresee(s.Gateway, v.fleet(), v.policy(), next)
			s.Forecast = &forecast
		}
		states = append(states, s)
	}
	return states
}

// heats remembers a rise: until the gateways report a complete minute of it,
// others reckon with what it may still take. Where that cannot be forecast, as with
// a pace of its own, it may be all that there is.
func (v view) heats(weight int64) view {
	if len(v.scope.Gateways) == 0 {
		return v
	}
	v.Progress.Hot, v.Progress.Waiting, v.Progress.WaitTold = v.Now, time.Time{}, false
	v.Progress.Watches = nil
	unforeseen := v.unforeseen() != ""
	for _, source := range v.scope.Gateways {
		s := v.gateway(source)
		s.Claimed = nat.Foresee(s.Gateway, v.fleet(), v.policy(), weight).Ports()
		if unforeseen {
			s.Claimed = max(s.Gateway.Capacity().Ports, nat.PortsPerIP)
		}
		v.Progress.Watches = append(v.Progress.Watches, s.Watch)
	}
	return v
}

// cools ends the heat of a rise once every gateway reports a minute that lies
// wholly in the step, or when it has lasted for long enough.
func (v view) cools() bool {
	p := v.Progress
	switch {
	case p.Hot.IsZero():
		return false
	case v.Now.Sub(p.Hot) >= longestHeat, len(v.scope.Gateways) == 0:
		return true
	case v.untouched():
		return !p.Warmup.Over.IsZero() && v.reportedOf(p.Warmup.Over)
	case p.Effective.Before(p.Hot):
		return false
	}
	return v.reported()
}

// reported tells whether every gateway has told of a minute that lies wholly in
// the step.
func (v view) reported() bool { return v.reportedOf(v.scope.StepSince) }

// reportedOf tells whether every gateway has told of a minute after a time.
func (v view) reportedOf(since time.Time) bool {
	return !slices.ContainsFunc(v.scope.Gateways, func(g analysis.Source) bool {
		_, through := v.measured(g)
		return through.Before(since.Add(time.Minute))
	})
}

// remembers is what a decision keeps of the gateways.
func (v view) remembers(p Progress) Progress {
	switch {
	case !p.active():
		p.Watches, p.Waiting, p.Hot, p.WaitTold = nil, time.Time{}, time.Time{}, false
		return p
	case v.Service.Presence != Found, p.Candidate != v.was.Candidate, p.Hot.After(v.was.Hot):
		return p
	}
	if p.Phase != Held { // nothing waits that could not go on
		p.Waiting, p.WaitTold = time.Time{}, false
	}
	watches := make([]Watch, 0, len(v.scope.Gateways))
	cold := p.Hot.IsZero() && p.Waiting.IsZero()
	for _, source := range v.scope.Gateways {
		w := Input{Plan: v.Plan, Progress: p}.watch(source)
		w.Growing = v.gateway(source).Growing
		if cold {
			w.Claimed = 0
		}
		watches = append(watches, w)
	}
	p.Watches = watches[:min(len(watches), maxWatches)]
	return p
}

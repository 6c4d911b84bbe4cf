package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// The targets of blame: no innocent candidate is given up, and of the guilty ones so many
// are given up or lowered.
const (
	mostInnocentsBack = 0
	leastGuiltyBack   = 0.95
)

// cause is why a gateway gets into trouble: what is done to a town.
type cause struct {
	what   string
	guilty bool // the candidate causes it
	grows  bool // new instances' ports grow, whoever causes it
	do     func(*town)
}

// causes are what troubles a gateway while a release is under way.
var causes = []cause{
	{"the candidate keeps no connections", true, false, func(t *town) {
		t.few()
		t.candidate(func(b *simulator.Behaviour) { b.Calls = calls("database", 6) })
	}},
	{"the candidate calls more for each request", true, false, func(t *town) {
		t.few()
		t.every(func(b *simulator.Behaviour) { b.Calls = calls("database", 0.05) })
		t.candidate(func(b *simulator.Behaviour) { b.Calls = calls("database", 5) })
	}},
	{"the candidate opens larger pools", true, false, func(t *town) {
		t.few()
		// A port is good for one connection, wherever that leads.
		t.sc.Gateways[0].EndpointIndependent = true
		t.sc.Network.Destinations = append(t.sc.Network.Destinations, simulator.Destination{
			Name: "payments", Latency: simulator.Duration(20 * time.Millisecond), Addresses: 1,
		})
		t.every(func(b *simulator.Behaviour) { b.Calls = append(b.Calls, calls("payments", 0.05)...) })
		t.candidate(func(b *simulator.Behaviour) {
			b.Startup.Calls = []simulator.StartupCall{{
				Outgoing: simulator.Outgoing{To: "database", KeepAlive: true, Timeout: patient, Retries: 1000}, Connections: 400,
			}}
		})
	}},
	{"the candidate needs more instances", true, false, func(t *town) {
		t.tight(5)
		t.candidate(func(b *simulator.Behaviour) { b.Latency *= 4 })
	}},
	{"the candidate's ports cannot grow enough", true, true, func(t *town) {
		t.growing(256)
		t.candidate(func(b *simulator.Behaviour) { b.Calls = calls("database", 6) })
	}},
	{"ports that grow again for each new instance", false, true, func(t *town) {
		t.growing(4096)
		t.every(func(b *simulator.Behaviour) { b.Calls = calls("database", 2) })
	}},
	{"another service's connections, where ports grow", false, true, func(t *town) {
		t.growing(4096)
		t.stranger(2, 6)
	}},
	{"another service's burst", false, false, func(t *town) {
		t.tight(6)
		t.add("stranger", 5)
		stranger := &t.sc.Services[len(t.sc.Services)-1]
		t.burst(&stranger.Users, 10)
	}},
	{"another service's connections", false, false, func(t *town) {
		t.few()
		t.stranger(0.05, 40)
	}},
	{"the old system's surge", false, false, func(t *town) {
		t.few()
		m := &t.sc.Network.Machines[0]
		m.Calls = calls("database", 0.1)
		t.burst(&m.Users, 60)
	}},
}

// calls are calls of a destination, each by a connection of its own.
func calls(to string, perRequest float64) []simulator.Outgoing {
	return []simulator.Outgoing{{To: to, PerRequest: &perRequest, Timeout: patient}}
}

// few gives every endpoint 64 ports for the database; the gateway itself has room.
func (t *town) few() {
	t.sc.Gateways[0].PortsPerEndpoint = 64
	t.sc.Network.Destinations[0].Addresses = 1
	t.roomFor(2 * (2*t.endpoints + 4*endpointsPerInstance*t.instances))
}

// growing gives every endpoint 32 ports for the database, which grow to so many; the
// gateway itself has room.
func (t *town) growing(most int) {
	t.few()
	g := &t.sc.Gateways[0]
	g.IPs, g.PortsPerEndpoint = nil, most
	t.roomFor(2*t.endpoints + 4*endpointsPerInstance*t.instances)
	g.PortsPerEndpoint, g.DynamicPorts = 0, &simulator.DynamicPorts{Min: 32, Max: most}
}

// tight gives the gateway room for the release, and for so many tenths of it.
func (t *town) tight(tenths int) {
	t.sc.Gateways[0].PortsPerEndpoint = 1024
	t.roomFor(t.endpoints + endpointsPerInstance*t.instances*(20+tenths)/10)
}

// every changes both images of the service, candidate the new one alone.
func (t *town) every(edit func(*simulator.Behaviour)) {
	for _, image := range []string{oldImage, newImage} {
		t.image(image, edit)
	}
}

func (t *town) candidate(edit func(*simulator.Behaviour)) { t.image(newImage, edit) }

func (t *town) image(name string, edit func(*simulator.Behaviour)) {
	b := t.sc.Services[0].Images[name]
	edit(&b)
	t.sc.Services[0].Images[name] = b
}

// stranger is another service, whose users come many times as often for a while, with so
// many calls to the database at each of their requests.
func (t *town) stranger(perRequest, times float64) {
	t.add("stranger", 4)
	stranger := &t.sc.Services[len(t.sc.Services)-1]
	b := stranger.Images[oldImage]
	b.Calls = calls("database", perRequest)
	stranger.Images[oldImage] = b
	t.burst(&stranger.Users, times)
}

// burst multiplies a rate for some minutes, at any moment of the release or, one
// time in three, at about one of its steps.
func (t *town) burst(users *simulator.Users, times float64) {
	at := time.Duration(t.dice.IntN(50)) * time.Minute
	if t.dice.IntN(3) == 0 {
		at = time.Duration(pick(t.dice, 0, 16, 32, 48)*60+t.dice.IntN(120)) * time.Second
	}
	users.Changes = []simulator.UserLevel{
		{At: simulator.Duration(releaseAt + at), RequestsPerSecond: users.RequestsPerSecond * times},
		{At: simulator.Duration(releaseAt + at + time.Duration(6+t.dice.IntN(20))*time.Minute), RequestsPerSecond: users.RequestsPerSecond},
	}
}

// judged is what became of one release.
type judged struct {
	seed     uint64
	cause    cause
	troubled bool // for at least leastTrouble minutes while the candidate had traffic
	back     bool // the candidate was given up, for whatever reason
	unheard  bool // it was, before anything was known of the gateway's trouble
	lowered  bool // it was not, and had less traffic for a while, or for good
	spared   bool // it was not, and had none for a while, or for good
	done     bool // it got all traffic
	told     nat.Role
}

// leastTrouble is how many minutes of dropped packets or of endpoints without ports are
// trouble: fewer no check acts on.
const leastTrouble = 2

// course is which checks judge a release.
type course string

const (
	byDefault  course = "the default checks"
	blameAlone course = "errors in Shadow, so that blame alone decides"
)

// tellBlame measures whom Sluice blames.
func tellBlame(out io.Writer, o options) (verdict, error) {
	var sum verdict
	for _, by := range []course{byDefault, blameAlone} {
		t, claims, err := playBlame(o.seeds, by)
		if err != nil {
			return verdict{}, err
		}
		t.write(out)
		_, _ = fmt.Fprintln(out)
		sum = sum.plus(tellClaims(out, claims))
	}
	return sum, nil
}

// counts sums up releases.
type counts struct {
	played, troubled, lowered, spared, unknown, done int
	// The seeds of those in trouble that were given up, that were before anything was
	// known of it, and that kept their traffic.
	back, unheard, kept []uint64
}

func (c *counts) add(j judged) {
	c.played++
	if j.done {
		c.done++
	}
	if !j.troubled {
		return
	}
	c.troubled++
	switch {
	case j.back:
		c.back = append(c.back, j.seed)
		if j.unheard {
			c.unheard = append(c.unheard, j.seed)
		}
	case j.lowered:
		c.lowered++
		if j.spared {
			c.spared++
		}
	default:
		c.kept = append(c.kept, j.seed)
	}
	if j.told == nat.Unknown {
		c.unknown++
	}
}

func playBlame(of seeds, by course) (table, []claim, error) {
	all, err := playSeeds(of, func(seed uint64) (judged, error) { return blameTrial(seed, by) })
	if err != nil {
		return table{}, nil, err
	}
	t := table{
		title: fmt.Sprintf("Whom Sluice blames for a gateway's trouble, %d releases in seeded worlds, by %s.\n"+
			"Troubled: packets were dropped or endpoints had no ports in at least %d minutes in which the candidate had traffic.\n"+
			"Of these, given up: for whatever reason; unheard: before anything was known of the gateway's trouble. Lowered: not given up,\n"+
			"and less traffic for a while, or for good; spared: none at all. Unknown: the last word on whose it is, before the way back.", of.trials, by, leastTrouble),
		header: []string{"CAUSE", "CANDIDATE", "RELEASES", "TROUBLED", "GIVEN UP", "UNHEARD", "LOWERED", "SPARED", "UNKNOWN", "100% REACHED"},
	}
	var guilty, innocent, growing counts
	for _, c := range causes {
		var own counts
		sum := &innocent
		switch {
		case c.guilty:
			sum = &guilty
		case c.grows:
			sum = &growing
		}
		for _, j := range all {
			if j.cause.what == c.what {
				own.add(j)
				sum.add(j)
			}
		}
		t.row(append([]string{c.what, map[bool]string{true: "guilty", false: "innocent"}[c.guilty]}, own.cells()...)...)
	}
	return t, claimsOfBlame(by, guilty, innocent, growing), nil
}

func (c counts) cells() []string {
	var cells []string
	for _, n := range []int{c.played, c.troubled, len(c.back), len(c.unheard), c.lowered, c.spared, c.unknown, c.done} {
		cells = append(cells, strconv.Itoa(n))
	}
	return cells
}

// found says what became of those in trouble.
func (c counts) found() string {
	return fmt.Sprintf("%d given up and %d lowered, %d of them to 0%%, of %d in trouble; unknown in the end: %d, which is %.0f%%",
		len(c.back), c.lowered, c.spared, c.troubled, c.unknown, 100*float64(c.unknown)/float64(max(1, c.troubled)))
}

// named lists seeds, as the end of a clause.
func named(seeds []uint64) string {
	if len(seeds) == 0 {
		return ""
	}
	return "; seeds " + strings.Trim(fmt.Sprint(seeds), "[]")
}

// claimsOfBlame judges those of innocents apart where ports grow: packets are dropped there
// with every rise, whoever it is.
func claimsOfBlame(by course, guilty, innocent, growing counts) []claim {
	return []claim{
		noneOf(innocent, fmt.Sprintf("no innocent candidate is given up, by %s", by)),
		noneOf(growing, fmt.Sprintf("nor where ports grow, by %s", by)),
		{
			text:  fmt.Sprintf("at least %.0f%% of the guilty ones are given up or lowered, by %s", 100*leastGuiltyBack, by),
			found: guilty.found() + named(guilty.kept), holds: float64(len(guilty.back)+guilty.lowered) >= leastGuiltyBack*float64(guilty.troubled),
		},
	}
}

// noneOf promises that nobody was given up.
func noneOf(innocent counts, text string) claim {
	unheard := ""
	if len(innocent.back) > 0 {
		unheard = fmt.Sprintf("; %d before anything was known", len(innocent.unheard))
	}
	return claim{text: text, found: innocent.found() + unheard + named(innocent.back), holds: len(innocent.back) <= mostInnocentsBack}
}

// causeOf deals the causes out, so that half of the candidates are guilty.
func causeOf(seed uint64) cause {
	var of []cause
	for _, c := range causes {
		if c.guilty == (seed%2 == 1) {
			of = append(of, c)
		}
	}
	return of[(seed-1)/2%uint64(len(of))]
}

// blameScene is the world that a seed gives the blame.
func blameScene(seed uint64) (scene, error) {
	t := newTown("blame", seed)
	causeOf(seed).do(t)
	return t.scene("blame")
}

// blameTrial plays one release into one trouble.
func blameTrial(seed uint64, by course) (judged, error) {
	s, err := blameScene(seed)
	if err != nil {
		return judged{}, err
	}
	p, err := pilot.Open(s.world, by.plans(s)...)
	if err != nil {
		return judged{}, err
	}
	j, back := judged{seed: seed, cause: causeOf(seed)}, false
	p.Watch = func(_ *pilot.Rollout, _ rollout.Input, d rollout.Decision) {
		if !j.back && slices.Contains(d.Progress.Latched, d.Progress.Candidate) {
			j.back, j.unheard = true, lastRole(d) == ""
		}
		if !back { // on the way back nobody asks any more whose it is
			j.told = cmp.Or(lastRole(d), j.told)
		}
		back = d.Progress.Phase == rollout.RollingBack
	}
	if err := p.AdvanceTo(p.World().Start().Add(releaseAt + length)); err != nil {
		return judged{}, err
	}
	least, fell := lowered(p.Rollouts()[0])
	j.lowered, j.spared = !j.back && fell, !j.back && fell && least == 0
	release := firstRelease(p.World())
	j.done = release.Took() > 0
	lasted := 0
	for _, m := range minutes(p.World(), release) {
		if m.weight > 0 && (m.dropped > 0 || m.without > 0) {
			lasted++
		}
	}
	j.troubled = lasted >= leastTrouble
	return j, nil
}

// plans are those of a scene, with the checks of a course.
func (c course) plans(s scene) []rollout.Plan {
	plans := s.plans()
	for _, plan := range plans {
		for i, guard := range plan.Guards {
			if guard.Name == "errors" && c == blameAlone {
				plan.Guards[i].Mode = rollout.Shadow
			}
		}
	}
	return plans
}

// lowered tells whether the candidate ever had less traffic than before, and the least
// that it then had.
func lowered(r *pilot.Rollout) (least int64, fell bool) {
	before := int64(0)
	for _, s := range r.States {
		if s.Weight < before && s.Phase != rollout.Completed {
			if !fell || s.Weight < least {
				least = s.Weight
			}
			fell = true
		}
		before = s.Weight
	}
	return least, fell
}

// lastRole is what a decision says that the candidate is to a gateway's trouble.
func lastRole(d rollout.Decision) nat.Role {
	for _, c := range d.Checks {
		if c.Blame.Role != "" {
			return c.Blame.Role
		}
	}
	return ""
}

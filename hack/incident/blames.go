package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/pilot"
)

// The targets of blame: no innocent candidate is rolled back, and of the guilty ones
// so many are rolled back or lowered.
const (
	mostInnocentsBack = 0
	leastGuiltyBack   = 0.95
)

// cause is why a gateway gets into trouble: what is done to a town.
type cause struct {
	what   string
	guilty bool // the candidate causes it
	do     func(*town)
}

// causes are what troubles a gateway while a release is under way.
var causes = []cause{
	{"the candidate keeps no connections", true, func(t *town) {
		t.few()
		t.candidate(func(b *simulator.Behaviour) { b.Calls = calls(6) })
	}},
	{"the candidate calls more for each request", true, func(t *town) {
		t.few()
		t.every(func(b *simulator.Behaviour) { b.Calls = calls(0.05) })
		t.candidate(func(b *simulator.Behaviour) { b.Calls = calls(5) })
	}},
	{"the candidate opens larger pools", true, func(t *town) {
		t.few()
		t.candidate(func(b *simulator.Behaviour) {
			b.Startup.Calls = []simulator.StartupCall{{
				Outgoing: simulator.Outgoing{To: "database", KeepAlive: true, Timeout: patient, Retries: 1000}, Connections: 400,
			}}
		})
	}},
	{"the candidate needs more instances", true, func(t *town) {
		t.tight(5)
		t.candidate(func(b *simulator.Behaviour) { b.Latency *= 4 })
	}},
	{"another service's burst", false, func(t *town) {
		t.tight(6)
		t.add("stranger", 5)
		stranger := &t.sc.Services[len(t.sc.Services)-1]
		t.burst(&stranger.Users, 10)
	}},
	{"another service's connections", false, func(t *town) {
		t.few()
		t.add("stranger", 4)
		stranger := &t.sc.Services[len(t.sc.Services)-1]
		b := stranger.Images[oldImage]
		b.Calls = calls(0.05)
		stranger.Images[oldImage] = b
		t.burst(&stranger.Users, 40)
	}},
	{"the old system's surge", false, func(t *town) {
		t.few()
		m := &t.sc.Network.Machines[0]
		m.Calls = calls(0.1)
		t.burst(&m.Users, 60)
	}},
}

// calls are calls of the database, each by a connection of its own.
func calls(perRequest float64) []simulator.Outgoing {
	return []simulator.Outgoing{{To: "database", PerRequest: &perRequest, Timeout: patient}}
}

// few gives every endpoint 64 ports for the database; the gateway itself has room.
func (t *town) few() {
	t.sc.Gateways[0].PortsPerEndpoint = 64
	t.sc.Network.Destinations[0].Addresses = 1
	t.roomFor(2 * (2*t.endpoints + 4*endpointsPerInstance*t.instances))
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
	cause    cause
	troubled bool // while the candidate had traffic, for long enough to act on
	back     bool // the candidate was rolled back
	failing  bool // because its own users failed, and not for what the gateway did
	lowered  bool // it had less traffic for a while, or for good
	done     bool // it got all traffic
	told     nat.Role
}

// tellBlame measures whom Sluice blames.
func tellBlame(out io.Writer, o options) (verdict, error) {
	t, claims, err := playBlame(o.trials)
	if err != nil {
		return verdict{}, err
	}
	t.write(out)
	_, _ = fmt.Fprintln(out)
	return tellClaims(out, claims), nil
}

// counts sums up releases.
type counts struct{ played, troubled, back, failing, lowered, unknown, done int }

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
	case j.back && j.failing:
		c.failing++
	case j.back:
		c.back++
	case j.lowered:
		c.lowered++
	}
	if j.told == nat.Unknown {
		c.unknown++
	}
}

func playBlame(trials int) (table, []claim, error) {
	all, err := playAll(trials, func(i int) (judged, error) { return blameTrial(uint64(i)+1, causeOf(i)) }) //nolint:gosec // not negative
	if err != nil {
		return table{}, nil, err
	}
	t := table{
		title: fmt.Sprintf("Whom Sluice blames for a gateway's trouble, %d releases in seeded worlds.\n"+
			"Troubled: packets were dropped or endpoints had no ports while the candidate had traffic; with a guilty one\n"+
			"until it was taken back, or for %d minutes, by which something has to be done. Unknown: its last word.", trials, actedOnAfter),
		header: []string{"CAUSE", "CANDIDATE", "RELEASES", "TROUBLED", "ROLLED BACK", "FOR ITS OWN 5XX", "LOWERED", "UNKNOWN", "100% REACHED"},
	}
	sums := map[bool]*counts{true: {}, false: {}}
	for _, c := range causes {
		var own counts
		for _, j := range all {
			if j.cause.what == c.what {
				own.add(j)
				sums[c.guilty].add(j)
			}
		}
		t.row(append([]string{c.what, map[bool]string{true: "guilty", false: "innocent"}[c.guilty]}, own.cells()...)...)
	}
	return t, claimsOfBlame(*sums[true], *sums[false]), nil
}

func (c counts) cells() []string {
	var cells []string
	for _, n := range []int{c.played, c.troubled, c.back, c.failing, c.lowered, c.unknown, c.done} {
		cells = append(cells, strconv.Itoa(n))
	}
	return cells
}

func claimsOfBlame(guilty, innocent counts) []claim {
	return []claim{
		{
			text: "no innocent candidate is rolled back for what a gateway does",
			found: fmt.Sprintf("%d of %d in trouble; %d went back because their own users failed",
				innocent.back, innocent.troubled, innocent.failing),
			holds: innocent.back <= mostInnocentsBack,
		},
		{
			text:  fmt.Sprintf("at least %.0f%% of the guilty ones are rolled back or lowered", 100*leastGuiltyBack),
			found: fmt.Sprintf("%d and %d of %d in trouble", guilty.back+guilty.failing, guilty.lowered, guilty.troubled),
			holds: float64(guilty.back+guilty.failing+guilty.lowered) >= leastGuiltyBack*float64(guilty.troubled),
		},
	}
}

// causeOf deals the causes out, so that half of the candidates are guilty.
func causeOf(i int) cause {
	var of []cause
	for _, c := range causes {
		if c.guilty == (i%2 == 0) {
			of = append(of, c)
		}
	}
	return of[i/2%len(of)]
}

// blameTrial plays one release into one trouble.
func blameTrial(seed uint64, why cause) (judged, error) {
	t := newTown("blame", seed)
	why.do(t)
	s, err := t.scene("blame")
	if err != nil {
		return judged{}, err
	}
	p, err := pilot.Open(s.world, s.plans()...)
	if err != nil {
		return judged{}, err
	}
	j := judged{cause: why}
	p.Watch = func(_ *pilot.Rollout, _ rollout.Input, d rollout.Decision) { j.told = cmp.Or(lastRole(d), j.told) }
	if err := p.AdvanceTo(p.World().Start().Add(releaseAt + length)); err != nil {
		return judged{}, err
	}
	j.back, j.failing, j.lowered = takenBack(p.Rollouts()[0])
	release := firstRelease(p.World())
	j.done = release.Took() > 0
	lasted := 0
	for _, m := range minutes(p.World(), release) {
		if m.weight > 0 && (m.dropped > 0 || m.without > 0) {
			lasted++
		}
	}
	j.troubled = lasted >= actedOnAfter || (j.back || j.lowered) && lasted > 0 || !why.guilty && lasted > 1
	return j, nil
}

// actedOnAfter is how many minutes of trouble must lead to something: two that are
// bad, five for which a hold may last, and five until they are known.
const actedOnAfter = 12

// takenBack tells whether the candidate was rolled back, whether because its own
// users failed, and whether it ever had less than before.
func takenBack(r *pilot.Rollout) (back, failing, lowered bool) {
	before := int64(0)
	for _, s := range r.States {
		if !back && (s.Phase == rollout.RollingBack || s.Phase == rollout.RolledBack) {
			back, failing = true, strings.HasPrefix(s.Note, "errors: ")
		}
		lowered = lowered || s.Weight < before && s.Phase != rollout.Completed
		before = s.Weight
	}
	return back, failing, lowered
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

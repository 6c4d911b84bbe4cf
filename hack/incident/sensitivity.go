package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// dial is something that is turned step by step, in the direction in which the
// trouble must get shorter.
type dial struct {
	scene  string
	what   string
	values []string
	turn   func(*simulator.Scenario, int)
	// lasts is how many minutes the trouble lasts at each value, about, where that is
	// what shows its cause; nil where the direction does.
	lasts []int
}

// closeTo is by how many minutes a trouble may miss how long it should last: that of the
// switch itself, and that in which the last instances end.
const closeTo = 2

func minutesOf(n int) simulator.Duration { return simulator.Duration(time.Duration(n) * time.Minute) }

// retentions are minutes for which idle instances are kept.
var retentions = []int{15, 10, 5, 1}

// dials is what the trouble depends on.
var dials = []dial{
	{"instance-ports", "ports for each endpoint", []string{"64", "128", "256", "512", "1,024"}, func(sc *simulator.Scenario, i int) {
		sc.Gateways[0].PortsPerEndpoint = 64 << i
	}, nil},
	{"instance-ports", "TIME_WAIT", []string{"120 s", "60 s", "30 s"}, func(sc *simulator.Scenario, i int) {
		sc.Gateways[0].TimeWait = simulator.Duration(120 * time.Second >> i)
	}, nil},
	{"instance-ports", "keep-alive", []string{"off", "on"}, func(sc *simulator.Scenario, i int) {
		for name, image := range sc.Services[0].Images {
			calls := append([]simulator.Outgoing(nil), image.Calls...)
			for k := range calls {
				calls[k].KeepAlive = i > 0
			}
			image.Calls = calls
			sc.Services[0].Images[name] = image
		}
		if i > 0 { // a kept connection must be kept by the other end as well
			sc.Network.Destinations[0].IdleTimeout = minutesOf(4)
		}
	}, nil},
	{"incident", "idle instances are kept", []string{"15 min", "10 min", "5 min", "1 min"}, func(sc *simulator.Scenario, i int) {
		sc.Timing.IdleRetention = minutesOf(retentions[i])
	}, retentions},
	{"addresses", "idle instances are kept", []string{"15 min", "10 min", "5 min"}, func(sc *simulator.Scenario, i int) {
		sc.Timing.IdleRetention = minutesOf(15 - 5*i)
	}, nil},
	{"addresses", "NAT addresses", []string{"1", "2"}, func(sc *simulator.Scenario, i int) {
		if i > 0 {
			secondAddress(sc)
		}
	}, nil},
	{"addresses", "the database", []string{"public", "private"}, func(sc *simulator.Scenario, i int) {
		if i > 0 {
			private("database")(sc)
		}
	}, nil},
}

// tellSensitivity turns every dial.
func tellSensitivity(out io.Writer, _ options) (verdict, error) {
	t, claims, err := playDials()
	if err != nil {
		return verdict{}, err
	}
	t.write(out)
	_, _ = fmt.Fprintln(out)
	held, err := playHeld()
	if err != nil {
		return verdict{}, err
	}
	return tellClaims(out, slices.Concat(claims, held)), nil
}

// held are the scenarios with all-traffic that are played where kept addresses hold their
// ports, beside the incident: those in which users notice next to nothing with Sluice.
var held = append([]string{"automatic-addresses", "own-url-loopback", "database-private", "minimum-of-revision"}, quiet...)

// playHeld plays scenarios where the addresses of instances that have ended keep their
// ports, which nobody knows of the real service.
func playHeld() ([]claim, error) {
	var all []scene
	for _, name := range append([]string{"incident"}, held...) {
		s, err := readScene(name)
		if err != nil {
			return nil, err
		}
		s.world.Switches.RetainedAddressPorts = "held"
		all = append(all, s)
	}
	pairs, err := playBoth(all)
	if err != nil {
		return nil, err
	}
	once, sluice := pairs["incident"].atOnce.figures(), pairs["incident"].stepwise.figures()
	claims := []claim{claimed(sluice.failed == 0 && sluice.dropped == 0 && sluice.without == 0 && sluice.took > 0 && once.failed > 0,
		"where kept addresses hold their ports as well, nothing is lost with Sluice in the incident",
		"%d failed after %s, instead of %d and %d minutes of trouble", sluice.failed, sluice.time(), once.failed, once.trouble)}
	for _, name := range held {
		c := pairs[name].loses(name + ": next to nothing is lost with Sluice there, and that not by the gateway")
		took := pairs[name].stepwise.figures()
		c.found += "; all traffic after " + took.time()
		claims = append(claims, c)
	}
	return claims, nil
}

func playDials() (table, []claim, error) {
	t := table{
		title:  "What the trouble at once depends on: minutes of trouble, and requests that failed",
		header: []string{"SCENARIO", "WHAT", "TROUBLE", "FAILED"},
	}
	var changes []change
	for _, d := range dials {
		for i := range d.values {
			changes = append(changes, change{d.scene, d.what, func(sc *simulator.Scenario) { d.turn(sc, i) }})
		}
	}
	runs, err := playAll(len(changes), func(i int) (run, error) { return changes[i].applied() })
	if err != nil {
		return t, nil, err
	}
	var claims []claim
	for _, d := range dials {
		minutes, failed, c := d.read(runs[:len(d.values)])
		t.row(d.scene, d.what, minutes, failed)
		claims = append(claims, c)
		if d.lasts != nil {
			claims = append(claims, d.follows(runs[:len(d.values)], minutes))
		}
		runs = runs[len(d.values):]
	}
	return t, claims, nil
}

// read writes what the positions of a dial came to. From each to the next the
// trouble must not get longer, and from the first to the last it must get shorter.
func (d dial) read(runs []run) (minutes, failed string, c claim) {
	var troubles, losses []string
	holds := true
	for i, r := range runs {
		f := r.figures()
		troubles = append(troubles, fmt.Sprintf("%s: %d min", d.values[i], f.trouble))
		losses = append(losses, thousands(f.failed))
		if i > 0 && f.trouble > runs[i-1].figures().trouble {
			holds = false
		}
	}
	first, last := runs[0].figures(), runs[len(runs)-1].figures()
	c = claim{
		text:  fmt.Sprintf("%s from %s to %s shortens the trouble", d.what, d.values[0], d.values[len(d.values)-1]),
		found: fmt.Sprintf("from %d to %d minutes", first.trouble, last.trouble),
		holds: holds && last.trouble < first.trouble && last.failed < first.failed,
	}
	return strings.Join(troubles, ", "), strings.Join(losses, ", "), c
}

// follows claims that the trouble lasts as long as what it is put down to.
func (d dial) follows(runs []run, minutes string) claim {
	holds := true
	for i, r := range runs {
		off := r.figures().trouble - d.lasts[i]
		holds = holds && off >= -closeTo && off <= closeTo
	}
	return claimed(holds, d.scene+": it lasts as long as "+d.what, "%s", minutes)
}

package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// change is one thing that is done differently in a scene.
type change struct {
	scene string
	what  string
	to    func(*simulator.Scenario)
}

// aftermath is how long a switch at once is watched where only its trouble counts.
const aftermath = 50 * time.Minute

// applied is a scene with a change, as it is played at once.
func (c change) applied() (run, error) {
	s, err := readScene(c.scene)
	if err != nil {
		return run{}, err
	}
	if c.to != nil {
		c.to(&s.world)
	}
	s.length = aftermath
	return s.play(atOnce)
}

// cures each mend what happens by themselves, all but vain.
var cures = []change{
	{"incident", "as it was", nil},
	{"incident", "a second NAT address", secondAddress},
	{"incident", "256 ports for each endpoint in place of 512", perEndpoint(256)},
	{"incident", "private-ranges-only for the front end", func(sc *simulator.Scenario) {
		for i := range sc.Services[0].Revisions {
			sc.Services[0].Revisions[i].VPCAccess.Egress = "PRIVATE_RANGES_ONLY"
		}
	}},
	{"incident", "Private Google Access, payments by a private address", func(sc *simulator.Scenario) {
		for i := range sc.Network.Subnetworks {
			sc.Network.Subnetworks[i].PrivateGoogleAccess = true
		}
		private("payments")(sc)
	}},
	vain,
	{"database-public", "the database by its public address", nil},
	{"database-public", "the database by a private address", private("database")},
	{"own-url-all-traffic", "its own public URL", nil},
	{"own-url-all-traffic", "127.0.0.1", func(sc *simulator.Scenario) {
		for name, image := range sc.Services[0].Images {
			image.Calls = slices.Clone(image.Calls)
			image.Calls[0].To = "loopback"
			sc.Services[0].Images[name] = image
		}
	}},
}

// vain mends next to nothing where it is not the database's connections that run short:
// new instances of the front end find no ports at all.
var vain = change{"incident", "the database by a private address, where it is not what runs short", private("database")}

// secondAddress gives the first gateway one more.
func secondAddress(sc *simulator.Scenario) {
	sc.Gateways[0].IPs = append(slices.Clip(sc.Gateways[0].IPs), "203.0.113.99")
}

// perEndpoint sets the number of ports of each endpoint.
func perEndpoint(ports int) func(*simulator.Scenario) {
	return func(sc *simulator.Scenario) { sc.Gateways[0].PortsPerEndpoint = ports }
}

// private gives a destination a private address.
func private(destination string) func(*simulator.Scenario) {
	return func(sc *simulator.Scenario) {
		for i := range sc.Network.Destinations {
			if sc.Network.Destinations[i].Name == destination {
				sc.Network.Destinations[i].Path = "private"
			}
		}
	}
}

// tellCures plays what each cure alone makes of the switch at once.
func tellCures(out io.Writer, _ options) (verdict, error) {
	t, claims, err := playCures()
	if err != nil {
		return verdict{}, err
	}
	t.write(out)
	_, _ = fmt.Fprintln(out)
	warm, err := playWarm()
	if err != nil {
		return verdict{}, err
	}
	return tellClaims(out, append(claims, warm)), nil
}

// whole is the minimum of instances that carries the traffic of instance-ports.
const whole = 12

// playWarm plays with Sluice where minimum instances do help: what each instance opens as it
// starts fills its ports for two minutes, and with a warm-up that is before its first users.
func playWarm() (claim, error) {
	s, err := readScene("instance-ports")
	if err != nil {
		return claim{}, err
	}
	warm := s
	warm.warmup = 10 * time.Minute
	warm.world.Services = slices.Clone(s.world.Services)
	of := &warm.world.Services[0]
	of.Revisions = slices.Clone(of.Revisions)
	for i, r := range of.Revisions {
		scaling := *r.Scaling
		scaling.MinInstanceCount = whole
		of.Revisions[i].Scaling = &scaling
	}
	runs, err := playAll(2, func(i int) (run, error) { return []scene{s, warm}[i].play(stepwise) })
	if err != nil {
		return claim{}, err
	}
	cold, f := runs[0].figures(), runs[1].figures()
	return claimed(f.took > 0 && f.trouble == 0 && f.percent() < mostLost && cold.took == 0,
		"where each instance fills its ports as it starts, a minimum that carries the traffic and a warm-up let the release through",
		"%d failed, %d minutes of trouble, all traffic after %s, instead of %d, %d and %s",
		f.failed, f.trouble, f.time(), cold.failed, cold.trouble, runs[0].ending()), nil
}

func playCures() (table, []claim, error) {
	t := table{
		title:  "What each cure alone makes of the switch at once",
		header: []string{"SCENARIO", "CURE", "FAILED", "TROUBLE", "ENDPOINTS", "WITHOUT"},
	}
	runs, err := playAll(len(cures), func(i int) (run, error) { return cures[i].applied() })
	var claims []claim
	for i, c := range cures {
		if err != nil {
			break
		}
		f := runs[i].figures()
		t.row(c.scene, c.what, f.losses(), fmt.Sprintf("%d min", f.trouble), strconv.Itoa(f.endpoints), strconv.Itoa(f.without))
		if c.to == nil {
			continue
		}
		without := runs[uncured(c.scene)]
		if c.what == vain.what {
			as := without.figures()
			claims = append(claims, claimed(f.failed < as.failed && f.trouble == as.trouble, c.what+", lowers it by little and does not shorten it",
				"%d failed instead of %d, %d minutes of trouble instead of %d", f.failed, as.failed, f.trouble, as.trouble))
			continue
		}
		claims = append(claims, lower(c.what+" alone lowers it", runs[i], without))
	}
	return t, claims, err
}

// uncured is where the scene of a cure stands without one.
func uncured(name string) int {
	for i, c := range cures {
		if c.scene == name && c.to == nil {
			return i
		}
	}
	return 0
}

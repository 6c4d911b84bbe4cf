// Command incident plays the incident that Sluice was made for in the simulated
// world, and what mends it: each scenario with the switch at once that most teams
// make and with Sluice, from the same seed. It measures how well Sluice forecasts,
// whom it blames, and how releases share a gateway.
//
// Nothing in a scenario names an outcome, and the same seed gives the same tables.
// It fails when a promise is broken.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

type options struct {
	only   string
	parts  string
	images string
	worlds int
	seeds
}

// seeds are those of the worlds of a measurement: so many from one on.
type seeds struct {
	from   uint64
	trials int
}

// part is one of what is played, by the name that -parts knows it by.
type part struct {
	name string
	tell func(io.Writer, options) (verdict, error)
}

var parts = []part{
	{"scenarios", tellScenarios},
	{"cures", tellCures},
	{"sensitivity", tellSensitivity},
	{"forecast", tellForecasts},
	{"blame", tellBlame},
	{"sharing", tellSharing},
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "play this scenario alone, or the seeded world blame/N or forecast/N, and show it minute by minute")
	flag.StringVar(&o.parts, "parts", "", "play these alone, separated by commas: "+strings.Join(partNames(), ", "))
	flag.StringVar(&o.images, "images", "", "directory that the pictures are written to")
	flag.IntVar(&o.trials, "trials", 500, "seeded worlds for each measurement")
	flag.Uint64Var(&o.from, "from", 1, "first seed of these worlds")
	flag.IntVar(&o.worlds, "worlds", 5, "worlds of each scenario that its promises are held to, by seeds from the scenario's own on")
	flag.Parse()

	debug.SetGCPercent(400) // worlds are many, and short-lived
	if err := report(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "incident:", err)
		os.Exit(1)
	}
}

func report(o options, out io.Writer) error {
	if o.only != "" {
		return showMinutes(out, o.only)
	}
	if o.from == 0 {
		return errors.New("-from: seeds begin with 1")
	}
	chosen, err := chosenParts(o.parts)
	if err != nil {
		return err
	}
	sum := verdict{}
	for _, p := range chosen {
		v, err := p.tell(out, o)
		if err != nil {
			return err
		}
		sum = sum.plus(v)
	}
	_, _ = fmt.Fprintf(out, "\n%d promises kept, %d broken.\n", sum.kept, sum.broken)
	if sum.broken > 0 {
		return fmt.Errorf("%d promises are broken", sum.broken)
	}
	return nil
}

func partNames() []string {
	names := make([]string, 0, len(parts))
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// chosenParts are those that a list names, in the order in which they are played;
// all of them for an empty one.
func chosenParts(list string) ([]part, error) {
	if list == "" {
		return parts, nil
	}
	named := strings.Split(list, ",")
	for _, name := range named {
		if !slices.Contains(partNames(), name) {
			return nil, fmt.Errorf("-parts: no part is called %q; write some of %s", name, strings.Join(partNames(), ","))
		}
	}
	return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !slices.Contains(named, p.name) }), nil
}

// tellScenarios plays every scenario both ways, in worlds of several seeds. The table and the
// pictures are of the first.
func tellScenarios(out io.Writer, o options) (verdict, error) {
	all, err := scenes()
	if err != nil {
		return verdict{}, err
	}
	worlds, err := playWorlds(all, o.worlds)
	if err != nil {
		return verdict{}, err
	}
	writeScenarios(out, worlds[0])
	if o.images != "" {
		if err := draw(o.images, worlds[0]["incident"]); err != nil {
			return verdict{}, err
		}
	}
	_, _ = fmt.Fprintln(out)
	var sum verdict
	for i, pairs := range worlds {
		if i > 0 {
			_, _ = fmt.Fprintf(out, "\nThe same in worlds of the scenarios' seeds + %d:\n\n", i)
		}
		sum = sum.plus(tellClaims(out, claimsOf(pairs)))
	}
	return sum, nil
}

// draw writes the pictures of the incident.
func draw(directory string, p pair) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("writing pictures: %w", err)
	}
	for name, text := range picturesOf(p) {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing pictures: %w", err)
		}
	}
	return nil
}

// Command incident plays the incident that Sluice was made for in the simulated
// world, and what mends it: each scenario with the switch at once that most teams
// make and with Sluice, from the same seed. It measures how well Sluice forecasts,
// whom it blames, and how releases share a gateway.
//
// Nothing in a scenario names an outcome, and the same seed gives the same tables.
// It fails when a promise is broken.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
)

type options struct {
	only   string
	images string
	trials int
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "play this scenario alone, and show it minute by minute")
	flag.StringVar(&o.images, "images", "", "directory that the pictures are written to")
	flag.IntVar(&o.trials, "trials", 500, "seeded worlds for each measurement")
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
	sum := verdict{}
	for _, section := range []func(io.Writer, options) (verdict, error){
		tellScenarios, tellCures, tellSensitivity, tellForecasts, tellBlame, tellSharing,
	} {
		v, err := section(out, o)
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

// tellScenarios plays every scenario both ways.
func tellScenarios(out io.Writer, o options) (verdict, error) {
	all, err := scenes()
	if err != nil {
		return verdict{}, err
	}
	pairs, err := playBoth(all)
	if err != nil {
		return verdict{}, err
	}
	writeScenarios(out, pairs)
	if o.images != "" {
		if err := draw(o.images, pairs["incident"]); err != nil {
			return verdict{}, err
		}
	}
	_, _ = fmt.Fprintln(out)
	return tellClaims(out, claimsOf(pairs)), nil
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

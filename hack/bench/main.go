// Command bench measures the judgement: how often a good candidate is rolled
// back, how often a bad one is promoted, and how soon. It drives the real core,
// rollout.Decide with the real rules, through whole rollouts in worlds of told
// minutes, and puts beside it models of how other tools judge. It fails when a
// target is missed.
//
// The same seed gives the same tables.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

type options struct {
	seed     uint64
	quick    bool
	document string
}

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 1, "seed of all chance")
	flag.BoolVar(&o.quick, "quick", false, "play a fiftieth of the trials, which tells little")
	flag.StringVar(&o.document, "write", "", "document whose blocks of figures are written anew")
	flag.Parse()

	debug.SetGCPercent(800) // trials are short-lived and small
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// quickly is the part of the trials that a quick run plays.
const quickly = 50

func run(ctx context.Context, o options) error {
	part, lasts := 1, "about ten minutes on two idle cores"
	if o.quick {
		part, lasts = quickly, "about 20 seconds"
	}
	fmt.Fprintf(os.Stderr, "playing rollouts, %s\n", lasts)
	report, err := newBench(o.seed, part, os.Stderr).report(ctx)
	if err != nil {
		return err
	}
	fmt.Println(report.text)

	fmt.Fprintln(os.Stderr, "asking what asking costs: BenchmarkAnswer in internal/monitoring; compiling it may take a minute")
	output, err := askCost(ctx)
	if err != nil {
		return err
	}
	fmt.Println(output)
	if o.document != "" {
		blocks := map[string]string{figures: report.text}
		if t, ok := costTable(output); ok {
			blocks[costs] = t.String()
		}
		if err := write(o.document, blocks); err != nil {
			return err
		}
	}
	if len(report.missed) > 0 {
		return fmt.Errorf("%d of %d targets missed:\n  %s", len(report.missed), report.checked, strings.Join(report.missed, "\n  "))
	}
	fmt.Printf("%d targets checked, all met.\n", report.checked)
	return nil
}

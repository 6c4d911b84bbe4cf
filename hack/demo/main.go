// Command demo plays rollouts against a simulated cloud: a real kube-apiserver
// and etcd, the ordinary manager binary with public flags, and a world that
// speaks Cloud Run's and Cloud Monitoring's wire protocols.
//
// With -headless it asserts what it sees, prints a table made from the world's
// own log, and fails when a promise is broken. Without, it leaves everything
// running to play with.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	headless := flag.Bool("headless", false, "assert, print the table and stop")
	speed := flag.Float64("speed", 120, "how much faster than real time the story passes")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrl.SetLogger(logr.Discard()) // the control plane's helper would log through it
	err := play(ctx, options{headless: *headless, speed: *speed})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

type options struct {
	headless bool
	speed    float64
}

// play sets the stage, plays the acts, and tells what came of them.
func play(ctx context.Context, o options) error {
	s, err := setUp(ctx, o.speed)
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return err
	}
	began := time.Now()
	results, err := s.acts(ctx)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, s.whatWasSaid())
	}
	printTable(os.Stdout, results)
	fmt.Printf("\nPlayed in %.0f s of real time at %.0fx.\n", time.Since(began).Seconds(), o.speed)

	log, err := s.world.log(ctx)
	if err != nil {
		return err
	}
	checked, broken := s.brokenPromises(results)
	verdict, violations := judged(log)
	fmt.Println(verdict)
	broken = append(broken, violations...)
	for _, b := range broken {
		fmt.Println("BROKEN:", b)
	}
	if len(broken) > 0 {
		return fmt.Errorf("%d promises broken\nwhat was asked for and what served:\n%s%s\n%s",
			len(broken), history(log), s.watch.last, s.whatWasSaid())
	}
	fmt.Printf("%d promises checked, all kept.\n", checked)
	if o.headless {
		return nil
	}
	return s.leaveRunning(ctx)
}

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
	"slices"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	headless := flag.Bool("headless", false, "assert, print the table and stop")
	speed := flag.Float64("speed", 120, "how much faster than real time the story passes")
	incident := flag.Float64("incident-speed", 120, "the same for its first act, the incident")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrl.SetLogger(logr.Discard()) // the control plane's helper would log through it
	err := play(ctx, options{headless: *headless, speed: *speed, incident: *incident})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

type options struct {
	headless        bool
	speed, incident float64
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
	first, err := s.playIncident(ctx, o.incident)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, s.whatWasSaid())
	}
	checked, broken := first.tell(os.Stdout)
	fmt.Printf("\nPlayed in %.0f s of real time.\n", time.Since(began).Seconds())
	if err := s.playStory(ctx, checked, broken, endings[o.headless]); err != nil || o.headless {
		return err
	}
	return s.leaveRunning(ctx)
}

// endings are what follows the acts: where nobody is there to try it, the end is played.
var endings = map[bool]func(*stage, context.Context) (int, []string, error){
	true: (*stage).playEnd, false: func(*stage, context.Context) (int, []string, error) { return 0, nil, nil },
}

// playStory plays the acts after the first one, and tells what came of all.
func (s *stage) playStory(ctx context.Context, checked int, broken []string, end func(*stage, context.Context) (int, []string, error)) error {
	began := time.Now()
	if err := s.openStory(ctx); err != nil {
		return err
	}
	results, err := s.acts(ctx)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, s.whatWasSaid())
	}
	printTable(os.Stdout, results)
	fmt.Printf("\nPlayed in %.0f s of real time at %.0fx.\n", time.Since(began).Seconds(), s.speed)

	log, err := s.world.log(ctx)
	if err != nil {
		return err
	}
	looked, missed := s.brokenPromises(results[:len(story)])
	keeps, unkept, err := s.keptPromises(ctx, results[len(story):], log)
	if err != nil {
		return err
	}
	verdict, violations := judged(log)
	fmt.Println(verdict)
	tried, failed, err := end(s, ctx)
	if err != nil {
		return err
	}
	watched, silent, err := s.scraper.promises(ctx, unanswered(tried))
	if err != nil {
		return err
	}
	broken = slices.Concat(broken, missed, unkept, violations, failed, silent)
	for _, b := range broken {
		fmt.Println("BROKEN:", b)
	}
	if len(broken) > 0 {
		return fmt.Errorf("%d promises broken\nwhat was asked for and what served:\n%s%s\n%s",
			len(broken), history(log), s.watch.last, s.whatWasSaid())
	}
	fmt.Printf("%d promises checked, all kept.\n", checked+looked+keeps+tried+watched)
	return nil
}

// Command crowd measures how long a bad release takes to go back while thousands of
// other rollouts want the manager's attention, and while the APIs answer part of the
// calls with 429.
//
// The manager is its own binary with its ordinary limits, the kube-apiserver is
// real, the cloud is the simulated one. What is measured is taken from the world's
// log: from when the errors of the candidate could be seen in the metrics until
// stable serves everything again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/sluice-rollouts/sluice/test/controlplane"
	"github.com/sluice-rollouts/sluice/test/manager"
)

type options struct {
	others, bad, projects, storm int
	speed                        float64
}

func main() {
	var o options
	flag.IntVar(&o.others, "others", 2000, "rollouts that are under way beside the bad ones")
	flag.IntVar(&o.bad, "bad", 20, "rollouts whose release fails a tenth of its requests")
	flag.IntVar(&o.projects, "projects", 20, "projects that the services are spread over")
	flag.IntVar(&o.storm, "storm", 50, "percent of the calls that are refused with 429 in the storm")
	flag.Float64Var(&o.speed, "speed", 2, "how much faster than real time the world lives; the manager's own work does not get faster")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctrl.SetLogger(logr.Discard())
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.bad < 1 || o.projects < 1 || o.others < 0 || o.storm < 0 || o.storm > 99 || o.speed <= 0 {
		return errors.New("write at least one -bad and one of the -projects, no negative -others, a -storm of 0 to 99 and a -speed above 0")
	}
	dir, err := os.MkdirTemp("", "sluice-crowd-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fmt.Println("compiling the manager, starting kube-apiserver and etcd")
	binary, err := manager.Build(ctx, dir)
	if err != nil {
		return err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{Progress: os.Stdout})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, plane.Kubeconfig, 0o600); err != nil {
		return err
	}
	var results []result
	for i, p := range plays(o) {
		fmt.Printf("%s\n", p)
		p.number, p.binary, p.kubeconfig, p.config = i, binary, kubeconfig, plane.Config
		r, err := p.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		results = append(results, r)
		if err := printTable(os.Stdout, results); err != nil { // what is measured is not lost with the next one
			return err
		}
	}
	return nil
}

// plays are what is measured: nobody else, a crowd, and a crowd in a storm.
func plays(o options) []play {
	alone := play{bad: o.bad, projects: o.projects, speed: o.speed}
	crowd := alone
	crowd.others = o.others
	storm := crowd
	storm.refused = o.storm
	return []play{alone, crowd, storm}
}

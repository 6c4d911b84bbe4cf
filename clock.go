package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"time"

	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	told "github.com/sluice-rollouts/sluice/internal/simulator/clock"
)

// clockFlag is --simulated-clock, for the demo and for tests: it is left out of
// the help, and refused unless every endpoint is on this machine, because a
// manager that lives in another time must never meet a real service.
type clockFlag struct{ url string }

func (f *clockFlag) bind(flags *flag.FlagSet) {
	const name = "simulated-clock"
	flags.StringVar(&f.url, name, "", "take the time from a simulated world; every endpoint must be on this machine")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(flags.Output(), "sluice: progressive rollouts for Cloud Run. Flags:")
		shown := flag.NewFlagSet("", flag.ContinueOnError)
		shown.SetOutput(flags.Output())
		flags.VisitAll(func(each *flag.Flag) {
			if each.Name != name {
				shown.Var(each.Value, each.Name, each.Usage)
			}
		})
		shown.PrintDefaults()
	}
}

// open returns the clock that the core lives by, and how much faster than real
// time it runs.
func (f clockFlag) open(ctx context.Context, endpoints ...string) (clock.PassiveClock, func() float64, error) {
	if f.url == "" {
		return clock.RealClock{}, func() float64 { return 1 }, nil
	}
	for _, endpoint := range append(endpoints, f.url) {
		if !onThisMachine(endpoint) {
			return nil, nil, errors.New("--simulated-clock: --cloud-run-endpoint, --monitoring-endpoint, --compute-endpoint and --vpc-access-endpoint must all be http addresses on this machine")
		}
	}
	c, err := told.Dial(ctx, f.url)
	if err != nil {
		return nil, nil, fmt.Errorf("--simulated-clock: %w", err)
	}
	return c, c.Speed, nil
}

func onThisMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// paced shortens the time until the next look by the speed of the clock. Leases,
// watches and deadlines of calls stay real.
type paced struct {
	reconcile.Reconciler
	speed func() float64
}

// Reconcile runs the inner reconciler.
func (p paced) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	result, err := p.Reconciler.Reconcile(ctx, req)
	if speed := p.speed(); speed > 1 && result.RequeueAfter > 0 {
		result.RequeueAfter = max(time.Duration(float64(result.RequeueAfter)/speed), time.Millisecond)
	}
	return result, err
}

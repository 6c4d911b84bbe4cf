// Command cloudrun-simulator serves a simulated world: the Cloud Run Admin API
// v2, Cloud Monitoring, the Compute API as far as it tells of Cloud NAT, Serverless
// VPC Access as far as it tells of connectors, and an endpoint to direct it. docs/simulator.md tells what it does and how to write a
// scenario.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

// back is how long before real time a simulated story begins, so that what
// kubectl calls an age stays positive however fast time passes.
const back = 7 * 24 * time.Hour

// heartbeat keeps the world close to real time while nobody asks.
const heartbeat = 200 * time.Millisecond

type options struct {
	scenario, cloudRun, monitoring, compute, vpcAccess, iam, control string
	speed                                                            float64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cloudrun-simulator:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("cloudrun-simulator", flag.ContinueOnError)
	flags.StringVar(&o.scenario, "scenario", "", "YAML file that describes the world (required)")
	flags.Float64Var(&o.speed, "speed", 1, "how much faster than real time simulated time passes; 0: only when told")
	flags.StringVar(&o.cloudRun, "cloud-run-listen", "127.0.0.1:8081", "address of the Cloud Run Admin API v2")
	flags.StringVar(&o.monitoring, "monitoring-listen", "127.0.0.1:8082", "address of Cloud Monitoring (gRPC, and PromQL over HTTP, without TLS)")
	flags.StringVar(&o.compute, "compute-listen", "127.0.0.1:8084", "address of the Compute API v1, of which routers and their NATs are there")
	flags.StringVar(&o.vpcAccess, "vpc-access-listen", "127.0.0.1:8085", "address of Serverless VPC Access v1, of which connectors are there")
	flags.StringVar(&o.iam, "iam-credentials-listen", "127.0.0.1:8086", "address of IAM Service Account Credentials v1, of which access tokens are there")
	flags.StringVar(&o.control, "control-listen", "127.0.0.1:8083", "address of the control endpoint")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case o.scenario == "":
		return o, errors.New("--scenario is required")
	case o.speed < 0:
		return o, errors.New("--speed is negative")
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

// open reads the scenario. One that names no start begins seven days back.
func open(path string, now time.Time) (*simulator.World, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the file is what the user names
	if err != nil {
		return nil, err
	}
	sc, err := simulator.ParseScenario(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !sc.Dated {
		sc.Start = now.Add(-back)
	}
	return simulator.New(sc)
}

// run serves until the context ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	wall := clock.RealClock{}
	world, err := open(o.scenario, wall.Now())
	if err != nil {
		return err
	}
	guard := wire.NewGuard(world, wall)
	guard.SetSpeed(o.speed)
	return serve(ctx, o, guard, out)
}

func serve(ctx context.Context, o options, guard *wire.Guard, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 6)
	for _, skin := range []struct {
		name, address string
		handler       http.Handler
	}{
		{"Cloud Run", o.cloudRun, wire.CloudRun(guard)},
		{"Compute", o.compute, wire.Compute(guard)},
		{"VPC Access", o.vpcAccess, wire.VPCAccess(guard)},
		{"IAM Credentials", o.iam, wire.IAMCredentials(guard)},
		{"control", o.control, wire.Control(guard)},
	} {
		listener, err := listen(ctx, skin.address)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "%s: http://%s\n", skin.name, listener.Addr())
		server := &http.Server{Handler: skin.handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { failed <- server.Serve(listener) }()
		defer func() { _ = server.Close() }()
	}
	listener, err := listen(ctx, o.monitoring)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "Monitoring: %s (gRPC, and PromQL over HTTP)\n", listener.Addr())
	server := wire.MonitoringServer(guard)
	go func() { failed <- server.Serve(listener) }()
	defer func() { _ = server.Close() }()

	now, speed := guard.Now()
	_, _ = fmt.Fprintf(out, "Simulated time: %s, passing %v times as fast as real time\n", now.Format(time.RFC3339), speed)
	return beat(ctx, guard, failed)
}

// beat lets the world live until the context ends or a server fails.
func beat(ctx context.Context, guard *wire.Guard, failed <-chan error) error {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-ticker.C:
			guard.Do(func(*simulator.World) {})
		}
	}
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", address)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

// storm refuses a part of all calls.
type storm struct {
	mu      sync.Mutex
	dice    *rand.Rand
	percent atomic.Int64

	passed, refused atomic.Int64
}

// begin refuses so many percent from now on, and counts anew.
func (s *storm) begin(percent int) {
	s.passed.Store(0)
	s.percent.Store(int64(percent))
}

func (s *storm) hits() bool {
	s.mu.Lock()
	hit := s.dice.Int64N(100) < s.percent.Load()
	s.mu.Unlock()
	if hit {
		s.refused.Add(1)
	} else {
		s.passed.Add(1)
	}
	return hit
}

// over refuses calls of Cloud Run in the form that its API has.
func (s *storm) over(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.hits() {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"Quota exceeded"}}`))
	})
}

// intercept refuses calls of Cloud Monitoring.
func (s *storm) intercept(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if s.hits() {
		return nil, status.Error(codes.ResourceExhausted, "Quota exceeded")
	}
	return next(ctx, req)
}

// cloud is a simulated cloud, served on this machine.
type cloud struct {
	guard *wire.Guard
	storm *storm
	args  []string // that lead a manager to it
	close func() error
}

func newCloud(ctx context.Context, world *simulator.World) (*cloud, error) {
	c := &cloud{
		guard: wire.NewGuard(world, clock.RealClock{}),
		storm: &storm{dice: rand.New(rand.NewPCG(1, 2))}, //nolint:gosec // it is no secret
	}
	var closers []func() error
	c.close = func() (err error) {
		c.guard.SetSpeed(0)
		for _, end := range closers {
			err = errors.Join(err, end())
		}
		return err
	}
	for flag, handler := range map[string]http.Handler{
		"--cloud-run-endpoint": c.storm.over(wire.CloudRun(c.guard)), "--compute-endpoint": wire.Compute(c.guard),
		"--vpc-access-endpoint": wire.VPCAccess(c.guard), "--simulated-clock": wire.Control(c.guard),
	} {
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		address, err := listen(ctx, server.Serve)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		closers = append(closers, server.Close)
		c.args = append(c.args, flag, address)
	}
	metrics := grpc.NewServer(grpc.UnaryInterceptor(c.storm.intercept))
	monitoringpb.RegisterMetricServiceServer(metrics, wire.NewMonitoring(wire.Metrics(c.guard)))
	address, err := listen(ctx, metrics.Serve)
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	closers = append(closers, func() error { metrics.Stop(); return nil })
	c.args = append(c.args, "--monitoring-endpoint", address)
	return c, nil
}

func listen(ctx context.Context, serve func(net.Listener) error) (address string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening on this machine: %w", err)
	}
	go func() { _ = serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

// now is the world's time.
func (c *cloud) now() time.Time {
	now, _ := c.guard.Now()
	return now
}

// deploy deploys an image to a site, the way a pipeline does.
func (c *cloud) deploy(s site, image string) (err error) {
	c.guard.Do(func(w *simulator.World) {
		_, err = w.Deploy(s.fullName(), simulator.Deployment{Image: image, Revision: s.candidate()})
	})
	return err
}

// ways are where the bad releases are.
type ways struct {
	served map[string]bool // sites whose candidate has served somebody
	back   map[string]bool // and whose stable serves everybody again
}

// follow looks at some sites until they are where they should be. The first ones may
// have gone back before the last one begins.
func (c *cloud) follow(ctx context.Context, sites []site, w *ways, what string, so func() bool) error {
	err := wait.PollUntilContextTimeout(ctx, look, patience, true, func(context.Context) (bool, error) {
		var err error
		c.guard.Do(func(world *simulator.World) {
			for _, s := range sites {
				state, failure := world.State(s.fullName())
				err = errors.Join(err, failure)
				w.served[s.name] = w.served[s.name] || state.Effective[s.candidate()] > 0
				w.back[s.name] = w.served[s.name] && state.Effective[s.stable()] == 100
			}
		})
		return so(), err
	})
	if err != nil {
		return fmt.Errorf("waiting until %s, with %d of %d that served and %d that are back: %w",
			what, count(w.served), len(sites), count(w.back), err)
	}
	return nil
}

func count(of map[string]bool) (n int) {
	for _, so := range of {
		if so {
			n++
		}
	}
	return n
}

// log is what happened from a moment on.
func (c *cloud) log(from time.Time) (events []simulator.Event) {
	c.guard.Do(func(w *simulator.World) {
		for _, e := range w.Log() {
			if !e.At.Before(from) {
				events = append(events, e)
			}
		}
	})
	return events
}

package controllers

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// fakeOutlets is a Compute API of one gateway.
type fakeOutlets struct {
	mu      sync.Mutex
	found   rollout.Outlet
	err     error
	stuck   bool // it answers when the context ends
	asked   int
	revs    []rollout.Revision
	named   []analysis.Source
	allowed time.Duration // until the context ends
}

func newOutlets() *fakeOutlets {
	return &fakeOutlets{found: rollout.Outlet{Presence: rollout.Found, Gateways: []rollout.Gateway{{
		Source: natOne, NAT: nat.Gateway{Name: "nat-1", IPs: 2, Ports: 64, Endpoints: 10}, ReadAt: morning,
	}}}}
}

func (o *fakeOutlets) Outlet(
	ctx context.Context, _ rollout.ServiceRef, revisions []rollout.Revision, named []analysis.Source, _ time.Time,
) (rollout.Outlet, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked++
	o.revs, o.named = revisions, named
	if end, ok := ctx.Deadline(); ok {
		o.allowed = time.Until(end)
	}
	if o.stuck {
		<-ctx.Done()
		return rollout.Outlet{}, ctx.Err()
	}
	return o.found, o.err
}

// behindNat is a stage whose revisions send all their traffic through the VPC.
func behindNat(t *testing.T) (*stage, *fakeOutlets) {
	t.Helper()
	s, o := newStage(t), newOutlets()
	s.cloud.egress = rollout.EgressAll
	s.r.Connect = func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) {
		return Cloud{Observer: s.cloud, Actuator: s.cloud, Metrics: s.cloud, Outlets: o}, nil
	}
	return s, o
}

func TestAnAttemptFindsItsGateway(t *testing.T) {
	t.Parallel()
	s, o := behindNat(t)
	s.pass()
	s.pass()
	if o.asked != 0 {
		t.Errorf("asked %d times while nothing is to be rolled out", o.asked)
	}
	ro := s.started()
	if g := ro.Status.Gateways; len(g) != 1 || g[0].Name != "nat-1" || g[0].Origin != v1alpha1.OriginDiscovered || *g[0].Capacity != 129024 {
		t.Errorf("gateways = %+v", ro.Status.Gateways)
	}
	if ro.Status.Attempt.HotSince == nil {
		t.Error("the rise is not hot")
	}
	if len(o.revs) != 2 || o.revs[0].Name != "web-2" || o.named != nil {
		t.Errorf("asked about %v, named %v", o.revs, o.named)
	}
	ro = s.until(v1alpha1.PhaseCompleted)
	if ro.Status.Gateways != nil || ro.Status.Attempt.HotSince != nil {
		t.Errorf("after the attempt it still tells of %+v", ro.Status.Gateways)
	}
}

// TestWithoutAGatewayNothingBegins: it says what to write or to grant, and begins
// once that is done.
func TestWithoutAGatewayNothingBegins(t *testing.T) {
	t.Parallel()
	s, o := behindNat(t)
	s.pass()
	o.found = rollout.Outlet{Presence: rollout.Denied, Detail: "the manager's identity needs compute.routers.list in project acme-net"}
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	s.wait(s.pass().RequeueAfter)
	ready := s.get().Status.Conditions[0]
	if ready.Reason != v1alpha1.ReasonNatUnwatched || !strings.Contains(ready.Message, "compute.routers.list in project acme-net") ||
		!strings.Contains(ready.Message, "spec.nat.gateways") {
		t.Errorf("ready = %+v", ready)
	}
	o.found = newOutlets().found
	s.until(v1alpha1.PhaseBaking)
}

// TestNoWayBackWaitsForTheOutlet: neither an error there nor silence keeps a
// breach from going back.
func TestNoWayBackWaitsForTheOutlet(t *testing.T) {
	t.Parallel()
	s, o := behindNat(t)
	s.started()
	o.err = errors.New("compute is down")
	s.cloud.set(func() { s.cloud.errors["web-2"] = 50 })
	s.until(v1alpha1.PhaseRollingBack)
	asked := o.asked
	if ro := s.until(v1alpha1.PhaseRolledBack); ro.Status.Stable.Percent != 100 {
		t.Errorf("stable serves %d%%", ro.Status.Stable.Percent)
	}
	if o.asked != asked {
		t.Errorf("asked %d times on the way back", o.asked-asked)
	}
}

// TestABreachDoesNotWaitForASilentOutlet: what users suffer is acted upon before
// the Compute API is asked, which may hang.
func TestABreachDoesNotWaitForASilentOutlet(t *testing.T) {
	t.Parallel()
	s, o := behindNat(t)
	s.started()
	s.cloud.set(func() { s.cloud.errors["web-2"] = 50 })
	s.wait(10 * time.Minute)
	asked := o.asked
	o.stuck = true
	s.pass()
	if phase := s.get().Status.Phase; phase != v1alpha1.PhaseRollingBack {
		t.Fatalf("phase %s", phase)
	}
	if o.asked != asked {
		t.Errorf("asked %d times before it went back", o.asked-asked)
	}
}

func TestALookAtTheOutletIsBounded(t *testing.T) {
	t.Parallel()
	o := newOutlets()
	o.stuck = true
	in := rollout.Input{
		Progress: rollout.Progress{Phase: rollout.Baking, Stable: "web-1", Candidate: "web-2"}, Service: rollout.Service{Presence: rollout.Found},
		Revisions: map[string]rollout.Revision{"web-2": {Presence: rollout.Found, Name: "web-2", Egress: rollout.EgressAll}},
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := outlet(ctx, Cloud{Outlets: o}, in); got.Presence != rollout.Unknown || got.Detail != "context canceled" {
		t.Errorf("got %+v", got)
	}
	if o.allowed <= 0 || o.allowed > outletTimeout {
		t.Errorf("it may take %v", o.allowed)
	}
	if got := outlet(t.Context(), Cloud{}, in); got.Presence != "" {
		t.Errorf("without anybody to ask: %+v", got)
	}
}

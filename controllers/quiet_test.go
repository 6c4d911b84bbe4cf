package controllers

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// lasting says of each row of standings how a rollout comes to stay there; nil where
// the next look always goes on.
var lasting = map[string]func(*stage){
	"Idle/Steady":         func(*stage) {},
	"Completed/Completed": func(s *stage) { s.started() },
	"Idle/Preparing": func(s *stage) {
		s.pass()
		s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
		s.cloud.edit("web-2", func(r *rollout.Revision) { r.Readiness = rollout.Pending })
		s.cloud.set(func() { s.cloud.service.LatestReady = "web-1" })
	},
	"Checking/Preparing": nil,
	"WarmingUp/Preparing": func(s *stage) {
		s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Strategy.Warmup = &v1alpha1.Warmup{} })
		s.pass()
		s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
		s.cloud.edit("web-2", func(r *rollout.Revision) { r.MinInstances = 3 })
	},
	"Shifting/Progressing": func(s *stage) {
		s.pass()
		s.cloud.set(func() { s.cloud.stuck = true })
		s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	},
	"Baking/Progressing": func(s *stage) { s.started() },
	"AwaitingApproval/AwaitingApproval": func(s *stage) {
		s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Strategy.Steps[1].Approval = v1alpha1.ApprovalRequired })
		s.started()
	},
	"Held/HeldByAnalysis": func(s *stage) {
		s.started()
		s.cloud.edit("web-2", func(r *rollout.Revision) { r.Readiness = rollout.Pending })
	},
	"Held/MetricsUnavailable": func(s *stage) { s.started(); s.cloud.set(func() { s.cloud.silent = true }) },
	"Held/TooFewRequests":     func(s *stage) { s.cloud.requests = 1; s.started() },
	"Held/AssetsMissed":       func(s *stage) { s.cloud.torn = s.clock.Now(); s.started() },
	"Held/WaitingForNat":      func(s *stage) { s.lackAddresses() },
	"Held/OutsideWindow": func(s *stage) {
		s.edit(func(ro *v1alpha1.CloudRunRollout) {
			ro.Spec.Strategy.Windows = []v1alpha1.Window{{Schedule: "0 22 * * 6", Duration: "2h"}}
		})
		s.pass()
		s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	},
	"Held/AccessDenied": func(s *stage) { s.started(); s.lose(rollout.Denied) },
	"Paused/Paused": func(s *stage) {
		s.started()
		s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Paused = true })
	},
	"Paused/TrafficConflict":        func(s *stage) { s.started(); s.split("web-1", "web-2") },
	"Paused/StepDeadlineExceeded":   func(s *stage) { s.cloud.requests = 1; s.started() },
	"Paused/NoDataDeadlineExceeded": func(s *stage) { s.started(); s.cloud.set(func() { s.cloud.silent = true }) },
	"Paused/BaselineLost":           func(s *stage) { s.started(); s.cloud.set(func() { delete(s.cloud.revisions, "web-1") }) },
	"Paused/StateLost":              func(s *stage) { s.started(); s.cloud.set(func() { s.cloud.service.UID = "uid-2" }) },
	"RollingBack/RollingBack": func(s *stage) {
		s.started()
		s.cloud.set(func() { s.cloud.stuck, s.cloud.errors["web-2"] = true, 50 })
	},
	"RolledBack/RolledBack": func(s *stage) { s.cloud.errors["web-2"] = 50; s.started() },
	"Idle/InvalidSpec": func(s *stage) {
		s.r.Connect = func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) {
			return Cloud{}, invalidSpecError{errors.New("write a duration such as 10m")}
		}
	},
	"Idle/TooManyRollouts": func(s *stage) {
		s.r.Connect = func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) {
			return Cloud{}, crowdedError{"namespace default has more than 500 rollouts"}
		}
	},
	"Idle/Deploying": func(s *stage) {
		s.pass()
		s.deploysTo(&deployer{slow: true})
		s.push(pushed)
	},
	"Idle/NotDeployed":     func(s *stage) { s.pass(); s.push("{}") },
	"Idle/AccessDenied":    func(s *stage) { s.lose(rollout.Denied) },
	"Idle/ServiceNotFound": func(s *stage) { s.lose(rollout.Missing) },
	"Idle/BaselineUnknown": func(s *stage) { s.cloud.deploy("web-2", created); s.split("web-1", "web-2") },
	"Idle/NatUnwatched": func(s *stage) {
		s.pass()
		s.cloud.egress = rollout.EgressAll
		s.through(&fakeOutlets{found: rollout.Outlet{Presence: rollout.Denied, Detail: "compute.routers.list is missing"}})
		s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	},
	"Idle/RevisionNotFound": func(s *stage) {
		s.pass()
		s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.CandidateRevision = "web-9" })
	},
	"Idle/RevisionNotReady": func(s *stage) {
		s.pass()
		s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
		s.cloud.edit("web-2", func(r *rollout.Revision) { r.Readiness, r.Why = rollout.NotReady, "it does not start" })
		s.cloud.set(func() { s.cloud.service.LatestReady = "web-1" })
	},
	"Idle/OwnedElsewhere": func(s *stage) {
		s.r.Cluster = "ours"
		s.cloud.set(func() {
			s.cloud.service.Claim = &rollout.Claim{Holder: rollout.Holder{Cluster: "theirs", Namespace: "shop", Name: "web", UID: "uid-9"}}
		})
	},
}

// TestWhoeverLooksAfterARestartWritesNothing stops the world in every phase and
// reason that a rollout can be in, and lets processes that remember nothing look at
// it, as after a restart, an upgrade or a change of leaders: no write to the
// service, no status that is sent, no event.
func TestWhoeverLooksAfterARestartWritesNothing(t *testing.T) {
	t.Parallel()
	for _, row := range standings {
		state := string(row.phase) + "/" + string(row.reason)
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			reach, ok := lasting[state]
			switch {
			case !ok:
				t.Fatal("nothing says how a rollout comes to be there")
			case reach == nil:
				return
			}
			s := newStage(t)
			reach(s)
			s.stopsAt(state)
			if *update && row.reason != v1alpha1.ReasonInvalidSpec && row.reason != v1alpha1.ReasonTooManyRollouts { // of which nothing is saved but conditions
				s.keep(state)
			}
			want, sent, saved := s.get(), s.cloud.sent(), 0
			s.told()
			s.r.Client = slow{s.client, func() { saved++ }}
			for range 3 {
				before := s.r
				s.replace()
				s.pass()
				s.pass()
				s.r = before // which leads again, and remembers
				s.pass()
			}
			s.still(want, sent)
			if saved > 0 {
				t.Errorf("%d statuses were sent", saved)
			}
		})
	}
}

// still holds that nothing was written or told since an object was read.
func (s *stage) still(want *v1alpha1.CloudRunRollout, sent int) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.get()); diff != "" || s.cloud.sent() != sent {
		s.t.Errorf("%d writes; the object:\n%s", s.cloud.sent()-sent, diff)
	}
	if told := s.told(); len(told) > 0 {
		s.t.Errorf("told %q", told)
	}
}

// stopsAt lets time pass until a state is reached that lasts when time stops.
func (s *stage) stopsAt(state string) {
	s.t.Helper()
	for range 1000 {
		result := s.pass()
		if now := s.get(); s.is(now) == state {
			if s.pass(); s.get().ResourceVersion == now.ResourceVersion {
				return
			}
		}
		s.wait(result.RequeueAfter)
	}
	s.t.Fatalf("it never stays %s; it is %+v", state, s.get().Status)
}

// is tells the phase and the reason of an object, like Idle/Steady.
func (s *stage) is(ro *v1alpha1.CloudRunRollout) string {
	s.t.Helper()
	for _, c := range ro.Status.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			return string(ro.Status.Phase) + "/" + c.Reason
		}
	}
	return ""
}

// replace is another process with the same flags and the same recorder of events.
func (s *stage) replace() {
	before, told := s.r, s.events
	process := s.process
	s.restart()
	s.events, s.process = told, process
	s.r.Client, s.r.Connect, s.r.Cluster = before.Client, before.Connect, before.Cluster
	s.r.Recorder, s.r.Process = told, process
}

// lose makes the service denied or missing.
func (s *stage) lose(as rollout.Presence) {
	s.cloud.set(func() { s.cloud.service.Presence, s.cloud.service.Detail = as, "no" })
}

// split gives two revisions a half each, as somebody else does.
func (s *stage) split(one, other string) {
	s.cloud.set(func() {
		halves := []rollout.Entry{{Revision: one, Percent: 50}, {Revision: other, Percent: 50}}
		s.cloud.service.Desired, s.cloud.service.Effective = halves, halves
		s.cloud.change()
	})
}

// through lets the traffic leave by what somebody tells of Compute.
func (s *stage) through(outlets *fakeOutlets) {
	s.outlets = outlets
	s.r.Connect = func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) {
		return Cloud{Observer: s.cloud, Actuator: s.cloud, Metrics: s.cloud, Outlets: outlets}, nil
	}
}

// lackAddresses brings a rollout before a gateway that cannot carry what it has.
func (s *stage) lackAddresses() {
	s.pass()
	full := newOutlets()
	full.found.Gateways[0].NAT = nat.Gateway{Name: "nat-1", IPs: 1, ExtraIPs: 1, Ports: 64, Endpoints: 1000}
	s.cloud.egress = rollout.EgressAll
	s.through(full)
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
}

package controllers

import (
	"slices"
	"testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/notify"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// TestEachChangeOfStateIsNewsOnce, with what its status says, in the order in which
// they happened.
func TestEachChangeOfStateIsNewsOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var heard []notify.News
	s.r.Tell = func(n notify.News) { heard = append(heard, n) }
	s.until(v1alpha1.PhaseIdle)
	s.cloud.deploy("web-2", morning)
	s.cloud.set(func() { s.cloud.errors["web-2"] = 50 })
	s.until(v1alpha1.PhaseRolledBack)
	var told []string
	for _, n := range heard {
		told = append(told, n.Phase+"/"+n.Reason)
		if n.Namespace != s.key.Namespace || n.Name != s.key.Name || n.Service != "web" || n.Text == "" || n.Next == "" || n.At.IsZero() {
			t.Errorf("got %+v", n)
		}
	}
	if len(slices.Compact(slices.Clone(told))) != len(told) {
		t.Errorf("a state is told twice: %v", told)
	}
	last := heard[len(heard)-1]
	if last.Phase != "RolledBack" || !last.Warning || last.Candidate != "web-2" || last.Stable != "web-1" || last.Attempt != 1 {
		t.Errorf("the end is told as %+v", last)
	}
	if first := heard[0]; first.Warning {
		t.Errorf("a warning of %+v", first)
	}
}

func TestAGateIsNewsThatWarn(t *testing.T) {
	t.Parallel()
	for phase, want := range map[rollout.Phase]bool{rollout.AwaitingApproval: true, rollout.Baking: false} {
		n := newsOf(bare(), rollout.Decision{Progress: rollout.Progress{Phase: phase, Reason: rollout.Reason(phase)}}, morning)
		if n.Warning != want {
			t.Errorf("%s warns: %t", phase, n.Warning)
		}
	}
}

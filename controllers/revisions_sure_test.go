package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// TestARiseRestsOnWhatWasJustRead: while the metrics took their time, stable lost its
// readiness. No etag shows that.
func TestARiseRestsOnWhatWasJustRead(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.checking()
	s.cloud.onAnswer = func() {
		s.process.SetTime(s.process.Now().Add(10 * time.Second))
		s.cloud.edit("web-1", func(r *rollout.Revision) { r.Readiness = rollout.NotReady })
	}
	s.pass()
	if said := s.says(v1alpha1.ConditionReady); s.cloud.sent() != 0 || !strings.Contains(said, "web-1") || s.get().Status.Phase != v1alpha1.PhaseHeld {
		t.Errorf("%d writes; it is %s and says %q", s.cloud.sent(), s.get().Status.Phase, said)
	}
	s.cloud.edit("web-1", func(r *rollout.Revision) { r.Readiness = rollout.Ready })
	s.cloud.onAnswer = func() { s.process.SetTime(s.process.Now().Add(10 * time.Second)) }
	s.until(v1alpha1.PhaseBaking)
}

// TestARiseIsNotSentLongAfterItsRevisionsWereRead: what the look took is not given to the
// save again.
func TestARiseIsNotSentLongAfterItsRevisionsWereRead(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.checking()
	s.cloud.onAnswer = func() { s.process.SetTime(s.process.Now().Add(justRead)) }
	s.r.Client = slow{s.client, func() { s.process.SetTime(s.process.Now().Add(delta - justRead/2)) }}
	if result := s.pass(); result.RequeueAfter != again || s.cloud.sent() != 0 {
		t.Errorf("result %+v, %d writes", result, s.cloud.sent())
	}
	s.r.Client = s.client
	s.until(v1alpha1.PhaseBaking)
}

package controllers

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// TestWhatTheCacheShowsIsComparedWithWhatIsKnown holds when an object is read from
// the apiserver itself.
func TestWhatTheCacheShowsIsComparedWithWhatIsKnown(t *testing.T) {
	t.Parallel()
	at := func(version string, phase v1alpha1.Phase) *v1alpha1.CloudRunRollout {
		ro := object()
		ro.UID, ro.ResourceVersion, ro.Status.Phase = "one", version, phase
		return ro
	}
	idle := func(version string) *v1alpha1.CloudRunRollout { return at(version, v1alpha1.PhaseIdle) }
	baking := func(version string) *v1alpha1.CloudRunRollout { return at(version, v1alpha1.PhaseBaking) }
	for name, c := range map[string]struct {
		before func(*sight)
		cached *v1alpha1.CloudRunRollout
		after  time.Duration
		want   view
	}{
		"at rest and never written":         {func(*sight) {}, idle("9"), 0, fresh},
		"our own write is on its way":       {func(s *sight) { s.wrote(idle("10"), morning) }, idle("9"), silentFor, lagging},
		"our own write never comes":         {func(s *sight) { s.wrote(idle("10"), morning) }, idle("9"), silentFor + 1, silent},
		"nor does the next one":             {func(s *sight) { s.wrote(idle("10"), morning); s.wrote(idle("11"), morning.Add(silentFor)) }, idle("9"), silentFor + 1, silent},
		"our own write has come":            {func(s *sight) { s.wrote(idle("10"), morning) }, idle("10"), time.Hour, fresh},
		"somebody changed it":               {func(s *sight) { s.met(idle("9")) }, idle("9"), 0, silent},
		"somebody changed it, and it shows": {func(s *sight) { s.met(idle("9")) }, idle("10"), 0, fresh},
		"a cluster was put into its past":   {func(s *sight) { s.met(idle("500")) }, idle("300"), 0, silent},
		"under way, saved not long ago":     {func(s *sight) { s.wrote(baking("9"), morning) }, baking("9"), certainFor, fresh},
		"under way, saved long ago":         {func(s *sight) { s.wrote(baking("9"), morning) }, baking("9"), certainFor + 1, silent},
		"under way, read not long ago":      {func(s *sight) { s.sure(baking("9"), morning) }, baking("9"), certainFor, fresh},
		"under way, and this is the first":  {func(*sight) {}, baking("9"), 0, silent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &sight{}
			c.before(s)
			if got := s.of(c.cached, morning.Add(c.after)); got != c.want {
				t.Errorf("it is view %d, want %d", got, c.want)
			}
		})
	}
}

// frozen is a stage whose cache has fallen silent while a candidate bakes: every
// pass is made on the object as it was then.
func frozen(t *testing.T) (s *stage, pass func()) {
	t.Helper()
	s = newStage(t)
	s.r.Live = s.client
	cached := s.started()
	return s, func() {
		t.Helper()
		result, err := s.r.Reconcile(t.Context(), cached.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		s.wait(result.RequeueAfter)
	}
}

// becomes makes passes until a phase.
func (s *stage) becomes(pass func(), phase v1alpha1.Phase) {
	s.t.Helper()
	for range 1000 {
		if pass(); s.get().Status.Phase == phase {
			return
		}
	}
	s.t.Fatalf("never %s; it is %+v", phase, s.get().Status)
}

func TestAWayBackDoesNotWaitForASilentCache(t *testing.T) {
	t.Parallel()
	s, pass := frozen(t)
	s.cloud.set(func() { s.cloud.errors["web-2"] = 50 })
	s.becomes(pass, v1alpha1.PhaseRolledBack)
}

func TestAPauseIsHeardThroughASilentCache(t *testing.T) {
	t.Parallel()
	s, pass := frozen(t)
	s.edit(func(ro *v1alpha1.CloudRunRollout) { ro.Spec.Paused = true })
	s.becomes(pass, v1alpha1.PhasePaused)
	if s.cloud.sent() != 1 {
		t.Errorf("%d writes, want the first step's", s.cloud.sent())
	}
}

func TestAnAbortIsHeardThroughASilentCache(t *testing.T) {
	t.Parallel()
	s, pass := frozen(t)
	s.request("1", map[string]string{"verb": "abort"})
	s.becomes(pass, v1alpha1.PhaseRolledBack)
}

func TestAnObjectThatIsGoneIsSeenThroughASilentCache(t *testing.T) {
	t.Parallel()
	s, pass := frozen(t)
	if err := s.client.Delete(t.Context(), s.get()); err != nil {
		t.Fatal(err)
	}
	sent := s.cloud.sent()
	for range 20 {
		s.wait(time.Minute)
		pass()
	}
	if err := s.client.Get(t.Context(), s.key, &v1alpha1.CloudRunRollout{}); client.IgnoreNotFound(err) != nil || s.cloud.sent() != sent {
		t.Errorf("%v, %d writes", err, s.cloud.sent()-sent)
	}
}

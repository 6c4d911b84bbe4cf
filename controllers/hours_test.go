package controllers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// TestAFreezeHoldsWhatItNames: rises of its namespaces, as long as it lasts.
func TestAFreezeHoldsWhatItNames(t *testing.T) {
	t.Parallel()
	freeze := func(namespaces ...string) v1alpha1.RolloutFreeze {
		return v1alpha1.RolloutFreeze{
			ObjectMeta: metav1.ObjectMeta{Name: "sale"},
			Spec: v1alpha1.RolloutFreezeSpec{
				Start: metav1.NewTime(morning), End: metav1.NewTime(morning.Add(time.Hour)), Namespaces: namespaces, Reason: "no\nreleases",
			},
		}
	}
	ro := bare()
	ro.Namespace = "shop"
	for name, c := range map[string]struct {
		freezes []v1alpha1.RolloutFreeze
		err     error
		want    string // "" where it may rise
	}{
		"one of all namespaces": {[]v1alpha1.RolloutFreeze{freeze()}, nil, "RolloutFreeze sale until Jan 5 10:00Z: no releases"},
		"one of this namespace": {[]v1alpha1.RolloutFreeze{freeze("bank", "shop")}, nil, "RolloutFreeze sale"},
		"one of another":        {[]v1alpha1.RolloutFreeze{freeze("bank")}, nil, ""},
		"none":                  {nil, nil, ""},
		"one cannot tell":       {nil, errors.New("no such kind"), "RolloutFreezes could not be read: no such kind"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Reconciler{Freezes: func(context.Context) ([]v1alpha1.RolloutFreeze, error) { return c.freezes, c.err }}
			got := r.hours(t.Context(), ro, morning)
			if got.Shut != (c.want != "") || !strings.Contains(got.Why, c.want) {
				t.Errorf("%+v, want %q", got, c.want)
			}
		})
	}
}

// TestARolloutGoesOnWhenItsWindowOpens: it waits at its weight, says until when, and
// goes on by itself.
func TestARolloutGoesOnWhenItsWindowOpens(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.edit(func(ro *v1alpha1.CloudRunRollout) {
		ro.Spec.Strategy.Windows = []v1alpha1.Window{{Schedule: "0 11 * * *", Duration: "1h"}} // it is nine
	})
	s.pass()
	s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
	s.stopsAt(string(rollout.Held) + "/" + string(rollout.OutsideWindow))
	if ro := s.get(); !strings.Contains(ro.Status.NextAction, "Goes on at Jan 5 11:00Z") {
		t.Errorf("it says %q", ro.Status.NextAction)
	}
	s.clock.SetTime(time.Date(2026, 1, 5, 11, 0, 0, 0, time.UTC))
	s.stopsAt(string(rollout.Baking) + "/" + string(rollout.Progressing))
}

// TestAWindowThatCannotBeRead is refused with the path of what is wrong.
func TestAWindowThatCannotBeRead(t *testing.T) {
	t.Parallel()
	ro := bare()
	ro.Spec.Strategy.Windows = []v1alpha1.Window{
		{Schedule: "0 9 * * *", Duration: "8h"}, {Schedule: "0 9 * * *", Duration: "8h", TimeZone: "Tokyo"},
	}
	_, err := planOf(ro)
	if err == nil || !strings.HasPrefix(err.Error(), "spec.strategy.windows[1]: timeZone: write a name such as Asia/Tokyo") {
		t.Errorf("it says %v", err)
	}
}

// TestARiseAsksTheAPIServerForFreezes: the cache shows none, because its watch is silent.
func TestARiseAsksTheAPIServerForFreezes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.pass()
	s.cloud.deploy("web-2", s.clock.Now())
	var lists int
	var frozen []v1alpha1.RolloutFreeze
	var failure error
	s.r.Freezes = func(context.Context) ([]v1alpha1.RolloutFreeze, error) { return nil, nil }
	s.r.LiveFreezes = func(context.Context) ([]v1alpha1.RolloutFreeze, error) { lists++; return frozen, failure }
	s.until(v1alpha1.PhaseBaking)
	if lists != 1 {
		t.Errorf("one rise has listed freezes %d times", lists)
	}
	s.wait(30 * time.Second)
	s.pass()
	if lists != 1 {
		t.Errorf("a look that raises nothing lists freezes: %d times", lists)
	}
	frozen = []v1alpha1.RolloutFreeze{{
		ObjectMeta: metav1.ObjectMeta{Name: "sale"},
		Spec:       v1alpha1.RolloutFreezeSpec{Start: metav1.NewTime(morning), End: metav1.NewTime(morning.Add(24 * time.Hour)), Reason: "sale"},
	}}
	serves := s.cloud.serves()
	s.until(v1alpha1.PhaseHeld)
	if !strings.Contains(s.says(v1alpha1.ConditionReady), "RolloutFreeze sale") || !s.cloud.serves().Equal(serves) {
		t.Errorf("in a freeze it says %q, and serves %s", s.says(v1alpha1.ConditionReady), s.cloud.serves())
	}
	frozen, failure = nil, errors.New("no answer")
	s.wait(time.Minute)
	s.pass()
	if !strings.Contains(s.says(v1alpha1.ConditionReady), "RolloutFreezes could not be read: no answer") || !s.cloud.serves().Equal(serves) {
		t.Errorf("when freezes cannot be read it says %q, and serves %s", s.says(v1alpha1.ConditionReady), s.cloud.serves())
	}
	failure = nil
	s.wait(time.Minute)
	s.until(v1alpha1.PhaseBaking)
	failure = errors.New("no answer")
	s.request("1", map[string]string{"verb": v1alpha1.VerbAbort})
	lists = 0
	s.until(v1alpha1.PhaseRolledBack)
	if lists != 0 {
		t.Errorf("a way back has listed freezes %d times", lists)
	}
}

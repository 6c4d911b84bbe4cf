package controllers

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/hours"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// freshFor is how long freezes that the apiserver has listed are good for a rise.
const freshFor = 10 * time.Second

// hours says whether a rollout may rise now, as the cache shows freezes. A cache whose
// watch has fallen silent shows old ones and does not fail: sureHours is for that.
func (r *Reconciler) hours(ctx context.Context, ro *v1alpha1.CloudRunRollout, now time.Time) rollout.Hours {
	return r.hoursBy(ctx, r.Freezes, ro, now)
}

// hoursBy says it by a list of freezes. Freezes that cannot be read hold rises, and keep
// nothing from going back.
func (r *Reconciler) hoursBy(ctx context.Context, list freezeList, ro *v1alpha1.CloudRunRollout, now time.Time) rollout.Hours {
	freezes, err := freezesOf(ctx, list, ro.Namespace)
	if err != nil {
		return rollout.Hours{Shut: true, Why: "RolloutFreezes could not be read: " + google.Clean(err.Error())}
	}
	p := parser{} // what it cannot read was refused before
	return hours.At(p.windows(ro.Spec.Strategy.Windows), freezes, now)
}

// sureHours asks the apiserver for freezes before a rise is saved, or a template sent,
// and decides anew where one holds that the cache does not show. That is a read for a
// step, and not for a look; those of many rollouts within seconds are one.
func (r *Reconciler) sureHours(ctx context.Context, ro *v1alpha1.CloudRunRollout, in *rollout.Input, d rollout.Decision) rollout.Decision {
	if r.LiveFreezes == nil || !d.Raises() && d.Deploy == nil {
		return d
	}
	now := r.hoursBy(ctx, r.listed, ro, in.Now)
	if !now.Shut {
		return d
	}
	in.Hours = now
	return rollout.Decide(*in)
}

// freezeList lists the freezes of the cluster.
type freezeList = func(context.Context) ([]v1alpha1.RolloutFreeze, error)

// roster is what the apiserver has listed last.
type roster struct {
	mu  sync.Mutex
	at  time.Time
	all []v1alpha1.RolloutFreeze
	err error
}

// listed are the freezes as the apiserver has listed them seconds ago at most. A failure
// is good for as long, so that many rollouts wait for one slow answer together.
func (r *Reconciler) listed(ctx context.Context) ([]v1alpha1.RolloutFreeze, error) {
	r.roster.mu.Lock()
	defer r.roster.mu.Unlock()
	if at := r.roster.at; at.IsZero() || r.Process.Since(at) >= freshFor {
		ctx, cancel := context.WithTimeout(ctx, glanceTimeout)
		defer cancel()
		r.roster.all, r.roster.err = r.LiveFreezes(ctx)
		r.roster.at = r.Process.Now()
	}
	return r.roster.all, r.roster.err
}

// freezesOf are those of a namespace.
func freezesOf(ctx context.Context, list freezeList, namespace string) ([]hours.Freeze, error) {
	if list == nil {
		return nil, nil
	}
	all, err := list(ctx)
	if err != nil {
		return nil, err
	}
	var ours []hours.Freeze
	for _, f := range all {
		if len(f.Spec.Namespaces) == 0 || slices.Contains(f.Spec.Namespaces, namespace) {
			ours = append(ours, hours.Freeze{Name: f.Name, Reason: google.Clean(f.Spec.Reason), Start: f.Spec.Start.Time, End: f.Spec.End.Time})
		}
	}
	return ours, nil
}

// windows reads the windows of a spec.
func (p *parser) windows(windows []v1alpha1.Window) []hours.Window {
	var all []hours.Window
	for i, w := range windows {
		path := fmt.Sprintf("spec.strategy.windows[%d]", i)
		window, err := hours.ParseWindow(w.Schedule, p.duration(path+".duration", w.Duration, 0), w.TimeZone)
		if err != nil {
			p.fail(path, "%s", err)
			continue
		}
		all = append(all, window)
	}
	return all
}

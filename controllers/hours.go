package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/hours"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// hours says whether a rollout may rise now. Freezes that cannot be read hold rises, and
// keep nothing from going back.
func (r *Reconciler) hours(ctx context.Context, ro *v1alpha1.CloudRunRollout, now time.Time) rollout.Hours {
	freezes, err := r.freezes(ctx, ro.Namespace)
	if err != nil {
		return rollout.Hours{Shut: true, Why: "RolloutFreezes could not be read: " + google.Clean(err.Error())}
	}
	p := parser{} // what it cannot read was refused before
	return hours.At(p.windows(ro.Spec.Strategy.Windows), freezes, now)
}

// freezes are those of a namespace.
func (r *Reconciler) freezes(ctx context.Context, namespace string) ([]hours.Freeze, error) {
	if r.Freezes == nil {
		return nil, nil
	}
	all, err := r.Freezes(ctx)
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

package dashboard

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// maxPoints bounds what is remembered of one check.
const maxPoints = 30

// point is what a check measured in the minutes up to a time.
type point struct {
	through time.Time
	value   float64
}

// trends remember what the checks of attempts under way measured, since this
// process started; the status keeps the newest number only. What they show is a
// help for the eye and decides nothing.
type trends struct {
	mu     sync.Mutex
	points map[types.NamespacedName]map[string][]point
}

func newTrends() *trends {
	return &trends{points: map[types.NamespacedName]map[string][]point{}}
}

func keyOf(ro *v1alpha1.CloudRunRollout) types.NamespacedName {
	return types.NamespacedName{Namespace: ro.Namespace, Name: ro.Name}
}

// observe remembers what is new in a status. Checks that are gone are forgotten.
func (t *trends) observe(ro *v1alpha1.CloudRunRollout) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, now := t.points[keyOf(ro)], map[string][]point{}
	for _, c := range ro.Status.Checks {
		name := c.Name + " " + c.Source
		points := before[name]
		value, _, measured := view.Quantity(c.Value)
		if measured && c.ObservedThrough != nil && (len(points) == 0 || points[len(points)-1].through.Before(c.ObservedThrough.Time)) {
			points = append(points, point{c.ObservedThrough.Time, value})
		}
		if extra := len(points) - maxPoints; extra > 0 {
			points = append([]point(nil), points[extra:]...)
		}
		if len(points) > 0 {
			now[name] = points
		}
	}
	if len(now) == 0 {
		delete(t.points, keyOf(ro))
		return
	}
	t.points[keyOf(ro)] = now
}

func (t *trends) forget(key types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.points, key)
}

// of is what is remembered of a check, oldest first.
func (t *trends) of(ro *v1alpha1.CloudRunRollout, c v1alpha1.CheckStatus) []point {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]point(nil), t.points[keyOf(ro)][c.Name+" "+c.Source]...)
}

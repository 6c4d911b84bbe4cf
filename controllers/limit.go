package controllers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

const (
	// DefaultMostRollouts is how many rollouts of one namespace are followed unless the
	// platform team says otherwise: a quarter of those under way that the workers keep up
	// with.
	DefaultMostRollouts = 500
	// talliedFor is how long it is believed that a namespace has too many, before its
	// rollouts are listed again: each of thousands asks every minute.
	talliedFor = 10 * time.Second
	// crowdedWait is when a rollout too many is looked at again.
	crowdedWait = time.Minute
)

// crowdedError is a rollout beyond those of its namespace that are followed.
type crowdedError struct{ why string }

func (e crowdedError) Error() string { return e.why }

// tallies knows of each namespace which of its rollouts are followed: the oldest. Nothing
// that is made later is older, so that one that is followed stays so; of those that were
// made in the same second the name decides.
type tallies struct {
	mu sync.Mutex
	of map[string]tally
}

// tally are the rollouts of a namespace as they were listed.
type tally struct {
	last   age       // of the youngest that is followed
	beyond bool      // there are younger ones
	at     time.Time // when they were listed
}

// age orders rollouts of one namespace.
type age struct {
	created time.Time
	name    string
}

func ageOf(ro *v1alpha1.CloudRunRollout) age { return age{ro.CreationTimestamp.Time, ro.Name} }

func (a age) compare(b age) int {
	return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.name, b.name))
}

// has tells whether a rollout is followed, where that is known without a list.
func (c *tallies) has(ro *v1alpha1.CloudRunRollout, now time.Time) (followed, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was, known := c.of[ro.Namespace]
	switch {
	case !known:
		return false, false
	case ageOf(ro).compare(was.last) <= 0:
		return true, true
	}
	return false, was.beyond && now.Sub(was.at) < talliedFor
}

// learn tells whether a rollout is followed, and remembers what there is.
func (c *tallies) learn(ro *v1alpha1.CloudRunRollout, all []v1alpha1.CloudRunRollout, most int, now time.Time) bool {
	ages := make([]age, 0, len(all))
	for i := range all {
		if all[i].DeletionTimestamp.IsZero() {
			ages = append(ages, ageOf(&all[i]))
		}
	}
	slices.SortFunc(ages, age.compare)
	read := tally{beyond: len(ages) > most, at: now}
	if ages = ages[:min(len(ages), most)]; len(ages) > 0 {
		read.last = ages[len(ages)-1]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]tally{}
	}
	c.of[ro.Namespace] = read
	return !read.beyond || ageOf(ro).compare(read.last) <= 0
}

// unfinished tells whether something is under way that a limit may not stop: an attempt,
// also one whose service was lost from sight, a template whose revision Cloud Run makes, or
// a person's request to what was followed before.
func unfinished(ro *v1alpha1.CloudRunRollout) bool {
	p := progressOf(ro)
	return p.Sent.Digest != "" || p.Exposed() || ro.Status.Phase != "" && !atRest(ro)
}

// follows fails for a rollout beyond those of its namespace that are followed. What is
// under way is never stopped.
func (r *Reconciler) follows(ctx context.Context, ro *v1alpha1.CloudRunRollout) error {
	if r.MostRollouts <= 0 || unfinished(ro) {
		return nil
	}
	now := r.Process.Now()
	followed, known := r.tallies.has(ro, now)
	if !known {
		var all v1alpha1.CloudRunRolloutList
		// Nothing here changes what it reads, so nothing need be copied.
		if err := r.List(ctx, &all, client.InNamespace(ro.Namespace), client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("counting the rollouts of namespace %s: %w", ro.Namespace, err)
		}
		followed = r.tallies.learn(ro, all.Items, r.MostRollouts, now)
	}
	if followed {
		return nil
	}
	return crowdedError{fmt.Sprintf(
		"namespace %s has more than %d rollouts, and this one is not among its %[2]d oldest, which are followed: delete others that are not needed, "+
			"or have the platform team raise --max-rollouts-per-namespace of the manager", ro.Namespace, r.MostRollouts)}
}

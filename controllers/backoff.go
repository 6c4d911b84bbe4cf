package controllers

import (
	"errors"
	"math/rand/v2"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
)

const (
	// throttledWait is how long to wait when the API is over quota and does not
	// say for how long.
	throttledWait = 30 * time.Second
	// throttledLongest bounds that, because a way back may be waiting behind it.
	throttledLongest = 2 * time.Minute
	// notAskedWait is the same where no call was made: until when is known, and
	// Sluice's own limit has room again in seconds.
	notAskedWait = 5 * time.Second
	// restingWait is how long a look at rest waits at least for room in the quota,
	// and half of how long at most.
	restingWait = 30 * time.Second
	// restingLongest is how long it waits without a word. All services that a
	// project and location may hold are looked at in a third of that, after a restart.
	restingLongest = 30 * time.Minute
	// pastWait is how long to wait after an answer that shows what is past, and pastLongest
	// for how long without a word.
	pastWait    = 2 * time.Second
	pastLongest = time.Minute
	// longestBackoff keeps a rollback near after an outage.
	longestBackoff = 30 * time.Second
	// longestWayBack is how long a way back waits after a collision, or after a call
	// that was over quota; throttledWayBack, after one that was not even made.
	longestWayBack   = 5 * time.Second
	throttledWayBack = 15 * time.Second
)

// restingError is the failure of a look at a rollout at rest.
type restingError struct{ error }

func (e restingError) Unwrap() error { return e.error }

// wayBackError is the failure of a read for a way back.
type wayBackError struct{ error }

func (e wayBackError) Unwrap() error { return e.error }

// spread makes a wait longer by up to a quarter, so that many who failed together
// do not come back together. No wait gets longer than longest.
func (r *Reconciler) spread(wait, longest time.Duration) time.Duration {
	return spread(wait, longest, r.random())
}

func spread(wait, longest time.Duration, random float64) time.Duration {
	wait = min(wait, longest-longest/5)
	return wait + time.Duration(random*float64(wait/4))
}

// random is a number from 0 to 1.
func (r *Reconciler) random() float64 {
	if r.Random == nil {
		return rand.Float64() //nolint:gosec // it spreads waits, and is no secret
	}
	return r.Random()
}

// throttled is how long to wait after a call that was over a quota, and the longest
// of such waits in words. A way back does not wait for as long as it is asked to.
func (r *Reconciler) throttled(ro *v1alpha1.CloudRunRollout, err error, call *cloudrun.CallError) (wait time.Duration, longest string) {
	if _, reading := errors.AsType[wayBackError](err); reading || ro.Status.Phase == v1alpha1.PhaseRollingBack {
		if errors.Is(call, cloudrun.ErrNotAsked) {
			return r.spread(max(call.RetryAfter, longestWayBack), throttledWayBack), "15 seconds"
		}
		return r.spread(longestWayBack, longestWayBack), "15 seconds"
	}
	wait = throttledWait
	if errors.Is(call, cloudrun.ErrNotAsked) {
		wait = notAskedWait
	}
	return r.spread(max(call.RetryAfter, wait), throttledLongest), "2 minutes"
}

// mayWait tells whether a look may come later without a word: nothing is under
// way, what the object says still stands, and it was seen not long ago. One that shows
// what is past is no outage either: the next one mostly does not.
func (r *Reconciler) mayWait(ro *v1alpha1.CloudRunRollout, err error) bool {
	if _, past := errors.AsType[pastError](err); past {
		now := r.Clock.Now()
		return now.Sub(r.memory.unseenSince(ro, now)) < pastLongest
	}
	var rest restingError
	if !errors.As(err, &rest) || !errors.Is(err, cloudrun.ErrNotAsked) || ro.Status.Attempt == nil {
		return false
	}
	now := r.Clock.Now()
	return now.Sub(r.memory.unseenSince(ro, now)) < restingLongest
}

// quietAgain is when that look comes.
func (r *Reconciler) quietAgain(err error) time.Duration {
	if _, past := errors.AsType[pastError](err); past {
		return r.spread(pastWait, longestBackoff)
	}
	return restingWait + time.Duration(r.random()*float64(restingWait))
}

// spreading is a queue's backoff whose waits are spread.
type spreading struct {
	workqueue.TypedRateLimiter[reconcile.Request]
	random func() float64
}

func (r *Reconciler) backoff() workqueue.TypedRateLimiter[reconcile.Request] {
	return spreading{workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, longestBackoff), r.random}
}

// When implements workqueue.TypedRateLimiter.
func (s spreading) When(req reconcile.Request) time.Duration {
	return spread(s.TypedRateLimiter.When(req), longestBackoff, s.random())
}

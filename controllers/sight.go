package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// staleWait is how soon to look again when the cache lags behind.
	staleWait = 200 * time.Millisecond
	// silentFor is how long a cache that lags behind is waited for. Then the object
	// is read from the apiserver itself: a watch that has fallen silent must not keep
	// a way back, a pause or an abort waiting.
	silentFor = 5 * time.Second
	// certainFor is how long an object under way is taken to be what the cache has,
	// with nothing saved in between. A save compares versions, and so is as good as a
	// look; where a person is waited for, nothing is saved.
	certainFor = time.Minute
)

// view is how the cache shows an object.
type view int

const (
	// fresh is not known to be behind.
	fresh view = iota
	// lagging has not shown what this process wrote a moment ago.
	lagging
	// silent does not follow, or nobody has made sure for long that it does.
	silent
)

// sight remembers of each object what the cache must show by now.
type sight struct {
	mu   sync.Mutex
	seen map[types.UID]seen
}

// seen is what is known of one object.
type seen struct {
	// past are versions that the object has left behind: what this process wrote
	// over, or failed to because somebody else had. reached is the version that it
	// wrote itself, which the cache must come to.
	past, reached string
	behind        time.Time // since when the cache has not shown that; zero where it does
	certain       time.Time // when the newest version was known last
}

// of tells how the cache shows an object.
func (s *sight) of(ro *v1alpha1.CloudRunRollout, now time.Time) view {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.seen[ro.UID]
	version := ro.ResourceVersion
	switch {
	case older(version, known.reached):
		if now.Sub(known.behind) > silentFor {
			return silent
		}
		return lagging
	case known.past != "" && !older(known.past, version):
		return silent
	}
	known.past, known.reached, known.behind = "", "", time.Time{}
	s.keep(ro.UID, known)
	if !resting(rollout.Phase(ro.Status.Phase)) && now.Sub(known.certain) > certainFor {
		return silent
	}
	return fresh
}

// older compares versions of one object; they are ordered (Kubernetes 1.35,
// KEP-5504).
func older(version, than string) bool {
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err == nil && order < 0
}

// wrote remembers what this process wrote.
func (s *sight) wrote(o client.Object, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.seen[o.GetUID()]
	if known.behind.IsZero() {
		known.behind = now
	}
	known.reached, known.certain = o.GetResourceVersion(), now
	s.keep(o.GetUID(), known)
}

// met remembers that somebody else had changed an object.
func (s *sight) met(o client.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.seen[o.GetUID()]
	known.past = o.GetResourceVersion()
	s.keep(o.GetUID(), known)
}

// sure remembers that an object was read from the apiserver.
func (s *sight) sure(o client.Object, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.seen[o.GetUID()]
	known.certain = now
	s.keep(o.GetUID(), known)
}

func (s *sight) keep(uid types.UID, known seen) {
	if s.seen == nil {
		s.seen = map[types.UID]seen{}
	}
	s.seen[uid] = known
}

// forget drops what is remembered of an object that is gone.
func (s *sight) forget(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, uid)
}

// current is an object as it is to be decided on: as the cache shows it or, where
// the cache is silent, as the apiserver does. It is nil where the cache needs a
// moment more.
func (r *Reconciler) current(ctx context.Context, ro *v1alpha1.CloudRunRollout) (*v1alpha1.CloudRunRollout, error) {
	switch r.sight.of(ro, r.Process.Now()) {
	case lagging:
		return nil, nil
	case silent:
		if r.Live != nil {
			return r.live(ctx, ro)
		}
	case fresh:
	}
	return ro, nil
}

// live reads an object past the cache.
func (r *Reconciler) live(ctx context.Context, ro *v1alpha1.CloudRunRollout) (*v1alpha1.CloudRunRollout, error) {
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	now := &v1alpha1.CloudRunRollout{}
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(ro), now); err != nil {
		return nil, fmt.Errorf("reading the object from the apiserver: %w", err)
	}
	r.sight.sure(now, r.Process.Now())
	return now, nil
}

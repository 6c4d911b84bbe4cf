package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

const (
	// staleWait is how soon to look again when the cache lags behind.
	staleWait = 200 * time.Millisecond
	// staleFor is how long a cache is waited for.
	staleFor = time.Minute
	// deniedFor is how long a refused write is not tried again. It doubles up to
	// deniedLongest, because each try is a turn of the object's state; a way back
	// is tried every minute.
	deniedFor     = time.Minute
	deniedLongest = 10 * time.Minute
)

// memory is what this process remembers between passes. Losing it costs a
// repeated read or a repeated refusal, never a wrong write.
type memory struct {
	mu          sync.Mutex
	wrote       map[types.UID]own
	denied      map[types.UID]denial
	interleaved map[types.UID]bool
	deleted     map[types.UID]time.Time
	released    map[types.UID]bool
}

// own is the version of an object that this process wrote, and when.
type own struct {
	version string
	at      time.Time
}

type denial struct {
	detail string
	wait   time.Duration
	until  time.Time
}

// saved remembers the version of an object that this process wrote.
func (m *memory) saved(o client.Object, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wrote == nil {
		m.wrote = map[types.UID]own{}
	}
	m.wrote[o.GetUID()] = own{o.GetResourceVersion(), now}
}

// stale tells whether the cache has not yet seen what this process wrote; a
// decision on it would forget what was just decided. Versions of one resource
// are ordered (Kubernetes 1.35, KEP-5504). A cache that does not catch up within
// staleFor belongs to a cluster that was put back into its past; there the
// comparison of versions at the save is the guard.
func (m *memory) stale(o client.Object, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	wrote, ok := m.wrote[o.GetUID()]
	if !ok || now.Sub(wrote.at) > staleFor {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(o.GetResourceVersion(), wrote.version)
	return err == nil && order < 0
}

// deny remembers that Cloud Run refused a write.
func (m *memory) deny(o *v1alpha1.CloudRunRollout, detail string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.denied == nil {
		m.denied = map[types.UID]denial{}
	}
	wait := deniedFor
	if o.Status.Phase != v1alpha1.PhaseRollingBack {
		wait = min(max(deniedFor, 2*m.denied[o.UID].wait), deniedLongest)
	}
	m.denied[o.UID] = denial{detail, wait, now.Add(wait)}
}

// allowed forgets refusals: a write was accepted.
func (m *memory) allowed(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.denied, o.GetUID())
}

// writeDenied returns why the last write was refused, while that is fresh.
func (m *memory) writeDenied(o client.Object, now time.Time) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.denied[o.GetUID()]
	return d.detail, ok && now.Before(d.until)
}

// interleave remembers that somebody else wrote between our read and our write.
func (m *memory) interleave(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.interleaved == nil {
		m.interleaved = map[types.UID]bool{}
	}
	m.interleaved[o.GetUID()] = true
}

// wasInterleaved tells it once.
func (m *memory) wasInterleaved(o client.Object) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.interleaved[o.GetUID()]
	delete(m.interleaved, o.GetUID())
	return was
}

// deletedSince returns when a deletion was first seen.
func (m *memory) deletedSince(o client.Object, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.deleted == nil {
		m.deleted = map[types.UID]time.Time{}
	}
	if since, ok := m.deleted[o.GetUID()]; ok {
		return since
	}
	m.deleted[o.GetUID()] = now
	return now
}

// firstRelease is true once for each object.
func (m *memory) firstRelease(o client.Object) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.released == nil {
		m.released = map[types.UID]bool{}
	}
	told := m.released[o.GetUID()]
	m.released[o.GetUID()] = true
	return !told
}

// unreleased takes that back.
func (m *memory) unreleased(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.released, o.GetUID())
}

// forget drops what is remembered of an object that is gone.
func (m *memory) forget(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.wrote, uid)
	delete(m.denied, uid)
	delete(m.interleaved, uid)
	delete(m.deleted, uid)
	delete(m.released, uid)
}

package controllers

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// deniedFor is how long a refused write is not tried again. It doubles up to
	// deniedLongest, because each try is a turn of the object's state; a way back
	// is tried every minute.
	deniedFor     = time.Minute
	deniedLongest = 10 * time.Minute
	// failingFor is how long after one failed write the next one is of the same row.
	failingFor = 10 * time.Minute
	// collisions is how many writes in a row may meet a change before it is told.
	collisions = 5
)

// memory is what this process remembers between passes. Losing it costs a
// repeated read or a repeated refusal, never a wrong write.
type memory struct {
	mu          sync.Mutex
	failing     map[types.UID]failure
	denied      map[types.UID]denial
	interleaved map[types.UID]bool
	deleted     map[types.UID]time.Time
	released    map[types.UID]bool
	unseen      map[types.UID]time.Time
	pressing    map[types.UID]bool
	lateTold    map[types.UID]time.Time
	live        map[rollout.ServiceRef]time.Time
	templates   map[types.UID]templateRefusal
	services    map[types.UID]rollout.ServiceRef // of objects that move a RunService
}

type denial struct {
	detail string
	wait   time.Duration
	until  time.Time
}

// failure is a row of writes that were not accepted.
type failure struct {
	count       int
	since, last time.Time
	cause       string // of the first one: the words of the next differ in ports and times
	collision   bool   // the service had changed, which cures itself
}

// told tells whether a person should know of it.
func (f failure) told() bool { return f.count > 0 && (!f.collision || f.count >= collisions) }

// String says it in a sentence.
func (f failure) String() string {
	if f.collision {
		return fmt.Sprintf("Since %s every write met a change of the service or was not confirmed, the first with: %s. Who else writes to it?",
			rollout.Clock(f.since), f.cause)
	}
	return fmt.Sprintf("Writes fail since %s: %s; tried again at least every 2 minutes.", rollout.Clock(f.since), f.cause)
}

// wait is how soon to read and write again after a collision: at once, then less
// and less often.
func (f failure) wait() time.Duration { return again << min(f.count-1, 10) }

// longestAfter bounds that: a way back stays near.
func longestAfter(phase v1alpha1.Phase) time.Duration {
	if phase == v1alpha1.PhaseRollingBack {
		return longestWayBack
	}
	return longestBackoff
}

// deny remembers that Cloud Run refused a write, and returns until when none is
// tried.
func (m *memory) deny(o *v1alpha1.CloudRunRollout, detail string, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.denied == nil {
		m.denied = map[types.UID]denial{}
	}
	wait := deniedFor
	if o.Status.Phase != v1alpha1.PhaseRollingBack {
		wait = min(max(deniedFor, 2*m.denied[o.UID].wait), deniedLongest)
	}
	m.denied[o.UID] = denial{
		fmt.Sprintf("a write was refused, the next is tried at %s: %s", rollout.Clock(now.Add(wait)), detail), wait, now.Add(wait),
	}
	return now.Add(wait)
}

// allowed forgets refusals: a write was accepted.
func (m *memory) allowed(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.denied, o.GetUID())
	delete(m.failing, o.GetUID())
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

// wasInterleaved tells it until what was made of it is saved.
func (m *memory) wasInterleaved(o client.Object) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.interleaved[o.GetUID()]
}

// interleaveSaved forgets it.
func (m *memory) interleaveSaved(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.interleaved, o.GetUID())
}

// failed remembers a write that was not accepted, and counts those in a row.
func (m *memory) failed(o client.Object, now failure) failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing == nil {
		m.failing = map[types.UID]failure{}
	}
	f := m.failing[o.GetUID()]
	if f.collision != now.collision || now.last.Sub(f.last) > failingFor {
		f = failure{since: now.last, cause: now.cause, collision: now.collision}
	}
	f.count++
	f.last = now.last
	m.failing[o.GetUID()] = f
	return f
}

// failures returns what writes of an object have been failing of.
func (m *memory) failures(o client.Object) failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failing[o.GetUID()]
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

// unseenSince returns since when an object could not be looked at, though nobody was told yet.
func (m *memory) unseenSince(o client.Object, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unseen == nil {
		m.unseen = map[types.UID]time.Time{}
	}
	if since, ok := m.unseen[o.GetUID()]; ok {
		return since
	}
	m.unseen[o.GetUID()] = now
	return now
}

// looked forgets that: it was looked at.
func (m *memory) looked(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.unseen, o.GetUID())
}

// late is true at most once every [lateAfter] for each object.
func (m *memory) late(o client.Object, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lateTold == nil {
		m.lateTold = map[types.UID]time.Time{}
	}
	if told, ok := m.lateTold[o.GetUID()]; ok && now.Sub(told) < lateAfter {
		return false
	}
	m.lateTold[o.GetUID()] = now
	return true
}

// press remembers that an object's candidate is to give up traffic, as it seems.
func (m *memory) press(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pressing == nil {
		m.pressing = map[types.UID]bool{}
	}
	m.pressing[o.GetUID()] = true
}

// pressed tells it until a decision was made on a live read.
func (m *memory) pressed(o client.Object) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pressing[o.GetUID()]
}

// relieve forgets it.
func (m *memory) relieve(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pressing, o.GetUID())
}

// wasReadLive remembers when a service was read, by the core's time: whichever object it was
// read for, a list before that shows what is known to be past. What no list is looked at
// for any more is forgotten.
func (m *memory) wasReadLive(ref rollout.ServiceRef, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.live[ref]; !known {
		maps.DeleteFunc(m.live, func(_ rollout.ServiceRef, at time.Time) bool { return now.Sub(at) > watchedIdle })
	}
	if m.live == nil {
		m.live = map[rollout.ServiceRef]time.Time{}
	}
	m.live[ref] = now
}

// readLive returns when that was last.
func (m *memory) readLive(ref rollout.ServiceRef) (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, known := m.live[ref]
	return at, known
}

// moves remembers which service an object that moves a RunService was found to move; the
// zero one where that could not be read.
func (m *memory) moves(o client.Object, in rollout.Input) {
	if in.Plan.RunService == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.services == nil {
		m.services = map[types.UID]rollout.ServiceRef{}
	}
	m.services[o.GetUID()] = rollout.ServiceRef{}
	if in.Service.Presence == rollout.Found {
		m.services[o.GetUID()] = in.Plan.Service
	}
}

// tried remembers that there was a pass on an object, whatever it has found.
func (m *memory) tried(ro *v1alpha1.CloudRunRollout) {
	if ro.Spec.Target.RunServiceName() == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.services == nil {
		m.services = map[types.UID]rollout.ServiceRef{}
	}
	if _, known := m.services[ro.UID]; !known {
		m.services[ro.UID] = rollout.ServiceRef{}
	}
}

// moved returns which service an object was found to move, and whether there was a pass
// on it.
func (m *memory) moved(o client.Object) (rollout.ServiceRef, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ref, tried := m.services[o.GetUID()]
	return ref, tried
}

// forget drops what is remembered of an object that is gone.
func (m *memory) forget(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.failing, uid)
	delete(m.denied, uid)
	delete(m.interleaved, uid)
	delete(m.deleted, uid)
	delete(m.released, uid)
	delete(m.unseen, uid)
	delete(m.pressing, uid)
	delete(m.lateTold, uid)
	delete(m.templates, uid)
	delete(m.services, uid)
}

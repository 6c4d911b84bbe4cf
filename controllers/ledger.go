package controllers

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// ledger keeps rollouts behind one gateway from taking the same headroom: workers
// decide side by side, and what one has saved the other's cache shows a little
// later. A rise is entered before it is saved. It is refused when another one
// behind the same gateway was entered since the rollout looked: what that takes
// was not known to the decision. Losing the ledger costs nothing that a cache which
// is up to date does not tell.
type ledger struct {
	mu      sync.Mutex
	turn    int64                     // counts the rises
	last    map[analysis.Source]rise  // the newest one behind each gateway
	looked  map[types.UID]int64       // the turn at which a rollout looked
	claimed map[types.UID]claimedRise // what the cache may not show yet
}

// rise is one that was entered.
type rise struct {
	turn int64
	by   types.UID
}

// claimedRise is what a rise claims, and from which version of its object on the
// cache shows it.
type claimedRise struct {
	peers   []rollout.Peer
	version string // "" while it is not known to be saved
	at      time.Time
}

// look remembers what a rollout knows: every rise that was entered until now.
func (l *ledger) look(uid types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.looked == nil {
		l.looked = map[types.UID]int64{}
	}
	l.looked[uid] = l.turn
}

// enter claims what a rise may take, unless another one came first.
func (l *ledger) enter(uid types.UID, peers []rollout.Peer, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range peers {
		if r := l.last[p.Gateway]; r.turn > l.looked[uid] && r.by != uid {
			return false
		}
	}
	if l.last == nil {
		l.last, l.claimed = map[analysis.Source]rise{}, map[types.UID]claimedRise{}
	}
	l.turn++
	for _, p := range peers {
		l.last[p.Gateway] = rise{l.turn, uid}
	}
	l.claimed[uid] = claimedRise{peers: peers, at: now}
	return true
}

// saved says in which version of its object a rise is.
func (l *ledger) saved(uid types.UID, version string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.claimed[uid]; ok {
		c.version = version
		l.claimed[uid] = c
	}
}

// undo takes back a rise that was surely not saved.
func (l *ledger) undo(uid types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.claimed, uid)
}

// claims is what a rollout claims: as entered while the cache does not show it
// yet, else as its status says.
func (l *ledger) claims(ro *v1alpha1.CloudRunRollout, now, core time.Time) []rollout.Peer {
	if peers, ok := l.unseen(ro, now); ok {
		return peers
	}
	if len(ro.Status.Gateways) == 0 {
		return nil
	}
	peers := progressOf(ro).Claims(string(ro.UID), core)
	if !seenSince(ro, core.Add(-waitBelieved)) {
		peers = slices.DeleteFunc(peers, func(p rollout.Peer) bool { return !p.Claim.Hot && !p.Claim.Back })
	}
	return peers
}

// waitBelieved is how long a rollout is believed to wait that does not say so any
// more. Who waits for a gateway looks at it, and tells of it every minute; who
// cannot look, or may not, will not go, and must not be waited for. Metrics are
// minutes late.
const waitBelieved = 15 * time.Minute

// staleFor is how long a cache is waited for to show what was entered. One that
// does not catch up belongs to a cluster that was put back into its past.
const staleFor = time.Minute

// seenSince tells whether a rollout has seen one of its gateways since a time.
func seenSince(ro *v1alpha1.CloudRunRollout, at time.Time) bool {
	return slices.ContainsFunc(ro.Status.Gateways, func(g v1alpha1.GatewayStatus) bool {
		return g.ObservedThrough != nil && !g.ObservedThrough.Time.Before(at)
	})
}

func (l *ledger) unseen(ro *v1alpha1.CloudRunRollout, now time.Time) ([]rollout.Peer, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.claimed[ro.UID]
	if !ok {
		return nil, false
	}
	shown := false
	if c.version != "" {
		order, err := resourceversion.CompareResourceVersion(ro.ResourceVersion, c.version)
		shown = err != nil || order >= 0
	}
	if shown || now.Sub(c.at) > staleFor {
		delete(l.claimed, ro.UID)
		return nil, false
	}
	return c.peers, true
}

// forget drops what is remembered of an object that is gone.
func (l *ledger) forget(uid types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.looked, uid)
	delete(l.claimed, uid)
	for gateway, r := range l.last {
		if r.by == uid {
			delete(l.last, gateway)
		}
	}
}

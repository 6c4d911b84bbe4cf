package controllers

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// errOvertaken is a rise that another rollout behind the same gateway preceded.
var errOvertaken = errors.New("another rollout behind the same gateway rose meanwhile")

// peers lists what the other rollouts of this cluster claim of gateways, whichever
// namespace they are in. Who they are is told to nobody. It looks in the cache:
// every object of the cluster is in it.
func (r *Reconciler) peers(ctx context.Context, ro *v1alpha1.CloudRunRollout, in rollout.Input) ([]rollout.Peer, error) {
	if len(rollout.Leaving(in)) == 0 {
		return nil, nil
	}
	r.ledger.look(ro.UID)
	var all v1alpha1.CloudRunRolloutList
	// Nothing here changes what it reads, so nothing need be copied.
	if err := r.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("looking for rollouts behind the same gateways: %w", err)
	}
	var peers []rollout.Peer
	for i := range all.Items {
		if other := &all.Items[i]; other.UID != ro.UID {
			peers = append(peers, r.ledger.claims(other, r.Process.Now(), in.Now)...)
		}
	}
	return peers, nil
}

// claim enters a rise into the ledger before it is saved, so that no other worker
// takes the same headroom. What leads back asks nobody.
func (r *Reconciler) claim(ro *v1alpha1.CloudRunRollout, in rollout.Input, d rollout.Decision) error {
	if d.Write == nil || !d.Progress.Hot.After(in.Progress.Hot) {
		return nil
	}
	if !r.ledger.enter(ro.UID, d.Progress.Claims(string(ro.UID), in.Now), r.Process.Now()) {
		return errOvertaken
	}
	return nil
}

// claimed tells the ledger what became of the save of a rise. Where that is not
// known its claim stands for a while.
func (r *Reconciler) claimed(ro *v1alpha1.CloudRunRollout, err error) {
	switch {
	case err == nil:
		r.ledger.saved(ro.UID, ro.ResourceVersion)
	case apierrors.IsConflict(err), apierrors.IsNotFound(err), apierrors.IsInvalid(err):
		r.ledger.undo(ro.UID)
	}
}

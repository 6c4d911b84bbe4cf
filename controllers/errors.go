package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const (
	// again is how soon to look again when the world moved under a decision.
	again = time.Second
	// goneWait is when to look whether an object that was gone is there again: etcd that
	// is put back into its past brings it back as it was, which is no event to a cache
	// that had not yet seen it go.
	goneWait = time.Minute
	// invalidWait is how long to wait for a person to correct a spec.
	invalidWait = 10 * time.Minute
)

// errBarred is a write that was not sent, because access was taken away since the look
// that it rests on.
var errBarred = errors.New("access was taken away before the write")

// writeError is the failure of a write to Cloud Run.
type writeError struct {
	error

	template string // the digest of the one that was sent; "" where it was a split
}

func (e writeError) Unwrap() error { return e.error }

// maybeWritten tells whether a failed write may stand nevertheless.
func maybeWritten(err error) bool {
	return errors.Is(err, cloudrun.ErrAmbiguous) || errors.Is(err, cloudrun.ErrInterleaved)
}

// explain turns a failed pass into what happens next. It is the only place that
// knows the kinds of errors.
//
//	the object changed                 look again, on new facts, past the cache if it has none
//	the object is gone                 look once more, whether it is
//	another rollout rose first         the same
//	an older one was not looked at     look again, when it may have been
//	the service changed                the same, less and less often
//	an answer to a write was lost      the same: the split says what happened
//	a write came later than delta      the same
//	a write met somebody else's        look again, as after a stranger's change
//	over quota                         say so; wait as long as was asked, two minutes at most
//	the same, on the way back          say so; wait seconds
//	the same, at rest, and not asked   look again later, without a word for half an hour
//	a read shows what is past          look again in seconds, without a word for a minute
//	a write was not accepted           back off, and say so
//	a template was refused             NotDeployed, by the next pass; traffic is moved as ever
//	a write was denied                 held as AccessDenied by the next pass
//	access was taken away before it    look again: the next pass says so, or access is back
//	an invalid spec                    Stalled/InvalidSpec, until it is edited
//	too many in the namespace          Stalled/TooManyRollouts, until it is among the oldest
//	anything else                      back off, and say that nothing can be read
//
// Waits after calls of Cloud Run are spread: what fails many rollouts at once would
// have them back at once.
func (r *Reconciler) explain(ctx context.Context, ro *v1alpha1.CloudRunRollout, err error) (ctrl.Result, error) {
	logger := log.FromContext(ctx)
	var invalid invalidSpecError
	var crowded crowdedError
	var write writeError // a template's failure is one, too
	var call *cloudrun.CallError
	switch {
	case errors.Is(err, errEarly):
		return ctrl.Result{RequeueAfter: again}, nil
	case errors.Is(err, errOvertaken):
		logger.V(1).Info("Nothing was saved or sent; looking again", "cause", err.Error())
		return ctrl.Result{RequeueAfter: staleWait}, nil
	case apierrors.IsConflict(err):
		r.sight.met(ro)
		return ctrl.Result{RequeueAfter: staleWait}, nil
	case apierrors.IsNotFound(err):
		return ctrl.Result{RequeueAfter: goneWait}, nil
	case errors.As(err, &invalid):
		return ctrl.Result{RequeueAfter: invalidWait}, r.refuse(ctx, ro, v1alpha1.ReasonInvalidSpec, invalid,
			"Traffic stays as it is until the spec is corrected; looked at again every 10 minutes.")
	case errors.As(err, &crowded):
		return ctrl.Result{RequeueAfter: crowdedWait}, r.refuse(ctx, ro, v1alpha1.ReasonTooManyRollouts, crowded,
			"Nothing is asked or sent for it, and traffic stays as it is; looked at again every minute.")
	case errors.Is(err, cloudrun.ErrInterleaved):
		logger.Info("Somebody else wrote between our read and our write", "cause", err.Error())
		r.memory.interleave(ro)
		return ctrl.Result{RequeueAfter: again}, nil
	case errors.Is(err, rollout.ErrLate), errors.Is(err, errBarred), errors.Is(err, cloudrun.ErrConflict), maybeWritten(err):
		logger.Info("The write was not confirmed; reading again", "cause", err.Error())
		f := r.failed(ro, failure{cause: err.Error(), collision: true})
		return ctrl.Result{RequeueAfter: r.spread(f.wait(), longestAfter(ro.Status.Phase))}, nil
	case r.templateRefused(ctx, ro, err):
		return ctrl.Result{RequeueAfter: again}, nil
	case errors.As(err, &write) && write.template == "" && errors.Is(err, cloudrun.ErrDenied) && errors.As(err, &call):
		until := r.memory.deny(ro, call.Detail, r.Process.Now())
		logger.Info("A write was denied", "cause", err.Error(), "until", until)
		return ctrl.Result{RequeueAfter: again}, nil
	case r.mayWait(ro, err):
		logger.V(1).Info("Looked at later, without a word", "cause", err.Error())
		return ctrl.Result{RequeueAfter: r.quietAgain(err)}, nil
	case errors.Is(err, cloudrun.ErrThrottled) && errors.As(err, &call):
		logger.Info("A quota of Cloud Run is used up", "cause", err.Error())
		wait, longest := r.throttled(ro, err, call)
		if errors.As(err, &write) {
			r.failed(ro, failure{cause: err.Error()})
			return ctrl.Result{RequeueAfter: wait}, nil
		}
		return ctrl.Result{RequeueAfter: wait}, r.lost(ctx, ro, err, longest)
	case errors.As(err, &write):
		r.failed(ro, failure{cause: err.Error()})
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, errors.Join(err, r.lost(ctx, ro, err, "30 seconds"))
}

// failed counts a write that was not accepted, and tells of a row of them once.
// The service can be read: the next save says so beside what was decided.
func (r *Reconciler) failed(ro *v1alpha1.CloudRunRollout, now failure) failure {
	before := r.memory.failures(ro)
	now.last = r.Clock.Now()
	f := r.memory.failed(ro, now)
	if f.told() && (!before.told() || before.since != f.since) {
		r.event(ro, rollout.Event{Reason: rollout.Reason(stateOf(ro)), Note: f.String(), Warning: true})
	}
	return f
}

// stateOf is the saved state, which every event that is no transition names.
func stateOf(ro *v1alpha1.CloudRunRollout) string {
	if ready := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Reason
	}
	return v1alpha1.ReasonPreparing
}

// refuse says why nothing is done for an object, and what happens next.
func (r *Reconciler) refuse(ctx context.Context, ro *v1alpha1.CloudRunRollout, reason string, cause error, next string) error {
	before := ro.Status.DeepCopy()
	r.mark(ro, v1alpha1.ConditionReady, metav1.ConditionFalse, reason, cause.Error())
	r.mark(ro, v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, cause.Error())
	r.mark(ro, v1alpha1.ConditionAccepted, metav1.ConditionFalse, reason, cause.Error())
	meta.RemoveStatusCondition(&ro.Status.Conditions, v1alpha1.ConditionReconciling)
	if ro.Status.Phase == "" {
		ro.Status.Phase = v1alpha1.PhaseIdle
	}
	ro.Status.NextAction = next
	ro.Status.ObservedGeneration = ro.Generation
	if equality.Semantic.DeepEqual(before, &ro.Status) {
		return nil
	}
	if err := r.update(ctx, ro); err != nil {
		return err
	}
	r.event(ro, rollout.Event{Reason: rollout.Reason(reason), Note: cause.Error(), Warning: true})
	return nil
}

// cannotBeRead begins what lost says, and shows that it was said.
const cannotBeRead = "cannot be read since"

// lost says, once for each outage, that nothing can be read: in every condition
// that would otherwise go on promising what was planned, and in an event. The
// first cause stands: the words of the next ones differ in ports and times. The
// next pass that succeeds writes all of it anew.
func (r *Reconciler) lost(ctx context.Context, ro *v1alpha1.CloudRunRollout, cause error, every string) error {
	known := meta.FindStatusCondition(ro.Status.Conditions, v1alpha1.ConditionTrafficInSync)
	if known != nil && known.ObservedGeneration == ro.Generation && strings.Contains(known.Message, cannotBeRead) {
		return nil
	}
	what := "What is needed"
	if _, call := errors.AsType[*cloudrun.CallError](cause); call {
		what = "Cloud Run"
	}
	next := "Traffic stays as it is; tried again at least every " + every + "."
	message := fmt.Sprintf("%s %s %s: %s. %s", what, cannotBeRead, rollout.Clock(r.Clock.Now()), cause, next)
	r.mark(ro, v1alpha1.ConditionTrafficInSync, metav1.ConditionUnknown, v1alpha1.ReasonTrafficUnknown, message)
	if ro.Status.Attempt == nil { // it was never read: nothing else says what goes on
		r.mark(ro, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPreparing, message)
		r.mark(ro, v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonPreparing, message)
		ro.Status.Phase = v1alpha1.PhaseIdle
	}
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if c := meta.FindStatusCondition(ro.Status.Conditions, kind); c != nil {
			c.Message = shorten(message, v1alpha1.MaxConditionMessage)
		}
	}
	ro.Status.NextAction = next
	if err := r.update(ctx, ro); err != nil {
		return err
	}
	r.event(ro, rollout.Event{Reason: rollout.Reason(stateOf(ro)), Note: message, Warning: true})
	return nil
}

func (r *Reconciler) mark(ro *v1alpha1.CloudRunRollout, kind string, value metav1.ConditionStatus, reason, message string) {
	setCondition(&ro.Status.Conditions, metav1.Condition{
		Type: kind, Status: value, Reason: reason, Message: shorten(message, v1alpha1.MaxConditionMessage),
		ObservedGeneration: ro.Generation, LastTransitionTime: metav1.NewTime(r.Clock.Now()),
	})
}

func (r *Reconciler) update(ctx context.Context, ro *v1alpha1.CloudRunRollout) error {
	if err := r.Status().Update(ctx, ro); err != nil {
		return err
	}
	r.sight.wrote(ro, r.Process.Now())
	return nil
}

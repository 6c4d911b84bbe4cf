package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/template"
)

// templateOf reads what the spec wants the next revision to be like, or says why it
// cannot be had. A template that is wrong holds nothing up but itself: what is under way
// is judged, and goes back if it must.
func templateOf(ro *v1alpha1.CloudRunRollout) (wanted rollout.Template, undeployable string) {
	switch raw := ro.Spec.Template; {
	case raw == nil:
		return rollout.Template{}, ""
	case ro.Spec.Target.RunServiceRef != nil:
		return rollout.Template{}, "the target is a RunService: write spec.template of that, and remove it here"
	default:
		read, _, err := template.Read(raw.Raw)
		if err != nil {
			return rollout.Template{}, shorten(err.Error(), v1alpha1.MaxMessage)
		}
		return read, ""
	}
}

// deployable completes an input with whether its template may be deployed: by a
// CloudRunAccess, and by what Cloud Run said of it the last time.
func (r *Reconciler) deployable(ctx context.Context, cloud Cloud, ro *v1alpha1.CloudRunRollout, in *rollout.Input) error {
	if in.Plan.Template.IsZero() || in.Undeployable != "" {
		return nil
	}
	if cloud.MayDeploy != nil {
		why, err := cloud.MayDeploy(ctx, in.Plan.Service, in.Plan.Template)
		if err != nil {
			return err
		}
		in.Undeployable = why
	}
	if why, refused := r.memory.templateRefused(ro, in.Plan.Template.Digest, r.Process.Now()); refused && in.Undeployable == "" {
		in.Undeployable = why
	}
	return nil
}

// deploy sends the template of a pass, under the same fences as a rise.
func (r *Reconciler) deploy(ctx context.Context, cloud Cloud, ref rollout.ServiceRef, d rollout.Deploy, started time.Time) error {
	if r.Process.Since(started) > delta {
		return rollout.ErrLate
	}
	if cloud.Deployer == nil {
		return errors.New("nothing here deploys templates")
	}
	err := cloud.Deployer.SetTemplate(ctx, ref, d)
	if call, ok := errors.AsType[*cloudrun.CallError](err); ok {
		call.Detail = template.Conceal(d.Template(), call.Detail)
	}
	if err != nil {
		return writeError{err, d.Template().Digest}
	}
	return nil
}

// tellSecrets warns of a template that was deployed with what seem to be secrets in it: who
// applies it from Git may never have had it looked at.
func (r *Reconciler) tellSecrets(ro *v1alpha1.CloudRunRollout) {
	if ro.Spec.Template == nil {
		return
	}
	_, found, err := template.Read(ro.Spec.Template.Raw)
	if err != nil {
		return // which is told as what it is
	}
	var secrets []string
	for _, f := range found {
		if f.Secret {
			secrets = append(secrets, f.String())
		}
	}
	if len(secrets) > 0 {
		r.event(ro, rollout.Event{Reason: v1alpha1.ReasonLiteralSecret, Note: strings.Join(secrets, "; "), Warning: true})
	}
}

// refusedTemplate tells what Cloud Run has against this very template, or against us
// sending it. The rights that a template needs are more than those of a split: it does not
// follow that traffic may not be moved.
func refusedTemplate(err writeError) (detail string, ok bool) {
	var call *cloudrun.CallError
	if err.template == "" || !errors.As(err, &call) {
		return "", false
	}
	if errors.Is(err, cloudrun.ErrRefused) {
		return "Sluice's own write firewall did not let it through: " + call.Detail, true
	}
	for _, kind := range []error{cloudrun.ErrDenied, cloudrun.ErrInvalid, cloudrun.ErrNotFound, cloudrun.ErrNamedConflict} {
		if errors.Is(err, kind) {
			return "Cloud Run refused it: " + call.Detail, true
		}
	}
	return "", false
}

// templateRefused tells whether a pass failed because Cloud Run refused its template, and
// remembers that.
func (r *Reconciler) templateRefused(ctx context.Context, ro *v1alpha1.CloudRunRollout, err error) bool {
	var failed writeError
	if !errors.As(err, &failed) {
		return false
	}
	detail, ok := refusedTemplate(failed)
	if ok {
		until := r.memory.refuseTemplate(ro, failed.template, detail, r.Process.Now())
		log.FromContext(ctx).Info("A template was refused", "cause", err.Error(), "until", until)
	}
	return ok
}

// refuseTemplate remembers that Cloud Run refused a template, and until when it is not
// sent again: twice as long each time.
func (m *memory) refuseTemplate(o *v1alpha1.CloudRunRollout, digest, detail string, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.templates == nil {
		m.templates = map[types.UID]templateRefusal{}
	}
	was, wait := m.templates[o.UID], deniedFor
	if was.digest == digest {
		wait = min(2*was.wait, deniedLongest)
	}
	until := now.Add(wait)
	m.templates[o.UID] = templateRefusal{digest, denial{
		fmt.Sprintf("%s; it is sent again at %s", detail, rollout.Clock(until)), wait, until,
	}}
	return until
}

// templateRefused tells what Cloud Run said of a template, while it is not sent again.
func (m *memory) templateRefused(o *v1alpha1.CloudRunRollout, digest string, now time.Time) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, ok := m.templates[o.UID]
	return was.detail, ok && was.digest == digest && now.Before(was.until)
}

// templateRefusal is what Cloud Run said of a template.
type templateRefusal struct {
	digest string
	denial
}

package kcc

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/sluice-rollouts/sluice/internal/cloudrun"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Target is one RunService and the service that it is about.
type Target struct {
	client          *Client
	namespace, name string
}

func (t *Target) op(what string) string {
	return fmt.Sprintf("%s %s %q", what, kind, t.namespace+"/"+t.name)
}

func (t *Target) objects() dynamic.ResourceInterface {
	return t.client.api.Resource(runServices).Namespace(t.namespace)
}

// Ref resolves which service the RunService is about. Where that cannot be told,
// because the RunService is missing, may not be read or does not say, the service
// that is returned says why: it is a fact, as a missing service is.
func (t *Target) Ref(ctx context.Context) (rollout.ServiceRef, rollout.Service, error) {
	object, err := t.get(ctx)
	if err != nil {
		none, err := absent(err)
		return rollout.ServiceRef{}, none, err
	}
	ref, why := serviceRef(object)
	if why != "" {
		return rollout.ServiceRef{}, rollout.Service{Presence: rollout.Missing, Detail: why}, nil
	}
	return ref, rollout.Service{Presence: rollout.Found}, nil
}

// Service reads the RunService and its service live, and shows them as one, with
// what should be known before the first write. It changes nothing.
func (t *Target) Service(ctx context.Context, ref rollout.ServiceRef) (rollout.Service, error) {
	s, err := t.Look(ctx, ref)
	if err != nil {
		return absent(err)
	}
	shown := seen(s.RunService, s.Live)
	if shown.Presence == rollout.Found {
		shown.Kept = s.kept(t.client.clock.Now())
		shown.Kept.Late = t.Late(s)
	}
	return shown, nil
}

// Revisions reads revisions live: Config Connector has none.
func (t *Target) Revisions(ctx context.Context, ref rollout.ServiceRef, names []string) (map[string]rollout.Revision, error) {
	return t.client.live.Revisions(ctx, ref, names)
}

// Look reads everything that a rollout should know before its first write.
func (t *Target) Look(ctx context.Context, ref rollout.ServiceRef) (Sight, error) {
	r, live, err := t.both(ctx, ref)
	if err != nil {
		return Sight{}, err
	}
	return Sight{RunService: r, Settings: t.settings(ctx, r), Live: live}, nil
}

// Late says why the split that stands in spec should be set on the service too, or
// "". It is always "" where that is not allowed.
func (t *Target) Late(s Sight) string { return t.late(s.RunService, s.Live) }

func (t *Target) late(r RunService, live rollout.Service) string {
	if !t.client.direct {
		return ""
	}
	return Late(r, live, t.client.clock.Now(), t.client.patience)
}

// both reads the RunService first: what Config Connector does after that shows in
// the service. It fails with ErrConflict where the RunService is about another service
// by now: access was checked for that of ref, and what is written moves the other one.
func (t *Target) both(ctx context.Context, ref rollout.ServiceRef) (RunService, rollout.Service, error) {
	object, err := t.get(ctx)
	if err != nil {
		return RunService{}, rollout.Service{}, err
	}
	if about, why := serviceRef(object); about != ref {
		return RunService{}, rollout.Service{}, &cloudrun.CallError{
			Op: t.op("reading"), Kind: cloudrun.ErrConflict, Detail: cmp.Or(why, "it is about another service than a moment ago"),
		}
	}
	live, err := t.client.live.Service(ctx, ref)
	return readRunService(object), live, err
}

func (t *Target) get(ctx context.Context) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, t.client.timeout)
	defer cancel()
	object, err := t.objects().Get(ctx, t.name, metav1.GetOptions{})
	if err != nil {
		return nil, readError(t.op("reading"), err)
	}
	return object, nil
}

// absent tells a failed read that is an answer from one that is none.
func absent(err error) (rollout.Service, error) {
	var failure *cloudrun.CallError
	switch {
	case errors.As(err, &failure) && errors.Is(failure.Kind, cloudrun.ErrNotFound):
		return rollout.Service{Presence: rollout.Missing, Detail: failure.Detail}, nil
	case errors.As(err, &failure) && failure.Denied():
		return rollout.Service{Presence: rollout.Denied, Detail: failure.Detail}, nil
	}
	return rollout.Service{}, err
}

// SetTraffic writes spec.traffic, if RunService and service are still as they were
// read, and returns as soon as the Kubernetes API accepted it. What stands there
// already is not written again: where Config Connector is late with it, it is set
// on the service.
//
// ErrConflict says that either has changed since they were read, and rollout.ErrLate that
// reading them again took too long: nothing was written. ErrDenied with ErrOwned says that
// spec.traffic belongs to somebody else; ErrAmbiguous that the answer was lost.
func (t *Target) SetTraffic(ctx context.Context, ref rollout.ServiceRef, w rollout.Write) error {
	op := t.op("setting traffic of")
	list, err := written(w.Targets())
	if err != nil {
		return &cloudrun.CallError{Op: op, Kind: cloudrun.ErrInvalid, Detail: err.Error()}
	}
	began := t.client.clock.Now()
	r, live, err := t.both(ctx, ref)
	switch {
	case err != nil:
		return err
	case live.Presence != rollout.Found:
		return &cloudrun.CallError{Op: op, Kind: cloudrun.ErrConflict, Detail: "the service cannot be read any more: " + live.Detail}
	case versionOf(r, live) != w.ETag():
		return &cloudrun.CallError{Op: op, Kind: cloudrun.ErrConflict, Detail: fmt.Sprintf("version %q was decided on", w.ETag())}
	case w.Late(t.client.clock.Since(began)):
		return fmt.Errorf("%s: reading it again took too long: %w", op, rollout.ErrLate)
	}
	if !r.says(list) {
		return t.apply(ctx, op, r, list)
	}
	if t.late(r, live) == "" {
		return nil
	}
	return t.client.live.SetTrafficOn(ctx, ref, w, live.ETag)
}

// Release gives spec.traffic up: the field goes where nobody else owns it, and the
// service stays as it is. In merge mode Config Connector writes it again and
// enforces it.
func (t *Target) Release(ctx context.Context) error {
	object, err := t.get(ctx)
	if errors.Is(err, cloudrun.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r := readRunService(object)
	if _, applied := ours(r.Owners); !applied {
		return nil
	}
	return t.apply(ctx, t.op("releasing"), r, nil)
}

// apply writes the list on the version of the RunService that was read; nil for
// none. Config Connector's own ownership is taken, nobody else's.
func (t *Target) apply(ctx context.Context, op string, r RunService, list []any) error {
	ctx, cancel := context.WithTimeout(ctx, t.client.timeout)
	defer cancel()
	object := configuration(r, list)
	_, err := t.objects().Apply(ctx, r.Name, object, metav1.ApplyOptions{FieldManager: Manager})
	if nobodys(conflicting(err)) {
		_, err = t.objects().Apply(ctx, r.Name, object, metav1.ApplyOptions{FieldManager: Manager, Force: true})
	}
	switch managers := conflicting(err); {
	case err == nil:
		return nil
	case len(managers) > 0:
		return owned(op, r, managers)
	case apierrors.IsNotFound(err):
		return &cloudrun.CallError{Op: op, Kind: cloudrun.ErrConflict, Detail: "the RunService is gone"}
	}
	return writeError(op, err)
}

// configuration is what is applied: spec.traffic and nothing else. UID and version
// are conditions, not fields that we own: without them an apply makes what is not
// there, and goes over what was written since.
func configuration(r RunService, list []any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": runServices.GroupVersion().String(), "kind": kind,
		"metadata": map[string]any{"name": r.Name, "namespace": r.Namespace, "uid": r.UID, "resourceVersion": r.Version},
	}}
	if list != nil {
		object.Object["spec"] = map[string]any{"traffic": list}
	}
	return object
}

package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// objects are what a real manager wrote in the demo's world.
var objects = filepath.Join("..", "..", "cmd", "kubectl-sluice", "testdata", "objects")

// world is one script's namespace, and the hand of the manager there.
type world struct {
	client.WithWatch
	namespace string
}

// newWorld makes a namespace whose name begins so.
func newWorld(ctx context.Context, name string) (*world, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, rbacv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	c, err := client.NewWithWatch(plane.Config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	return &world{c, name}, c.Create(ctx, namespace)
}

// read reads an object of the demo's world.
func read(file string) (*v1alpha1.CloudRunRollout, error) {
	text, err := os.ReadFile(filepath.Join(objects, file))
	if err != nil {
		return nil, err
	}
	ro := &v1alpha1.CloudRunRollout{}
	return ro, yaml.UnmarshalStrict(text, ro)
}

// put creates an object of the demo's world with its status.
func (w *world) put(ctx context.Context, file string) error {
	ro, err := read(file)
	if err != nil {
		return err
	}
	status := ro.Status
	ro.ObjectMeta = metav1.ObjectMeta{Name: ro.Name, Namespace: w.namespace}
	if err := w.Create(ctx, ro); err != nil {
		return err
	}
	ro.Status = seen(status, ro)
	return w.Status().Update(ctx, ro)
}

// seen makes a status one of the newest spec.
func seen(status v1alpha1.CloudRunRolloutStatus, ro *v1alpha1.CloudRunRollout) v1alpha1.CloudRunRolloutStatus {
	status.ObservedGeneration = ro.Generation
	return status
}

// say puts the status of another object of the demo's world on one, of the candidate
// that it had: whoever waits for that one may have seen it, or has only begun to look.
func (w *world) say(ctx context.Context, name, file string, last *v1alpha1.RequestStatus) error {
	other, err := read(file)
	if err != nil {
		return err
	}
	ro := &v1alpha1.CloudRunRollout{}
	if err := w.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, ro); err != nil {
		return err
	}
	candidate := ro.Status.Candidate
	ro.Status = seen(other.Status, ro)
	if candidate != nil && ro.Status.Candidate != nil {
		ro.Status.Candidate.Revision = candidate.Revision
	}
	if last != nil {
		ro.Status.LastRequest = last
	}
	return w.Status().Update(ctx, ro)
}

// asked waits until somebody asks for a verb, and gives the request's annotations.
func (w *world) asked(ctx context.Context, name, verb string) (map[string]string, error) {
	watch, err := w.Watch(ctx, &v1alpha1.CloudRunRolloutList{}, client.InNamespace(w.namespace))
	if err != nil {
		return nil, err
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		ro, ok := event.Object.(*v1alpha1.CloudRunRollout)
		if ok && ro.Name == name && ro.Annotations[v1alpha1.RequestVerb] == verb {
			return ro.Annotations, nil
		}
	}
	return nil, fmt.Errorf("nobody asks %s for %s: %w", name, verb, ctx.Err())
}

// answer answers a request as the manager does.
func (w *world) answer(ctx context.Context, name, id string, result v1alpha1.RequestResult, message string) error {
	ro := &v1alpha1.CloudRunRollout{}
	if err := w.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, ro); err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"status": map[string]any{
		"lastRequest": v1alpha1.RequestStatus{ID: id, Verb: ro.Annotations[v1alpha1.RequestVerb], Result: result, Message: message, Time: metav1.Now()},
	}})
	if err != nil {
		return err
	}
	return w.Status().Patch(ctx, ro, client.RawPatch(types.MergePatchType, patch))
}

// back gives a rollout's traffic to stable, as Cloud Run confirms it.
func (w *world) back(ctx context.Context, name string) error {
	ro := &v1alpha1.CloudRunRollout{}
	if err := w.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, ro); err != nil {
		return err
	}
	ro.Status.Phase, ro.Status.Weight = v1alpha1.PhaseRolledBack, "0%"
	ro.Status.Stable.Percent, ro.Status.Candidate.Percent = 100, 0
	return w.Status().Update(ctx, ro)
}

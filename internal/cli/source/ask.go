package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// FieldManager is whose the annotations of a request are. Its name does not begin with
// kubectl: Flux takes what such managers wrote for drift and takes it away, an abort that
// nobody has heard yet, too.
const FieldManager = "sluice-request"

// ErrChanged says that a rollout is not the one any more that was looked at.
var ErrChanged = errors.New("it has changed since it was looked at")

// Annotate sets annotations on the very version of a rollout that was looked at.
// Those that are "" are taken away. ErrChanged when there is a newer version. With
// dryRun, such as metav1.DryRunAll, nothing is kept.
func (c *Cluster) Annotate(ctx context.Context, seen *v1alpha1.CloudRunRollout, annotations map[string]string, dryRun ...string) error {
	patch, err := json.Marshal(operations(seen, annotations))
	if err != nil {
		return err
	}
	objects := c.client.Namespace(seen.Namespace)
	_, err = objects.Patch(ctx, seen.Name, types.JSONPatchType, patch, metav1.PatchOptions{DryRun: dryRun, FieldManager: FieldManager})
	if mayNotPatch(err) {
		return fmt.Errorf("you may not ask for anything here: ask the platform team for the ClusterRole sluice-oncall in namespace %s: %w", seen.Namespace, err)
	}
	if !apierrors.IsInvalid(err) && !apierrors.IsConflict(err) {
		return explained(err)
	}
	// The API server says that a test failed as it says that a patch is wrong.
	now, readErr := c.Get(ctx, Name{seen.Namespace, seen.Name})
	if readErr == nil && now.ResourceVersion != seen.ResourceVersion {
		return ErrChanged
	}
	return err
}

// mayNotPatch tells whether the API server refuses somebody every request, and so before
// a policy that says whom to ask could see this one.
func mayNotPatch(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), " cannot patch resource ")
}

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// operations are the patch that sets annotations on exactly one version.
func operations(seen *v1alpha1.CloudRunRollout, annotations map[string]string) []operation {
	ops := []operation{{"test", "/metadata/resourceVersion", seen.ResourceVersion}}
	if len(seen.Annotations) == 0 {
		set := maps.Clone(annotations)
		maps.DeleteFunc(set, func(_, value string) bool { return value == "" })
		return append(ops, operation{"add", "/metadata/annotations", set})
	}
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		path := "/metadata/annotations/" + strings.ReplaceAll(key, "/", "~1") // no key has a ~ of its own
		_, there := seen.Annotations[key]
		switch value := annotations[key]; {
		case value != "":
			ops = append(ops, operation{"add", path, value})
		case there:
			ops = append(ops, operation{Op: "remove", Path: path})
		}
	}
	return ops
}

// ErrReplaced means that another request took the place of one before it was answered,
// or that somebody took it back.
var ErrReplaced = errors.New("the request is gone, and was not answered")

// Answered waits for the answer to a request, and gives the rollout as it says so. It
// fails with ErrReplaced where nobody will answer any more.
func Answered(ctx context.Context, src Source, name Name, id string) (*v1alpha1.CloudRunRollout, error) {
	answered := func(ro *v1alpha1.CloudRunRollout) bool {
		return ro.Status.LastRequest != nil && ro.Status.LastRequest.ID == id
	}
	ro, err := Until(ctx, src, name, func(ro *v1alpha1.CloudRunRollout) bool {
		return answered(ro) || ro.Annotations[v1alpha1.RequestID] != id
	})
	if err == nil && !answered(ro) {
		err = ErrReplaced
	}
	return ro, err
}

// Until waits until a rollout is as it should be. Without that, it gives the one
// that was seen last, and why nothing more was.
func Until(ctx context.Context, src Source, name Name, good func(*v1alpha1.CloudRunRollout) bool) (*v1alpha1.CloudRunRollout, error) {
	var last *v1alpha1.CloudRunRollout
	for ro, err := range src.Follow(ctx, name) {
		if err != nil {
			return last, err
		}
		if last = ro; good(ro) {
			return ro, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return last, err
	}
	return last, fmt.Errorf("nothing more is known of %s", name)
}

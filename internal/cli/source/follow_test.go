package source_test

import (
	"context"
	"errors"
	"net/http"
	goruntime "runtime"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli/source"
)

var kind = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "cloudrunrollouts"}

// broken is a cluster whose Gets fail as told, one after the other, after the first,
// and whose watches end at once.
func broken(errs ...error) *fake.FakeDynamicClient {
	ro := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "CloudRunRollout",
		"metadata": map[string]any{"namespace": "pay", "name": "api", "resourceVersion": "1"},
	}}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{kind.WithVersion("v1alpha1"): "CloudRunRolloutList"}, ro)
	gets := 0
	client.PrependReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		gets++
		switch {
		case gets == 1:
			return true, ro, nil
		case gets-2 < len(errs):
			return true, nil, errs[gets-2]
		}
		newer := ro.DeepCopy()
		newer.SetResourceVersion("2")
		return true, newer, nil
	})
	client.PrependWatchReactor("*", func(clienttesting.Action) (bool, watch.Interface, error) {
		w := watch.NewFake()
		w.Stop()
		return true, w, nil
	})
	return client
}

// stepping is a clock that goes on whenever somebody waits for it.
func stepping(ctx context.Context) *clocktesting.FakeClock {
	clock := clocktesting.NewFakeClock(time.Date(2026, 11, 26, 3, 7, 0, 0, time.UTC))
	go func() {
		for ctx.Err() == nil {
			if clock.HasWaiters() {
				clock.Step(time.Minute)
			}
			goruntime.Gosched()
		}
	}()
	return clock
}

// TestAnAPIServerThatFailsForAWhileDoesNotEndAWait: a pipeline that waits for hours would
// take it for a rollback.
func TestAnAPIServerThatFailsForAWhileDoesNotEndAWait(t *testing.T) {
	t.Parallel()
	name := source.Name{Namespace: "pay", Name: "api"}
	for what, c := range map[string]struct {
		errs  []error
		fails bool
	}{
		"503":           {[]error{apierrors.NewServiceUnavailable("etcd has no leader"), apierrors.NewServiceUnavailable("nor now")}, false},
		"429":           {[]error{apierrors.NewTooManyRequests("later", 1)}, false},
		"no connection": {[]error{errors.New("connection refused")}, false},
		"500":           {[]error{apierrors.NewInternalError(errors.New(http.StatusText(http.StatusInternalServerError)))}, false},
		"it is gone":    {[]error{apierrors.NewNotFound(kind, "api")}, true},
		"no right":      {[]error{apierrors.NewForbidden(kind, "api", errors.New("no"))}, true},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cluster := source.NewCluster(broken(c.errs...), stepping(ctx))
		ro, err := source.Until(ctx, cluster, name, func(ro *v1alpha1.CloudRunRollout) bool { return ro.ResourceVersion == "2" })
		if (err != nil) != c.fails || !c.fails && ro.ResourceVersion != "2" {
			t.Errorf("%s: %v", what, err)
		}
		cancel()
	}
}

// TestARequestThatIsGoneIsNotWaitedFor: somebody else's is there instead.
func TestARequestThatIsGoneIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	cluster := source.NewCluster(broken(), stepping(t.Context()))
	if _, err := source.Answered(t.Context(), cluster, source.Name{Namespace: "pay", Name: "api"}, "mine"); !errors.Is(err, source.ErrReplaced) {
		t.Errorf("it ends with %v", err)
	}
}

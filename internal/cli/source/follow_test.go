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

// frozen is a rollout of version 1.
func frozen() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "CloudRunRollout",
		"metadata": map[string]any{"namespace": "pay", "name": "api", "resourceVersion": "1"},
	}}
}

// broken is a cluster whose Gets fail as told, one after the other, after the first,
// and whose watches end at once.
func broken(errs ...error) *fake.FakeDynamicClient {
	ro := frozen()
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

// TestWhatDoesNotChangeIsGivenAgain, some minutes later: what is frozen looks like what is
// well to whoever only hears of changes. The watch ends by then, whatever the API server's
// own limit is.
func TestWhatDoesNotChangeIsGivenAgain(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client, clock := broken(), stepping(ctx)
	client.PrependReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, frozen(), nil
	})
	var times []time.Time
	for ro, err := range source.NewCluster(client, clock).Follow(ctx, source.Name{Namespace: "pay", Name: "api"}) {
		if err != nil || ro.ResourceVersion != "1" {
			t.Fatal(ro, err)
		}
		if times = append(times, clock.Now()); len(times) == 3 {
			break
		}
	}
	for i, at := range times[1:] {
		if apart := at.Sub(times[i]); apart < 5*time.Minute || apart > 10*time.Minute {
			t.Errorf("given again after %s", apart)
		}
	}
	for _, action := range client.Actions() {
		if w, ok := action.(clienttesting.WatchActionImpl); ok && (w.ListOptions.TimeoutSeconds == nil || *w.ListOptions.TimeoutSeconds != 300) {
			t.Errorf("a watch lasts for %v seconds", w.ListOptions.TimeoutSeconds)
		}
	}
}

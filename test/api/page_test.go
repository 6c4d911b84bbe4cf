package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
	"github.com/sluice-rollouts/sluice/internal/view"
)

// single is the only rollout of a page.
type single struct{ v1alpha1.CloudRunRollout }

// Rollouts implements dashboard.Source.
func (s single) Rollouts(context.Context) ([]v1alpha1.CloudRunRollout, error) {
	return []v1alpha1.CloudRunRollout{s.CloudRunRollout}, nil
}

// TestThePageOfTheLargestStatusIsSmall measures it with all that it loads, not compressed.
func TestThePageOfTheLargestStatusIsSmall(t *testing.T) {
	const most = 60_000
	whole := sample(t, full)
	whole.Object["status"] = largestStatus(t)
	var ro v1alpha1.CloudRunRollout
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(whole.Object, &ro); err != nil {
		t.Fatal(err)
	}
	ro.Namespace, ro.Name = "shop", "web"
	page := dashboard.New(dashboard.Options{
		Source: single{ro}, Clock: clocktesting.NewFakePassiveClock(time.Date(2026, 11, 23, 8, 7, 0, 0, time.UTC)),
		Process: clock.RealClock{}, Version: "v0.0.0-test", Console: view.Console,
	}).Handler()
	get := func(path string) string {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8082"+path, http.NoBody))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	text := get("/rollouts/shop/web")
	size := len(text)
	for _, asset := range regexp.MustCompile(`"\.\./\.\./(assets/[^"]+)"`).FindAllStringSubmatch(text, -1) {
		size += len(get("/" + asset[1]))
	}
	t.Logf("%d bytes, of which %d are the page itself", size, len(text))
	if size >= most || len(text) < 20_000 {
		t.Errorf("%d bytes, of which %d are the page itself: want less than %d, and all that the status says", size, len(text), most)
	}
}

package cloudrun

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestEveryCallIsCounted(t *testing.T) {
	t.Parallel()
	client, _ := dial(t, func(req *http.Request) outcome {
		switch {
		case req.Method == http.MethodPatch:
			return outcome{err: errors.New("no answer")}
		case strings.HasSuffix(req.URL.Path, "/services"):
			return outcome{code: http.StatusForbidden}
		}
		return town()(req)
	})
	if _, err := client.Service(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Revisions(t.Context(), web, []string{"web-1", "web-2"}); err != nil {
		t.Fatal(err)
	}
	NewWatch(client, func(error) {}).Listed(t.Context(), web, tenSharp, 1)
	if err := client.swap(t.Context(), web, step); err == nil {
		t.Error("a write without an answer succeeds")
	}
	want := `
# HELP sluice_gcp_requests_total Calls of Google's APIs by this process, by method and by the code they were answered with.
# TYPE sluice_gcp_requests_total counter
sluice_gcp_requests_total{api="run",code="200",method="revisions.get"} 2
sluice_gcp_requests_total{api="run",code="200",method="services.get"} 1
sluice_gcp_requests_total{api="run",code="403",method="services.list"} 1
sluice_gcp_requests_total{api="run",code="none",method="services.patch"} 1
`
	if err := testutil.CollectAndCompare(client.Counters(), strings.NewReader(want), "sluice_gcp_requests_total"); err != nil {
		t.Error(err)
	}
}

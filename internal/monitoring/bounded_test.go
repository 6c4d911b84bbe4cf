package monitoring

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	metricpb "google.golang.org/genproto/googleapis/api/metric"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// TestAPageThatIsTooLargeIsNotReadToItsEnd, and says nothing of a service.
func TestAPageThatIsTooLargeIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	s := &server{list: func(context.Context, *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
		return &monitoringpb.ListTimeSeriesResponse{TimeSeries: []*monitoringpb.TimeSeries{
			{Metric: &metricpb.Metric{Type: strings.Repeat("x", maxMessage+1)}},
		}}, nil
	}}
	a := one(t, start(t, s), ask(analysis.Requests, revision))
	if a.Cause == analysis.CauseNone || len(a.Points) != 0 || !strings.Contains(a.Detail, "larger than max") {
		t.Errorf("got %+v", a)
	}
}

// TestARedirectIsNotFollowed: where an address that was not written down is named,
// it is not asked.
func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	t.Cleanup(elsewhere.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	redirecting := &http.Server{Handler: http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect), Protocols: &http.Protocols{}}
	redirecting.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = redirecting.Serve(listener) }()
	t.Cleanup(func() { _ = redirecting.Close() })
	client, err := New(t.Context(), Options{Endpoint: "http://" + listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if a := one(t, client, ask(analysis.Requests, revision)); a.Cause == analysis.CauseNone || !strings.Contains(a.Detail, "307") {
		t.Errorf("got %+v", a)
	}
}

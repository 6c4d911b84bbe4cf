package gateway

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Counters are the calls of the Compute API and of Serverless VPC Access, by method
// and HTTP status; the status of a call without an answer is "none".
func (c *Client) Counters() []prometheus.Collector {
	return []prometheus.Collector{c.roads.compute.bottom.calls, c.roads.vpcAccess.bottom.calls}
}

// maxAnswer is the largest body that is read, in bytes. A page of 500 routers
// stays well below it.
const maxAnswer = 8 << 20

// meter counts the calls and limits what comes back.
type meter struct {
	next  http.RoundTripper
	calls *prometheus.CounterVec
}

func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, err := m.next.RoundTrip(req)
	code := "none"
	if answer != nil {
		code = strconv.Itoa(answer.StatusCode)
	}
	m.calls.WithLabelValues(methodOf(req.URL.Path), code).Inc()
	if err != nil {
		return nil, err
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	return answer, nil
}

// methodOf names a call as the API's reference does: routers.get.
func methodOf(path string) string {
	switch {
	case strings.Contains(path, "/connectors/"):
		return "connectors.get"
	case strings.Contains(path, "/subnetworks/"):
		return "subnetworks.get"
	case strings.HasSuffix(path, "/getRouterStatus"):
		return "routers.getRouterStatus"
	case strings.HasSuffix(path, "/routers"):
		return "routers.list"
	}
	return "routers.get"
}

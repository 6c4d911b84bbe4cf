package cloudrun

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// newCounters count the calls that left this process. The name is shared with
// the other APIs', which differ in api.
func newCounters() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sluice_gcp_requests_total", ConstLabels: prometheus.Labels{"api": "run"},
		Help: "Calls of Google's APIs by this process, by method and by the code they were answered with.",
	}, []string{"method", "code"})
}

// Counters are the calls of the Cloud Run Admin API, by method and HTTP status;
// the status of a call without an answer is "none".
func (c *Client) Counters() prometheus.Collector { return c.calls }

// methodOf names a call as the API's reference does: services.get.
func methodOf(req *http.Request) string {
	kind, verb := "services", "get"
	switch path := req.URL.Path; {
	case strings.Contains(path, "/revisions/"):
		kind = "revisions"
	case strings.HasSuffix(path, "/services"):
		verb = "list"
	}
	if req.Method == http.MethodPatch {
		verb = "patch"
	}
	return kind + "." + verb
}

// codeOf is the status of an answer.
func codeOf(answer *http.Response) string {
	if answer == nil {
		return "none"
	}
	return strconv.Itoa(answer.StatusCode)
}

package cloudrun

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluice-rollouts/sluice/internal/google"
)

// counters count the calls that left this process, and the reads that did not.
type counters struct {
	calls, withheld *prometheus.CounterVec
}

// newCounters makes them. The names are shared with the other APIs', which differ
// in api.
func newCounters() *counters {
	c := &counters{
		calls: google.NewCalls("run"),
		withheld: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sluice_gcp_withheld_total", ConstLabels: prometheus.Labels{"api": "run"},
			Help: "Calls of Google's APIs that this process did not make, to stay within a quota, by how well they could wait and by why.",
		}, []string{"class", "cause"}),
	}
	for _, of := range []class{shared, live, watching, resting} {
		for _, cause := range []string{ownLimit, askedTo} {
			c.withheld.WithLabelValues(string(of), cause) // there from the start, so that the first one is a rise
		}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *counters) Describe(ch chan<- *prometheus.Desc) {
	c.calls.Describe(ch)
	c.withheld.Describe(ch)
}

// Collect implements prometheus.Collector.
func (c *counters) Collect(ch chan<- prometheus.Metric) {
	c.calls.Collect(ch)
	c.withheld.Collect(ch)
}

// Counters are the calls of the Cloud Run Admin API, by method and HTTP status,
// and the reads that were not made; the status of a call without an answer is
// "none".
func (c *Client) Counters() prometheus.Collector { return c.counters }

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

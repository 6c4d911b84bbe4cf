package monitoring

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluice-rollouts/sluice/internal/google"
)

// The calls that are counted.
const (
	methodList     = "ListTimeSeries"
	methodDescribe = "GetMetricDescriptor"
	methodQuery    = "QueryRange"
)

// counters count what the API is asked and what it answers.
type counters struct {
	requests      *prometheus.CounterVec
	pages, series prometheus.Counter
}

func newCounters() *counters {
	return &counters{
		requests: google.NewCalls("monitoring"),
		pages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sluice_monitoring_pages_total",
			Help: "Pages of time series that were read from Cloud Monitoring.",
		}),
		series: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sluice_monitoring_series_total",
			Help: "Time series that were read from Cloud Monitoring, one for every page that a series is on.",
		}),
	}
}

// Describe implements prometheus.Collector.
func (c *counters) Describe(ch chan<- *prometheus.Desc) {
	c.requests.Describe(ch)
	c.pages.Describe(ch)
	c.series.Describe(ch)
}

// Collect implements prometheus.Collector.
func (c *counters) Collect(ch chan<- prometheus.Metric) {
	c.requests.Collect(ch)
	c.pages.Collect(ch)
	c.series.Collect(ch)
}

// panic counts a call that ended in a panic, of ours or of a library's.
func (c *counters) panic(method string) { c.requests.WithLabelValues(method, codePanic).Inc() }

// call counts a call by its outcome, in the words of gRPC: OK, Unavailable.
func (c *counters) call(method string, err error) {
	c.requests.WithLabelValues(method, codeOf(err).String()).Inc()
}

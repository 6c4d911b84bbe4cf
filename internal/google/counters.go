package google

import "github.com/prometheus/client_golang/prometheus"

// NewCalls counts the calls of an API that left this process, by method and by the code
// they were answered with. The name is shared by all APIs, which differ in api.
func NewCalls(api string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sluice_gcp_requests_total", ConstLabels: prometheus.Labels{"api": api},
		Help: "Calls of Google's APIs by this process, by method and by the code they were answered with.",
	}, []string{"method", "code"})
}

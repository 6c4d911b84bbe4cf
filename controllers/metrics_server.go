package controllers

import (
	"crypto/tls"

	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/sluice-rollouts/sluice/internal/loopback"
)

// MetricsServer says how metrics are served at an address: "0" not at all, on
// this machine's own address in the open, and anywhere else with TLS and only to
// those who may get /metrics. They name projects, services and revisions of
// every namespace.
func MetricsServer(address string) metricsserver.Options {
	options := metricsserver.Options{BindAddress: address}
	if address == "0" || loopback.Address(address) {
		return options
	}
	options.SecureServing = true
	options.FilterProvider = filters.WithAuthenticationAndAuthorization
	// A scrape needs no HTTP/2, whose streams have been a way to tire servers.
	options.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }}
	return options
}

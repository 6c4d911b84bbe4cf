package controllers

import (
	"crypto/tls"
	"net"

	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// MetricsServer says how metrics are served at an address: "0" not at all, on
// this machine's own address in the open, and anywhere else with TLS and only to
// those who may get /metrics. They name projects, services and revisions of
// every namespace.
func MetricsServer(address string) metricsserver.Options {
	options := metricsserver.Options{BindAddress: address}
	if address == "0" || OnLoopback(address) {
		return options
	}
	options.SecureServing = true
	options.FilterProvider = filters.WithAuthenticationAndAuthorization
	// A scrape needs no HTTP/2, whose streams have been a way to tire servers.
	options.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }}
	return options
}

// OnLoopback tells whether an address to listen at is reached from this machine only.
func OnLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

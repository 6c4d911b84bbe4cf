// Package loopback tells what is reached from this machine only.
package loopback

import "net"

// Address tells whether an address to listen at, host and port, is reached from this
// machine only. An address without a port is not.
func Address(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Host tells whether a request was meant for this machine by its Host header, with a
// port or without. A page of somebody else's that a browser was led to by a name that
// now points here was not.
func Host(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(host)
	return host == "localhost" || host == "[::1]" || ip != nil && ip.IsLoopback()
}

package google

import (
	"net"
	"net/http"
	"time"
)

// Network is the transport to a real API over HTTP. A connection that went dead
// without a word is noticed by pings, not by the next rollback.
func Network() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 10 * time.Second},
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}

// NoRedirect refuses to follow: credentials and writes are for the endpoint.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

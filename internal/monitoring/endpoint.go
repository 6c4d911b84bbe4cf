package monitoring

import (
	"fmt"
	"net"
	"net/url"
)

// endpoint is an address of the API; the zero endpoint is the public one.
type endpoint struct {
	host  string // with port
	plain bool   // this machine, without encryption and credentials
}

// parseEndpoint reads an address that a person gave. Credentials leave this
// machine only through https, and http is for this machine only.
func parseEndpoint(address string) (endpoint, error) {
	if address == "" {
		return endpoint{}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return endpoint{}, fmt.Errorf(
			"endpoint %q of Cloud Monitoring is not an address: write https://HOST or http://127.0.0.1:PORT", clean(address))
	}
	if u.Path != "" && u.Path != "/" {
		return endpoint{}, fmt.Errorf("endpoint %q of Cloud Monitoring has a path: write only scheme, host and port", clean(address))
	}
	switch {
	case u.Scheme == "https":
		return endpoint{host: withPort(u, "443")}, nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return endpoint{host: withPort(u, "80"), plain: true}, nil
	}
	return endpoint{}, fmt.Errorf(
		"endpoint %q of Cloud Monitoring is not https: http is only for this machine (127.0.0.1, ::1, localhost)", clean(address))
}

func withPort(u *url.URL, standard string) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), standard)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

package google

import (
	"fmt"
	"net"
	"net/url"
)

// Endpoint is where an API is reached.
type Endpoint struct {
	Host  string // with the port if one was written
	Plain bool   // this machine, without encryption and credentials
}

// URL is the address with a slash at its end.
func (e Endpoint) URL() string {
	if e.Plain {
		return "http://" + e.Host + "/"
	}
	return "https://" + e.Host + "/"
}

// ParseEndpoint reads an address that a person gave for an API. Credentials leave
// this machine only through https, and http is for this machine only.
func ParseEndpoint(api, address string) (Endpoint, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return Endpoint{}, fmt.Errorf(
			"endpoint %q of %s is not an address: write https://HOST or http://127.0.0.1:PORT", Clean(address), api)
	}
	if u.Path != "" && u.Path != "/" {
		return Endpoint{}, fmt.Errorf("endpoint %q of %s has a path: write only scheme, host and port", Clean(address), api)
	}
	switch {
	case u.Scheme == "https":
		return Endpoint{Host: u.Host}, nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return Endpoint{Host: u.Host, Plain: true}, nil
	}
	return Endpoint{}, fmt.Errorf(
		"endpoint %q of %s is not https: http is only for this machine (127.0.0.1, ::1, localhost)", Clean(address), api)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

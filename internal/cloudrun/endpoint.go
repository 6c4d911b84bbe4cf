package cloudrun

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
)

// endpoint is an address of the API.
type endpoint struct {
	url   string // with a slash at its end
	plain bool   // this machine, without encryption and credentials
}

// parseEndpoint reads an address that a person gave. Credentials leave this
// machine only through https, and http is for this machine only.
func parseEndpoint(address string) (endpoint, error) {
	u, err := url.Parse(cmp.Or(address, DefaultEndpoint))
	if err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return endpoint{}, fmt.Errorf(
			"endpoint %q of Cloud Run is not an address: write https://HOST/ or http://127.0.0.1:PORT/", clean(address))
	}
	if u.Path != "" && u.Path != "/" {
		return endpoint{}, fmt.Errorf("endpoint %q of Cloud Run has a path: write only scheme, host and port", clean(address))
	}
	at := endpoint{url: u.Scheme + "://" + u.Host + "/"}
	switch {
	case u.Scheme == "https":
		return at, nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		at.plain = true
		return at, nil
	}
	return endpoint{}, fmt.Errorf(
		"endpoint %q of Cloud Run is not https: http is only for this machine (127.0.0.1, ::1, localhost)", clean(address))
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

package monitoring

import (
	"net"

	"github.com/sluice-rollouts/sluice/internal/google"
)

// endpoint is an address of the API; the zero endpoint is the public one.
type endpoint struct {
	host  string // with port
	plain bool   // this machine, without encryption and credentials
}

// parseEndpoint reads an address that a person gave.
func parseEndpoint(address string) (endpoint, error) {
	if address == "" {
		return endpoint{}, nil
	}
	at, err := google.ParseEndpoint("Cloud Monitoring", address)
	if err != nil {
		return endpoint{}, err
	}
	if _, _, err := net.SplitHostPort(at.Host); err == nil {
		return endpoint{host: at.Host, plain: at.Plain}, nil
	}
	if at.Plain {
		return endpoint{host: at.Host + ":80", plain: true}, nil
	}
	return endpoint{host: at.Host + ":443"}, nil
}

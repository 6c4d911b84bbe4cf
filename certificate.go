package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"

	"k8s.io/client-go/util/cert"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"

	"github.com/sluice-rollouts/sluice/internal/loopback"
)

// certificatesFlag is told of where a certificate cannot be used.
const certificatesFlag = "dashboard-cert-dir"

// certificate is what the page is served with.
type certificate struct {
	config *tls.Config // nil in the open
	// files are where it is read from; nil where the manager made it.
	files *given
}

// certified finds the certificate of an address: none on this machine's own, else that
// in a directory, or one that is made.
func certified(address, directory string) (certificate, error) {
	local := loopback.Address(address)
	switch {
	case local && directory != "":
		return certificate{}, fmt.Errorf("--%s: at %s the page is served in the open: give it an address off this machine, or no certificate", certificatesFlag, address)
	case local:
		return certificate{}, nil
	case directory != "":
		files := &given{cert: filepath.Join(directory, "tls.crt"), key: filepath.Join(directory, "tls.key")}
		config := secured()
		config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return files.watcher.GetCertificate(hello) }
		return certificate{config, files}, nil
	}
	pair, err := selfSigned(address)
	if err != nil {
		return certificate{}, fmt.Errorf("--%s: %w", dashboardFlag, err)
	}
	config := secured()
	config.Certificates = []tls.Certificate{pair}
	return certificate{config: config}, nil
}

// keep reads a certificate that was given, and reads it again when it changes, until
// the context ends.
func (c certificate) keep(ctx context.Context) error {
	if c.files == nil {
		return nil
	}
	return c.files.keep(ctx)
}

// given is a certificate in files, such as a mounted Secret of type kubernetes.io/tls.
type given struct {
	cert, key string
	watcher   *certwatcher.CertWatcher // set by keep, before anybody asks for it
}

func (g *given) keep(ctx context.Context) error {
	watcher, err := certwatcher.New(g.cert, g.key)
	if err != nil {
		return fmt.Errorf("reading the page's certificate: %w", err)
	}
	g.watcher = watcher
	go func() {
		if err := watcher.Start(ctx); err != nil {
			ctrl.Log.WithName("dashboard").Error(err, "The page's certificate is not read again", "flag", certificatesFlag)
		}
	}()
	return nil
}

// secured is TLS as the page is served with. Streams of HTTP/2 have been a way to tire
// servers.
func secured() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
}

// selfSigned makes a certificate for an address that nobody gave one for. Whoever
// forwards to it is not told by it who answers, only kept from being overheard.
func selfSigned(address string) (tls.Certificate, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return tls.Certificate{}, err
	}
	if host == "" {
		host = "sluice-dashboard"
	}
	made, key, err := cert.GenerateSelfSignedCertKey(host, nil, nil)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(made, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("reading the certificate that was made: %w", err)
	}
	return pair, nil
}

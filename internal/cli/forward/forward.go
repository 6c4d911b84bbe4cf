// Package forward leads a port of this machine to the page of a manager in a cluster,
// as kubectl port-forward does: with the right to forward to its pod, and no other. To a
// page that is served with TLS it brings the caller's bearer token.
package forward

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// Run forwards a local port, or with 0 any that is free, to the page of a manager until
// the context ends or ready fails, which is told the port once it leads there.
func Run(ctx context.Context, config *rest.Config, m Manager, local int, ready func(port int) error) error {
	dialer, err := dial(config, m)
	if err != nil {
		return err
	}
	open := make(chan struct{})
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"},
		[]string{fmt.Sprintf("%d:%d", local, m.Port)}, open, io.Discard, io.Discard)
	if err != nil {
		return fmt.Errorf("forwarding to %s/%s: %w", m.Namespace, m.Pod, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case err := <-ended:
		return fmt.Errorf("forwarding to %s/%s: %w", m.Namespace, m.Pod, err)
	case <-open:
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		return fmt.Errorf("forwarding to %s/%s: %w", m.Namespace, m.Pod, err)
	}
	if err := ready(int(ports[0].Local)); err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("forwarding to %s/%s: %w", m.Namespace, m.Pod, err)
	}
	return nil
}

// dial opens a stream to a pod: through a WebSocket, or as older API servers and
// proxies want it.
func dial(config *rest.Config, m Manager) (httpstream.Dialer, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	url := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(m.Namespace).Name(m.Pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(url, config)
	if err != nil {
		return nil, err
	}
	old := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	return portforward.NewFallbackDialerForStreaming(tunnel, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

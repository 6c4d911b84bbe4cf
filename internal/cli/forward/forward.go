// Package forward leads a port of this machine to the page of a manager in a cluster,
// as kubectl port-forward does: with the right to forward to its pod, and no other.
package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// managers selects the pods of config/manager.
const managers = "app.kubernetes.io/name=sluice,app.kubernetes.io/component=manager"

// ErrNoManager is given where no manager runs.
var ErrNoManager = errors.New("no pod of a manager is ready")

// Pod finds a manager to ask. Every one serves the page, so any that is ready will
// do.
func Pod(ctx context.Context, config *rest.Config, namespace string) (string, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", err
	}
	pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: managers})
	if err != nil {
		return "", fmt.Errorf("looking for a manager in %s: %w", namespace, err)
	}
	for i := range pods.Items {
		if ready(&pods.Items[i]) {
			return pods.Items[i].Name, nil
		}
	}
	return "", fmt.Errorf("%w in namespace %s (%s); --manager-namespace names another one", ErrNoManager, namespace, managers)
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

// Way is where a forwarding leads.
type Way struct {
	Namespace, Pod string
	// Local is the port of this machine, 0 for any that is free; Remote the pod's.
	Local, Remote int
}

// Run forwards until the context ends, and tells the local port once it does.
func Run(ctx context.Context, config *rest.Config, w Way, ready func(port int) error) error {
	dialer, err := dial(config, w)
	if err != nil {
		return err
	}
	open := make(chan struct{})
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"},
		[]string{fmt.Sprintf("%d:%d", w.Local, w.Remote)}, open, io.Discard, io.Discard)
	if err != nil {
		return fmt.Errorf("forwarding to %s/%s: %w", w.Namespace, w.Pod, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case err := <-ended:
		return fmt.Errorf("forwarding to %s/%s: %w", w.Namespace, w.Pod, err)
	case <-open:
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		return fmt.Errorf("forwarding to %s/%s: %w", w.Namespace, w.Pod, err)
	}
	if err := ready(int(ports[0].Local)); err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("forwarding to %s/%s: %w", w.Namespace, w.Pod, err)
	}
	return nil
}

// dial opens a stream to a pod: through a WebSocket, or as older API servers and
// proxies want it.
func dial(config *rest.Config, w Way) (httpstream.Dialer, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	url := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(w.Namespace).Name(w.Pod).SubResource("portforward").URL()
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

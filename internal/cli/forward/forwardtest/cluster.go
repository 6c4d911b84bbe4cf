// Package forwardtest answers as a kube-apiserver that has pods of a manager and forwards
// to a page.
package forwardtest

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// Managers is how the pods of a manager are asked for.
const Managers = "app.kubernetes.io/name=sluice,app.kubernetes.io/component=manager"

// Cluster has pods in every namespace, and forwards to Pod of sluice-system only.
type Cluster struct {
	Pods []corev1.Pod
	// Pod is the one that can be forwarded to, Port its port, Page what answers there:
	// host and port.
	Pod  string
	Port int
	Page string
}

// Pod is one whose manager has arguments.
func Pod(name string, ready corev1.ConditionStatus, args ...string) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "manager", Args: args}}},
		Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
	}
}

// Start starts a cluster until the test ends, and returns the way to it, for nobody
// yet. It has TLS, without which a kubeconfig's tokens are not used.
func Start(t *testing.T, c Cluster) *rest.Config {
	t.Helper()
	server := httptest.NewTLSServer(served{t, c})
	t.Cleanup(server.CloseClientConnections)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return &rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{CAData: authority}}
}

type served struct {
	t *testing.T
	Cluster
}

// ServeHTTP implements http.Handler.
func (c served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/pods"):
		if got := r.URL.Query().Get("labelSelector"); got != Managers {
			c.t.Errorf("pods are asked for by %q", got)
		}
		w.Header().Set("Content-Type", "application/json")
		list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: c.Pods}
		if err := json.NewEncoder(w).Encode(list); err != nil {
			c.t.Error(err)
		}
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/namespaces/sluice-system/pods/"+c.Pod+"/portforward"):
		c.forward(w, r)
	default: // an API server that does not know the newer way, either
		http.Error(w, "not here", http.StatusBadRequest)
	}
}

// forward copies each stream of data to the page and back.
func (c served) forward(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		return
	}
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, replied <-chan struct{}) error {
		if got := s.Headers().Get(corev1.PortHeader); got != strconv.Itoa(c.Port) {
			c.t.Errorf("port %s is asked for", got)
		}
		go func() {
			<-replied
			if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeData {
				c.copy(s)
			}
			_ = s.Close()
		}()
		return nil
	})
	if conn != nil {
		<-conn.CloseChan()
	}
}

func (c served) copy(s httpstream.Stream) {
	to, err := (&net.Dialer{}).DialContext(c.t.Context(), "tcp", c.Page)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer func() { _ = to.Close() }()
	go func() { _, _ = io.Copy(to, s) }()
	_, _ = io.Copy(s, to)
}

package forward_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/sluice-rollouts/sluice/internal/cli/forward"
)

// cluster answers as a kube-apiserver that has pods and forwards to a page.
type cluster struct {
	t    *testing.T
	pods []corev1.Pod
	page string // host and port
}

// ServeHTTP implements http.Handler.
func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/pods"):
		if got := r.URL.Query().Get("labelSelector"); got != "app.kubernetes.io/name=sluice,app.kubernetes.io/component=manager" {
			c.t.Errorf("pods are asked for by %q", got)
		}
		w.Header().Set("Content-Type", "application/json")
		list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: c.pods}
		if err := json.NewEncoder(w).Encode(list); err != nil {
			c.t.Error(err)
		}
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/namespaces/sluice-system/pods/sluice-b/portforward"):
		c.forward(w, r)
	default: // an API server that does not know the newer way, either
		http.Error(w, "not here", http.StatusBadRequest)
	}
}

// forward copies each stream of data to the page and back.
func (c *cluster) forward(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardProtocolV1Name}); err != nil {
		return
	}
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, replied <-chan struct{}) error {
		if s.Headers().Get(corev1.PortHeader) != "8082" {
			c.t.Errorf("port %s is asked for", s.Headers().Get(corev1.PortHeader))
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

func (c *cluster) copy(s httpstream.Stream) {
	to, err := net.Dial("tcp", c.page)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer to.Close()
	go func() { _, _ = io.Copy(to, s) }()
	_, _ = io.Copy(s, to)
}

func pod(name string, ready corev1.ConditionStatus) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
	}
}

// start starts a cluster with pods, and a page that greets.
func start(t *testing.T, pods ...corev1.Pod) *rest.Config {
	t.Helper()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "the page") }))
	t.Cleanup(page.Close)
	server := httptest.NewServer(&cluster{t: t, pods: pods, page: page.Listener.Addr().String()})
	t.Cleanup(server.CloseClientConnections)
	return &rest.Config{Host: server.URL}
}

func TestAManagerThatIsReadyIsFound(t *testing.T) {
	t.Parallel()
	found, err := forward.Pod(t.Context(), start(t, pod("sluice-a", corev1.ConditionFalse), pod("sluice-b", corev1.ConditionTrue)), "sluice-system")
	if err != nil || found != "sluice-b" {
		t.Errorf("got %q, %v", found, err)
	}
}

func TestWhereNoManagerIsReadyItSaysWhereItLooked(t *testing.T) {
	t.Parallel()
	_, err := forward.Pod(t.Context(), start(t, pod("sluice-a", corev1.ConditionFalse), corev1.Pod{}), "elsewhere")
	if !errors.Is(err, forward.ErrNoManager) || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("got %v", err)
	}
}

func TestAPageIsReachedThroughTheCluster(t *testing.T) {
	t.Parallel()
	config := start(t, pod("sluice-b", corev1.ConditionTrue))
	ctx, enough := context.WithCancel(t.Context())
	seen := ""
	err := forward.Run(ctx, config, forward.Way{Namespace: "sluice-system", Pod: "sluice-b", Remote: 8082}, func(port int) error {
		defer enough()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", port), http.NoBody)
		if err != nil {
			return err
		}
		r.Close = true
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		seen = string(text)
		return err
	})
	if err != nil || seen != "the page" {
		t.Errorf("got %q, %v", seen, err)
	}
}

func TestAPodThatCannotBeReachedIsNamed(t *testing.T) {
	t.Parallel()
	way := forward.Way{Namespace: "sluice-system", Pod: "nobody", Remote: 8082}
	err := forward.Run(t.Context(), start(t), way, func(int) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "forwarding to sluice-system/nobody") {
		t.Errorf("got %v", err)
	}
}

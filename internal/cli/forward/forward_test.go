package forward_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/sluice-rollouts/sluice/internal/cli/forward"
	"github.com/sluice-rollouts/sluice/internal/cli/forward/forwardtest"
)

// start starts a cluster with pods, and a page that greets.
func start(t *testing.T, pods ...corev1.Pod) *rest.Config {
	t.Helper()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "the page") }))
	t.Cleanup(page.Close)
	return forwardtest.Start(t, forwardtest.Cluster{Pods: pods, Pod: "sluice-b", Port: 8082, Page: page.Listener.Addr().String()})
}

func TestAManagerThatIsReadyIsFound(t *testing.T) {
	t.Parallel()
	config := start(t, forwardtest.Pod("sluice-a", corev1.ConditionFalse), forwardtest.Pod("sluice-b", corev1.ConditionTrue))
	found, err := forward.Find(t.Context(), config, "sluice-system")
	if want := (forward.Manager{Namespace: "sluice-system", Pod: "sluice-b", Port: 8082}); err != nil || found != want {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestWhereNoManagerIsReadyItSaysWhereItLooked(t *testing.T) {
	t.Parallel()
	_, err := forward.Find(t.Context(), start(t, forwardtest.Pod("sluice-a", corev1.ConditionFalse), corev1.Pod{}), "elsewhere")
	if !errors.Is(err, forward.ErrNoManager) || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("got %v", err)
	}
}

// TestHowAManagerServesItsPageIsReadInItsPod as the manager itself reads its arguments.
func TestHowAManagerServesItsPageIsReadInItsPod(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		port int
		tls  bool
	}{
		"unless it is told":        {[]string{"--metrics-bind-address=:8443"}, 8082, false},
		"in the cluster":           {[]string{"--metrics-bind-address=:8443", "--dashboard-bind-address=:8444"}, 8444, true},
		"at another port":          {[]string{"-dashboard-bind-address=127.0.0.1:9000"}, 9000, false},
		"by a word of its own":     {[]string{"--dashboard-bind-address", "0.0.0.0:443", "--leader-elect"}, 443, true},
		"by name":                  {[]string{"--dashboard-bind-address=localhost:1"}, 1, false},
		"by the last that is said": {[]string{"--dashboard-bind-address=:8444", "--dashboard-bind-address=[::1]:8082"}, 8082, false},
	} {
		found, err := forward.Find(t.Context(), start(t, forwardtest.Pod("sluice-b", corev1.ConditionTrue, c.args...)), "sluice-system")
		if err != nil || found.Port != c.port || found.TLS != c.tls {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

func TestAManagerWithoutAPageIsSaidToHaveNone(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"--dashboard-bind-address=0":             "the manager sluice-system/sluice-b: it serves no page (--dashboard-bind-address=0): start it with an address",
		"--dashboard-bind-address=$(PAGE)":       "--dashboard-bind-address=$(PAGE) of its pod does not say at which port the page is: write it there as HOST:PORT",
		"--dashboard-bind-address=:0":            "does not say at which port",
		"--dashboard-bind-address=0.0.0.0:99999": "does not say at which port",
	} {
		_, err := forward.Find(t.Context(), start(t, forwardtest.Pod("sluice-b", corev1.ConditionTrue, arg)), "sluice-system")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", arg, err)
		}
	}
	other := forwardtest.Pod("sluice-b", corev1.ConditionTrue)
	other.Spec.Containers[0].Name = "other"
	if _, err := forward.Find(t.Context(), start(t, other), "sluice-system"); err == nil || !strings.Contains(err.Error(), "no container of the name manager") {
		t.Errorf("without a container of the manager's: %v", err)
	}
}

func TestAPageIsReachedThroughTheCluster(t *testing.T) {
	t.Parallel()
	config := start(t, forwardtest.Pod("sluice-b", corev1.ConditionTrue))
	ctx, enough := context.WithCancel(t.Context())
	seen := ""
	manager := forward.Manager{Namespace: "sluice-system", Pod: "sluice-b", Port: 8082}
	err := forward.Run(ctx, config, manager, 0, func(port int) error {
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
	manager := forward.Manager{Namespace: "sluice-system", Pod: "nobody", Port: 8082}
	err := forward.Run(t.Context(), start(t), manager, 0, func(int) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "forwarding to sluice-system/nobody") {
		t.Errorf("got %v", err)
	}
}

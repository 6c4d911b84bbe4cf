package cli_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cli"
	"github.com/sluice-rollouts/sluice/internal/cli/forward/forwardtest"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
)

// shop is what a page shows: one rollout, to whoever brings the token mine.
type shop struct{}

// Rollouts implements dashboard.Source.
func (shop) Rollouts(context.Context) ([]v1alpha1.CloudRunRollout, error) {
	ro := v1alpha1.CloudRunRollout{}
	ro.Namespace, ro.Name = "shop", "the-rollout-of-the-shop"
	return []v1alpha1.CloudRunRollout{ro}, nil
}

// Viewer implements dashboard.Access.
func (shop) Viewer(r *http.Request) (dashboard.Viewer, error) {
	if r.Header.Get("Authorization") != "Bearer mine" {
		return nil, dashboard.ErrUnknown
	}
	return shop{}, nil
}

// Sees implements dashboard.Viewer.
func (shop) Sees(context.Context, string) (bool, error) { return true, nil }

// served is the page of a manager in the open, or with TLS to those it knows.
func served(t *testing.T, secured bool) *httptest.Server {
	t.Helper()
	options := dashboard.Options{Source: shop{}, Clock: clock.RealClock{}, Process: clock.RealClock{}}
	start := httptest.NewServer
	if secured {
		options.Access, start = shop{}, httptest.NewTLSServer
	}
	page := start(dashboard.New(options).Handler())
	t.Cleanup(page.Close)
	return page
}

// kubeconfig leads to a cluster whose manager has arguments, as somebody.
func kubeconfig(t *testing.T, page *httptest.Server, port int, who *clientcmdapi.AuthInfo, args ...string) string {
	t.Helper()
	cluster := forwardtest.Start(t, forwardtest.Cluster{
		Pods: []corev1.Pod{forwardtest.Pod("sluice-b", corev1.ConditionTrue, args...)},
		Pod:  "sluice-b", Port: port, Page: page.Listener.Addr().String(),
	})
	config := clientcmdapi.NewConfig()
	config.Clusters["it"] = &clientcmdapi.Cluster{Server: cluster.Host, CertificateAuthorityData: cluster.CAData}
	config.AuthInfos["it"] = who
	config.Contexts["it"] = &clientcmdapi.Context{Cluster: "it", AuthInfo: "it"}
	config.CurrentContext = "it"
	name := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// looking looks at the page once the command says where it is, and interrupts it.
type looking struct {
	said   string
	enough func()
	seen   string
	err    error
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+/`)

// Write implements io.Writer.
func (l *looking) Write(text []byte) (int, error) {
	defer l.enough()
	l.seen, l.err = fetched(address.FindString(string(text)))
	l.said += string(text)
	return len(text), nil
}

func fetched(at string) (string, error) {
	answer, err := http.Get(at)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		err = errors.Join(err, errors.New(answer.Status))
	}
	return string(text), err
}

// shown runs kubectl sluice dashboard until somebody looked at the page.
func shown(t *testing.T, args ...string) (out *looking, failed string, code int) {
	t.Helper()
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	out = &looking{enough: enough}
	var said bytes.Buffer
	root := cli.Command(cli.Env{Out: out, Err: &said, Clock: clock.RealClock{}})
	code = cli.Run(ctx, root, append([]string{"dashboard", "--port=0"}, args...))
	return out, said.String(), code
}

// TestDashboardLeadsToThePage whichever way the manager serves it.
func TestDashboardLeadsToThePage(t *testing.T) {
	t.Parallel()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secured := served(t, true)
	authority := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secured.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config string
		args   []string
		says   string
	}{
		"in the open": {kubeconfig(t, served(t, false), 8082, &clientcmdapi.AuthInfo{}), nil, "until you press Ctrl-C.\n"},
		"with the token of the kubeconfig": {
			kubeconfig(t, secured, 8444, &clientcmdapi.AuthInfo{Token: "mine"}, "--dashboard-bind-address=:8444"), nil,
			"until you press Ctrl-C, with the rollouts that your token may list.\n",
		},
		"with the token of a file": {
			kubeconfig(t, secured, 8444, &clientcmdapi.AuthInfo{}, "--dashboard-bind-address=:8444"),
			[]string{"--token-file", token},
			"with the rollouts that your token may list.\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, failed, code := shown(t, append(c.args, "--kubeconfig", c.config)...)
			if code != cli.ExitDone || !strings.HasPrefix(out.said, "The page of sluice-system/sluice-b is at http://127.0.0.1:") || !strings.HasSuffix(out.said, c.says) {
				t.Errorf("%d: %s%s", code, out.said, failed)
			}
			if out.err != nil || !strings.Contains(out.seen, "the-rollout-of-the-shop") {
				t.Errorf("a browser sees %q, %v", out.seen, out.err)
			}
		})
	}
}

// TestDashboardSaysWhyThereIsNoPage, what to do, and no token.
func TestDashboardSaysWhyThereIsNoPage(t *testing.T) {
	t.Parallel()
	secured, open := served(t, true), served(t, false)
	authority := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secured.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	const inCluster = "--dashboard-bind-address=:8444"
	for want, c := range map[string]struct {
		config string
		args   []string
		code   int
	}{
		"port 8444 of sluice-system/sluice-b: asking for the page: there is no bearer token for the page: the kubeconfig signs in with": {
			kubeconfig(t, secured, 8444, &clientcmdapi.AuthInfo{}, inCluster), nil, cli.ExitFailed,
		},
		"the page does not know whose the bearer token is: it has ended": {
			kubeconfig(t, secured, 8444, &clientcmdapi.AuthInfo{Token: "somebodys"}, inCluster), nil, cli.ExitFailed,
		},
		"not sluice-dashboard.sluice-system.svc": {
			kubeconfig(t, secured, 8444, &clientcmdapi.AuthInfo{Token: "mine"}, inCluster), []string{"--page-ca", authority}, cli.ExitFailed,
		},
		"--as, --as-group and --as-uid do not reach the page": {
			kubeconfig(t, secured, 8444, &clientcmdapi.AuthInfo{Token: "mine"}, inCluster), []string{"--as", "ana"}, cli.ExitFailed,
		},
		"it serves no page (--dashboard-bind-address=0)": {
			kubeconfig(t, open, 8082, &clientcmdapi.AuthInfo{}, "--dashboard-bind-address=0"), nil, cli.ExitFailed,
		},
		"--token-file and --page-ca are for a page with TLS": {
			kubeconfig(t, open, 8082, &clientcmdapi.AuthInfo{}), []string{"--token-file", "token"}, cli.ExitUsage,
		},
		"--token-file and --page-ca are for a page in the cluster: leave out --address, or them": {
			kubeconfig(t, open, 8082, &clientcmdapi.AuthInfo{}), []string{"--address", open.URL, "--page-ca", authority}, cli.ExitUsage,
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			out, failed, code := shown(t, append(c.args, "--kubeconfig", c.config)...)
			if code != c.code || !strings.Contains(failed, want) || out.said != "" {
				t.Errorf("%d: %s%s", code, out.said, failed)
			}
			if strings.Contains(failed, "somebodys") || strings.Contains(failed, "mine") {
				t.Errorf("a token is said: %s", failed)
			}
		})
	}
}

// TestDashboardTakesTheTokenNowhereElse: what answers and is not the page may send on
// whom it likes, to whom the token is not brought.
func TestDashboardTakesTheTokenNowhereElse(t *testing.T) {
	t.Parallel()
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it is brought %v", r.Header) }))
	t.Cleanup(thief.Close)
	page := httptest.NewTLSServer(http.RedirectHandler(thief.URL, http.StatusFound))
	t.Cleanup(page.Close)
	config := kubeconfig(t, page, 8444, &clientcmdapi.AuthInfo{Token: "mine"}, "--dashboard-bind-address=:8444")
	_, failed, code := shown(t, "--kubeconfig", config)
	if code != cli.ExitFailed || !strings.Contains(failed, "what answers is not the page of a manager: 302 Found") {
		t.Errorf("%d: %s", code, failed)
	}
}

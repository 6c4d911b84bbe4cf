package forward_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"

	"github.com/sluice-rollouts/sluice/internal/cli/forward"
)

// silent is told what goes wrong on purpose.
var silent = log.New(io.Discard, "", 0)

// told is what a page was told by its last request; nil before there was one.
type told struct{ atomic.Pointer[http.Header] }

func (t *told) header() http.Header {
	if header := t.Load(); header != nil {
		return *header
	}
	return nil
}

// secured is a page with TLS that greets by the token it is brought.
func secured(t *testing.T) (*httptest.Server, *told) {
	t.Helper()
	last := &told{}
	page := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last.Store(&r.Header)
		if r.URL.Path == "/events" {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: now\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, r.Method+" "+r.URL.RequestURI()+" by "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(page.Close)
	return page, last
}

// file writes one that has a text.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// asked asks a page through a pass.
func asked(t *testing.T, p forward.Pass, at string) (string, error) {
	t.Helper()
	through, err := p.Transport()
	if err != nil {
		return "", err
	}
	return askedThrough(t, through, at)
}

func askedThrough(t *testing.T, through http.RoundTripper, at string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Client{Transport: through}).Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

// plugin is a credential plugin that gives a token.
func plugin(t *testing.T) *clientcmdapi.ExecConfig {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the plugin is a script for sh")
	}
	return &clientcmdapi.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1", Command: "sh", InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
		Args: []string{"-c", `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"of-a-plugin"}}'`},
	}
}

func TestThePageIsBroughtTheTokenOfTheCaller(t *testing.T) {
	t.Parallel()
	page, _ := secured(t)
	for want, pass := range map[string]forward.Pass{
		"of-the-kubeconfig": {Config: &rest.Config{Host: "https://cluster.example", BearerToken: "of-the-kubeconfig", TLSClientConfig: rest.TLSClientConfig{CAData: []byte("the cluster's, not the page's")}}},
		"of-its-file":       {Config: &rest.Config{BearerTokenFile: file(t, "of-its-file\n")}},
		"of-a-plugin":       {Config: &rest.Config{ExecProvider: plugin(t)}},
		"of-the-flag":       {Config: &rest.Config{BearerToken: "of-the-kubeconfig", Impersonate: rest.ImpersonationConfig{UserName: "ana"}}, TokenFile: file(t, "of-the-flag")},
	} {
		if got, err := asked(t, pass, page.URL+"/"); err != nil || got != "GET / by Bearer "+want {
			t.Errorf("%s: %q, %v", want, got, err)
		}
	}
}

// TestNothingIsSentWithoutAToken: neither a password nor a certificate is the page's to
// see, and it is said what to do.
func TestNothingIsSentWithoutAToken(t *testing.T) {
	t.Parallel()
	page, last := secured(t)
	for name, config := range map[string]*rest.Config{
		"a certificate": {TLSClientConfig: rest.TLSClientConfig{CertFile: "client.crt", KeyFile: "client.key"}},
		"a password":    {Username: "ana", Password: "secret"},
		"nothing":       {},
	} {
		_, err := asked(t, forward.Pass{Config: config}, page.URL)
		if !errors.Is(err, forward.ErrNoToken) || !strings.Contains(err.Error(), "kubectl create token ACCOUNT -n NAMESPACE > FILE") || strings.Contains(err.Error(), "secret") {
			t.Errorf("with %s: %v", name, err)
		}
	}
	if last.header() != nil {
		t.Errorf("the page was asked with %v", last.header())
	}
}

func TestWhoeverIsSpokenForIsNotMistaken(t *testing.T) {
	t.Parallel()
	for _, as := range []rest.ImpersonationConfig{{UserName: "ana"}, {Groups: []string{"oncall"}}, {UID: "1"}} {
		_, err := forward.Pass{Config: &rest.Config{BearerToken: "mine", Impersonate: as}}.Transport()
		if err == nil || !strings.Contains(err.Error(), "--as, --as-group and --as-uid do not reach the page") {
			t.Errorf("%+v: %v", as, err)
		}
	}
}

// TestTheFirstCertificateIsTheOnlyOne: what answers at the port later, and is not the
// page, is brought no token.
func TestTheFirstCertificateIsTheOnlyOne(t *testing.T) {
	t.Parallel()
	through, err := forward.Pass{Config: &rest.Config{BearerToken: "mine"}}.Transport()
	if err != nil {
		t.Fatal(err)
	}
	page, _ := secured(t)
	for range 2 {
		if _, err := askedThrough(t, through, page.URL); err != nil {
			t.Fatal(err)
		}
		page.CloseClientConnections()
	}
	made, key, err := cert.GenerateSelfSignedCertKey("another", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(made, key)
	if err != nil {
		t.Fatal(err)
	}
	other := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("it is brought %v", r.Header) }))
	other.Config.ErrorLog = silent
	other.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	other.StartTLS()
	t.Cleanup(other.Close)
	if _, err := askedThrough(t, through, other.URL); err == nil || !strings.Contains(err.Error(), "the page has another certificate than it had at first") {
		t.Errorf("got %v", err)
	}
}

func TestACertificateIsHeldAgainstAnAuthority(t *testing.T) {
	t.Parallel()
	page, last := secured(t)
	page.Config.ErrorLog = silent
	authority := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: page.Certificate().Raw})))
	config := &rest.Config{BearerToken: "mine"}
	if _, err := asked(t, forward.Pass{Config: config, Authority: authority, Name: "elsewhere.svc"}, page.URL); err == nil || !strings.Contains(err.Error(), "not elsewhere.svc") {
		t.Errorf("for another name: %v", err)
	}
	if last.header() != nil {
		t.Error("a page of another name was brought a token")
	}
	if _, err := asked(t, forward.Pass{Config: config, Authority: authority, Name: "example.com"}, page.URL); err != nil {
		t.Errorf("for its name: %v", err)
	}
	if _, err := asked(t, forward.Pass{Config: config, Authority: file(t, "none")}, page.URL); err == nil || !strings.Contains(err.Error(), "has no certificate: write") {
		t.Errorf("without a certificate: %v", err)
	}
	if _, err := asked(t, forward.Pass{Config: config, Authority: "/nowhere"}, page.URL); err == nil {
		t.Error("a file that is not there is taken")
	}
}

// proxied is a proxy to a page.
func proxied(t *testing.T, page string) *httptest.Server {
	t.Helper()
	to, err := url.Parse(page + "/")
	if err != nil {
		t.Fatal(err)
	}
	through, err := forward.Pass{Config: &rest.Config{BearerToken: "mine"}}.Transport()
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(forward.Proxy(to, through))
	t.Cleanup(proxy.Close)
	return proxy
}

// browsed is what a browser gets.
func browsed(t *testing.T, method, at string, also func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	also(r)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// TestABrowserSeesThePageWithTheCallersToken, and nothing that it sends of itself.
func TestABrowserSeesThePageWithTheCallersToken(t *testing.T) {
	t.Parallel()
	page, last := secured(t)
	proxy := proxied(t, page.URL)
	code, text := browsed(t, http.MethodGet, proxy.URL+"/rollouts/shop/web?a=b", func(r *http.Request) {
		for name, value := range map[string]string{
			"Authorization": "Bearer another", "Cookie": "session=of-another-port", "Impersonate-User": "admin", "X-Forwarded-For": "10.0.0.1",
			"Accept-Language": "de", "Connection": "Upgrade", "Upgrade": "websocket",
		} {
			r.Header.Set(name, value)
		}
	})
	if code != http.StatusOK || text != "GET /rollouts/shop/web?a=b by Bearer mine" {
		t.Errorf("%d %q", code, text)
	}
	if last.header().Get("Accept-Language") != "de" {
		t.Errorf("what the browser reads is not told: %v", last.header())
	}
	for _, name := range []string{"Cookie", "Impersonate-User", "X-Forwarded-For", "Upgrade", "Connection"} {
		if last.header().Get(name) != "" {
			t.Errorf("the page is told %s: %v", name, last.header())
		}
	}
}

func TestAProxyIsForThisMachineAndForReadingOnly(t *testing.T) {
	t.Parallel()
	page, last := secured(t)
	proxy := proxied(t, page.URL)
	for _, host := range []string{"evil.example", "127.0.0.1.evil.example:8082", "10.0.0.1"} {
		if code, text := browsed(t, http.MethodGet, proxy.URL, func(r *http.Request) { r.Host = host }); code != http.StatusMisdirectedRequest {
			t.Errorf("as %s: %d %s", host, code, text)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		if code, text := browsed(t, method, proxy.URL, func(*http.Request) {}); code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d %s", method, code, text)
		}
	}
	if last.header() != nil {
		t.Errorf("the page was asked with %v", last.header())
	}
}

// TestAStreamComesAsItIsSent, not when it ends.
func TestAStreamComesAsItIsSent(t *testing.T) {
	t.Parallel()
	page, _ := secured(t)
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, proxied(t, page.URL).URL+"/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	first := make([]byte, len("data: now\n\n"))
	if _, err := io.ReadFull(answer.Body, first); err != nil || string(first) != "data: now\n\n" {
		t.Errorf("%q, %v", first, err)
	}
}

// TestAPageThatIsGoneIsSaidToTheBrowser, without the token.
func TestAPageThatIsGoneIsSaidToTheBrowser(t *testing.T) {
	t.Parallel()
	page, _ := secured(t)
	proxy := proxied(t, page.URL)
	page.Close()
	code, text := browsed(t, http.MethodGet, proxy.URL, func(*http.Request) {})
	if code != http.StatusBadGateway || !strings.Contains(text, "the page cannot be reached: ") || strings.Contains(text, "mine") {
		t.Errorf("%d %q", code, text)
	}
}

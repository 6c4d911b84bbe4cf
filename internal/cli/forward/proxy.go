package forward

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/sluice-rollouts/sluice/internal/loopback"
)

// ErrNoToken is given where there is no bearer token for the page.
var ErrNoToken = errors.New("there is no bearer token for the page")

// noToken says what to do without one. Certificates and passwords are the API server's
// to check; a manager can have it look only at tokens.
const noToken = "%w: the kubeconfig signs in with a certificate or a password, which only the API server can check; " +
	"write one into a file and name it with --token-file, for instance of a service account that may list rollouts: " +
	"kubectl create token ACCOUNT -n NAMESPACE > FILE"

// errImpersonated is given where the page would show what somebody else may see.
var errImpersonated = errors.New("--as, --as-group and --as-uid do not reach the page, which shows what the bearer token may list: " +
	"leave them out, or name the token of whom you mean with --token-file")

// Pass is how a page that is served with TLS is asked for.
type Pass struct {
	// Config is the caller's way to the cluster. Its bearer token, be it written there, in
	// a file of its own or given by a plugin, is brought to the page.
	Config *rest.Config
	// TokenFile has the token to bring in place of that; it is read again each minute.
	TokenFile string
	// Authority is a file with the certificates of who signs the page's, and Name whom
	// that must be for. Without an authority the first certificate that answers is taken,
	// and from then on no other one.
	Authority, Name string
}

// Transport asks a page, and brings the caller's token with each request. It sends no
// other credentials, and nothing where there is no token.
func (p Pass) Transport() (http.RoundTripper, error) {
	trust, err := p.trust()
	if err != nil {
		return nil, err
	}
	// The page is at a port of this machine, to which no proxy leads.
	inner := bearing{&http.Transport{TLSClientConfig: trust, DisableCompression: true, MaxIdleConnsPerHost: 8}}
	if p.TokenFile != "" {
		return rest.HTTPWrappersForConfig(&rest.Config{BearerTokenFile: p.TokenFile}, inner)
	}
	if p.Config.Impersonate.UserName != "" || p.Config.Impersonate.UID != "" || len(p.Config.Impersonate.Groups) > 0 {
		return nil, errImpersonated
	}
	return rest.HTTPWrappersForConfig(p.Config, inner)
}

func (p Pass) trust() (*tls.Config, error) {
	if p.Authority == "" {
		// Nothing is known of the certificate that a manager makes for itself at each
		// start. Who answers is known without it: the API server, whose own certificate
		// was checked, leads to the pod.
		return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, VerifyConnection: (&pin{}).same}, nil //nolint:gosec // pinned
	}
	text, err := os.ReadFile(p.Authority)
	if err != nil {
		return nil, fmt.Errorf("reading who signs the page's certificate: %w", err)
	}
	signers := x509.NewCertPool()
	if !signers.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate: write those of who signs the page's, as PEM", p.Authority)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: signers, ServerName: p.Name}, nil
}

// pin takes the first certificate that it sees, and no other one after it.
type pin struct {
	mu    sync.Mutex
	first []byte // as it came; nil before there was one
}

func (p *pin) same(state tls.ConnectionState) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := state.PeerCertificates[0].Raw
	if p.first == nil {
		p.first = shown
	}
	if !bytes.Equal(p.first, shown) {
		return errors.New("the page has another certificate than it had at first: if the manager was started anew, or its certificate renewed, start this command anew")
	}
	return nil
}

// bearing sends nothing without a bearer token.
type bearing struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	if token, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !is || token == "" {
		return nil, fmt.Errorf(noToken, ErrNoToken)
	}
	return b.inner.RoundTrip(r)
}

// kept are the headers of a request that reach the page. Cookies do not, which a browser
// keeps for a name and not for a port, nor whatever else of somebody's credentials.
var kept = []string{"Accept", "Accept-Language", "Cache-Control", "If-Modified-Since", "If-None-Match", "Last-Event-Id", "User-Agent"}

// Proxy answers a browser of this machine with what a page answers, which is asked
// through a transport that brings the caller's token.
func Proxy(page *url.URL, through http.RoundTripper) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(page)
			r.Out.Header = http.Header{}
			for _, name := range kept {
				if value := r.In.Header.Values(name); len(value) > 0 {
					r.Out.Header[name] = value
				}
			}
		},
		Transport: through,
		ErrorLog:  log.New(io.Discard, "", 0), // the browser is told
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the page cannot be reached: "+err.Error(), http.StatusBadGateway)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !loopback.Host(r.Host):
			http.Error(w, "this page is for this machine: open it as 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "this page only shows; kubectl sluice acts", http.StatusMethodNotAllowed)
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}

package dashboard_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/internal/dashboard"
)

func TestEveryAnswerForbidsWhatThePageDoesNotNeed(t *testing.T) {
	t.Parallel()
	page := dashboard.New(options(everything(t)))
	for _, path := range []string{"/", "/rollouts/shop/web", "/assets/page.js", "/nothing"} {
		_, header, _ := ask(t, page, http.MethodGet, path)
		policy := header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: %q is not in %q", path, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, header)
		}
	}
}

func TestNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	page := dashboard.New(options(everything(t)))
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, "BREW"} {
		for _, path := range []string{"/", "/rollouts/shop/web", "/events", "/assets/page.js"} {
			if code, _, _ := ask(t, page, method, path); code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, code)
			}
		}
	}
}

// TestAnOpenPageIsForThisMachineOnly: a name that somebody else lets point here is
// not let in, or any site could read the page in the browser of whoever visits it.
func TestAnOpenPageIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	page := dashboard.New(options(everything(t)))
	for host, want := range map[string]int{
		"127.0.0.1:8082": http.StatusOK, "localhost:8082": http.StatusOK, "[::1]:8082": http.StatusOK, "localhost": http.StatusOK, "127.0.0.1": http.StatusOK,
		"evil.example:8082": http.StatusMisdirectedRequest, "localhost.evil.example": http.StatusMisdirectedRequest,
		"10.0.0.1:8082": http.StatusMisdirectedRequest, "": http.StatusMisdirectedRequest,
	} {
		code, _, _ := ask(t, page, http.MethodGet, "/", func(r *http.Request) { r.Host = host })
		if code != want {
			t.Errorf("%q: %d, want %d", host, code, want)
		}
	}
}

// gate lets those in who say who they are, and shows them their namespace.
type gate struct{ err error }

type one string

// Viewer implements dashboard.Access.
func (g gate) Viewer(r *http.Request) (dashboard.Viewer, error) {
	namespace := r.Header.Get("Authorization")
	if namespace == "" {
		return nil, dashboard.ErrUnknown
	}
	return one(namespace), g.err
}

// Sees implements dashboard.Viewer.
func (o one) Sees(_ context.Context, namespace string) (bool, error) {
	if o == "broken" {
		return false, errors.New("kube-apiserver does not answer")
	}
	return namespace == string(o) || o == "all", nil
}

func as(namespace string) func(*http.Request) {
	return func(r *http.Request) {
		r.Host = "sluice.example"
		r.Header.Set("Authorization", namespace)
	}
}

func TestSomebodySeesTheirNamespacesOnly(t *testing.T) {
	t.Parallel()
	o := options(everything(t))
	o.Access = gate{}
	page := dashboard.New(o)
	_, _, list := ask(t, page, http.MethodGet, "/", as("pay"))
	if !strings.Contains(list, "checkout") || strings.Contains(list, "graphql-api") || strings.Contains(list, "bid") {
		t.Error("who may list pay sees something else")
	}
	_, _, list = ask(t, page, http.MethodGet, "/", as("all"))
	shows(t, list, "checkout</a>", "graphql-api</a>", "bid</a>")
	for path, want := range map[string]int{"/rollouts/pay/checkout": http.StatusOK, "/rollouts/shop/graphql-api": http.StatusNotFound} {
		if code, _, _ := ask(t, page, http.MethodGet, path, as("pay")); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

func TestNobodySeesAnythingWithoutBeingKnown(t *testing.T) {
	t.Parallel()
	o := options(everything(t))
	o.Access = gate{}
	page := dashboard.New(o)
	for _, path := range []string{"/", "/rollouts/pay/checkout", "/events"} {
		code, header, text := ask(t, page, http.MethodGet, path)
		if code != http.StatusUnauthorized || header.Get("WWW-Authenticate") != "Bearer" || strings.Contains(text, "checkout") {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if code, _, _ := ask(t, page, http.MethodGet, "/", as("broken")); code != http.StatusServiceUnavailable {
		t.Errorf("whoever cannot be judged is answered %d", code)
	}
}

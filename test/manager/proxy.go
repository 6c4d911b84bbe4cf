package manager

import (
	"net/http"
	"net/http/httputil"
	"net/url"
)

// Proxy passes requests on to a server, edited where edit is not nil. A request
// that fails ends its connection, as a network would.
func Proxy(to *url.URL, transport http.RoundTripper, edit func(*http.Request)) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			if edit != nil {
				edit(r.Out)
			}
		},
		Transport: transport, FlushInterval: -1,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}

// KeepTo returns an edit of requests to the apiserver that keeps a manager to one
// namespace's rollouts, so that several can share one apiserver.
func KeepTo(namespace string) func(*http.Request) {
	return func(req *http.Request) {
		const group = "/apis/rollouts.sluice.dev/v1alpha1/"
		if req.URL.Path == group+"cloudrunrollouts" {
			req.URL.Path = group + "namespaces/" + namespace + "/cloudrunrollouts"
		}
	}
}

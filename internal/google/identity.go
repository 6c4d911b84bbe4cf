package google

import (
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
)

// Tokens are the access tokens of one identity.
type Tokens interface {
	oauth2.TokenSource
	// Refused says that an API did not accept a token, so that it is not used again.
	Refused(*oauth2.Token)
}

// IdentityError is why there is no token of an identity. Nothing was sent as anybody
// else in its place.
type IdentityError struct {
	Kind   error  // one of this package's kinds
	Detail string // one line, bounded
}

// Error writes what is missing.
func (e *IdentityError) Error() string { return fmt.Sprintf("%v: %s", e.Kind, e.Detail) }

// Unwrap gives the kind.
func (e *IdentityError) Unwrap() error { return e.Kind }

// Authorize sends what passes with tokens of an identity.
func Authorize(next http.RoundTripper, tokens Tokens) http.RoundTripper {
	return &authorized{next, tokens}
}

type authorized struct {
	next   http.RoundTripper
	tokens Tokens
}

// RoundTrip implements http.RoundTripper. A token that is refused is renewed for the
// next request; this one is not repeated, because it may be a write.
func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := a.tokens.Token()
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	with := req.Clone(req.Context())
	token.SetAuthHeader(with)
	answer, err := a.next.RoundTrip(with)
	if err == nil && answer.StatusCode == http.StatusUnauthorized {
		a.tokens.Refused(token)
	}
	return answer, err
}

// CloseIdleConnections closes those of what is below, as http.Client asks for it.
func (a *authorized) CloseIdleConnections() {
	if below, can := a.next.(interface{ CloseIdleConnections() }); can {
		below.CloseIdleConnections()
	}
}

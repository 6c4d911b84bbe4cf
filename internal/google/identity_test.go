package google

import (
	"net/http"
	"testing"
)

// idle notes that its connections are closed.
type idle struct {
	http.RoundTripper

	closed int
}

func (i *idle) CloseIdleConnections() { i.closed++ }

// TestConnectionsBelowAnIdentityAreClosed by the client that is above it.
func TestConnectionsBelowAnIdentityAreClosed(t *testing.T) {
	t.Parallel()
	below := &idle{}
	(&http.Client{Transport: Authorize(below, nil)}).CloseIdleConnections()
	(&http.Client{Transport: Authorize(struct{ http.RoundTripper }{}, nil)}).CloseIdleConnections() // has none
	if below.closed != 1 {
		t.Errorf("closed %d times", below.closed)
	}
}

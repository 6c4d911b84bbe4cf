package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func TestOnlySafeEndpointsAreSpokenTo(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://compute.googleapis.com":             "endpoint \"http://compute.googleapis.com\" of Compute Engine is not https",
		"127.0.0.1:8084":                            "is not an address",
		"https://compute.googleapis.com/compute/v1": "has a path",
	} {
		if _, err := New(t.Context(), Options{Endpoint: address, VPCAccess: "http://127.0.0.1:1"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", address, err, want)
		}
		want = strings.Replace(want, "Compute Engine", "Serverless VPC Access", 1)
		if _, err := New(t.Context(), Options{Endpoint: "http://127.0.0.1:1", VPCAccess: address}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", address, err, want)
		}
	}
}

// Not parallel: the credentials are the process's.
func TestWithoutCredentialsOnlyThisMachineIsReached(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/dev/null")
	if _, err := New(t.Context(), Options{Endpoint: "https://compute.test/"}); err == nil || !strings.Contains(err.Error(), "finding credentials for https://compute.test/") {
		t.Errorf("error %v", err)
	}
	if _, err := New(t.Context(), Options{Endpoint: "http://[::1]:1", VPCAccess: "http://[::1]:1"}); err != nil {
		t.Errorf("error %v", err)
	}
	if _, err := New(t.Context(), Options{Endpoint: "http://[::1]:1"}); err == nil || !strings.Contains(err.Error(), "finding credentials for https://vpcaccess.googleapis.com/") {
		t.Errorf("error %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	client, err := New(t.Context(), Options{Endpoint: server.URL, VPCAccess: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if got := out(t, client, noon, byDefault); got.Presence != rollout.Unknown {
		t.Errorf("%+v", got)
	}
}

func TestASilentServerIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	below := usual()
	below.hold = make(chan struct{})
	client := dial(t, below, func(o *Options) { o.Timeout = time.Millisecond })
	if got := out(t, client, noon, byDefault); got.Presence != rollout.Unknown || !strings.Contains(got.Detail, "unavailable: no answer in time") {
		t.Errorf("%+v", got)
	}
}

package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	compute "google.golang.org/api/compute/v1"
	"google.golang.org/api/option"
	htransport "google.golang.org/api/transport/http"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/google"
)

// DefaultEndpoint is the API's public address.
const DefaultEndpoint = "https://compute.googleapis.com/"

// basePath is where below an endpoint the API begins. The SDK takes the two
// together (compute v1 discovery, servicePath).
const basePath = "compute/v1/"

// defaultTimeout limits one call, connection and body included. A pass waits for two
// calls, or three: what was known before must still be told in its time.
const defaultTimeout = 5 * time.Second

// Options say how to reach the API. The zero value reaches the public one with
// the process's application default credentials.
type Options struct {
	// Endpoint is an https address, or an http address of this machine, which is
	// spoken to without credentials. Empty means DefaultEndpoint.
	Endpoint string
	// UserAgent is added to every request.
	UserAgent string
	// Timeout limits each call; 0 means 5 s.
	Timeout time.Duration
	// Clock counts the calls of a minute; nil limits nothing.
	Clock clock.PassiveClock
	// CallsPerMinute is the most calls for one project; 0 means
	// DefaultCallsPerMinute.
	CallsPerMinute int
	// Transport carries the requests; nil means the network.
	Transport http.RoundTripper
}

// Client finds and reads gateways. It is safe for concurrent use.
type Client struct {
	api     *compute.Service
	timeout time.Duration
	clock   clock.PassiveClock // nil limits nothing
	quotas  quotas
	calls   *prometheus.CounterVec

	lists       shelf[place, []router]
	routers     shelf[routerName, router]
	statuses    shelf[routerName, status]
	subnetworks shelf[subnetName, subnetwork]
}

// New makes a client. It fails on an endpoint that it may not use, and without
// credentials for one that needs them; it makes no call to the API.
func New(ctx context.Context, options Options) (*Client, error) {
	at, err := google.ParseEndpoint("Compute Engine", cmp.Or(options.Endpoint, DefaultEndpoint))
	if err != nil {
		return nil, err
	}
	bottom := options.Transport
	if bottom == nil {
		bottom = google.Network()
	}
	calls := newCounters()
	var transport http.RoundTripper = &meter{bottom, calls}
	if !at.Plain {
		if transport, err = htransport.NewTransport(ctx, transport, option.WithScopes(compute.ComputeReadonlyScope)); err != nil {
			return nil, fmt.Errorf("finding credentials for %s: %w", at.URL(), err)
		}
	}
	client := &http.Client{Transport: transport, CheckRedirect: google.NoRedirect}
	api, err := compute.NewService(ctx, option.WithHTTPClient(client), option.WithEndpoint(at.URL()+basePath))
	if err != nil {
		return nil, fmt.Errorf("building the Compute client: %w", err)
	}
	api.UserAgent = options.UserAgent
	return &Client{
		api: api, timeout: cmp.Or(options.Timeout, defaultTimeout), calls: calls,
		clock: options.Clock, quotas: quotas{Limits: limits(cmp.Or(options.CallsPerMinute, DefaultCallsPerMinute))},
	}, nil
}

// call makes one call for a project, within its quota and its time.
func call[T any](ctx context.Context, c *Client, op, project string, do func(context.Context) (T, error)) (T, *CallError) {
	q := c.quota(project)
	if q != nil {
		if no := q.Take(c.clock.Now, 0); no != nil {
			var none T
			return none, c.withheld(op, no)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := do(ctx)
	if err == nil {
		return answer, nil
	}
	failure := google.Failed(op, err, google.KindOf)
	c.settle(q, failure)
	return answer, failure
}

package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	compute "google.golang.org/api/compute/v1"
	"google.golang.org/api/option"
	htransport "google.golang.org/api/transport/http"
	vpcaccess "google.golang.org/api/vpcaccess/v1"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/google"
)

// The APIs' public addresses.
const (
	DefaultEndpoint  = "https://compute.googleapis.com/"
	DefaultVPCAccess = "https://vpcaccess.googleapis.com/"
)

// basePath is where below an endpoint the API begins. The SDK takes the two
// together (compute v1 discovery, servicePath).
const basePath = "compute/v1/"

// defaultTimeout limits one call, connection and body included. A pass waits for two
// calls, or for four the first time that it meets a connector: what was known before
// must still be told in its time.
const defaultTimeout = 5 * time.Second

// Options say how to reach the APIs. The zero value reaches the public ones with
// the process's application default credentials.
type Options struct {
	// Endpoint is an https address, or an http address of this machine, which is
	// spoken to without credentials. Empty means DefaultEndpoint.
	Endpoint string
	// VPCAccess is the same for Serverless VPC Access; empty means DefaultVPCAccess.
	VPCAccess string
	// UserAgent is added to every request.
	UserAgent string
	// Timeout limits each call; 0 means 5 s.
	Timeout time.Duration
	// Clock counts the calls of a minute; nil limits nothing.
	Clock clock.PassiveClock
	// CallsPerMinute is the most calls of each API for one project; 0 means
	// DefaultCallsPerMinute.
	CallsPerMinute int
	// Transport carries the requests; nil means the network.
	Transport http.RoundTripper
}

// Client finds and reads gateways. It is safe for concurrent use.
type Client struct {
	api       *compute.Service
	vpcAccess *vpcaccess.Service
	timeout   time.Duration
	clock     clock.PassiveClock // nil limits nothing
	quotas    quotas

	roads roads

	lists       shelf[place, []router]
	routers     shelf[routerName, router]
	statuses    shelf[routerName, status]
	subnetworks shelf[subnetName, subnetwork]
	connectors  shelf[connectorName, connector]
}

// New makes a client. It fails on an endpoint that it may not use, and without
// credentials for one that needs them; it makes no call to an API.
func New(ctx context.Context, options Options) (*Client, error) {
	w, err := newRoads(options)
	if err != nil {
		return nil, err
	}
	c := &Client{
		timeout: cmp.Or(options.Timeout, defaultTimeout), roads: w,
		clock: options.Clock, quotas: quotas{Limits: limits(cmp.Or(options.CallsPerMinute, DefaultCallsPerMinute))},
	}
	return c.through(ctx, options.UserAgent, func(to road, scope string) (http.RoundTripper, error) {
		if to.at.Plain {
			return to.bottom, nil
		}
		transport, err := htransport.NewTransport(ctx, to.bottom, option.WithScopes(scope))
		if err != nil {
			return nil, fmt.Errorf("finding credentials for %s: %w", to.at.URL(), err)
		}
		return transport, nil
	})
}

// As is a client of the same APIs and network with the tokens of another identity.
// Its calls are counted together with this one's. Its quotas, and what it remembers,
// are of its own: what one identity may see is not told to another.
func (c *Client) As(ctx context.Context, tokens google.Tokens) (*Client, error) {
	other := &Client{timeout: c.timeout, roads: c.roads, clock: c.clock, quotas: quotas{Limits: c.quotas.Limits}}
	return other.through(ctx, c.api.UserAgent, func(to road, _ string) (http.RoundTripper, error) {
		return google.Authorize(to.bottom, tokens), nil
	})
}

// through completes a client with the roads to the APIs, under somebody's name.
func (c *Client) through(ctx context.Context, agent string, as func(to road, scope string) (http.RoundTripper, error)) (*Client, error) {
	computeWay, err := as(c.roads.compute, compute.ComputeReadonlyScope)
	if err != nil {
		return nil, err
	}
	vpcAccessWay, err := as(c.roads.vpcAccess, vpcaccess.CloudPlatformScope)
	if err != nil {
		return nil, err
	}
	if c.api, err = compute.NewService(ctx, to(computeWay), option.WithEndpoint(c.roads.compute.at.URL()+basePath)); err != nil {
		return nil, fmt.Errorf("building the Compute client: %w", err)
	}
	if c.vpcAccess, err = vpcaccess.NewService(ctx, to(vpcAccessWay), option.WithEndpoint(c.roads.vpcAccess.at.URL())); err != nil {
		return nil, fmt.Errorf("building the Serverless VPC Access client: %w", err)
	}
	c.api.UserAgent, c.vpcAccess.UserAgent = agent, agent
	return c, nil
}

// to is a client that follows nobody elsewhere.
func to(transport http.RoundTripper) option.ClientOption {
	return option.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: google.NoRedirect})
}

// call makes one call of Compute for a project, within its quota and its time.
func call[T any](ctx context.Context, c *Client, op, project string, do func(context.Context) (T, error)) (T, *CallError) {
	return callAs(ctx, c, op, account{computeAPI, project}, do)
}

// callAs makes one call, within the quota of an account and its time.
func callAs[T any](ctx context.Context, c *Client, op string, a account, do func(context.Context) (T, error)) (T, *CallError) {
	q := c.quota(a)
	if q != nil {
		if no := q.Take(c.clock.Now, 0); no != nil {
			var none T
			return none, c.withheld(op, a.api, no)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := do(ctx)
	if err == nil {
		return answer, nil
	}
	failure := google.Failed(op, err, kindOf)
	c.settle(q, failure)
	return answer, failure
}

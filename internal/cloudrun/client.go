// Package cloudrun speaks to the Cloud Run Admin API v2 in the core's words.
//
// It reads live, beside a Watch that may be a little old and decides nothing, and
// changes nothing but a service's traffic and its template, each by itself: one PATCH
// with updateMask=traffic and a body of {etag, traffic}, or with updateMask=template
// and {etag, template}, sent once and never repeated.
// Reads keep within a quota of their own for each project and location; writes
// are never held back.
// From top to bottom a request passes the SDK, the credentials, the write
// firewall, and a transport that notes what was handed to the network and limits
// what comes back. This is the only package that imports google.golang.org/api/run.
//
// What the API does is taken from its discovery document (run v2, in
// google.golang.org/api v0.311.0) and from public recordings of it.
package cloudrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"google.golang.org/api/option"
	run "google.golang.org/api/run/v2"
	htransport "google.golang.org/api/transport/http"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/cloudrun/firewall"
	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// DefaultEndpoint is the API's public address.
const DefaultEndpoint = "https://run.googleapis.com/"

// defaultTimeout limits one call, connection and body included.
const defaultTimeout = 15 * time.Second

// maxReads is how many revisions of a service are read side by side.
const maxReads = 4

// Options say how to reach the API. The zero value reaches the public one with
// the process's application default credentials.
type Options struct {
	// Endpoint is an https address, or an http address of this machine, which is
	// spoken to without credentials. Empty means DefaultEndpoint.
	Endpoint string
	// UserAgent is added to every request.
	UserAgent string
	// Timeout limits each call; 0 means 15 s.
	Timeout time.Duration
	// Clock is what the callers' times are taken from, to be compared with the
	// API's, and to count the reads of a minute; nil compares and limits nothing.
	Clock clock.PassiveClock
	// ReadsPerMinute is the most reads of one project and location; 0 means
	// DefaultReadsPerMinute. A third of them may come at once.
	ReadsPerMinute int
	// Random spreads the waits after failures; it returns numbers from 0 to 1. Nil
	// means random ones.
	Random func() float64
	// Transport carries what the firewall lets through; nil means the network.
	Transport http.RoundTripper
}

// Client reads services and revisions, and sets traffic and templates. It is safe for
// concurrent use.
type Client struct {
	api      *run.Service
	http     *http.Client // that of api
	at       google.Endpoint
	firewall *firewall.Firewall
	timeout  time.Duration
	clock    clock.PassiveClock // nil for none
	counters *counters
	quotas   quotas
}

// New makes a client. It fails on an endpoint that it may not use, and without
// credentials for one that needs them; it makes no call to the API.
func New(ctx context.Context, options Options) (*Client, error) {
	at, err := google.ParseEndpoint("Cloud Run", cmp.Or(options.Endpoint, DefaultEndpoint))
	if err != nil {
		return nil, err
	}
	bottom := options.Transport
	if bottom == nil {
		bottom = google.Network()
	}
	counted := newCounters()
	wall := firewall.New(&meter{bottom, counted.calls})
	transport, err := authenticated(ctx, wall, at)
	if err != nil {
		return nil, fmt.Errorf("finding credentials for %s: %w", at.URL(), err)
	}
	random := options.Random
	if random == nil {
		random = rand.Float64
	}
	return (&Client{
		at: at, firewall: wall, timeout: cmp.Or(options.Timeout, defaultTimeout), clock: options.Clock, counters: counted,
	}).through(ctx, transport, options.UserAgent, limits(cmp.Or(options.ReadsPerMinute, DefaultReadsPerMinute), random))
}

// As is a client of the same API, network and firewall with the tokens of another
// identity. What it calls is counted together with this one's, and its quotas are of
// its own: what one identity may not do holds up no other.
func (c *Client) As(ctx context.Context, tokens google.Tokens) (*Client, error) {
	other := &Client{at: c.at, firewall: c.firewall, timeout: c.timeout, clock: c.clock, counters: c.counters}
	return other.through(ctx, google.Authorize(c.firewall, tokens), c.api.UserAgent, c.quotas.Limits)
}

// through completes a client with the way to the API.
func (c *Client) through(ctx context.Context, way http.RoundTripper, agent string, limits google.Limits) (*Client, error) {
	client := &http.Client{Transport: way, CheckRedirect: google.NoRedirect}
	api, err := run.NewService(ctx, option.WithHTTPClient(client), option.WithEndpoint(c.at.URL()))
	if err != nil {
		return nil, fmt.Errorf("building the Cloud Run client: %w", err)
	}
	api.UserAgent = agent
	c.api, c.http, c.quotas.Limits = api, client, limits
	return c, nil
}

// authenticated adds credentials above the firewall, unless the endpoint is this
// machine.
func authenticated(ctx context.Context, base http.RoundTripper, at google.Endpoint) (http.RoundTripper, error) {
	if at.Plain {
		return base, nil
	}
	return htransport.NewTransport(ctx, base, option.WithScopes(run.CloudPlatformScope))
}

// Refused counts the requests that the write firewall did not send. Anything but
// zero is a bug in this program.
func (c *Client) Refused() int64 { return c.firewall.Refused() }

// Service reads a service live, and changes nothing. A service that is missing
// or may not be read is a fact in the answer; every other failure is an error
// of one of this package's kinds.
func (c *Client) Service(ctx context.Context, ref rollout.ServiceRef) (rollout.Service, error) {
	op := fmt.Sprintf("reading service %q", google.Clean(ref.Name))
	name, err := serviceName(ref)
	if err != nil {
		return rollout.Service{}, &CallError{Op: op, Kind: ErrInvalid, Detail: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	sent := c.now()
	what := lookup{op, placeOf(ref), classOr(ctx, live)}
	answer, failure := read(c, what, func() (*run.GoogleCloudRunV2Service, error) {
		return c.api.Projects.Locations.Services.Get(name).Context(ctx).Do()
	})
	if failure != nil {
		if presence, detail, ok := fact(failure); ok {
			return rollout.Service{Presence: presence, Detail: detail}, nil
		}
		return rollout.Service{}, failure
	}
	service, err := convertService(ref, answer)
	if err != nil {
		return rollout.Service{}, &CallError{Op: op, Kind: ErrGarbled, Detail: google.Clean(err.Error())}
	}
	service.Skew = c.apart(sent, answer.ServerResponse)
	return service, nil
}

// Revisions reads revisions by short name, one live read for each, so that one
// counts as missing only when the API said so about that very name. One that
// cannot be read is a fact like the others and says why in Why: what the others
// are like is still known. It fails only when the context ends, and for a rollout
// at rest when one was not asked for: there it is better to look another time.
func (c *Client) Revisions(ctx context.Context, ref rollout.ServiceRef, names []string) (map[string]rollout.Revision, error) {
	found, err := c.revisions(ctx, ref, names, urgentOr(ctx, live))
	if errors.Is(err, ErrThrottled) && (!Rests(ctx) || !errors.Is(err, ErrNotAsked)) {
		return found, nil
	}
	return found, err
}

// revisions reads revisions as a class of reads. Where a quota kept some out it
// returns what it read, and such an error, ErrNotAsked before others.
func (c *Client) revisions(
	ctx context.Context, ref rollout.ServiceRef, names []string, of class,
) (map[string]rollout.Revision, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	answers := make([]rollout.Revision, len(names))
	kept := make([]error, len(names))
	turn := make(chan struct{}, maxReads)
	var all sync.WaitGroup
	for i, name := range names {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			answers[i], kept[i] = c.revision(ctx, ref, name, of)
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return nil, &CallError{Op: "reading revisions", Kind: ErrUnavailable, Detail: detail(err), Cause: err}
	}
	found := make(map[string]rollout.Revision, len(names))
	for _, revision := range answers {
		found[revision.Name] = revision
	}
	if i := slices.IndexFunc(kept, func(err error) bool { return errors.Is(err, ErrNotAsked) }); i >= 0 {
		return found, kept[i]
	}
	return found, cmp.Or(kept...)
}

// revision reads one. It fails only where a quota kept it out.
func (c *Client) revision(ctx context.Context, ref rollout.ServiceRef, short string, of class) (rollout.Revision, error) {
	unread := rollout.Revision{Presence: rollout.Unknown, Name: short, Readiness: rollout.Pending}
	name, err := revisionName(ref, short)
	if err != nil {
		unread.Why = err.Error()
		return unread, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	what := lookup{fmt.Sprintf("reading revision %q", google.Clean(short)), placeOf(ref), of}
	answer, failure := read(c, what, func() (*run.GoogleCloudRunV2Revision, error) {
		return c.api.Projects.Locations.Services.Revisions.Get(name).Context(ctx).Do()
	})
	if failure != nil {
		if presence, detail, ok := fact(failure); ok {
			unread.Presence, unread.Why = presence, detail
			return unread, nil
		}
		unread.Why = fmt.Sprintf("%v: %s", failure.Kind, failure.Detail)
		if errors.Is(failure, ErrThrottled) {
			return unread, failure
		}
		return unread, nil
	}
	revision, err := convertRevision(short, answer)
	if err != nil {
		unread.Why = fmt.Sprintf("%v: %s", ErrGarbled, google.Clean(err.Error()))
		return unread, nil
	}
	return revision, nil
}

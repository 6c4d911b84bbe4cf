// Package monitoring answers the core's questions from Cloud Monitoring.
//
// It knows metrics, delays and partial results, and no thresholds. Whatever goes
// wrong is an answer with a cause, because to the core "access denied" is
// evidence of a kind: it holds a rollout. It asks only for minutes that are old
// enough to have arrived, never lets the API fill a gap, and never takes absence
// for zero. What many rollouts ask is put together in few queries (desk), and
// neither a quota nor an outage makes anybody wait for long (quota). Queries that
// people wrote themselves go to the Prometheus endpoint of the same host (promql),
// each for itself. This is the only package that imports
// cloud.google.com/go/monitoring.
//
// What the API does is taken from monitoringpb (cloud.google.com/go/monitoring
// v1.32.1) and Google's list of metrics.
package monitoring

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	monitoring "cloud.google.com/go/monitoring/apiv3/v2"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"k8s.io/utils/clock"

	"github.com/sluice-rollouts/sluice/internal/google"
)

const (
	// defaultTimeout limits one call.
	defaultTimeout = 10 * time.Second
	// defaultPatience limits one Answer.
	defaultPatience = 5 * time.Second
	// batch limits the queries that a desk makes together, in calls' timeouts.
	batch = 3
	// parallel is the number of calls under way at once.
	parallel = 4
	// maxPages bounds the pages of one query.
	maxPages = 50
	// maxMessage bounds one page, in bytes.
	maxMessage = 16 << 20
)

// Options say how to reach the API. The zero value reaches the public one with
// the process's application default credentials.
type Options struct {
	// Endpoint is an https address, or an http address of this machine, which is
	// spoken to without credentials. Empty means the public address.
	Endpoint string
	// UserAgent is added to every request.
	UserAgent string
	// Timeout limits each call; 0 means 10 s. Calls that come together may take
	// three times as long.
	Timeout time.Duration
	// Patience limits each Answer; 0 means 5 s. Calls that take longer go on, and
	// serve whoever asks next.
	Patience time.Duration
	// PerMinute is the most calls of the API about one project; 0 means 1500, a
	// quarter of a project's usual quota. A third of them may come at once.
	PerMinute int
	// Random spreads the waits after failures; it returns numbers from 0 to 1. Nil
	// means random ones.
	Random func() float64
	// Clock says how long calls took; nil means the system's.
	Clock clock.PassiveClock
}

// Client answers questions. It is safe for concurrent use, and is meant to be
// shared by all who ask: what they ask is put together.
type Client struct {
	at    endpoint
	agent string

	api      *monitoring.MetricClient
	timeout  time.Duration
	patience time.Duration
	clock    clock.PassiveClock
	counters *counters
	lags     lags
	quotas   quotas
	desks    desks

	web       web
	inquiries inquiries
}

// New makes a client. It fails on an endpoint that it may not use, and without
// credentials for one that needs them; it makes no call to the API.
//
// The library's own retries are switched off and none are put in their place:
// whoever asks looks again in a minute, and a retry would only hide the cause.
func New(ctx context.Context, options Options) (*Client, error) {
	at, err := parseEndpoint(options.Endpoint)
	if err != nil {
		return nil, err
	}
	random := options.Random
	if random == nil {
		random = rand.Float64
	}
	watch := options.Clock
	if watch == nil {
		watch = clock.RealClock{}
	}
	c := &Client{
		at: at, agent: options.UserAgent,
		timeout: cmp.Or(options.Timeout, defaultTimeout), patience: cmp.Or(options.Patience, defaultPatience),
		clock: watch, counters: newCounters(),
		quotas: quotas{Limits: limits(cmp.Or(options.PerMinute, defaultPerMinute), random)},
	}
	return c.through(ctx, nil)
}

// As is a client of the same API with the tokens of another identity. Its calls are
// counted together with this one's. Its quotas, and what is put together and remembered,
// are of its own: what one identity may see is not told to another.
func (c *Client) As(ctx context.Context, tokens google.Tokens) (*Client, error) {
	other := &Client{
		at: c.at, agent: c.agent, timeout: c.timeout, patience: c.patience,
		clock: c.clock, counters: c.counters, quotas: quotas{Limits: c.quotas.Limits},
	}
	return other.through(ctx, tokens)
}

// through completes a client with the way to the API, with the process's own
// credentials where there are no tokens.
func (c *Client) through(ctx context.Context, tokens google.Tokens) (*Client, error) {
	settings, err := dialOptions(c.at, c.agent, tokens)
	if err != nil {
		return nil, err
	}
	api, err := monitoring.NewMetricClient(ctx, settings...)
	if err != nil {
		return nil, fmt.Errorf("building the Cloud Monitoring client: %w", err)
	}
	api.CallOptions.ListTimeSeries = nil
	api.CallOptions.GetMetricDescriptor = nil
	c.api = api
	c.web, err = newWeb(ctx, c.at, c.agent, tokens)
	return c, err
}

// dialOptions bounds what may come back, and how long a broken connection stays
// unnoticed or untried.
func dialOptions(at endpoint, agent string, tokens google.Tokens) ([]option.ClientOption, error) {
	waits := backoff.DefaultConfig
	waits.MaxDelay = 10 * time.Second
	dial := []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: waits, MinConnectTimeout: 5 * time.Second}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 10 * time.Second}),
	}
	if tokens != nil {
		dial = append(dial, grpc.WithPerRPCCredentials(bearer{tokens, !at.plain}))
	}
	if at.plain {
		dial = append(dial, grpc.WithUserAgent(agent), grpc.WithTransportCredentials(insecure.NewCredentials()))
		connection, err := grpc.NewClient("passthrough:///"+at.host, dial...)
		if err != nil {
			return nil, fmt.Errorf("dialling %s: %w", at.host, err)
		}
		return []option.ClientOption{option.WithGRPCConn(connection)}, nil
	}
	options := []option.ClientOption{option.WithUserAgent(agent)}
	if tokens != nil {
		options = append(options, option.WithoutAuthentication()) // each call brings a token
	}
	for _, d := range dial {
		options = append(options, option.WithGRPCDialOption(d))
	}
	if at.host != "" {
		options = append(options, option.WithEndpoint(at.host))
	}
	return options, nil
}

// Close ends the connections.
func (c *Client) Close() error {
	c.web.client.CloseIdleConnections()
	return c.api.Close()
}

// Counters are the counts of calls, pages and series, to be registered once.
func (c *Client) Counters() prometheus.Collector { return c.counters }

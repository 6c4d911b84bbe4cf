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
	settings, err := dialOptions(at, options.UserAgent)
	if err != nil {
		return nil, err
	}
	api, err := monitoring.NewMetricClient(ctx, settings...)
	if err != nil {
		return nil, fmt.Errorf("building the Cloud Monitoring client: %w", err)
	}
	api.CallOptions.ListTimeSeries = nil
	api.CallOptions.GetMetricDescriptor = nil
	reach, err := newWeb(ctx, at, options.UserAgent)
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
	return &Client{
		api: api, timeout: cmp.Or(options.Timeout, defaultTimeout), patience: cmp.Or(options.Patience, defaultPatience),
		clock: watch, counters: newCounters(),
		quotas: quotas{Limits: limits(cmp.Or(options.PerMinute, defaultPerMinute), random)},
		web:    reach,
	}, nil
}

// dialOptions bounds what may come back, and how long a broken connection stays
// unnoticed or untried.
func dialOptions(at endpoint, agent string) ([]option.ClientOption, error) {
	waits := backoff.DefaultConfig
	waits.MaxDelay = 10 * time.Second
	dial := []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: waits, MinConnectTimeout: 5 * time.Second}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 10 * time.Second}),
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

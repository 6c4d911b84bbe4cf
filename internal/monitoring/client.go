// Package monitoring answers the core's questions from Cloud Monitoring.
//
// It knows metrics, delays and partial results, and no thresholds. Whatever goes
// wrong is an answer with a cause, because to the core "access denied" is
// evidence of a kind: it holds a rollout. It asks only for minutes that are old
// enough to have arrived, never lets the API fill a gap, and never takes absence
// for zero. This is the only package that imports cloud.google.com/go/monitoring.
//
// What the API does is taken from monitoringpb (cloud.google.com/go/monitoring
// v1.32.1) and Google's list of metrics.
package monitoring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	monitoring "cloud.google.com/go/monitoring/apiv3/v2"
	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

const (
	// defaultTimeout limits one call.
	defaultTimeout = 10 * time.Second
	// batch limits one Answer, in calls' timeouts.
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
	// Timeout limits each call; 0 means 10 s. All calls of one Answer together
	// may take three times as long.
	Timeout time.Duration
}

// Client answers questions. It is safe for concurrent use.
type Client struct {
	api     *monitoring.MetricClient
	timeout time.Duration
	lags    lags
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
	return &Client{api: api, timeout: cmp.Or(options.Timeout, defaultTimeout)}, nil
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
func (c *Client) Close() error { return c.api.Close() }

// Answer asks one ListTimeSeries for each series that questions are about; of
// several questions about one series, the answer covers all. Every question has
// an answer, and what failed says so in its cause. The error is the context's
// alone.
func (c *Client) Answer(ctx context.Context, questions []analysis.Question, now time.Time) (analysis.Answers, error) {
	limited, cancel := context.WithTimeout(ctx, batch*c.timeout)
	defer cancel()

	merged := merge(questions)
	c.learn(limited, merged, now)
	list := make([]analysis.Answer, len(merged))
	each(len(merged), func(i int) { list[i] = c.answer(limited, merged[i], now) })
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("asking Cloud Monitoring: %w", err)
	}
	answers := make(analysis.Answers, len(merged))
	for i, q := range merged {
		answers[q.Series] = list[i]
	}
	return answers, nil
}

// answer answers one question.
func (c *Client) answer(ctx context.Context, question analysis.Question, now time.Time) analysis.Answer {
	m, known := metrics[question.Metric]
	if !known || question.Source.IsGateway() != (m.resource == resourceGateway) {
		return analysis.Answer{Cause: analysis.CauseInvalid, Detail: "no such metric of such a source"}
	}
	if !projectID.MatchString(question.Source.Project) {
		return analysis.Answer{Cause: analysis.CauseInvalid, Detail: "no such project: " + clean(question.Source.Project)}
	}
	through := now.Add(-c.lags.of(lagKey{question.Source.Project, question.Metric})).Truncate(time.Minute).UTC()
	if until := question.Until.Truncate(time.Minute).UTC(); until.Before(through) {
		through = until
	}
	q := query{series: question.Series, metric: m, after: question.After.UTC(), through: through}
	if q.empty() {
		return analysis.Answer{Through: through}
	}
	request, err := q.request()
	if err != nil {
		return analysis.Answer{Through: through, Cause: analysis.CauseInvalid, Detail: clean(err.Error())}
	}
	return c.collect(ctx, q, request)
}

// collect reads all pages. It goes through them itself, because the library's
// iterator shows only the last page's execution errors.
func (c *Client) collect(ctx context.Context, q query, request *monitoringpb.ListTimeSeriesRequest) analysis.Answer {
	collected := newCollector(q)
	token := ""
	for range maxPages {
		response, err := c.page(ctx, request, token)
		if err != nil {
			collected.complain(causeOf(err))
			return collected.answer()
		}
		collected.page(response)
		next := response.GetNextPageToken()
		if next == "" {
			return collected.answer()
		}
		if next == token {
			break
		}
		token = next
	}
	collected.complain(analysis.CausePartial, "pages without end")
	return collected.answer()
}

func (c *Client) page(
	ctx context.Context, request *monitoringpb.ListTimeSeriesRequest, token string,
) (*monitoringpb.ListTimeSeriesResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	pages := c.api.ListTimeSeries(ctx, request)
	if _, _, err := pages.InternalFetch(pageSize, token); err != nil {
		return nil, err
	}
	response, ok := pages.Response.(*monitoringpb.ListTimeSeriesResponse)
	if !ok {
		return nil, errors.New("no response")
	}
	return response, nil
}

// each calls f for 0 to n-1, a few at a time, and waits for all.
func each(n int, f func(int)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i := range n {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	group.Wait()
}

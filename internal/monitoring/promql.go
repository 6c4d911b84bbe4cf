package monitoring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/option"
	htransport "google.golang.org/api/transport/http"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sluice-rollouts/sluice/internal/google"
)

// What is known of the Prometheus endpoint, and from where:
//
//   - path, parameters (query, start, end, step, timeout), "Has to be global now", and
//     the scopes: cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.location.prometheus.api.v1/query_range.
//     That page documents GET; the API's discovery document has POST as well, and a form
//     is what public code posts there (curl -d "query=...", in scripts of Zeebe and others).
//   - permission monitoring.timeSeries.list, in roles/monitoring.viewer, as for the other
//     queries (cloud.google.com/monitoring/access-control).
//   - the answers have the form of Prometheus' own (prometheus.io/docs/prometheus/latest/querying/api):
//     a matrix, warnings, infos; 400 and 422 with errorType and error. That an answer that
//     is not whole has warnings is what Prometheus says, and unverified of Google's, as is
//     the form of errors: what Google's front answers instead (AIP-193) is read too.
//   - that it counts against QueryRequestsPerMinutePerProject is unverified, and assumed.
//   - differences from Prometheus: docs.cloud.google.com/stackdriver/docs/managed-prometheus/promql-differences.
const (
	publicAddress = "https://monitoring.googleapis.com/"
	readScope     = "https://www.googleapis.com/auth/monitoring.read"
	pathOfQueries = "/location/global/prometheus/api/v1/query_range"
	// maxAnswer bounds an answer, in bytes: some thirty for each of mostMinutes.
	maxAnswer = 1 << 20
	// mostMinutes is how many are asked for; Prometheus refuses to tell of more than
	// 11,000 at a time.
	mostMinutes = 10_000
)

// web is the way to the Prometheus endpoint. It is the same host as that of the gRPC
// calls, and nothing there is asked but one path.
type web struct {
	at     string // with a slash at its end
	agent  string
	client *http.Client
}

// newWeb makes the way to an endpoint: with tokens, or else with the process's own
// credentials unless it is this machine.
func newWeb(ctx context.Context, at endpoint, agent string, tokens google.Tokens) (web, error) {
	transport, address := google.Network(), publicAddress
	switch {
	case at.plain:
		address = "http://" + at.host + "/"
	case at.host != "":
		address = "https://" + at.host + "/"
	}
	switch {
	case tokens != nil:
		transport = google.Authorize(transport, tokens)
	case !at.plain:
		own, err := htransport.NewTransport(ctx, transport, option.WithScopes(readScope))
		if err != nil {
			return web{}, fmt.Errorf("finding credentials for %s: %w", address, err)
		}
		transport = own
	}
	return web{address, agent, &http.Client{Transport: transport, CheckRedirect: google.NoRedirect}}, nil
}

// rangeQuery is one question in PromQL: its values in the minutes (after, through].
type rangeQuery struct {
	project string
	text    string
	after   time.Time
	through time.Time
}

// matrix is an answer of the endpoint.
type matrix struct {
	Status string `json:"status"`
	Data   struct {
		ResultType string `json:"resultType"`
		Result     []struct {
			Values [][2]json.RawMessage `json:"values"`
		} `json:"result"`
	} `json:"data"`
	ErrorType string   `json:"errorType"`
	Error     string   `json:"error"`
	Warnings  []string `json:"warnings"`
}

// QueryRange asks a query. An error carries a gRPC status, like those of the other calls.
func (w web) QueryRange(ctx context.Context, q rangeQuery, timeout time.Duration) (matrix, error) {
	form := url.Values{
		"query": {q.text}, "step": {"60"}, "timeout": {strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64)},
		"start": {q.after.Add(time.Minute).UTC().Format(time.RFC3339)}, "end": {q.through.UTC().Format(time.RFC3339)},
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.at+"v1/"+projectPrefix+q.project+pathOfQueries,
		strings.NewReader(form.Encode()))
	if err != nil {
		return matrix{}, fmt.Errorf("building a request: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", w.agent)
	response, err := w.client.Do(request)
	if err != nil {
		return matrix{}, lost(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return matrix{}, lost(err)
	case len(body) > maxAnswer:
		return matrix{}, status.Errorf(codes.InvalidArgument, "an answer of more than %d bytes: aggregate to one series, for example with sum(...)", maxAnswer)
	}
	return readAnswer(response, body)
}

// lost is the failure of a call that brought no whole answer.
func lost(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return status.Error(codes.DeadlineExceeded, inTime)
	}
	if nobody, ok := errors.AsType[*google.IdentityError](err); ok {
		return unidentified(nobody)
	}
	return status.Error(codes.Unavailable, google.Detail(err))
}

// readAnswer reads an answer.
func readAnswer(response *http.Response, body []byte) (matrix, error) {
	var answer matrix
	err := json.Unmarshal(body, &answer)
	switch {
	case response.StatusCode == http.StatusOK && err == nil && answer.Status == "success":
		return answer, nil
	case response.StatusCode == http.StatusOK && (err != nil || answer.Status != "error"):
		return matrix{}, status.Error(codes.Unknown, "an answer that is not one of Prometheus' API")
	}
	return matrix{}, failed(response, answer.Error, google.ReadError(string(body)))
}

// byStatus are the codes of HTTP's statuses; google.rpc.Code says which, and Prometheus
// answers 422 where it cannot execute a query.
var byStatus = map[int]codes.Code{
	http.StatusOK:                  codes.InvalidArgument,
	http.StatusBadRequest:          codes.InvalidArgument,
	http.StatusUnprocessableEntity: codes.InvalidArgument,
	http.StatusUnauthorized:        codes.Unauthenticated,
	http.StatusForbidden:           codes.PermissionDenied,
	http.StatusNotFound:            codes.NotFound,
	http.StatusTooManyRequests:     codes.ResourceExhausted,
	http.StatusInternalServerError: codes.Internal,
	http.StatusBadGateway:          codes.Unavailable,
	http.StatusServiceUnavailable:  codes.Unavailable,
	http.StatusGatewayTimeout:      codes.DeadlineExceeded,
}

// failed is the failure that an answer tells of, in Prometheus' words or in Google's.
func failed(response *http.Response, words string, body google.ErrorBody) error {
	code, known := byStatus[response.StatusCode]
	if !known {
		code = codes.Unknown
	}
	if words == "" {
		words = body.Error.Message
	}
	if words == "" {
		words = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", response.StatusCode, http.StatusText(response.StatusCode)))
	}
	failure := status.New(code, google.Clean(words))
	if wait := google.RetryAfter(response.Header, body); wait > 0 {
		if told, err := failure.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)}); err == nil {
			failure = told
		}
	}
	return failure.Err()
}

package wire

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/promql"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// MonitoringServer serves both ways to Cloud Monitoring that there are at one address:
// gRPC, and PromQL over HTTP. Options are those of the gRPC server.
func MonitoringServer(g *Guard, options ...grpc.ServerOption) *http.Server {
	metrics := grpc.NewServer(options...)
	monitoringpb.RegisterMetricServiceServer(metrics, NewMonitoring(Metrics(g)))
	prometheus := PromQL(g)
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Protocols: protocols, ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
				metrics.ServeHTTP(w, r)
				return
			}
			prometheus.ServeHTTP(w, r)
		}),
	}
}

// PromQL serves query_range of the Prometheus endpoint of Cloud Monitoring.
func PromQL(g *Guard) http.Handler {
	mux := http.NewServeMux()
	const path = "/v1/projects/{project}/location/{location}/prometheus/api/v1/query_range"
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		mux.HandleFunc(method+" "+path, queries{g}.queryRange)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, &simulator.APIError{Code: http.StatusNotFound, Status: "NOT_FOUND", Message: "Method not found."})
	})
	return dated(g, mux)
}

// promAnswer is an answer of Prometheus' API
// [prometheus.io/docs/prometheus/latest/querying/api].
type promAnswer struct {
	Status    string    `json:"status"`
	Data      *promData `json:"data,omitempty"`
	ErrorType string    `json:"errorType,omitempty"`
	Error     string    `json:"error,omitempty"`
	Warnings  []string  `json:"warnings,omitempty"`
	Infos     []string  `json:"infos,omitempty"`
}

type promData struct {
	ResultType string       `json:"resultType"`
	Result     []promSeries `json:"result"`
}

type promSeries struct {
	Metric map[string]string `json:"metric"`
	Values [][2]any          `json:"values"`
}

// queries are those over a guarded world.
type queries struct{ guard *Guard }

func (c queries) queryRange(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostBytes)
	q, ok := rangeOf(r)
	if r.PathValue("location") != "global" || !ok {
		answer(w, r, http.StatusBadRequest, promAnswer{Status: "error", ErrorType: "bad_data", Error: "invalid parameter: location must be global, start, end and step be times"})
		return
	}
	ctx := r.Context()
	v, err := asked(c.guard, r, func(api simulator.API) (any, error) { return api.QueryRange(ctx, q) })
	if err != nil {
		refuseQuery(w, r, err)
		return
	}
	found, _ := v.(promql.Answer)
	told := promAnswer{Status: "success", Warnings: found.Warnings, Infos: found.Infos, Data: &promData{ResultType: "matrix", Result: []promSeries{}}}
	for _, one := range found.Series {
		s := promSeries{Metric: one.Labels}
		for _, p := range one.Points {
			s.Values = append(s.Values, [2]any{float64(p.At) / 1000, strconv.FormatFloat(p.Value, 'f', -1, 64)})
		}
		told.Data.Result = append(told.Data.Result, s)
	}
	answer(w, r, http.StatusOK, told)
}

// refuseQuery writes what Prometheus says of a query, or what Google does of a call.
func refuseQuery(w http.ResponseWriter, r *http.Request, err error) {
	var e *series.Error
	switch {
	case errors.Is(err, promql.ErrInvalid):
		answer(w, r, http.StatusBadRequest, promAnswer{Status: "error", ErrorType: "bad_data", Error: err.Error()})
	case errors.As(err, &e):
		refuse(w, r, &simulator.APIError{Code: cmp.Or(byCode[e.Code], http.StatusInternalServerError), Status: string(e.Code), Message: e.Message, RetryAfter: e.RetryAfter})
	default:
		refuse(w, r, err)
	}
}

// byCode are the HTTP statuses of codes [google.rpc.Code].
var byCode = map[series.Code]int{
	series.InvalidArgument:   http.StatusBadRequest,
	series.NotFound:          http.StatusNotFound,
	series.PermissionDenied:  http.StatusForbidden,
	series.ResourceExhausted: http.StatusTooManyRequests,
	series.DeadlineExceeded:  http.StatusGatewayTimeout,
	series.Unavailable:       http.StatusServiceUnavailable,
	series.Unimplemented:     http.StatusNotImplemented,
}

// rangeOf reads the parameters, of the address or of a form.
func rangeOf(r *http.Request) (promql.Range, bool) {
	start, startOK := timeOf(r.FormValue("start"))
	end, endOK := timeOf(r.FormValue("end"))
	step, err := time.ParseDuration(r.FormValue("step"))
	if seconds, numeric := strconv.ParseFloat(r.FormValue("step"), 64); numeric == nil {
		step, err = time.Duration(seconds*float64(time.Second)), nil
	}
	q := promql.Range{Project: r.PathValue("project"), Text: r.FormValue("query"), Start: start, End: end, Step: step}
	return q, startOK && endOK && err == nil
}

// timeOf reads seconds since 1970, or RFC 3339.
func timeOf(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		whole, part := math.Modf(seconds)
		return time.Unix(int64(whole), int64(part*float64(time.Second))).UTC(), true
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

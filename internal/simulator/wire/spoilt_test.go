package wire_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	monitoringapi "cloud.google.com/go/monitoring/apiv3/v2"
	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"

	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

// spoilt is a world whose director has let something go wrong with Monitoring,
// fifteen minutes later, and a client that reads its requests.
func spoilt(t *testing.T, fault string) *monitoringapi.TimeSeriesIterator {
	t.Helper()
	d := newDirect(t)
	if code := d.do(http.MethodPost, "/faults", fault, nil); code != http.StatusOK {
		t.Fatalf("%s: %d", fault, code)
	}
	d.do(http.MethodPost, "/time", `{"advance": "15m"}`, nil)
	req := listSeries(`metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision"`, nil)
	req.Name = "projects/shop-prod"
	req.Interval.StartTime.Seconds = recorded.Unix()
	req.Interval.EndTime.Seconds = recorded.Add(10 * time.Minute).Unix()
	return serveMetrics(t, wire.Metrics(d.guard)).ListTimeSeries(t.Context(), req)
}

func TestTheDirectorCorruptsValues(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"none": "<nil>", "bool": "*monitoringpb.TypedValue_BoolValue", "double": "*monitoringpb.TypedValue_DoubleValue",
		"nan": "*monitoringpb.TypedValue_DoubleValue", "infinite": "*monitoringpb.TypedValue_DoubleValue",
		"negative": "*monitoringpb.TypedValue_Int64Value", "int64": "*monitoringpb.TypedValue_Int64Value",
		"distribution": "*monitoringpb.TypedValue_DistributionValue",
	} {
		found, err := allSeries(spoilt(t, `{"kind": "corrupt", "metric": "run.googleapis.com/request_count", "for": "5m", "value": "`+value+`"}`))
		if err != nil || len(found) != 1 || len(found[0].GetPoints()) != 10 {
			t.Fatalf("%s: %v, %v", value, found, err)
		}
		for i, p := range found[0].GetPoints() { // newest first: five that are sound, then five that are not
			want := want
			if i < 5 {
				want = "*monitoringpb.TypedValue_Int64Value"
			}
			if got := fmt.Sprintf("%T", p.GetValue().GetValue()); got != want {
				t.Errorf("%s: point %d holds %s, want %s", value, i, got, want)
			}
		}
	}
	found, err := allSeries(spoilt(t, `{"kind": "corrupt", "metric": "router.googleapis.com/", "value": "negative"}`))
	if err != nil || found[0].GetPoints()[0].GetValue().GetInt64Value() <= 0 {
		t.Errorf("another metric is hit: %v, %v", found, err)
	}
}

func TestTheDirectorChangesUnitsAndAddsFields(t *testing.T) {
	t.Parallel()
	it := spoilt(t, `{"kind": "unit", "unit": "{not_a_unit}"}`)
	ts, err := it.Next()
	if err != nil || ts.GetUnit() != "{not_a_unit}" || responseOf(t, it).GetUnit() != "{not_a_unit}" {
		t.Errorf("got %q, %v", ts.GetUnit(), err)
	}
	it = spoilt(t, `{"kind": "strange"}`)
	if ts, err = it.Next(); err != nil || len(ts.GetPoints()) == 0 {
		t.Fatalf("a client that does not know a field cannot read the rest: %v", err)
	}
	if len(ts.ProtoReflect().GetUnknown()) == 0 || len(responseOf(t, it).ProtoReflect().GetUnknown()) == 0 {
		t.Error("the answer has no field that the client does not know")
	}
}

func responseOf(t *testing.T, it *monitoringapi.TimeSeriesIterator) *monitoringpb.ListTimeSeriesResponse {
	t.Helper()
	resp, ok := it.Response.(*monitoringpb.ListTimeSeriesResponse)
	if !ok {
		t.Fatalf("response is %T", it.Response)
	}
	return resp
}

func TestTheDirectorMakesOnePagePartial(t *testing.T) {
	t.Parallel()
	it := spoilt(t, `{"kind": "partial", "page": 2, "pageSize": 4, "message": "a cell is away"}`)
	var said []string
	for page := 1; ; page++ {
		_, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range responseOf(t, it).GetExecutionErrors() {
			said = append(said, fmt.Sprint(page, " ", e.GetMessage()))
		}
	}
	if len(said) != 1 || said[0] != "2 a cell is away" {
		t.Errorf("partial pages: %v", said)
	}
}

func TestTheDirectorLimitsAndFailsQueries(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		fault  string
		code   codes.Code
		reason string
		wait   time.Duration
	}{
		"a quota that says when to come back": {`"code": 429, "retryAfter": "30s"`, codes.ResourceExhausted, "RATE_LIMIT_EXCEEDED", 30 * time.Second},
		"a quota that does not":               {`"code": 429`, codes.ResourceExhausted, "RATE_LIMIT_EXCEEDED", 0},
		"a quota in words of one's own":       {`"code": 429, "message": "no more", "retryAfter": "5s"`, codes.ResourceExhausted, "", 5 * time.Second},
		"a mistake of the server":             {`"code": 500`, codes.Internal, "", 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := allSeries(spoilt(t, `{"kind": "error", "operation": "timeSeries.list", `+c.fault+`}`))
			var refused *apierror.APIError
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want an API error", err)
			}
			wait := refused.Details().RetryInfo.GetRetryDelay().AsDuration()
			if refused.GRPCStatus().Code() != c.code || refused.Reason() != c.reason || wait != c.wait {
				t.Errorf("got %v for %q, wait %v", refused.GRPCStatus().Code(), refused.Reason(), wait)
			}
		})
	}
	found, err := allSeries(spoilt(t, `{"kind": "error", "operation": "timeSeries.list", "code": 503}`))
	if err != nil || len(found) != 1 {
		t.Errorf("503 is retried by the client: %d series, %v", len(found), err)
	}
}

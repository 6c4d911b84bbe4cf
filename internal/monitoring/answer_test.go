package monitoring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"github.com/google/go-cmp/cmp"
	metricpb "google.golang.org/genproto/googleapis/api/metric"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

func TestPoints(t *testing.T) {
	t.Parallel()
	at := func(before int, label string, value int64) analysis.Point {
		return analysis.Point{End: noon.Add(-time.Duration(before) * time.Minute), Label: label, Value: value}
	}
	within := point(10, integer(1))
	within.Interval.EndTime = timestamppb.New(noon.Add(-10*time.Minute + time.Second))
	timeless := point(10, integer(1))
	timeless.Interval = nil
	foreign := class("2xx", point(10, integer(1)))
	foreign.Metric.Type = "run.googleapis.com/request_latencies"
	cases := map[string]struct {
		series     []*monitoringpb.TimeSeries
		wantPoints []analysis.Point
		wantCause  analysis.Cause
		wantDetail string
	}{
		"nothing is an answer": {},
		"newest first becomes oldest first, and zero is a value": {
			series: []*monitoringpb.TimeSeries{
				class("5xx", point(9, integer(1)), point(10, integer(0))),
				class("2xx", point(9, integer(7)), point(10, integer(5))),
			},
			wantPoints: []analysis.Point{at(10, "2xx", 5), at(10, "5xx", 0), at(9, "2xx", 7), at(9, "5xx", 1)},
		},
		"a point that came twice counts once": {
			series:     []*monitoringpb.TimeSeries{class("2xx", point(9, integer(7)), point(9, integer(7)))},
			wantPoints: []analysis.Point{at(9, "2xx", 7)},
		},
		"two values for one minute are not believed": {
			series:     []*monitoringpb.TimeSeries{class("5xx", point(9, integer(7))), class("5xx", point(9, integer(3)))},
			wantPoints: []analysis.Point{at(9, "5xx", 7)}, wantCause: analysis.CauseWrongType, wantDetail: "7 and 3",
		},
		"the first and the last minute asked for belong": {
			series:     []*monitoringpb.TimeSeries{class("2xx", point(4, integer(1)), point(29, integer(2)))},
			wantPoints: []analysis.Point{at(29, "2xx", 2), at(4, "2xx", 1)},
		},
		"the minute before does not": {
			series:    []*monitoringpb.TimeSeries{class("2xx", point(30, integer(1)))},
			wantCause: analysis.CauseWrongType, wantDetail: "outside the interval asked for, at 2026-03-01T11:30:00Z",
		},
		"nor does one that cannot have arrived": {
			series:    []*monitoringpb.TimeSeries{class("2xx", point(3, integer(1)))},
			wantCause: analysis.CauseWrongType, wantDetail: "outside the interval",
		},
		"a point within a minute is refused, the others stay": {
			series:     []*monitoringpb.TimeSeries{class("2xx", within, point(11, integer(2)))},
			wantPoints: []analysis.Point{at(11, "2xx", 2)}, wantCause: analysis.CauseWrongType, wantDetail: "within a minute",
		},
		"a point without a time": {
			series:    []*monitoringpb.TimeSeries{class("2xx", timeless)},
			wantCause: analysis.CauseWrongType, wantDetail: "without a time",
		},
		"more than anybody counts in a minute": {
			series: []*monitoringpb.TimeSeries{
				class("5xx", point(9, integer(mostPerMinute+1)), point(8, integer(math.MaxInt64)), point(7, integer(mostPerMinute))),
			},
			wantPoints: []analysis.Point{at(7, "5xx", mostPerMinute)},
			wantCause:  analysis.CauseWrongType, wantDetail: "1099511627777 in a minute, which cannot be",
		},
		"NaN": {
			series:    []*monitoringpb.TimeSeries{class("2xx", point(9, double(math.NaN())))},
			wantCause: analysis.CauseWrongType, wantDetail: "unexpected type",
		},
		"an infinity": {
			series:    []*monitoringpb.TimeSeries{class("2xx", point(9, double(math.Inf(1))))},
			wantCause: analysis.CauseWrongType, wantDetail: "unexpected type",
		},
		"a whole number as a float": {
			series:    []*monitoringpb.TimeSeries{class("2xx", point(9, double(4)))},
			wantCause: analysis.CauseWrongType, wantDetail: "unexpected type",
		},
		"no value at all": {
			series:    []*monitoringpb.TimeSeries{class("2xx", point(9, nil))},
			wantCause: analysis.CauseWrongType, wantDetail: "unexpected type",
		},
		"a negative count": {
			series:    []*monitoringpb.TimeSeries{class("2xx", point(9, integer(-1)))},
			wantCause: analysis.CauseWrongType, wantDetail: "negative value -1",
		},
		"responses of no class may hide errors": {
			series:     []*monitoringpb.TimeSeries{class("", point(9, integer(4)))},
			wantPoints: []analysis.Point{at(9, "", 4)}, wantCause: analysis.CauseWrongType, wantDetail: "response_code_class",
		},
		"an answer about another metric": {
			series: []*monitoringpb.TimeSeries{foreign}, wantCause: analysis.CauseWrongType, wantDetail: "request_latencies",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := one(t, start(t, always(c.series...)), ask(analysis.Requests, revision))
			want := analysis.Answer{Through: noon.Add(-4 * time.Minute), Delay: 4 * time.Minute, Points: c.wantPoints, Cause: c.wantCause, Detail: got.Detail}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if !strings.Contains(got.Detail, c.wantDetail) || (c.wantDetail == "") != (got.Detail == "") {
				t.Errorf("detail %q, want one with %q", got.Detail, c.wantDetail)
			}
		})
	}
}

func TestLatencies(t *testing.T) {
	t.Parallel()
	latencies := func(values ...*monitoringpb.TypedValue) *monitoringpb.TimeSeries {
		series := &monitoringpb.TimeSeries{
			Metric: &metricpb.Metric{Type: "run.googleapis.com/request_latencies"}, Resource: resourceOf(revision),
		}
		for _, value := range values {
			series.Points = append(series.Points, point(9, value))
		}
		return series
	}
	fine := spread(samples(explicit(100, 200), 3, 1, 2))
	want := []analysis.Point{{
		End: noon.Add(-9 * time.Minute), Value: 3,
		Histogram: &analysis.Histogram{Bounds: []float64{100, 200}, Counts: []int64{1, 2, 0}},
	}}
	cases := map[string]struct {
		series *monitoringpb.TimeSeries
		want   []analysis.Point
		wrong  string
	}{
		"a minute is a histogram, and its value the number of samples": {latencies(fine), want, ""},
		"one that came twice counts once":                              {latencies(fine, fine), want, ""},
		"two for one minute are not believed":                          {latencies(spread(samples(explicit(100, 200), 2, 2)), fine), want, "2 and 3"},
		"nor two of one size":                                          {latencies(fine, spread(samples(explicit(100, 200), 3, 3))), want, "3 and 3"},
		"numbers instead of distributions":                             {latencies(integer(4)), nil, "unexpected type"},
		"a distribution that contradicts itself":                       {latencies(spread(samples(explicit(1), 3, 1))), nil, "do not add up"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := one(t, start(t, always(c.series)), ask(analysis.Latencies, revision))
			if diff := cmp.Diff(c.want, got.Points); diff != "" {
				t.Errorf("points (-want +got):\n%s", diff)
			}
			if !strings.Contains(got.Detail, c.wrong) || (c.wrong == "") != (got.Cause == analysis.CauseNone) {
				t.Errorf("cause %q: %s", got.Cause, got.Detail)
			}
		})
	}
	t.Run("a distribution instead of a number", func(t *testing.T) {
		t.Parallel()
		got := one(t, start(t, always(class("2xx", point(9, fine)))), ask(analysis.Requests, revision))
		if got.Cause != analysis.CauseWrongType || len(got.Points) > 0 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestGateways(t *testing.T) {
	t.Parallel()
	t.Run("others that report are named, and do not count", func(t *testing.T) {
		t.Parallel()
		got := one(t, start(t, always(
			ports("1", "nat-1", point(9, integer(640))), ports("2", "nat-3", point(9, integer(1))), ports("3", "nat-2", point(9, integer(2))),
		)), ask(analysis.AllocatedPorts, gateway))
		want := analysis.Answer{
			Through: noon.Add(-5 * time.Minute), Delay: 4*time.Minute + 45*time.Second, Names: []string{"nat-2", "nat-3"},
			Points: []analysis.Point{{End: noon.Add(-9 * time.Minute), Value: 640}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
	})
	t.Run("two routers with a gateway of this name cannot be told apart", func(t *testing.T) {
		t.Parallel()
		got := one(t, start(t, always(
			ports("1", "nat-1", point(9, integer(640))), ports("2", "nat-1", point(9, integer(1))),
		)), ask(analysis.AllocatedPorts, gateway))
		if got.Cause != analysis.CauseAmbiguous || len(got.Points) > 0 || got.Detail != "2 routers have a gateway of this name" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("two routers with others of one name do not matter", func(t *testing.T) {
		t.Parallel()
		got := one(t, start(t, always(
			ports("1", "nat-9", point(9, integer(640))), ports("2", "nat-9", point(9, integer(1))),
		)), ask(analysis.AllocatedPorts, gateway))
		if got.Cause != analysis.CauseNone || len(got.Points) > 0 || !cmp.Equal(got.Names, []string{"nat-9"}) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("drops keep their reasons", func(t *testing.T) {
		t.Parallel()
		series := &monitoringpb.TimeSeries{
			Metric:   &metricpb.Metric{Labels: map[string]string{"reason": "OUT_OF_RESOURCES"}},
			Resource: ports("1", "nat-1").GetResource(),
			Points:   []*monitoringpb.Point{point(9, integer(12))},
		}
		got := one(t, start(t, always(series)), ask(analysis.DroppedPackets, gateway))
		want := []analysis.Point{{End: noon.Add(-9 * time.Minute), Label: "OUT_OF_RESOURCES", Value: 12}}
		if diff := cmp.Diff(want, got.Points); diff != "" {
			t.Errorf("points (-want +got):\n%s", diff)
		}
	})
	t.Run("a hundred others are not all named", func(t *testing.T) {
		t.Parallel()
		var series []*monitoringpb.TimeSeries
		for i := range 100 {
			series = append(series, ports("1", fmt.Sprintf("nat-%03d", i+100)))
		}
		if got := one(t, start(t, always(series...)), ask(analysis.AllocatedPorts, gateway)); len(got.Names) != maxNames {
			t.Errorf("%d names, want %d", len(got.Names), maxNames)
		}
	})
}

// pages answers with one response after the other.
func pages(responses ...*monitoringpb.ListTimeSeriesResponse) *server {
	return &server{list: func(_ context.Context, req *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
		i := len(req.GetPageToken())
		if i >= len(responses) {
			return nil, status.Error(codes.Internal, "page lost")
		}
		response := responses[i]
		if response.GetNextPageToken() == "" && i < len(responses)-1 {
			response.NextPageToken = strings.Repeat("n", i+1)
		}
		return response, nil
	}}
}

func TestPartialAnswers(t *testing.T) {
	t.Parallel()
	full := func(before int) *monitoringpb.ListTimeSeriesResponse {
		return &monitoringpb.ListTimeSeriesResponse{
			TimeSeries: []*monitoringpb.TimeSeries{class("2xx", point(before, integer(1)))},
		}
	}
	troubled := full(10)
	troubled.ExecutionErrors = []*rpcstatus.Status{{Code: int32(codes.DeadlineExceeded), Message: "zone lost"}}
	unknown := full(10)
	unknown.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 6, protowire.BytesType), "projects/x"))
	mixed := full(10)
	mixed.Unit = notAUnit
	empty := &monitoringpb.ListTimeSeriesResponse{ExecutionErrors: troubled.GetExecutionErrors()}
	endless := full(10)
	endless.NextPageToken = "n"

	cases := map[string]struct {
		server     *server
		wantCause  analysis.Cause
		wantDetail string
		wantPoints int
	}{
		"three whole pages":                         {pages(full(10), full(9), full(8)), analysis.CauseNone, "", 3},
		"an execution error on the first page only": {pages(troubled, full(9)), analysis.CausePartial, "zone lost", 2},
		"an execution error on an empty page":       {pages(full(10), empty, full(8)), analysis.CausePartial, "zone lost", 2},
		"a field that this client does not know":    {pages(full(9), unknown), analysis.CausePartial, "not known here, number 6", 2},
		"a second page that fails":                  {pages(full(10), &monitoringpb.ListTimeSeriesResponse{NextPageToken: "nn"}), analysis.CauseUnavailable, "page lost", 1},
		"a token that leads to itself":              {pages(full(9), endless), analysis.CausePartial, "pages without end", 2},
		"series of different units":                 {pages(mixed), analysis.CauseWrongType, "different units", 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := one(t, start(t, c.server), ask(analysis.Requests, revision))
			if got.Cause != c.wantCause || !strings.Contains(got.Detail, c.wantDetail) || len(got.Points) != c.wantPoints {
				t.Errorf("cause %q, detail %q, %d points, want %q, %q, %d",
					got.Cause, got.Detail, len(got.Points), c.wantCause, c.wantDetail, c.wantPoints)
			}
		})
	}
}

func TestFailuresAreAnswers(t *testing.T) {
	t.Parallel()
	cases := map[codes.Code]struct {
		cause  analysis.Cause
		detail string
	}{
		codes.PermissionDenied:   {analysis.CauseDenied, "no: thanks"},
		codes.Unauthenticated:    {analysis.CauseDenied, "no: thanks"},
		codes.ResourceExhausted:  {analysis.CauseThrottled, "no: thanks"},
		codes.NotFound:           {analysis.CauseInvalid, "no: thanks"},
		codes.InvalidArgument:    {analysis.CauseInvalid, "no: thanks"},
		codes.Unavailable:        {analysis.CauseUnavailable, "no: thanks"},
		codes.Internal:           {analysis.CauseUnavailable, "no: thanks"},
		codes.Unknown:            {analysis.CauseUnavailable, "no: thanks"},
		codes.FailedPrecondition: {analysis.CauseUnavailable, "no: thanks"},
		codes.DeadlineExceeded:   {analysis.CauseUnavailable, "no answer in time"},
	}
	for code, c := range cases {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			s := &server{list: func(context.Context, *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
				return nil, status.Error(code, "no:\n\tthanks\x00\u202e")
			}}
			want := analysis.Answer{Through: noon.Add(-4 * time.Minute), Delay: 4 * time.Minute, Cause: c.cause, Detail: c.detail}
			if diff := cmp.Diff(want, one(t, start(t, s), ask(analysis.Requests, revision))); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if len(s.lists) != 1 {
				t.Errorf("asked %d times, want once", len(s.lists))
			}
		})
	}
}

func TestAServerThatIsSilentCostsOneTimeoutNotTheAnswers(t *testing.T) {
	t.Parallel()
	s := &server{list: func(ctx context.Context, req *monitoringpb.ListTimeSeriesRequest) (*monitoringpb.ListTimeSeriesResponse, error) {
		if strings.Contains(req.GetFilter(), "request_count") {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return &monitoringpb.ListTimeSeriesResponse{}, nil
	}}
	silent, fine := ask(analysis.Requests, revision), ask(analysis.Instances, revision)
	answers, err := start(t, s, func(o *Options) { o.Timeout = time.Second }).Answer(t.Context(), []analysis.Question{silent, fine}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if a := answers.Of(silent.Series); a.Cause != analysis.CauseUnavailable || a.Detail != "no answer in time" {
		t.Errorf("of the silent one: %+v", a)
	}
	if a := answers.Of(fine.Series); a.Cause != analysis.CauseNone {
		t.Errorf("of the other: %+v", a)
	}
}

func TestNobodyListening(t *testing.T) {
	t.Parallel()
	client, err := New(t.Context(), Options{Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if a := one(t, client, ask(analysis.Requests, revision)); a.Cause != analysis.CauseUnavailable || a.Detail == "" {
		t.Errorf("got %+v", a)
	}
}

func TestACallerWhoLeavesGetsAnError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := start(t, &server{}).Answer(ctx, []analysis.Question{ask(analysis.Requests, revision)}, noon)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

// TestWhateverComesThePointsAreSound throws arbitrary points at a haul.
func TestWhateverComesThePointsAreSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		home := place{revision.Location, revision.Service}
		h := newHaul(query{
			metric: metrics[analysis.Requests], project: revision.Project, places: []place{home},
			after: noon.Add(-10 * time.Minute), through: noon,
		}, &boundsPool{})
		for range rapid.IntRange(0, 30).Draw(t, "points") {
			p := point(rapid.IntRange(-3, 13).Draw(t, "before"), integer(rapid.Int64Range(-2, 5).Draw(t, "value")))
			p.Interval.EndTime.Seconds += rapid.SampledFrom([]int64{0, 0, 0, 1, 1 << 60}).Draw(t, "off")
			h.page(&monitoringpb.ListTimeSeriesResponse{TimeSeries: []*monitoringpb.TimeSeries{
				class(rapid.SampledFrom([]string{"2xx", "5xx", "\x00", ""}).Draw(t, "class"), p),
			}})
		}
		h.finish()
		w := wish{
			series: analysis.Series{Metric: analysis.Requests, Source: revision}, place: home,
			after:   noon.Add(-time.Duration(rapid.IntRange(0, 10).Draw(t, "from")) * time.Minute),
			through: noon.Add(-time.Duration(rapid.IntRange(0, 10).Draw(t, "to")) * time.Minute),
		}
		var last analysis.Point
		for i, p := range h.answer(w).Points {
			if p.Value < 0 || !p.End.Equal(p.End.Truncate(time.Minute)) || !p.End.After(w.after) || p.End.After(w.through) {
				t.Fatalf("unsound point %v", p)
			}
			if i > 0 && (p.End.Before(last.End) || p.End.Equal(last.End) && p.Label <= last.Label) {
				t.Fatalf("%v after %v", p, last)
			}
			last = p
		}
	})
}

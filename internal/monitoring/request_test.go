package monitoring

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// permitted are the aligners that leave a gap a gap.
var permitted = []monitoringpb.Aggregation_Aligner{
	monitoringpb.Aggregation_ALIGN_SUM, monitoringpb.Aggregation_ALIGN_MAX, monitoringpb.Aggregation_ALIGN_COUNT_TRUE,
}

func TestRequestsToTheByte(t *testing.T) {
	t.Parallel()
	const (
		ofRevision = ` AND resource.type="cloud_run_revision" AND resource.labels.project_id="shop"` +
			` AND resource.labels.location="europe-west1" AND resource.labels.service_name="web"`
		ofRegion = ` AND resource.type="nat_gateway" AND resource.labels.project_id="net-host"` +
			` AND resource.labels.region="europe-west1"`
		ofGateway = ofRegion + ` AND resource.labels.gateway_name="nat-1"`
	)
	byRevision := []string{
		"resource.label.project_id", "resource.label.location", "resource.label.service_name", "resource.label.revision_name",
	}
	byGateway := []string{
		"resource.label.project_id", "resource.label.region", "resource.label.router_id", "resource.label.gateway_name",
	}
	part := func(clause string) string {
		return strings.Replace(ofRevision, " AND resource.labels.location", clause+" AND resource.labels.location", 1)
	}
	cases := map[string]struct {
		metric  analysis.Metric
		source  analysis.Source
		filter  string
		aligner string
		groupBy []string
		through string // the newest minute asked for at 12:00:00, by the table
	}{
		"requests, by class": {
			analysis.Requests, revision, `metric.type="run.googleapis.com/request_count"` + ofRevision,
			"ALIGN_SUM", append(byRevision[:4:4], "metric.label.response_code_class"), "11:56",
		},
		"those not found, all classes together": {
			analysis.NotFound, revision, `metric.type="run.googleapis.com/request_count"` + part(` AND metric.labels.response_code="404"`),
			"ALIGN_SUM", byRevision, "11:56",
		},
		"latencies, distributions that are added": {
			analysis.Latencies, revision, `metric.type="run.googleapis.com/request_latencies"` + ofRevision,
			"ALIGN_SUM", byRevision, "11:56",
		},
		"instances, all states together": {
			analysis.Instances, revision, `metric.type="run.googleapis.com/container/instance_count"` + ofRevision,
			"ALIGN_MAX", byRevision, "11:57",
		},
		"instances that serve": {
			analysis.ActiveInstances, revision, `metric.type="run.googleapis.com/container/instance_count"` + part(` AND metric.labels.state="active"`),
			"ALIGN_MAX", byRevision, "11:57",
		},
		"requests that wait": {
			analysis.Pending, revision, `metric.type="run.googleapis.com/pending_queue/pending_requests"` + ofRevision,
			"ALIGN_MAX", byRevision, "11:57",
		},
		"dropped packets, by reason": {
			analysis.DroppedPackets, gateway, `metric.type="router.googleapis.com/nat/dropped_sent_packets_count"` + ofGateway,
			"ALIGN_SUM", append(byGateway[:4:4], "metric.label.reason"), "11:55",
		},
		"failed allocations, a boolean that is counted": {
			analysis.AllocationFailed, gateway, `metric.type="router.googleapis.com/nat/nat_allocation_failed"` + ofGateway,
			"ALIGN_COUNT_TRUE", byGateway, "11:57",
		},
		"allocated ports, of every gateway there": {
			analysis.AllocatedPorts, gateway, `metric.type="router.googleapis.com/nat/allocated_ports"` + ofRegion,
			"ALIGN_MAX", byGateway, "11:55",
		},
		"open connections": {
			analysis.OpenConnections, gateway, `metric.type="router.googleapis.com/nat/open_connections"` + ofGateway,
			"ALIGN_MAX", byGateway, "11:55",
		},
	}
	if len(cases) != len(metrics) {
		t.Errorf("%d metrics, %d of them tested", len(metrics), len(cases))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &server{}
			answer := one(t, start(t, s), ask(c.metric, c.source))
			if got := answer.Through.Format("15:04"); got != c.through {
				t.Errorf("through %s, want %s", got, c.through)
			}
			if len(s.lists) != 1 {
				t.Fatalf("asked %d times, want once", len(s.lists))
			}
			through, err := time.Parse("2006-01-02 15:04", "2026-03-01 "+c.through)
			if err != nil {
				t.Fatal(err)
			}
			want := `name: "projects/` + c.source.Project + `" filter: ` + strconv.Quote(c.filter) +
				` interval: {end_time: {seconds: ` + strconv.FormatInt(through.Unix(), 10) +
				`} start_time: {seconds: ` + strconv.FormatInt(noon.Unix()-1800, 10) + `}}` +
				` aggregation: {alignment_period: {seconds: 60} per_series_aligner: ` + c.aligner +
				` cross_series_reducer: REDUCE_SUM`
			want += ` group_by_fields: ["` + strings.Join(c.groupBy, `", "`) + `"]} page_size: `
			want += map[bool]string{false: "50000", true: "10000"}[c.metric == analysis.Latencies]
			var wanted monitoringpb.ListTimeSeriesRequest
			if err := prototext.Unmarshal([]byte(want), &wanted); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&wanted, s.lists[0], protocmp.Transform()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoRequestUsesAnAlignerThatFillsGaps(t *testing.T) {
	t.Parallel()
	fillers := []string{"ALIGN_DELTA", "ALIGN_RATE", "ALIGN_INTERPOLATE"}
	for kind, m := range metrics {
		if slices.Contains(fillers, m.aligner.String()) || !slices.Contains(permitted, m.aligner) {
			t.Errorf("%s: aligner %s", kind, m.aligner)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String()
		q := query{
			metric:  metrics[rapid.SampledFrom(slices.Sorted(maps.Keys(metrics))).Draw(t, "metric")],
			project: name.Draw(t, "project"), places: []place{{name.Draw(t, "location"), name.Draw(t, "name")}},
			after: noon, through: noon.Add(time.Minute),
		}
		request := q.request()
		if aligner := request.GetAggregation().GetPerSeriesAligner(); slices.Contains(fillers, aligner.String()) {
			t.Fatalf("aligner %s", aligner)
		}
		if request.GetSecondaryAggregation() != nil {
			t.Fatal("a second aggregation")
		}
	})
}

// The sources cannot even name an aligner that fills gaps.
func TestTheSourcesNameNoOtherAligner(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no sources", err)
	}
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			name, ok := n.(*ast.Ident)
			aligner, found := strings.CutPrefix(nameOf(name, ok), "Aggregation_")
			if !found || !strings.HasPrefix(aligner, "ALIGN_") {
				return true
			}
			seen++
			if value := monitoringpb.Aggregation_Aligner_value[aligner]; !slices.Contains(permitted, monitoringpb.Aggregation_Aligner(value)) {
				t.Errorf("%s names %s", file, aligner)
			}
			return true
		})
	}
	if seen != len(metrics) {
		t.Errorf("%d aligners named, want one for each of %d metrics", seen, len(metrics))
	}
}

func nameOf(id *ast.Ident, ok bool) string {
	if !ok {
		return ""
	}
	return id.Name
}

func TestQuestionsAboutOneSeriesAreAskedOnce(t *testing.T) {
	t.Parallel()
	s := &server{}
	narrow, wide := ask(analysis.Requests, revision), ask(analysis.Requests, revision)
	narrow.After = noon.Add(-10 * time.Minute)
	other := ask(analysis.Instances, revision)
	answers, err := start(t, s).Answer(t.Context(), []analysis.Question{narrow, other, wide, narrow}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) != 2 || len(s.lists) != 2 {
		t.Errorf("%d answers from %d calls, want 2 from 2", len(answers), len(s.lists))
	}
	for _, request := range s.lists {
		if got := request.GetInterval().GetStartTime().AsTime(); !got.Equal(wide.After) {
			t.Errorf("asked from %s, want %s", got, wide.After)
		}
	}
}

func TestAnIntervalThatHasNotArrivedIsNotAskedFor(t *testing.T) {
	t.Parallel()
	s := &server{}
	q := ask(analysis.Requests, revision)
	q.After = noon.Add(-4 * time.Minute) // through is 11:56 too
	want := analysis.Answer{Through: noon.Add(-4 * time.Minute), Delay: 4 * time.Minute}
	if diff := cmp.Diff(want, one(t, start(t, s), q)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if len(s.lists) != 0 {
		t.Error("asked all the same")
	}
}

func TestNoMinuteAfterTheQuestionsEndIsReported(t *testing.T) {
	t.Parallel()
	q := ask(analysis.Requests, revision)
	q.Until = noon.Add(-20 * time.Minute)
	if got := one(t, start(t, &server{}), q).Through; !got.Equal(q.Until) {
		t.Errorf("through %s, want %s", got, q.Until)
	}
}

func TestQuestionsThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	change := func(f func(*analysis.Question)) analysis.Question {
		q := ask(analysis.Requests, revision)
		f(&q)
		return q
	}
	cases := map[string]analysis.Question{
		"an unknown metric":       change(func(q *analysis.Question) { q.Metric = "latency" }),
		"drops of a revision":     change(func(q *analysis.Question) { q.Metric = analysis.DroppedPackets }),
		"requests of a gateway":   change(func(q *analysis.Question) { q.Source = gateway }),
		"no revision":             change(func(q *analysis.Question) { q.Source.Revision = "" }),
		"no region":               change(func(q *analysis.Question) { q.Source.Location = "" }),
		"a line break in a name":  change(func(q *analysis.Question) { q.Source.Service = "web\napi" }),
		"a name of a megabyte":    change(func(q *analysis.Question) { q.Source.Service = strings.Repeat("a", 1<<20) }),
		"a project with a slash":  change(func(q *analysis.Question) { q.Source.Project = "shop/metricDescriptors" }),
		"bytes that are no UTF-8": change(func(q *analysis.Question) { q.Source.Revision = "\xff" }),
	}
	for name, q := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &server{}
			answer := one(t, start(t, s), q)
			if answer.Cause != analysis.CauseInvalid || answer.Detail == "" || len(answer.Detail) > 400 {
				t.Errorf("cause %q, detail %q", answer.Cause, answer.Detail)
			}
			if len(s.lists) != 0 {
				t.Error("asked all the same")
			}
		})
	}
}

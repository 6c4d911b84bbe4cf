package monitoring

import (
	"context"
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	metricpb "google.golang.org/genproto/googleapis/api/metric"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// delayed is a descriptor with a sample period and a delay, in seconds.
func delayed(period, delay int64) *metricpb.MetricDescriptor {
	return &metricpb.MetricDescriptor{Metadata: &metricpb.MetricDescriptor_MetricDescriptorMetadata{
		SamplePeriod: &durationpb.Duration{Seconds: period}, IngestDelay: &durationpb.Duration{Seconds: delay},
	}}
}

func describing(descriptor *metricpb.MetricDescriptor, err error) func(
	context.Context, *monitoringpb.GetMetricDescriptorRequest) (*metricpb.MetricDescriptor, error) {
	return func(context.Context, *monitoringpb.GetMetricDescriptorRequest) (*metricpb.MetricDescriptor, error) {
		return descriptor, err
	}
}

func TestDelays(t *testing.T) {
	t.Parallel()
	const byTable = 4 * time.Minute
	cases := map[string]struct {
		descriptor *metricpb.MetricDescriptor
		err        error
		want       time.Duration
	}{
		"what the descriptor says":           {delayed(60, 120), nil, 3 * time.Minute},
		"more than the table":                {delayed(60, 1740), nil, 30 * time.Minute},
		"rounded to the older minute":        {delayed(60, 121), nil, 4 * time.Minute},
		"an hour is believed":                {delayed(60, 3540), nil, time.Hour},
		"more is not":                        {delayed(60, 3541), nil, byTable},
		"less than a sample's minute is not": {delayed(1, 0), nil, byTable},
		"a negative delay is not":            {delayed(600, -60), nil, byTable},
		"no sample period":                   {delayed(0, 120), nil, byTable},
		"an overflowing one":                 {delayed(1<<40, 120), nil, byTable},
		"no metadata":                        {&metricpb.MetricDescriptor{}, nil, byTable},
		"a descriptor that may not be read":  {nil, status.Error(codes.PermissionDenied, "no"), byTable},
		"a descriptor that nobody knows":     {nil, status.Error(codes.NotFound, "no"), byTable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := ask(analysis.Requests, revision)
			q.After = noon.Add(-2 * time.Hour)
			answer := one(t, start(t, &server{describe: describing(c.descriptor, c.err)}), q)
			if got := noon.Sub(answer.Through); got != c.want {
				t.Errorf("through now minus %s, want minus %s", got, c.want)
			}
			if got := answer.Delay; got > c.want || c.want-got >= time.Minute {
				t.Errorf("the delay is told as %s", got)
			}
		})
	}
}

func TestADescriptorIsReadOnceAnHourForEachProjectAndMetric(t *testing.T) {
	t.Parallel()
	s := &server{describe: describing(delayed(60, 120), nil)}
	client := start(t, s)
	other := revision
	other.Project = "other"
	questions := []analysis.Question{ask(analysis.Requests, revision), ask(analysis.Requests, other), ask(analysis.Instances, revision)}
	stable := revision
	stable.Revision = "web-1"
	questions = append(questions, ask(analysis.Requests, stable))

	steps := []struct {
		at   time.Time
		want int // descriptors read in all
	}{
		{noon, 3},
		{noon.Add(59 * time.Minute), 3},
		{noon.Add(60 * time.Minute), 6},
		{noon.Add(61 * time.Minute), 6},
		{noon, 9}, // the clock was set back
	}
	for _, step := range steps {
		if _, err := client.Answer(t.Context(), questions, step.at); err != nil {
			t.Fatal(err)
		}
		if got := len(s.describes); got != step.want {
			t.Errorf("at %s: %d descriptors read, want %d", step.at.Format("15:04"), got, step.want)
		}
	}
	if want := "projects/shop/metricDescriptors/run.googleapis.com/request_count"; !slices.Contains(s.describes, want) {
		t.Errorf("read %q, want %q among them", s.describes, want)
	}
}

func TestADescriptorThatCannotBeReadAgainLeavesTheLastGoodDelay(t *testing.T) {
	t.Parallel()
	s := &server{describe: describing(delayed(60, 60), nil)}
	client := start(t, s)
	through := func(at time.Time) time.Duration {
		t.Helper()
		q := ask(analysis.Requests, revision)
		q.Until = at
		answers, err := client.Answer(t.Context(), []analysis.Question{q}, at)
		if err != nil {
			t.Fatal(err)
		}
		return at.Sub(answers.Of(q.Series).Through)
	}
	if got := through(noon); got != 2*time.Minute {
		t.Fatalf("first %s", got)
	}
	s.describe = describing(nil, status.Error(codes.Unavailable, "no"))
	for _, at := range []time.Duration{time.Hour, time.Hour + 4*time.Minute, time.Hour + 5*time.Minute} {
		if got := through(noon.Add(at)); got != 2*time.Minute {
			t.Errorf("after %s: %s, want the last good one", at, got)
		}
	}
	if got := len(s.describes); got != 3 {
		t.Errorf("read %d times, want 3: a failure is tried again after 5 minutes", got)
	}
}

func TestSecondsIntoAMinuteDoNotReachAMinuteThatIsNotOver(t *testing.T) {
	t.Parallel()
	client := start(t, &server{})
	q := ask(analysis.Requests, revision)
	q.Until = noon.Add(time.Hour)
	answers, err := client.Answer(t.Context(), []analysis.Question{q}, noon.Add(59*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if got := answers.Of(q.Series).Through; !got.Equal(noon.Add(-4 * time.Minute)) {
		t.Errorf("through %s", got)
	}
}

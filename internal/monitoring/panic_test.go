package monitoring

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

func TestAPanicOnOddDataIsAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &held{crowd: crowd{services: rolling(1)}}
		d := h.desk()
		caught := 0
		d.caught = func() { caught++ }
		d.read = func(ctx context.Context, r *monitoringpb.ListTimeSeriesRequest, w watch, take func(*monitoringpb.ListTimeSeriesResponse)) trouble {
			h.read(ctx, r, w, take)
			panic("odd\ndata")
		}
		wishes := wishFor(t, h.crowd.services[0], at(0))
		got := d.ask(t.Context(), wishes, at(0)).Of(wishes[0].series)
		if got.Cause != analysis.CauseUnavailable || got.Detail != "a mistake in Sluice: panic while reading the answer: odd data" || len(got.Points) > 0 || caught != 1 {
			t.Errorf("%d caught: %+v", caught, got)
		}
		d.read = h.read
		served(t, d.ask(t.Context(), wishes, at(15*time.Second)), wishes)
	})
}

func TestPanicsOfADescriptorAndAQueryEndNobodyAndAreCounted(t *testing.T) {
	t.Parallel()
	client := start(t, &server{})
	api := client.api
	client.api = nil // any call panics
	defer func() { client.api = api }()
	if got := one(t, client, ask(analysis.Requests, revision)); got.Cause != analysis.CauseUnavailable || !strings.Contains(got.Detail, "mistake in Sluice") {
		t.Errorf("%+v", got)
	}
	for _, method := range []string{methodList, methodDescribe} {
		if got := testutil.ToFloat64(client.counters.requests.WithLabelValues(method, codePanic)); got != 1 {
			t.Errorf("%s: %v counted", method, got)
		}
	}
}

func TestAPanicBesideAQueryIsAnAnswerForItsOwnQuestions(t *testing.T) {
	t.Parallel()
	client := start(t, always(class("2xx", point(9, integer(1)))))
	bad, fine := ask(analysis.Instances, revision), ask(analysis.Requests, revision)
	key := deskKey{project: revision.Project, metric: bad.Metric}
	client.desks.of(key, noon, func(deskKey) *desk { return &desk{} }) // one without members, which cannot be joined
	answers, err := client.Answer(t.Context(), []analysis.Question{bad, fine}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if got := answers.Of(bad.Series); got.Cause != analysis.CauseUnavailable || !strings.Contains(got.Detail, "mistake in Sluice") || got.Through.IsZero() {
		t.Errorf("%+v", got)
	}
	if got := answers.Of(fine.Series); got.Cause != analysis.CauseNone || len(got.Points) != 1 {
		t.Errorf("%+v", got)
	}
}

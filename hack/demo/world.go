package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

const service = "projects/acme-prod/locations/asia-northeast1/services/graphql-api"

// caller is who the scenario lets the manager be.
const caller = "sluice@acme-prod.iam.gserviceaccount.com"

// world speaks to the control endpoint of the simulated cloud, and to its Cloud
// Monitoring as anybody would.
type world struct{ url, monitoring string }

// wait waits until the world answers, and returns when its time began.
func (w *world) wait(ctx context.Context) (start time.Time, err error) {
	err = until(ctx, "the world", 20*time.Second, func() (bool, error) {
		var t wire.Time
		err := w.call(ctx, http.MethodGet, "/time", nil, &t)
		start = t.Start
		return err == nil, nil
	})
	return start, err
}

func (w *world) now(ctx context.Context) (time.Time, error) {
	var t wire.Time
	err := w.call(ctx, http.MethodGet, "/time", nil, &t)
	return t.Now, err
}

func (w *world) setSpeed(ctx context.Context, speed float64) error {
	return w.call(ctx, http.MethodPost, "/time", map[string]float64{"speed": speed}, nil)
}

// skip lets the time until a moment pass at once.
func (w *world) skip(ctx context.Context, to time.Time) error {
	return w.call(ctx, http.MethodPost, "/time", map[string]time.Time{"to": to}, nil)
}

// drops reads from Cloud Monitoring how many packets the NAT gateway dropped in
// each minute that ended in (from, to], minutes without any left out.
func (w *world) drops(ctx context.Context, from, to time.Time) ([]dropped, error) {
	conn, err := grpc.NewClient(w.monitoring, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("asking Cloud Monitoring: %w", err)
	}
	defer func() { _ = conn.Close() }()
	answer, err := monitoringpb.NewMetricServiceClient(conn).ListTimeSeries(ctx, &monitoringpb.ListTimeSeriesRequest{
		Name: "projects/acme-net",
		Filter: `metric.type="router.googleapis.com/nat/dropped_sent_packets_count" AND resource.type="nat_gateway"` +
			` AND resource.labels.gateway_name="nat-1"`,
		Interval: &monitoringpb.TimeInterval{StartTime: timestamppb.New(from), EndTime: timestamppb.New(to)},
		View:     monitoringpb.ListTimeSeriesRequest_FULL,
	})
	if err != nil {
		return nil, fmt.Errorf("asking Cloud Monitoring: %w", err)
	}
	var minutes []dropped
	for _, series := range answer.GetTimeSeries() {
		for _, p := range series.GetPoints() {
			if n := p.GetValue().GetInt64Value(); n > 0 {
				minutes = append(minutes, dropped{p.GetInterval().GetEndTime().AsTime(), n})
			}
		}
	}
	slices.SortFunc(minutes, func(a, b dropped) int { return a.end.Compare(b.end) })
	return minutes, nil
}

// deploy deploys a revision the way a pipeline does: the traffic is left alone.
func (w *world) deploy(ctx context.Context, image string) (string, error) {
	var answer struct {
		Revision string `json:"revision"`
	}
	err := w.call(ctx, http.MethodPost, "/deploy", map[string]string{"service": service, "image": image}, &answer)
	return answer.Revision, err
}

func (w *world) log(ctx context.Context) ([]simulator.Event, error) {
	var log []simulator.Event
	err := w.call(ctx, http.MethodGet, "/log", nil, &log)
	return log, err
}

// minutes tells the truth of the minutes that ended after a moment, or of all.
func (w *world) minutes(ctx context.Context, after time.Time) ([]simulator.Minute, error) {
	var minutes []simulator.Minute
	path := "/minutes"
	if !after.IsZero() {
		path += "?from=" + url.QueryEscape(after.Format(time.RFC3339Nano))
	}
	err := w.call(ctx, http.MethodGet, path, nil, &minutes)
	return minutes, err
}

func (w *world) call(ctx context.Context, method, path string, body, into any) error {
	var sent io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, sent)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the world: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("asking the world: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the world for %s: %s: %s", path, resp.Status, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

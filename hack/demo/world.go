package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/internal/simulator/wire"
)

const service = "projects/acme-prod/locations/asia-northeast1/services/graphql-api"

// world speaks to the control endpoint of the simulated cloud.
type world struct{ url string }

func (w *world) wait(ctx context.Context) error {
	return until(ctx, "the world", 20*time.Second, func() (bool, error) {
		_, err := w.now(ctx)
		return err == nil, nil
	})
}

func (w *world) now(ctx context.Context) (time.Time, error) {
	var t wire.Time
	err := w.call(ctx, http.MethodGet, "/time", nil, &t)
	return t.Now, err
}

func (w *world) setSpeed(ctx context.Context, speed float64) error {
	return w.call(ctx, http.MethodPost, "/time", map[string]float64{"speed": speed}, nil)
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

package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/clock"
)

const sample = "../../internal/simulator/testdata/sample.yaml"

// printed is what the command prints, safe to read while it runs. Lines wakes
// whoever waits for the next.
type printed struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan struct{}
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.text.Write(b)
	p.lines <- struct{}{}
	return n, err
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func TestItServesAndSaysWhere(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out := &printed{lines: make(chan struct{}, 16)}
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{
			"--scenario", sample, "--speed", "0",
			"--cloud-run-listen", "127.0.0.1:0", "--monitoring-listen", "127.0.0.1:0", "--compute-listen", "127.0.0.1:0",
			"--vpc-access-listen", "127.0.0.1:0", "--iam-credentials-listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0",
		}, out)
	}()
	for range 7 {
		select {
		case <-out.lines:
		case err := <-done:
			t.Fatalf("it ended: %v", err)
		}
	}
	addresses := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(.+?): (http://\S+)`).FindAllStringSubmatch(out.String(), -1) {
		addresses[m[1]] = m[2]
	}
	got, err := clock.Dial(ctx, addresses["control"])
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC); !got.Now().Equal(want) || got.Speed() != 0 {
		t.Errorf("its clock shows %v at speed %v, the scenario begins at %v", got.Now(), got.Speed(), want)
	}
	for api, path := range map[string]string{
		"Cloud Run": "/v2/projects/acme-prod/locations/asia-northeast1/services/graphql-api",
		"Compute":   "/compute/v1/projects/acme-net/regions/asia-northeast1/routers/r1",
	} {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, addresses[api]+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", api, resp.Status)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestAScenarioWithoutADateBeginsAWeekBack(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(file, []byte("seed: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 20, 15, 0, 0, 0, time.UTC)
	w, err := open(file, now)
	if err != nil || now.Sub(w.Now()) != 7*24*time.Hour {
		t.Errorf("it begins at %v, %v", w.Now(), err)
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"--scenario is required": {},
		"--speed is negative":    {"--scenario", sample, "--speed", "-1"},
		"unexpected argument":    {"--scenario", sample, "more"},
		"no such file":           {"--scenario", "none.yaml"},
		"flag provided but not":  {"--sped", "1"},
		"unknown port":           {"--scenario", sample, "--cloud-run-listen", "127.0.0.1:x"},
		"reading scenario":       {"--scenario", "main.go"},
	} {
		err := run(t.Context(), args, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", args, err, want)
		}
	}
}

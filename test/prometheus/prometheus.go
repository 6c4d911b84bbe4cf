// Package prometheus runs a real Prometheus beside a manager: it scrapes the
// manager, evaluates rules, and answers queries about what it scraped.
package prometheus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"sigs.k8s.io/yaml"
)

// ErrMissing means that no Prometheus is installed.
var ErrMissing = errors.New("prometheus is not installed; on Debian it is in the package prometheus")

// every is how often the manager is scraped and the rules are evaluated.
const every = "1s"

// Server is a Prometheus that runs.
type Server struct {
	url  string
	cmd  *exec.Cmd
	done chan struct{}
	said bytes.Buffer
}

// tries is how often another port is tried where one was taken meanwhile.
const tries = 5

// Start runs a Prometheus that scrapes an address and evaluates the rules of a file.
// It keeps what it has in a directory. It lives until [Server.Kill].
func Start(ctx context.Context, dir, target, rules string) (*Server, error) {
	path, err := exec.LookPath("prometheus")
	if err != nil {
		return nil, ErrMissing
	}
	file, err := writeConfig(dir, target, rules)
	if err != nil {
		return nil, err
	}
	var s *Server
	for range tries {
		if s, err = start(path, file, filepath.Join(dir, "data")); err != nil {
			return nil, err
		}
		if err = s.ready(ctx); err == nil {
			return s, nil
		}
		s.Kill()
	}
	return nil, err
}

func start(path, file, data string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return nil, fmt.Errorf("finding a free port: %w", err)
	}
	listen := l.Addr().String()
	_ = l.Close()
	s := &Server{url: "http://" + listen, done: make(chan struct{})}
	s.cmd = exec.Command(path, "--config.file", file, "--web.listen-address", listen, //nolint:noctx // ended by Kill, not by a context
		"--storage.tsdb.path", data, "--log.level", "warn")
	s.cmd.Stdout, s.cmd.Stderr = &s.said, &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting prometheus: %w", err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	return s, nil
}

// ready waits until it answers, or has ended.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := s.Rules(ctx); err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("prometheus has ended; it said\n%s", s.said.String())
		case <-ctx.Done():
			return fmt.Errorf("prometheus does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func writeConfig(dir, target, rules string) (string, error) {
	rules, err := filepath.Abs(rules)
	if err != nil {
		return "", err
	}
	text, err := yaml.Marshal(map[string]any{
		"global":     map[string]any{"scrape_interval": every, "evaluation_interval": every},
		"rule_files": []string{rules},
		"scrape_configs": []any{map[string]any{
			"job_name": "sluice", "honor_labels": true,
			// The labels that the Prometheus operator gives to what it finds by a service.
			"static_configs": []any{map[string]any{
				"targets": []string{target},
				"labels":  map[string]string{"namespace": "sluice-system", "service": "sluice-metrics", "pod": "sluice-manager-1"},
			}},
		}},
	})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "prometheus.yaml")
	return file, os.WriteFile(file, text, 0o600)
}

// Kill ends it and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Rule is what became of a rule.
type Rule struct {
	Name, Health, LastError string
}

// Rules are those that it evaluates.
func (s *Server) Rules(ctx context.Context) ([]Rule, error) {
	var data struct{ Groups []struct{ Rules []Rule } }
	if err := s.get(ctx, "/api/v1/rules", nil, &data); err != nil {
		return nil, err
	}
	var rules []Rule
	for _, g := range data.Groups {
		rules = slices.Concat(rules, g.Rules)
	}
	return rules, nil
}

// Series counts the series that a query had at any time between two.
func (s *Server) Series(ctx context.Context, query string, from, to time.Time) (int, error) {
	var data struct{ Result []json.RawMessage }
	err := s.get(ctx, "/api/v1/query_range", url.Values{
		"query": {query}, "step": {"2"}, "start": {unix(from)}, "end": {unix(to)},
	}, &data)
	return len(data.Result), err
}

func unix(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

// get reads an answer of its API.
func (s *Server) get(ctx context.Context, path string, query url.Values, data any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		select {
		case <-s.done:
			return fmt.Errorf("prometheus has ended; it said\n%s", s.said.String())
		default:
			return fmt.Errorf("asking prometheus: %w", err)
		}
	}
	defer func() { _ = resp.Body.Close() }()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("reading the answer of prometheus: %w", err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("prometheus answers %s: %s", resp.Status, answer.Error)
	}
	return nil
}

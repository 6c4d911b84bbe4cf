package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/test/board"
	"github.com/sluice-rollouts/sluice/test/prometheus"
)

const (
	rulesFile = "config/prometheus/rules.yaml"
	boardFile = "config/grafana/rollouts.json"

	// needs is the variable that names the programs that must be there.
	needs = "SLUICE_NEEDS"
)

// unanswered are panels of the board that show nothing after the demo, and why, where so
// much of its end was tried. Whoever tries it is waited for.
func unanswered(tried int) map[string]string {
	panels := map[string]string{
		"Without evidence": "metrics do not stay away",
	}
	if tried == 0 {
		panels["Need a person"] = "nobody is waited for"
	}
	return panels
}

// orZero ends those queries of the board that a manager answers with a zero at least.
// Here they are asked without it, because a zero shows nothing of what they count.
const orZero = " or on () max(sluice_firewall_refused_total) * 0"

// scraper is a real Prometheus beside the manager.
type scraper struct {
	server *prometheus.Server
	began  time.Time
}

// startScraper starts one where it is installed; the demo needs none.
func (s *stage) startScraper(ctx context.Context) error {
	dir := filepath.Join(s.dir, "prometheus")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	server, err := prometheus.Start(ctx, dir, s.metrics, rulesFile)
	if errors.Is(err, prometheus.ErrMissing) && !strings.Contains(os.Getenv(needs), "prometheus") {
		say("the alerts and the board are not evaluated: %v", err)
		return nil
	}
	if err != nil {
		return err
	}
	say("a Prometheus scrapes the manager, for the alerts in %s and the board in %s", rulesFile, boardFile)
	s.scraper = &scraper{server, time.Now()}
	s.closers = append(s.closers, server.Kill)
	return nil
}

// promises are that every rule is evaluated without an error, and that every query
// of the board has had an answer during the demo.
func (s *scraper) promises(ctx context.Context, unanswered map[string]string) (looked int, broken []string, err error) {
	if s == nil {
		return 0, nil, nil
	}
	s.catchUp(ctx)
	rules, err := s.server.Rules(ctx)
	if err != nil {
		return 0, nil, err
	}
	for _, r := range rules {
		if r.Health != "ok" {
			broken = append(broken, fmt.Sprintf("the rule %s is %s: %s", r.Name, r.Health, r.LastError))
		}
	}
	b, err := board.Read(boardFile)
	if err != nil {
		return 0, nil, err
	}
	queries := b.Queries(".*", ".*")
	for _, where := range slices.Sorted(maps.Keys(queries)) {
		series, err := s.server.Series(ctx, strings.TrimSuffix(queries[where], orZero), s.began, time.Now())
		if err != nil {
			broken = append(broken, fmt.Sprintf("the board's %s: %v", where, err))
			continue
		}
		panel, _, _ := strings.Cut(where, ", query")
		if why, known := unanswered[panel]; (series == 0) != known {
			broken = append(broken, fmt.Sprintf("the board's %s has %d series %s", where, series, why))
		}
	}
	if len(rules) == 0 {
		broken = append(broken, "Prometheus evaluates no rules")
	}
	named, err := s.server.Series(ctx, `sluice_rollout_info{namespace="default", service="graphql-api"}`, s.began, time.Now())
	if err != nil {
		return 0, nil, err
	}
	if named == 0 {
		broken = append(broken, "no rollout is scraped under its own namespace and service")
	}
	fmt.Printf("A Prometheus has evaluated %d rules and %d queries of the board.\n", len(rules), len(queries))
	return len(rules) + len(queries) + 1, broken, nil
}

// sees waits until a series was scraped.
func (s *scraper) sees(ctx context.Context, series string) error {
	if s == nil {
		return nil
	}
	return until(ctx, "a scrape of "+series, 20*time.Second, func() (bool, error) {
		n, err := s.server.Series(ctx, series, s.began, time.Now())
		return n > 0, err
	})
}

// catchUp waits until the end of the last act was scraped: the state may be younger than
// a scrape, and those of the acts before it passed in moments. What is missing even so is
// told as a promise that was broken.
func (s *scraper) catchUp(ctx context.Context) {
	const ended = `sluice_rollout_info{reason="RolledBack"} and on (namespace, name) sluice_rollout_awaiting_human`
	_ = until(ctx, "a scrape of the last act", 20*time.Second, func() (bool, error) {
		series, err := s.server.Series(ctx, ended, s.began, time.Now())
		return series > 0, err
	})
}

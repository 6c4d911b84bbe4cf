package promql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// Source are the time series of a project, as they are now.
type Source interface {
	Query(q series.Query) (series.Result, error)
	Descriptors(filter string) ([]series.Descriptor, error)
}

// Range is a query over time.
type Range struct {
	Project    string
	Text       string
	Start, End time.Time
	Step       time.Duration
}

// Answer is what a query gives.
type Answer struct {
	Series   []Line
	Warnings []string
	Infos    []string
}

// Line is one series of an answer.
type Line struct {
	Labels map[string]string
	Points []Point
}

// Point is a value, at a time in milliseconds since 1970.
type Point struct {
	At    int64
	Value float64
}

// ErrInvalid is a query that cannot be evaluated, in Prometheus' words.
var ErrInvalid = errors.New("invalid query")

// mostSamples bounds what one query may load.
const mostSamples = 5_000_000

// lookback is how far back an instant looks for a sample, as Prometheus does unless told
// otherwise.
const lookback = 5 * time.Minute

// Evaluate answers a query. An error is of ErrInvalid, or what the source failed with.
func Evaluate(ctx context.Context, source Source, r Range) (Answer, error) {
	if r.Step <= 0 || r.End.Before(r.Start) {
		return Answer{}, fmt.Errorf(`%w: invalid parameter "step" or "end"`, ErrInvalid)
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: mostSamples, Timeout: time.Minute, LookbackDelta: lookback, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})
	store := &store{source: source, project: r.Project}
	query, err := engine.NewRangeQuery(ctx, store, nil, r.Text, r.Start, r.End, r.Step)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %s", ErrInvalid, words(err))
	}
	defer query.Close()
	result := query.Exec(ctx)
	switch {
	case store.err != nil:
		return Answer{}, store.err
	case result.Err != nil:
		return Answer{}, fmt.Errorf("%w: %s", ErrInvalid, words(result.Err))
	}
	matrix, err := result.Matrix()
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %s", ErrInvalid, words(err))
	}
	var answer Answer
	answer.Warnings, answer.Infos = result.Warnings.AsStrings(r.Text, 0, 0)
	for _, one := range matrix {
		line := Line{Labels: one.Metric.Map()}
		for _, p := range one.Floats {
			line.Points = append(line.Points, Point{p.T, p.F})
		}
		answer.Series = append(answer.Series, line)
	}
	return answer, nil
}

// words are an error's, without those of the parser about the place.
func words(err error) string {
	if list, ok := errors.AsType[parser.ParseErrors](err); ok && len(list) > 0 {
		return fmt.Sprintf("invalid parameter \"query\": %s", list[0].Error())
	}
	return strings.TrimSpace(err.Error())
}

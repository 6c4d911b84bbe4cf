package pilot

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/promql"
	world "github.com/sluice-rollouts/sluice/internal/simulator/promql"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// lateness is the age at which a minute of a query is taken to have arrived.
const lateness = 5 * time.Minute

// value answers a query of the user's own from the world's Monitoring.
func (s Senses) value(q analysis.Question, now time.Time) (analysis.Answer, error) {
	through := now.Add(-lateness).Truncate(time.Minute)
	if through.After(q.Until) {
		through = q.Until
	}
	answer := analysis.Answer{Through: through, Delay: lateness}
	if s.NoQueries != "" {
		answer.Cause, answer.Detail = analysis.CauseDenied, s.NoQueries
		return answer, nil
	}
	if !through.After(q.After) {
		return answer, nil
	}
	template, err := promql.Parse(q.Source.Query)
	if err != nil {
		return answer, err
	}
	text := template.Fill(promql.Names{
		promql.Service: q.Source.Service, promql.Candidate: q.Source.Revision, promql.Stable: q.Source.Beside,
		promql.Location: q.Source.Location, promql.Project: q.Source.Project,
	})
	told, err := s.api.QueryRange(context.Background(), world.Range{
		Project: q.Source.Project, Text: text, Start: q.After.Add(time.Minute), End: through, Step: time.Minute,
	})
	var refused *series.Error
	switch {
	case errors.As(err, &refused):
		answer.Cause, answer.Detail = causes[refused.Code], refused.Message
		return answer, nil
	case errors.Is(err, world.ErrInvalid):
		answer.Cause, answer.Detail = analysis.CauseInvalid, err.Error()
		return answer, nil
	case err != nil:
		return answer, fmt.Errorf("asking for %s: %w", text, err)
	case len(told.Warnings) > 0:
		answer.Cause, answer.Detail = analysis.CausePartial, told.Warnings[0]
		return answer, nil
	case len(told.Series) > 1:
		answer.Cause, answer.Detail = analysis.CauseInvalid, fmt.Sprintf("it gives %d series: aggregate to one, for example with sum(...)", len(told.Series))
		return answer, nil
	}
	for _, line := range told.Series {
		for _, p := range line.Points {
			if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
				answer.Points = append(answer.Points, analysis.Point{End: time.UnixMilli(p.At).UTC(), Number: p.Value})
			}
		}
	}
	return answer, nil
}

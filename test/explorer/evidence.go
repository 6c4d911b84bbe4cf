package explorer

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

const (
	// delay is by how much metrics are late.
	delay = time.Minute
	// settle is how long a split that took effect is not judged.
	settle = time.Minute
)

// metrics is a rule that says what the weather is.
type metrics struct{ outcome analysis.Outcome }

// Questions are none: nothing is measured here.
func (m metrics) Questions(analysis.Scope) []analysis.Question { return nil }

// Preflight judges the time before the first write, where the number of requests
// does not matter yet.
func (m metrics) Preflight(s analysis.Scope, a analysis.Answers) analysis.Verdict {
	if m.outcome == analysis.Insufficient {
		return metrics{analysis.Pass}.Judge(s, a)
	}
	return m.Judge(s, a)
}

// Judge says that each minute of the step which could be seen was there, and
// healthy, unless the weather is bad now.
func (m metrics) Judge(s analysis.Scope, _ analysis.Answers) analysis.Verdict {
	v := analysis.Verdict{Outcome: m.outcome, Note: "the weather is " + string(m.outcome)}
	if m.outcome == analysis.NoData {
		return v
	}
	v.Through = s.Now.Add(-delay)
	if m.outcome == analysis.Breach {
		return v
	}
	for end := s.StepSince.Add(time.Minute); !s.StepSince.IsZero() && !end.After(v.Through); end = end.Add(time.Minute) {
		v.Healthy = append(v.Healthy, end)
	}
	if v.Outcome == analysis.Pass && len(v.Healthy) == 0 && !s.AttemptSince.IsZero() {
		v.Outcome = analysis.Incomplete
	}
	return v
}

// outcomes is what the two checks say in each weather: the one that goes back on a
// breach, and the one that holds first.
var outcomes = [...][2]analysis.Outcome{
	healthy:  {analysis.Pass, analysis.Pass},
	thin:     {analysis.Insufficient, analysis.Pass},
	silent:   {analysis.NoData, analysis.NoData},
	troubled: {analysis.Pass, analysis.Breach},
	failing:  {analysis.Breach, analysis.Pass},
}

package monitoring

import (
	"fmt"
	"regexp"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
)

// projectPrefix begins the API's resource names.
const projectPrefix = "projects/"

// projectID is what may stand in a request's resource name.
var projectID = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{0,99}$`)

// wish is a question that can be answered by a query, alone or with others.
type wish struct {
	series  analysis.Series
	place   place     // what the query must have asked for
	after   time.Time // exclusive; whole minutes, as is through
	through time.Time // the newest minute that is both certain and asked for
}

// part is the revision; a gateway's router is not known by its number.
func (w wish) part() string { return w.series.Source.Revision }

// order is what one Answer wants of one desk.
type order struct {
	key     deskKey
	certain time.Time
	wishes  []wish
}

// wishOf reads a question. certain is the end of the newest minute that has
// surely arrived. A question that needs no query has its answer at once.
func wishOf(q analysis.Question, certain time.Time) (wish, *analysis.Answer) {
	through := certain
	if until := q.Until.Truncate(time.Minute).UTC(); until.Before(through) {
		through = until
	}
	w := wish{series: q.Series, after: q.After.UTC(), through: through}
	if !through.After(w.after) {
		return w, &analysis.Answer{Through: through}
	}
	m, of := metrics[q.Metric], q.Source
	names := map[string]string{"location": of.Location, "service": of.Service, "revision": of.Revision}
	w.place = place{of.Location, of.Service}
	if m.resource == resourceGateway {
		names = map[string]string{"location": of.Location, "gateway": of.Gateway}
		w.place = place{of.Location, of.Gateway}
	}
	for _, what := range []string{"location", "service", "revision", "gateway"} {
		name, needed := names[what]
		if err := sendable(name); needed && err != nil {
			detail := fmt.Sprintf("building the filter for %s: %s: %s", q.Metric, what, err)
			return w, &analysis.Answer{Through: through, Cause: analysis.CauseInvalid, Detail: google.Clean(detail)}
		}
	}
	if m.siblings {
		w.place.name = ""
	}
	return w, nil
}

// askable refuses what no query could answer.
func askable(q analysis.Question) *analysis.Answer {
	m, known := metrics[q.Metric]
	if !known || q.Source.IsGateway() != (m.resource == resourceGateway) {
		return &analysis.Answer{Cause: analysis.CauseInvalid, Detail: "no such metric of such a source"}
	}
	if !projectID.MatchString(q.Source.Project) {
		return &analysis.Answer{Cause: analysis.CauseInvalid, Detail: "no such project: " + google.Clean(q.Source.Project)}
	}
	return nil
}

// merge leaves one question per series: the one that covers them all. The order
// of first appearance is kept.
func merge(questions []analysis.Question) []analysis.Question {
	var merged []analysis.Question
	at := map[analysis.Series]int{}
	for _, q := range questions {
		i, known := at[q.Series]
		if !known {
			at[q.Series] = len(merged)
			merged = append(merged, q)
			continue
		}
		if q.After.Before(merged[i].After) {
			merged[i].After = q.After
		}
		if q.Until.After(merged[i].Until) {
			merged[i].Until = q.Until
		}
	}
	return merged
}

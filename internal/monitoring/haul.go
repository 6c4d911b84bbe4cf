package monitoring

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/google"
)

const (
	// notAUnit is what the API answers when series of different units were mixed.
	notAUnit = "{not_a_unit}"
	// maxNames bounds the gateways that are listed beside the one asked for.
	maxNames = 20
	// troubleAge is how long after its end a query that went wrong is not asked
	// again, unless it is known when it is worth it.
	troubleAge = 15 * time.Second
)

// trouble is what is wrong with the answer to a query, for all that it asks for.
type trouble struct {
	cause  analysis.Cause
	detail string
	// until is the time before which it is no use to ask again; zero if unknown.
	until time.Time
}

// haul is what one query brought. It does not change any more once it is done.
type haul struct {
	query   query
	pool    *boundsPool // while it collects
	wanted  map[place]bool
	strands map[place]map[string]*strand // by revision or router
	trouble trouble
	ended   time.Time     // what the time was by then
	done    chan struct{} // closed when all that is above may be read
}

func newHaul(q query, pool *boundsPool) *haul {
	h := &haul{query: q, pool: pool, wanted: map[place]bool{}, strands: map[place]map[string]*strand{}, done: make(chan struct{})}
	for _, p := range q.places {
		h.wanted[p] = true
	}
	return h
}

// complain keeps the first cause: what came after it may be its consequence.
func (h *haul) complain(t trouble) {
	if h.trouble.cause == analysis.CauseNone && t.cause != analysis.CauseNone {
		t.detail = google.Clean(t.detail)
		h.trouble = t
	}
}

// page takes one page in. What is usable in it is kept whatever else is wrong,
// because a breach counts even in partial data.
func (h *haul) page(response *monitoringpb.ListTimeSeriesResponse) {
	if unit := response.GetUnit(); unit == notAUnit {
		h.complain(trouble{cause: analysis.CauseWrongType, detail: "series of different units"})
	}
	for _, status := range response.GetExecutionErrors() {
		h.complain(trouble{cause: analysis.CausePartial, detail: status.GetMessage()})
	}
	if raw := response.ProtoReflect().GetUnknown(); len(raw) > 0 {
		// The REST API lists unreachable places in a field that this client's
		// protocol does not have yet; so what is not known is taken for it.
		field, _, _ := protowire.ConsumeField(raw)
		h.complain(trouble{
			cause: analysis.CausePartial, detail: fmt.Sprintf("answer with a field that is not known here, number %d", field),
		})
	}
	for _, series := range response.GetTimeSeries() {
		h.series(series)
	}
}

// series takes one series in. One that cannot be told whose it is spoils the
// answer for all; what is wrong within it concerns its source alone.
func (h *haul) series(series *monitoringpb.TimeSeries) {
	m, labels := h.query.metric, series.GetResource().GetLabels()
	if name := series.GetMetric().GetType(); name != "" && name != m.name {
		h.complain(trouble{cause: analysis.CauseWrongType, detail: fmt.Sprintf("answer about metric %q", google.Clean(name))})
		return
	}
	if project := labels[keyProject]; project != "" && project != h.query.project {
		h.complain(trouble{cause: analysis.CauseWrongType, detail: fmt.Sprintf("answer about project %q", google.Clean(project))})
		return
	}
	at, part := m.placeOf(labels)
	if at.location == "" || at.name == "" || part == "" {
		h.complain(trouble{cause: analysis.CauseWrongType, detail: "series that does not say where it was measured"})
		return
	}
	if !h.wanted[at] && !h.wanted[place{at.location, ""}] {
		return // a name of another location
	}
	s := h.strand(at, part)
	label := google.Clean(series.GetMetric().GetLabels()[m.label])
	if m.needed && label == "" {
		s.complain(time.Time{}, "series without "+m.label)
	}
	for _, point := range series.GetPoints() {
		s.take(h, point, label)
	}
}

func (h *haul) strand(at place, part string) *strand {
	if h.strands[at] == nil {
		h.strands[at] = map[string]*strand{}
	}
	s := h.strands[at][part]
	if s == nil {
		s = &strand{}
		h.strands[at][part] = s
	}
	return s
}

// finish puts what was collected in order.
func (h *haul) finish() {
	h.pool = nil
	for _, parts := range h.strands {
		for _, s := range parts {
			s.finish()
		}
	}
}

// fresh tells whether it is not worth while to ask again at now: never within
// the minute when all went well. A clock that was set back makes it so.
func (h *haul) fresh(now, asked time.Time) bool {
	until := h.trouble.until
	if until.IsZero() {
		until = h.ended.Add(troubleAge)
	}
	return h.trouble.cause == analysis.CauseNone || now.Before(until) && !now.Before(asked.Add(-overtaken))
}

// good tells whether it is done, and went well.
func (h *haul) good() bool {
	select {
	case <-h.done:
		return h.trouble.cause == analysis.CauseNone
	default:
		return false
	}
}

// answer is what the haul says of a wish.
func (h *haul) answer(w wish) analysis.Answer {
	answer := analysis.Answer{Through: w.through, Cause: h.trouble.cause, Detail: h.trouble.detail}
	s := h.strands[w.place][w.part()]
	if h.query.metric.resource == resourceGateway {
		answer.Names = h.others(w)
		var routers int
		if s, routers = h.gateway(w); routers > 1 {
			// Points of two gateways of one name say nothing about either.
			answer.Cause = analysis.CauseAmbiguous
			answer.Detail = fmt.Sprintf("%d routers have a gateway of this name", routers)
			return answer
		}
	}
	if s == nil {
		return answer
	}
	// The points are the answer's own. Their histograms are shared with other
	// answers; nobody changes them.
	answer.Points = slices.Clone(s.between(w.after, w.through))
	if text := s.fault(w.after, w.through); text != "" && answer.Cause == analysis.CauseNone {
		answer.Cause, answer.Detail = analysis.CauseWrongType, text
	}
	return answer
}

// gateway finds the gateway asked for, and counts the routers that have one of
// its name.
func (h *haul) gateway(w wish) (found *strand, routers int) {
	for _, s := range h.strands[place{w.place.location, w.series.Source.Gateway}] {
		if s.reports(w.after, w.through) {
			found = s
			routers++
		}
	}
	return found, routers
}

// others lists the gateways that report beside the one asked for.
func (h *haul) others(w wish) []string {
	if !h.query.metric.siblings {
		return nil
	}
	names := map[string]bool{}
	for at, parts := range h.strands {
		name := google.Clean(at.name)
		if at.location != w.place.location || at.name == w.series.Source.Gateway || name == "" {
			continue
		}
		for _, s := range parts {
			if s.reports(w.after, w.through) {
				names[name] = true
			}
		}
	}
	sorted := slices.Sorted(maps.Keys(names))
	return sorted[:min(len(sorted), maxNames)]
}

package series

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Limits of a query [monpb ListTimeSeriesRequest, Aggregation;
// facts/cloud-run-and-nat.md 3.2 for the retention].
const (
	maxPageSize = 100_000
	minPeriod   = 60 * time.Second
	maxPeriod   = 104 * 7 * 24 * time.Hour
	retention   = 6 * 7 * 24 * time.Hour
)

// View says what an answer holds.
type View string

// Views. The empty view is FULL, as the zero of the enum is.
const (
	Full    View = "FULL"
	Headers View = "HEADERS"
)

// Query is a ListTimeSeriesRequest.
type Query struct {
	Project     string // ID, not projects/ID
	Filter      string
	Start, End  time.Time // (Start, End]; a zero Start means End
	Aggregation Aggregation
	View        View
	PageSize    int
	PageToken   string
}

// Aggregation is the Aggregation of a request. The empty aligner and reducer are
// ALIGN_NONE and REDUCE_NONE.
type Aggregation struct {
	Period  time.Duration
	Aligner Aligner
	Reducer Reducer
	GroupBy []string
}

// Result is a ListTimeSeriesResponse.
type Result struct {
	Series          []Series
	NextPageToken   string
	ExecutionErrors []Error
	Unit            string
	// Strange asks the wire to add fields that no client knows.
	Strange bool
}

// Series is one time series of a result, its points newest first.
type Series struct {
	Type         string
	ResourceType string
	Resource     map[string]string
	Labels       map[string]string
	Kind         Kind
	ValueType    ValueType
	Unit         string
	Points       []Measurement
}

// Measurement is a point of a result. A gauge has Start equal to End.
type Measurement struct {
	Start, End time.Time
	Value      Value
}

// plan is a query that has been understood.
type plan struct {
	query   Query
	filter  filter
	metric  Descriptor
	groupBy []field
	align   alignment
	reduce  reduction
	window  window
	now     int64
	page    cursor
}

// strand is a series on its way through alignment and reduction, oldest first.
type strand struct {
	id      identity
	samples []sample
	corrupt []corruption
}

// Query answers as ListTimeSeries does at the time now.
func (s *Store) Query(q Query, now time.Time) (Result, error) {
	if err := s.faults.next(q.Project); err != nil {
		return Result{}, err
	}
	p, err := s.plan(q, now)
	if err != nil {
		return Result{}, err
	}
	strands := s.read(p)
	if p.reduce.fold != nil {
		strands = p.reduced(strands, s.Switches)
	}
	result := p.paged(strands)
	result.Unit = p.unit()
	s.faults.spoil(&result, p.page.number)
	return result, nil
}

func (s *Store) plan(q Query, now time.Time) (plan, error) {
	p := plan{query: q}
	var err error
	if p.filter, err = s.understand(q.Filter); err != nil {
		return plan{}, err
	}
	metricType, err := p.filter.metricType()
	if err != nil {
		return plan{}, err
	}
	known := false
	if p.metric, known = s.descriptors[metricType]; !known {
		return plan{}, s.unknownMetric(metricType)
	}
	if err := p.filter.validate(p.metric, switchedOn(s.Switches.RejectUnknownLabels)); err != nil {
		return plan{}, err
	}
	if err := p.planWindow(); err != nil {
		return plan{}, err
	}
	if err := p.planAggregation(s.Switches); err != nil {
		return plan{}, err
	}
	if err := p.planPage(now); err != nil {
		return plan{}, err
	}
	if most := s.faults.partial.pageSize; most > 0 {
		p.query.PageSize = min(p.query.PageSize, most)
	}
	p.window.from = max(p.window.from, p.now-int64(retention))
	return p, nil
}

// unknownMetric is the answer to a metric type that never existed. The texts are
// quoted in prometheus-community/stackdriver_exporter #28 and, for the other, in
// reports about alerting policies; which of them the API gives today is open.
func (s *Store) unknownMetric(metricType string) error {
	if s.Switches.UnknownMetricNotFound {
		return &Error{Code: NotFound, Message: `Cannot find metric(s) that match type = "` + metricType +
			`". If a metric was created recently, it could take up to 10 minutes to become available. Please try again soon.`}
	}
	return invalid("The provided filter doesn't refer to any known metric.")
}

func (p *plan) planWindow() error {
	q := &p.query
	if q.End.IsZero() {
		return invalidField("interval.endTime", "", "The end time is required.")
	}
	if q.Start.IsZero() {
		q.Start = q.End
	}
	if q.Start.After(q.End) {
		return invalidField("interval.startTime", q.Start.UTC().Format(time.RFC3339Nano),
			"The start time must not be later than the end time.")
	}
	p.window.span = span{nanosOf(q.Start), nanosOf(q.End)}
	if q.Start.Equal(q.End) {
		p.window.from-- // an interval without length is the moment of its end
	}
	return nil
}

// planAggregation checks what the comments of Aggregation, Aligner and Reducer
// demand [monpb common.pb.go].
func (p *plan) planAggregation(sw Switches) error {
	a := &p.query.Aggregation
	a.Aligner, a.Reducer = orElse(a.Aligner, AlignNone), orElse(a.Reducer, ReduceNone)
	var err error
	if p.reduce, err = reductionFor(a.Reducer); err != nil {
		return err
	}
	if a.Aligner == AlignNone && a.Reducer != ReduceNone {
		return invalidField("aggregation.perSeriesAligner", string(AlignNone),
			"A cross-series reducer requires a per-series aligner other than ALIGN_NONE.")
	}
	if a.Aligner == AlignNone {
		return nil
	}
	if a.Period < minPeriod || a.Period > maxPeriod {
		return invalidField("aggregation.alignmentPeriod", a.Period.String(),
			"The alignment period must be at least 60 seconds and at most 104 weeks.")
	}
	p.window.period, p.window.fromEpoch = int64(a.Period), sw.PeriodsFromEpoch
	if p.align, err = alignmentFor(a.Aligner, p.metric); err != nil {
		return err
	}
	if err = p.reduce.accepts(p.align.typeOf(p.metric)); err != nil {
		return err
	}
	return p.planGroups(sw)
}

func (p *plan) planGroups(sw Switches) error {
	if p.reduce.fold == nil {
		return nil
	}
	for _, text := range p.query.Aggregation.GroupBy {
		path, err := groupPath(text)
		if err != nil {
			return err
		}
		by, ok := fieldOf(path)
		if !ok || sw.RejectUnknownLabels && !by.knownTo(p.metric) {
			return invalidField("aggregation.groupByFields", text, "The field is not known for this metric.")
		}
		p.groupBy = append(p.groupBy, by)
	}
	return nil
}

// groupPath reads the dotted path of a group_by field.
func groupPath(text string) ([]string, error) {
	tokens, err := lex(text)
	if err == nil {
		p := &parser{text: text, tokens: tokens}
		if path, err := p.path(); err == nil && p.peek().kind == tokenEnd {
			return path, nil
		}
	}
	return nil, invalidField("aggregation.groupByFields", text, "The field is not a dotted path.")
}

// read gathers the series that have points in the interval, aligned if asked.
func (s *Store) read(p plan) []strand {
	index := s.metrics[p.metric.Type]
	if index == nil {
		return nil
	}
	var strands []strand
	for _, t := range index.tracks {
		if !s.inScope(p.query.Project, t.id) || !p.filter.matches(t.id) {
			continue
		}
		samples := t.read(p.window.span, p.now, s.faults.hiddenFrom(t.id))
		if p.align.run != nil {
			samples = p.align.run(p.window, samples)
			stampKind(samples, p.align.kindOf(p.metric), p.window.period)
		}
		if len(samples) > 0 {
			strands = append(strands, strand{t.id, samples, s.faults.corruptionsOf(t.id)})
		}
	}
	return strands
}

// stampKind gives aligned points their start: a gauge is a moment, a delta spans
// its period.
func stampKind(samples []sample, kind Kind, period int64) {
	for i := range samples {
		samples[i].start = samples[i].end
		if kind == Delta {
			samples[i].start -= period
		}
	}
}

// header turns a strand into a series without points.
func (p plan) header(t strand) Series {
	return Series{
		Type: t.id.metricType, ResourceType: t.id.resourceType,
		Resource: maps.Clone(t.id.resource), Labels: maps.Clone(t.id.labels),
		Kind: p.align.kindOf(p.metric), ValueType: p.reduce.typeOf(p.align.typeOf(p.metric)), Unit: p.unit(),
	}
}

// measurements are the points [from, to) of a strand, counted from the newest.
func (t strand) measurements(from, to int) []Measurement {
	points := make([]Measurement, 0, to-from)
	for i := from; i < to; i++ {
		have := t.samples[len(t.samples)-1-i]
		m := Measurement{timeOf(have.start), timeOf(have.end), have.value}
		if at := slices.IndexFunc(t.corrupt, func(c corruption) bool { return c.when.holds(have.end) }); at >= 0 {
			m.Value = t.corrupt[at].value
		}
		points = append(points, m)
	}
	return points
}

func (p plan) unit() string { return p.reduce.unitOf(p.align.unitOf(p.metric.Unit)) }

// nanosOf is the moment in nanoseconds since 1970, cut off at 146 years before
// and after, so that differences do not overflow.
func nanosOf(t time.Time) int64 {
	const second, most = int64(time.Second), math.MaxInt64 / 2 / int64(time.Second)
	seconds := min(max(t.Unix(), -most), most)
	return seconds*second + int64(t.Nanosecond())
}

func timeOf(nanos int64) time.Time { return time.Unix(0, nanos).UTC() }

func orElse[T ~string](value, other T) T {
	if value == "" {
		return other
	}
	return value
}

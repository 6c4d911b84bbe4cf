package series

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Point is one measurement as the world makes it.
type Point struct {
	Type         string            // metric type, one of the known ones
	ResourceType string            // monitored resource type
	Resource     map[string]string // resource labels; project_id is required
	Labels       map[string]string // metric labels
	Start        time.Time         // DELTA: begin of the interval; ignored for GAUGE
	End          time.Time         // end of the interval, or moment of the gauge
	VisibleAt    time.Time         // from when on queries see it; zero means at once
	Value        Value
}

// Switches hold the behaviours that nobody has verified. The zero value is the
// one believed, or where nothing is believed the one harder on a client.
type Switches struct {
	// PeriodsFromEpoch cuts alignment periods at multiples of the period since
	// 1970. Otherwise they are counted back from the end of the interval.
	PeriodsFromEpoch bool
	// KeepProject leaves project_id among the resource labels of a reduced series
	// even if it is not grouped by.
	KeepProject bool
	// UnknownMetricNotFound answers a query for a metric type without descriptor
	// with NOT_FOUND. Otherwise with INVALID_ARGUMENT.
	UnknownMetricNotFound bool
	// RejectUnknownLabels refuses filters and groupings by labels that no
	// descriptor has. Otherwise they match nothing, without a word.
	RejectUnknownLabels bool
}

// Store holds points and answers queries. It is not safe for concurrent use.
type Store struct {
	Switches Switches

	descriptors map[string]Descriptor
	metrics     map[string]*metricIndex
	scopes      map[string][]string
	faults      faults
	understood  map[string]filter // of queries, which ask the same every minute
}

// metricIndex holds the series of one metric type, in order of their keys.
type metricIndex struct {
	byKey  map[string]*track
	tracks []*track
}

// NewStore returns an empty store that knows the metric types of this package.
func NewStore() *Store {
	s := &Store{
		descriptors: map[string]Descriptor{},
		metrics:     map[string]*metricIndex{},
		scopes:      map[string][]string{},
		understood:  map[string]filter{},
	}
	for _, d := range knownDescriptors() {
		s.descriptors[d.Type] = d
	}
	return s
}

// mostUnderstood is how many filters are kept.
const mostUnderstood = 1000

// understand parses a filter, if it was not parsed before.
func (s *Store) understand(text string) (filter, error) {
	if known, ok := s.understood[text]; ok {
		return known, nil
	}
	parsed, err := parseFilter(text)
	if err != nil {
		return filter{}, err
	}
	if len(s.understood) >= mostUnderstood {
		clear(s.understood)
	}
	s.understood[text] = parsed
	return parsed, nil
}

// Record adds a point. A point of the same series and end replaces the earlier
// one from its own VisibleAt on: data may be corrected late.
//
// It panics when the metric type, resource type or value type is not one that a
// descriptor permits, since that is a mistake in the world and not in a client.
func (s *Store) Record(p Point) {
	d, ok := s.descriptors[p.Type]
	switch {
	case !ok:
		panic(fmt.Sprintf("series: no descriptor for metric type %q", p.Type))
	case !slices.Contains(d.ResourceTypes, p.ResourceType):
		panic(fmt.Sprintf("series: %s is not written against resource type %q", p.Type, p.ResourceType))
	case p.Value.Type() != d.ValueType:
		panic(fmt.Sprintf("series: %s holds %v, not %v", p.Type, d.ValueType, p.Value.Type()))
	}
	next := sample{start: nanosOf(p.Start), end: nanosOf(p.End), visible: nanosOf(p.VisibleAt), value: p.Value}
	if d.Kind == Gauge || p.Start.IsZero() {
		next.start = next.end
	}
	if p.VisibleAt.IsZero() {
		next.visible = next.end
	}
	s.trackOf(p).insert(next)
}

func (s *Store) trackOf(p Point) *track {
	index := s.metrics[p.Type]
	if index == nil {
		index = &metricIndex{byKey: map[string]*track{}}
		s.metrics[p.Type] = index
	}
	id := identity{p.Type, p.ResourceType, p.Resource, p.Labels}
	var space [keySize]byte
	written := id.appendKey(space[:0])
	if known := index.byKey[string(written)]; known != nil {
		return known
	}
	key := string(written)
	id.resource, id.labels = maps.Clone(p.Resource), maps.Clone(p.Labels)
	added := &track{id: id, key: key}
	index.byKey[key] = added
	at, _ := slices.BinarySearchFunc(index.tracks, key, func(t *track, k string) int { return strings.Compare(t.key, k) })
	index.tracks = slices.Insert(index.tracks, at, added)
	return added
}

// Forget drops all points that end at or before the given time.
func (s *Store) Forget(before time.Time) {
	for _, index := range s.metrics {
		for _, t := range index.tracks {
			t.forget(nanosOf(before))
		}
	}
}

// SetScope makes the metrics of other projects visible in queries to a project,
// as a metrics scope does. A project always sees its own.
func (s *Store) SetScope(project string, monitored ...string) {
	s.scopes[project] = slices.Clone(monitored)
}

// SetIngestDelay changes what the descriptor of a metric promises. It does not
// change when points become visible.
func (s *Store) SetIngestDelay(metricType string, delay time.Duration) {
	if d, ok := s.descriptors[metricType]; ok {
		d.IngestDelay = delay
		s.descriptors[metricType] = d
	}
}

// Descriptors lists the metric descriptors that a filter selects, in order of
// type. An empty filter selects all.
func (s *Store) Descriptors(text string) ([]Descriptor, error) {
	f, err := parseFilter(text)
	if err != nil {
		return nil, err
	}
	var found []Descriptor
	for _, metricType := range slices.Sorted(maps.Keys(s.descriptors)) {
		if f.matches(identity{metricType: metricType}) {
			found = append(found, s.descriptors[metricType])
		}
	}
	return found, nil
}

// inScope reports whether a query to the project sees the series.
func (s *Store) inScope(project string, id identity) bool {
	owner := id.project()
	return owner == project || slices.Contains(s.scopes[project], owner)
}

// identity is what tells one series from another.
type identity struct {
	metricType   string
	resourceType string
	resource     map[string]string
	labels       map[string]string
}

func (id identity) project() string { return id.resource["project_id"] }

// The room that the keys of most series take, and their labels.
const (
	keySize   = 512
	mostNames = 16
)

// key orders and identifies a series.
func (id identity) key() string {
	var space [keySize]byte
	return string(id.appendKey(space[:0]))
}

// appendKey appends the key. The separators cannot occur in label keys, and values
// are quoted.
func (id identity) appendKey(b []byte) []byte {
	b = append(b, id.resourceType...)
	for _, labels := range [...]map[string]string{id.resource, id.labels} {
		var space [mostNames]string
		names := space[:0]
		for k := range labels {
			names = append(names, k)
		}
		slices.Sort(names)
		b = append(b, '{')
		for _, k := range names {
			b = append(append(b, k...), '=')
			b = append(strconv.AppendQuote(b, labels[k]), ',')
		}
		b = append(b, '}')
	}
	return b
}

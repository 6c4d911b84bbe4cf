package analysis

import (
	"slices"
	"time"
)

// Metric is one kind of measurement the rules know.
type Metric string

// The metrics, each with its unit per minute.
const (
	// Requests counts requests that ended, by response code class ("2xx").
	Requests Metric = "requests"
	// NotFound counts the requests among them that were answered with 404.
	NotFound Metric = "not-found"
	// Latencies are the durations of those requests in milliseconds, as a
	// [Histogram].
	Latencies Metric = "latencies"
	// Instances is the number of container instances; witness of Requests.
	Instances Metric = "instances"
	// ActiveInstances is the number of those that serve requests.
	ActiveInstances Metric = "active-instances"
	// Pending is the number of requests that wait for an instance.
	Pending Metric = "pending-requests"
	// DroppedPackets counts packets that a NAT gateway dropped, by reason.
	DroppedPackets Metric = "dropped-packets"
	// AllocationFailed counts the samples, at most one a minute, in which a
	// gateway could not allocate NAT IP addresses.
	AllocationFailed Metric = "allocation-failed"
	// AllocatedPorts is a gateway's number of allocated ports; a witness.
	AllocatedPorts Metric = "allocated-ports"
	// OpenConnections is a gateway's number of open connections; a witness.
	OpenConnections Metric = "open-connections"
	// Value is what a query of the user's own gives, as a Point's Number.
	Value Metric = "value"
)

// Source is what a metric is measured at: a revision, a NAT gateway, or what a query of
// the user's own makes of them.
type Source struct {
	Project  string
	Location string // a region

	// Of a revision.
	Service  string
	Revision string

	// Of a gateway.
	Router  string
	Gateway string

	// Of a query about a revision: PromQL with placeholders, and the stable revision,
	// which it may be about as well.
	Query  string
	Beside string
}

// IsQuery tells a query from what is measured at a revision or a gateway.
func (s Source) IsQuery() bool { return s.Query != "" }

// IsGateway tells a gateway from a revision.
func (s Source) IsGateway() bool { return s.Gateway != "" }

// String is the name a person knows the source by.
func (s Source) String() string {
	if s.IsGateway() {
		return s.Gateway
	}
	return s.Revision
}

// Series is one metric of one source.
type Series struct {
	Metric Metric
	Source Source
}

// Question asks for the points of a series whose minute ends in (After, Until].
// Both are whole minutes. Where no minute does, the answer tells the delay alone.
type Question struct {
	Series
	After time.Time
	Until time.Time
}

// Cause says why an answer is not whole, in words a person reads.
type Cause string

// The causes. CauseNone is a whole answer.
const (
	CauseNone        Cause = ""
	CauseDenied      Cause = "access denied"
	CauseThrottled   Cause = "quota exceeded"
	CauseUnavailable Cause = "Cloud Monitoring unavailable"
	CausePartial     Cause = "partial result"
	CauseWrongType   Cause = "unusable values"
	CauseAmbiguous   Cause = "ambiguous name"
	CauseInvalid     Cause = "query refused"
	CauseAbsent      Cause = "series absent"
	CauseNoTraffic   Cause = "no traffic"
	CauseLate        Cause = "data late"
	CauseUnasked     Cause = "not asked"
	CauseUnread      Cause = "what it has to give is not known"
)

// Point is the value of one minute, for one label value of the series.
type Point struct {
	End   time.Time // end of the minute
	Label string    // response class or drop reason; "" where there is none
	Value int64     // of a histogram the number of samples
	// Histogram is there for Latencies only.
	Histogram *Histogram
	// Number is the value of a query, which need not be whole. It is finite.
	Number float64
}

// Histogram counts samples by size.
type Histogram struct {
	// Bounds ascend. Bucket i holds samples from Bounds[i-1], inclusive, up to
	// Bounds[i], exclusive; the first bucket has no lower and the last no upper
	// bound (google.api.Distribution.BucketOptions).
	Bounds []float64
	// Counts are the samples of each bucket, one more than there are bounds.
	Counts []int64
}

// Answer is what is known of one series.
type Answer struct {
	// Through is the end of the newest minute that is certain to have arrived:
	// now minus the metric's delay. Points after it are not reported.
	Through time.Time
	// Delay is that of the metric: how long after its end a minute has surely arrived;
	// 0 where that is not known.
	Delay time.Duration
	// Points, oldest first. A minute without a point is absent, not zero.
	Points []Point
	// Cause is set when the points are not all there are.
	Cause Cause
	// Detail is the words of the API for Cause, when it gave any. Without a cause it
	// is why minutes may be without a point.
	Detail string
	// Names lists the sources of this kind that were seen beside the one
	// asked for, so that a misspelt name can be told from a silent gateway.
	Names []string
}

// Answers holds one answer per series that was asked for.
type Answers map[Series]Answer

// Of returns the answer for a series; one that nobody asked for is no data, and
// nothing here counts below zero.
func (a Answers) Of(s Series) Answer {
	answer, ok := a[s]
	if !ok {
		return Answer{Cause: CauseUnasked}
	}
	negative := func(p Point) bool { return p.Value < 0 }
	if slices.ContainsFunc(answer.Points, negative) {
		answer.Points = slices.DeleteFunc(slices.Clone(answer.Points), negative)
		answer.Cause, answer.Detail = CauseWrongType, "negative values"
	}
	return answer
}

// Until is what the answers said when nothing after a time had arrived.
func (a Answers) Until(end time.Time) Answers {
	then := make(Answers, len(a))
	for series, answer := range a {
		answer.Through = earlier(answer.Through, end)
		answer.Points = slices.DeleteFunc(slices.Clone(answer.Points), func(p Point) bool { return p.End.After(end) })
		then[series] = answer
	}
	return then
}

// ceilMinute is the first whole minute not before t.
func ceilMinute(t time.Time) time.Time {
	floor := t.Truncate(time.Minute)
	if floor.Equal(t) {
		return floor
	}
	return floor.Add(time.Minute)
}

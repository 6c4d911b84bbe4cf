package monitoring

import (
	"context"
	"sync"
	"time"

	"cloud.google.com/go/monitoring/apiv3/v2/monitoringpb"
	metricpb "google.golang.org/genproto/googleapis/api/metric"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

const (
	// lagAge is how long a descriptor that was read is believed.
	lagAge = time.Hour
	// lagRetry is how long one that could not be read is left alone.
	lagRetry = 5 * time.Minute
	// A descriptor's sum is believed only between these. No metric of ours is
	// sampled more often than each minute, and none is an hour late.
	leastLag = time.Minute
	mostLag  = time.Hour
)

// lagKey names a descriptor: metrics scopes may disagree.
type lagKey struct {
	project string
	metric  analysis.Metric
}

// lagEntry is what is known of one metric's delay, and until when.
type lagEntry struct {
	lag        time.Duration
	read, next time.Time
	// pending is closed when the descriptor was read; nil while nobody reads it.
	pending chan struct{}
}

// lags remembers the age after which a minute of a metric has surely arrived.
type lags struct {
	mu    sync.Mutex
	known map[lagKey]lagEntry
}

// due returns the keys among those wanted that should be read at now, once each,
// and what to wait for: the reading of these, and of those that others read. A
// clock that was set back makes everything due.
func (l *lags) due(wanted []lagKey, now time.Time) (keys []lagKey, pending []chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[lagKey]lagEntry{}
	}
	for _, key := range wanted {
		entry, ok := l.known[key]
		if entry.pending == nil && (!ok || !now.Before(entry.next) || now.Before(entry.read)) {
			entry.pending = make(chan struct{})
			l.known[key] = entry
			keys = append(keys, key)
		}
		if entry.pending != nil {
			pending = append(pending, entry.pending)
		}
	}
	return keys, pending
}

// of returns a metric's delay: the descriptor's, or else the one that is known of it.
func (l *lags) of(key lagKey) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if entry, ok := l.known[key]; ok && entry.lag > 0 {
		return entry.lag
	}
	return key.metric.Delay()
}

// keep stores what a descriptor said. One that could not be read, or cannot be
// believed, leaves the last good value in place.
func (l *lags) keep(key lagKey, descriptor *metricpb.MetricDescriptor, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := lagEntry{lag: l.known[key].lag, read: now, next: now.Add(lagRetry)}
	if lag, ok := believed(descriptor); ok {
		entry.lag, entry.next = lag, now.Add(lagAge)
	}
	close(l.known[key].pending)
	l.known[key] = entry
}

// believed adds up what the descriptor says: a point is written at the end of its
// sample period, and points older than the ingest delay have arrived
// (MetricDescriptor.metadata).
func believed(descriptor *metricpb.MetricDescriptor) (time.Duration, bool) {
	metadata := descriptor.GetMetadata()
	period, delay := metadata.GetSamplePeriod(), metadata.GetIngestDelay()
	if !period.IsValid() || !delay.IsValid() {
		return 0, false
	}
	sum := period.AsDuration() + delay.AsDuration()
	sane := period.AsDuration() > 0 && delay.AsDuration() >= 0 && sum >= leastLag && sum <= mostLag
	return sum, sane
}

// learn reads the descriptors that are due, and waits until they are read or half
// the patience is used up: the other half is for the questions.
func (c *Client) learn(ctx context.Context, questions []analysis.Question, now time.Time) {
	wanted := make([]lagKey, 0, len(questions))
	for _, q := range questions {
		if askable(q) == nil {
			wanted = append(wanted, lagKey{q.Source.Project, q.Metric})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.patience/2)
	defer cancel()
	keys, pending := c.lags.due(wanted, now)
	for _, key := range keys {
		go c.describe(context.WithoutCancel(ctx), key, now)
	}
	for _, read := range pending {
		select {
		case <-read:
		case <-ctx.Done():
			return
		}
	}
}

// describe reads a descriptor. When it cannot be read, the last good value or the
// one that is known without it serves.
func (c *Client) describe(ctx context.Context, key lagKey, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var descriptor *metricpb.MetricDescriptor
	guarded("reading a descriptor", func() { c.counters.panic(methodDescribe) }, func() {
		descriptor = c.descriptor(ctx, key, newWatch(c.clock, now))
	})
	c.lags.keep(key, descriptor, now)
}

// descriptor is what the API says of a metric; nil if it says nothing.
func (c *Client) descriptor(ctx context.Context, key lagKey, w watch) *metricpb.MetricDescriptor {
	quota := c.quotas.Of(key.project)
	if c.take(quota, w).cause != analysis.CauseNone {
		return nil
	}
	descriptor, err := c.api.GetMetricDescriptor(ctx, &monitoringpb.GetMetricDescriptorRequest{
		Name: projectPrefix + key.project + "/metricDescriptors/" + metrics[key.metric].name,
	})
	c.counters.call(methodDescribe, err)
	if settle(quota, err, w).cause != analysis.CauseNone {
		return nil
	}
	return descriptor
}

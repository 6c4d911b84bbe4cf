package analysis

import (
	"testing"
	"time"
)

// TestNoMetricIsLaterThanAQuery, which may read any of them.
func TestNoMetricIsLaterThanAQuery(t *testing.T) {
	t.Parallel()
	if got := Value.Delay(); got != 5*time.Minute {
		t.Errorf("a query is late by %s", got)
	}
	for _, m := range []Metric{
		Requests, NotFound, Latencies, Instances, ActiveInstances, Pending,
		DroppedPackets, AllocationFailed, AllocatedPorts, OpenConnections,
	} {
		if got := m.Delay(); got < time.Minute || got > Value.Delay() {
			t.Errorf("%s is late by %s", m, got)
		}
	}
}

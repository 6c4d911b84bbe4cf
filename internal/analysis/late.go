package analysis

import "time"

// delays are sample period and visibility lag of each metric, from the Google Cloud
// metrics list and cloud.google.com/nat/docs/monitoring.
//
// Of a query no descriptor can be asked, because it may read several metrics; the slowest
// of those that the built-in checks read is late by 285 s. Where Google says how late
// other metrics come it is less (cloud.google.com/monitoring/api/metrics_gcp: visible
// after up to 240 s at most services), but for some, as those from logs, which a query may
// read with an offset.
var delays = map[Metric]time.Duration{
	Requests:         60*time.Second + 180*time.Second,
	NotFound:         60*time.Second + 180*time.Second,
	Latencies:        60*time.Second + 180*time.Second,
	Instances:        60*time.Second + 120*time.Second,
	ActiveInstances:  60*time.Second + 120*time.Second,
	Pending:          60*time.Second + 120*time.Second,
	DroppedPackets:   60*time.Second + 225*time.Second,
	AllocationFailed: 60*time.Second + 120*time.Second,
	AllocatedPorts:   60*time.Second + 225*time.Second,
	OpenConnections:  60*time.Second + 225*time.Second,
	Value:            5 * time.Minute,
}

// Delay is the age after which a minute of the metric has surely arrived, where its
// descriptor does not say; 0 of a metric that nobody knows.
func (m Metric) Delay() time.Duration { return delays[m] }

// Package series is the memory of the simulated Cloud Monitoring: a store of
// points and the query of ListTimeSeries over it.
//
// A [Store] has no socket, no goroutine and no clock. The world records points
// with the moment at which they become visible, and asks with its own now. What
// makes the real API hard to use well is here on purpose: data arrives late,
// series without points are absent and not zero, ALIGN_DELTA and ALIGN_RATE
// invent values in gaps, a page ends in the middle of a series, and an answer
// may be partial.
//
// Sources are cited as in docs/simulator-monitoring.md: monpb is
// cloud.google.com/go/monitoring@v1.32.1/apiv3/v2/monitoringpb. What nobody has
// verified is said there, and where it matters to a client it is a field of
// [Switches].
package series

// Package promql reads the PromQL that a check asks, and puts names into it.
//
// It is pure: no I/O, no clock. The language is parsed by Prometheus' own parser.
// Placeholders stand inside string literals alone, and a name that is put there is
// escaped for its literal: whatever the name is, the query keeps its shape.
//
// Google says of its endpoint that it is "at parity with the PromQL available in
// Prometheus version 2.44", which functions that are newer "might not be supported"
// by (docs.cloud.google.com/stackdriver/docs/managed-prometheus/promql-differences).
// The parser is newer, because Google also takes names in quotes, {"run.googleapis.com/x"},
// which 2.44 did not. A function that only the parser knows is refused by the endpoint.
package promql

// Package promql answers PromQL from the world's time series, as the Prometheus endpoint
// of Cloud Monitoring does. Queries are evaluated by Prometheus' own engine; what is
// modelled here is how Google shows its metrics to it:
//
//   - a metric's name has its first "/" replaced by ":", and everything else that is no
//     letter, digit or "_" by "_"; in quotes it may stand as it is
//     [cloud.google.com/monitoring/promql/promql-mapping, docs.cloud.google.com/monitoring/promql];
//   - a distribution is a histogram, _count, _sum and _bucket;
//   - the labels of the resource and of the metric are labels, and monitored_resource is the
//     resource's type, without which a metric of several resources is refused;
//   - a DELTA is a counter, which here begins with the first point that is there, at zero;
//   - only exact names match
//     [docs.cloud.google.com/stackdriver/docs/managed-prometheus/promql-differences].
//
// Not modelled is that Monarch, and not this engine, evaluates a part of a query, with
// another interpolation of rate; that staleness is unknown to it; and its limits. That
// a partial answer comes with warnings, and that a project's own failures come as
// Google's errors, is unverified.
package promql

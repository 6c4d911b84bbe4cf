// Package analysis judges measurements: it turns what Cloud Monitoring
// answered into a verdict.
//
// It is pure: no I/O, no clock, no log. A [Rule] first says which [Question]s
// it has; an adapter answers them all; the rule then judges the [Answers].
//
// # Minutes
//
// Everything is counted in whole minutes, because Cloud Run and Cloud NAT
// export one sample a minute. A minute is named by its end. A minute is
// complete when it is old enough to have arrived (the answer's Through) and
// when its silence can be told from absence of data: a series that has no
// point means zero only where a witness, another series of the same resource,
// has one. Minutes that are not complete earn nothing.
//
// # Verdicts
//
// Breach, pass and the five ways of not knowing are different answers.
// A breach may rest on partial data, a pass never does.
package analysis

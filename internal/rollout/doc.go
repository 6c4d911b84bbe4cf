// Package rollout decides the one next thing to do with a service's traffic.
//
// It performs no I/O, reads no clock, logs nothing and keeps nothing between
// calls: equal inputs give equal decisions. Everything else in this repository
// exists to feed [Decide] and to carry out what it returns.
//
// # The loop
//
// The caller reads the service and the revisions that [Involved] names, answers
// the [Questions], and calls Decide. It saves the decision's Progress
// (compare-and-swap), then sends its Write (compare-and-swap), then tells its
// Events, then looks again at LookAt. A crash between any two of these is safe:
// what was meant is saved before it is sent, so the next pass recognises its
// own write by the split that it finds, whether or not an answer had arrived.
//
// # Who wins
//
// The list in rollout.go, overrides, is the order of precedence. In words: a
// service that is gone or unknown comes first; then a person's abort; then a
// person's edit of the traffic, even over a breach; then our own way back; then
// the metrics; then a newer candidate; then whatever waits. Lowering the
// candidate is possible in every phase; raising it needs every condition.
//
// # Where a rollout stands
//
// The phase is for people and for the choice of the rule. Where the rollout
// really stands follows from facts: the split that Cloud Run was asked for, the
// split that serves, the split that was last confirmed and the ones that were
// meant. The step follows from the confirmed weight, so that a plan that is
// edited on the way is simply read again.
//
// # Time
//
// A bake is earned in minutes of complete, healthy evidence, never by the
// clock: a restart, a gap or a late metric can delay a step and cannot shorten
// one. The step deadline is a stopwatch that stands still while a person is
// waited for.
package rollout

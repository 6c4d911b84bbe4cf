// Package explorer looks at everything that can happen to a rollout in a small
// scope: breadth first, over the real [rollout.Decide].
//
// In each state it tries every action there is: time passes, Cloud Run finishes,
// one of two controllers looks, saves, sends, or loses what it was about to do, a
// write is late, the metrics change, somebody edits the traffic or writes the
// service, revisions come, fail and go, a person asks, edits, pauses, deletes or freezes
// all rollouts, and another cluster takes the service over. Faults and a person's acts are taken from
// budgets. Every edge is judged by the invariants, by what was done to the service and
// not by what the controller says of itself; test/invariants judges long runs by the
// same ones. Whoever breaks one gets the shortest path to it, told in sentences.
//
// The controllers share the saved status, compare-and-swap, and remember nothing.
// So an answer that is lost is the same as one that arrives, and a crash, a lease
// that changes hands and a conflict on the save all end a pass. Two passes that
// overlap are what a deposed leader does.
//
// With [Scope].Git the object has a spec.template, and revisions come from what Git wants:
// then every template is judged too, and from each state between attempts in which nothing
// keeps what Git wants from being deployed, it is deployed in some passes.
//
// With [Scope].Kept the service is one that Config Connector keeps: what we write is spec,
// which it carries out, is refused with, or puts back over what somebody set past it, and
// which somebody else may come to own. Where a rollout is at rest spec says what serves.
//
// From each state of an attempt in which nothing is under way an abort is walked to its
// end, without metrics: RolledBack, with stable serving everything, is reached from
// everywhere, but for the exceptions that wayback.go lists and asks about by themselves.
//
// # What is left out
//
//   - Seconds: time advances four minutes at once, enough for a short bake. Looks in
//     between take no time, and no pass lasts that long. Times older than three such
//     ticks are not told apart.
//   - Measurements: the checks say what the weather is, healthy for every minute
//     that could be seen, or not. Their own rules are tested where they are.
//   - Gateways, pacing, blame and peers: no revision sends traffic through NAT.
//   - Reads that are stale, a status that is lost.
//   - Objects beside this one, but for one of another cluster, which takes the service
//     over and then does nothing with it: of I8, that it is left alone from then on. No
//     split of a third party is taken over: its weights are not those of any plan. Nor
//     is the service taken again before every write of ours that was numbered arrived.
//   - I11, which compares where two runs end. A crash is an edge here, and what it leaves
//     behind is a state that is judged like any other; but a walk to the end from both
//     sides of each such edge would be a search of its own. The crash matrix compares.
//   - I13, which needs several objects, and how long I15 takes, which needs a clock: that
//     a breach leads back is asked.
//   - Of Config Connector: merge mode, a pause of actuation, and whose object moves a
//     RunService first. A template in Git and a RunService are not explored together.
//   - Etags that Cloud Run might not enforce.
package explorer

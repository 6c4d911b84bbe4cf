// Package pilot plays rollouts of the real core against one simulated world, in
// simulated time and in one goroutine.
//
// A [Pilot] is the controllers' loop without a cluster, for any number of
// rollouts: it observes as the adapters do, asks rollout.Decide, saves, writes,
// and looks again when the decision says so. Of each rollout it keeps a
// [Record]. [Instant] makes the same releases as most teams do: traffic follows
// LATEST, and a new revision gets all of it at once.
//
// [Senses] is how a controller sees the world. The stories, which tell one
// rollout at a time, share it.
package pilot

// Package fleet is the compute of the simulated world: instances of Cloud Run
// revisions and the machines of the old system, each with its requests, its
// connections and its life, one by one.
//
// A [Fleet] lives second by second. Its owner says how many requests come to which
// revision and how they are to be split; the fleet finds instances for them, starts
// and ends instances as the autoscaler does, opens connections through package
// network, and hands back how every request ended. No request fails because
// somebody said so: a request fails because a connection got no port, because a
// revision had no instance, or because its image has errors of its own.
//
// Requests are counts: those of one instance that came together and fare alike are
// one cohort. Times within a second are kept as fractions, so that a request of
// 200 ms is one of 200 ms. The same seed and the same calls give the same result.
//
// # Sources
//
// They stand in brackets, as in package network; docs/simulator.md has the table.
package fleet

// Package simulator is a small world in which Cloud Run services live: users
// send requests, revisions start and answer or fail, traffic splits take their
// time to arrive, NAT gateways lend ports, and metrics appear late.
//
// It is one single-threaded state machine. A [World] has a scenario, a seed and
// a time; it owns no socket, starts no goroutine and never looks at the wall
// clock. The same scenario, seed and sequence of calls give the same log, byte
// for byte. Time passes only through [World.Advance] and [World.AdvanceTo].
//
// Stories about the core call the world as a Go API. The servers in package
// wire put the real wire formats in front of it: the Cloud Run Admin API v2 and
// Cloud Monitoring for the clients under test, and a control endpoint for
// whoever directs the play.
//
// How services fare is either written down in the scenario, as shares of requests
// that fail and packets that are dropped, or, where the scenario has a
// [Network], follows from physics: package fleet simulates every instance with its
// requests, package network the connections and ports that they need.
//
// Three parties act on a world:
//
//   - API callers, through [API]: get, list, create, patch, with etags, update
//     masks, long-running operations and the error texts of the real service;
//   - people and other tools, through [World.Deploy], [World.EditTraffic],
//     [World.LoseRevision] and the scenario's timeline;
//   - misfortune, through [World.Inject]: errors, lost answers, parked writes,
//     stale reads, metric gaps.
//
// What happened is told by [World.Log], a list of typed events that oracles
// judge, and by [World.Requests], the true number of requests and failures of a
// revision in an interval, which no metric delay blurs.
//
// Every behaviour is listed in docs/simulator.md with its source. Those that
// nobody has verified are fields of [Switches] and can be set either way.
package simulator

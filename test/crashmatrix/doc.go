// Package crashmatrix lets controllers die at every call they make, and asks whether
// anybody could tell afterwards (I11, crash equivalence).
//
// A [Scene] is one release in the simulation of package soak: the real controllers, a
// model of the control plane, the simulated world, told time, one goroutine. It is
// played once undisturbed, which numbers the K calls that the controllers make:
// every read and write of a rollout, of Cloud Run, of Monitoring and of Compute, and
// where Config Connector keeps the service, of its RunService; Config Connector itself
// goes on meanwhile. Reads of a cache and events are no calls: they can neither fail
// nor wait. Then, for each call and each kind of crash, see [soak.Crash], the scene is
// played anew, and the controller that makes the call dies there. Others take over and
// play on until everything rests.
//
// Two things must hold of each such cell. The invariants of package invariants, which
// are judged by what happened in the world. And at the end everything must be as in
// the undisturbed play: what is asked for with its tags, what serves, phase, reason,
// candidate, stable, number of the attempt, what was given up, spec.traffic of the
// RunService and whose it is; and which splits served, one after another, however long
// each did. What may differ all the same, and why, is listed in allowed.go.
//
// A pair is two crashes, the second one counted in what was played after the first.
// For pairs the calls are taken without those that repeat a read, since a crash there
// leaves behind what one at the read before left: see [Points].
package crashmatrix

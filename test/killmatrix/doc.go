// Package killmatrix kills the controller at every call it makes, and asks
// whether anybody could tell afterwards (I11, crash equivalence).
//
// A scene is played once undisturbed, against a real kube-apiserver and the
// simulated world: that is the reference. In some scenes a person asks for verbs on the
// way, as soon as the status is one that calls for them. Its points are every external write
// (status, events, PATCHes of the service) and the first of each run of
// identical reads, which is the first read of its kind since the last write.
// Leases are left out. Then, for each point and each of before, during and
// after, the scene is played anew and the controller is killed there:
//
//   - before: the call is never made;
//   - during: the call takes effect, and its answer is lost;
//   - after: the answer arrived, and nothing behind it ran.
//
// A killed controller makes no call any more, and everything it remembered is
// thrown away. Another one starts later, in 20 seconds or after a kill of the last
// kind in 17 minutes, on the object and the world that it left, and plays on to
// the end. What must then be as in the reference:
// phase, candidate, baseline, latch and number of the attempt; the split that is
// asked for and the one that serves; and the sequence of distinct splits that
// served on the way. Writes on one etag must be the same to the byte, and the
// invariants of test/invariants must hold. Events that are lost or told twice
// are no divergence.
//
// [Bench.Matrix] does this in one process on told time: no time passes but what
// the driver lets pass. [Bench.Processes] does it to the real manager binary
// with SIGKILL, at every PATCH.
package killmatrix

// Package soak plays rollouts of the real controllers against a simulated world, a
// model of the control plane and an adversary, and judges each of them.
//
// A seed is a [Script]: how it begins, and a list of acts, each with its cue. People
// deploy, edit traffic, pause, ask, change the spec, delete; calls fail, get lost or
// come late; controllers are killed, stopped and deposed; watches lag and go back;
// metrics are late or missing. [Write] draws it by lot. Each seed has some families
// of trouble and leaves the others out. [Play] plays it: one goroutine, one queue of
// what is yet to happen, told time. While a controller waits for an answer the queue
// goes on, one level deeper, so that everything happens in the middle of passes too.
//
// When the adversary is done every controller lives, every clock is right, and a
// person answers what the status asks for. Then the rollout must come to rest, in a
// state whose cause is true, and its controllers must start anew without writing
// anything. The [Outcome] is judged by package invariants over the whole trace at
// the end of each seed, which is equivalent to asking after every event: a rule sees
// an event and what was before it.
//
// [PlayAlone] plays a script that somebody wrote instead of [Write], without an
// adversary, with [Crash]es at calls that are given by number: package crashmatrix
// tells what for.
//
// The clouds are reached through ports that skip the wire; contract tests and the
// kill matrix cover that.
package soak

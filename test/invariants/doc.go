// Package invariants judges what was done to a service by what happened to it,
// never by what the controller says of itself.
//
// A [Trace] is a list of events in the order in which they happened: reads and
// writes of the Cloud Run API, splits that were asked for and that served, the
// lives of revisions, and the measurements that could be seen at the moment of a
// decision. They come from the world's log ([FromLog]). A few events come from
// the side of the control plane, because the world cannot know them: the plan,
// the requests of people, and each status that was saved.
//
// [Judge] replays a trace and returns every [Violation]. The rules:
//
//   - I1 Well-formed writes: the mask is traffic, there is an etag, the list sums
//     to 100, names revisions that exist, gives LATEST nothing and keeps the tags
//     of others.
//   - I2 Compare-and-swap lineage: a write is based on the newest read, was saved
//     before it was sent, is sent at once unless it is a way back, and follows a plan
//     that was current.
//   - I3 Step discipline: a rise goes to the next weight of the plan, or, where
//     pacing may insert smaller ones, to one on the way to it; one at a time, after
//     the weight that served was baked in full, an inserted one for a minute.
//   - I4 No evidence, no advance: the minutes of the step that could be seen were
//     complete, enough and healthy.
//   - I5 Trip latch: a candidate that was given up does not rise again in that
//     attempt. Its way back takes at most three writes in three minutes, each of
//     which lowers it. One whose users fail while a gateway suffers may be spared: that
//     takes one write, and happens once in an attempt.
//   - I6 Baseline durable and reachable: it is saved before the first write, stays
//     the same, and exists, is ready and addressable at every rise.
//   - I7 Human wins: after a split that somebody else set, nothing is written until
//     a person lets it. One that gives stable everything ends the attempt.
//   - I9 Pause and abort are bounded: no rise is sent later than [Delta] after them.
//     A pause that a person asked for lasts until somebody resumes.
//   - I10 Truthful status: what a saved status says of the traffic was so.
//   - I14 Deletion safety: from a deletion on nothing rises, and once the object is
//     gone nothing is sent.
//
// All of them hold however the clouds behave where nobody has verified it, except
// those that [Needs] names for a value.
//
// A request that a person made and that was accepted exempts: approve from the
// number of requests in I4; resume, which writes a split of ours again, from I3
// and I4; promote, for the weight that it was asked at, from the bake and from I4,
// and with mode full from the next weight too; undo from the constancy of the
// baseline in I6, and from I3 and I4, whose rises are those of a candidate.
package invariants

package notify

import (
	"maps"
	"time"
)

// quiet is how long a state that was told is not told again, where it comes and goes.
const quiet = 10 * time.Minute

// flapping knows what was told of rollouts, by the UID of each. What it has not told for
// quiet it forgets.
type flapping map[string]*told

// told is what was told of one attempt.
type told struct {
	attempt int64
	at      map[state]time.Time
	// present is the state that the rollout is in, where that was left out, and due is when
	// it is told unless it is over. It is nil where the last news were told.
	present *News
	due     time.Time
	left    int // out, since the last news that were told
}

// state is what makes news the same as others of its attempt, but for when they began.
type state struct{ phase, reason, step, weight, candidate, cause string }

func (n News) state() state {
	return state{n.Phase, n.Reason, n.Step, n.Weight, n.Candidate, n.Cause}
}

// hear tells whether news are to be told now, and what of. News of a state that passes by
// itself and was told a short while ago are left out.
func (f flapping) hear(n News, now time.Time) (News, bool) {
	f.forget(now)
	t := f[n.UID]
	if t == nil || t.attempt != n.Attempt {
		t = &told{attempt: n.Attempt, at: map[state]time.Time{}}
		f[n.UID] = t
	}
	if at, known := t.at[n.state()]; known && n.Passing {
		t.present, t.due = &n, at.Add(quiet)
		t.left++
		return n, false
	}
	return t.tell(n, now), true
}

// tell makes the news that are told, which say how many were not.
func (t *told) tell(n News, now time.Time) News {
	n.LeftOut = t.left
	t.left, t.present = 0, nil
	t.at[n.state()] = now
	return n
}

// overdue are the news that were left out, of states that last.
func (f flapping) overdue(now time.Time) []News {
	var late []News
	for _, t := range f {
		if t.present != nil && !now.Before(t.due) {
			late = append(late, t.tell(*t.present, now))
		}
	}
	return late
}

// next is when the first news are overdue; false where none will be.
func (f flapping) next() (first time.Time, ok bool) {
	for _, t := range f {
		if t.present != nil && (!ok || t.due.Before(first)) {
			first, ok = t.due, true
		}
	}
	return first, ok
}

func (f flapping) forget(now time.Time) {
	for uid, t := range f {
		maps.DeleteFunc(t.at, func(_ state, at time.Time) bool { return !now.Before(at.Add(quiet)) })
		if len(t.at) == 0 && t.present == nil {
			delete(f, uid)
		}
	}
}

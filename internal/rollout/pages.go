package rollout

import (
	"fmt"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// tornFor is how long a split that breaks pages is held before everything goes back:
// time for a person to end it at 100 %.
const tornFor = 5 * time.Minute

// refused are the requests that the split makes fail where users change revisions
// from one request to the next. A front end whose pages ask for files of their own
// build breaks in any such split.
func (v view) refused() nat.Refused {
	if v.revision(v.Progress.Candidate).SessionAffinity {
		return nat.Refused{}
	}
	refused, _ := analysis.RefusedBySplit(v.scope, v.Answers)
	return nat.Refused(refused)
}

// breaksMore keeps a split that breaks pages from breaking more of them at a weight. Where
// that breaks fewer, as 100 % does, going on is the cure.
func (v view) breaksMore(weight int64) (Decision, bool) {
	torn := func(w int64) int64 { return w * (100 - w) } // pages of the one that ask the other
	if torn(weight) <= torn(v.weight()) {
		return Decision{}, false
	}
	return v.breaksPages(fmt.Sprintf("Does not rise to %d%%, where more would be missed.", weight))
}

// breaksPages holds a split that breaks pages and cannot end now, and goes back when nobody
// ends it: users suffer from Sluice's own doing.
func (v view) breaksPages(stays string) (Decision, bool) {
	p, text := v.Progress, v.refused().Text()
	if text == "" || v.weight() == 0 {
		return Decision{}, false
	}
	note := fmt.Sprintf("%s at %d%%: %s", p.Candidate, v.weight(), text)
	since := v.Now
	if p.Phase == Held && p.Reason == AssetsMissed {
		since = p.Since
	}
	if back := since.Add(tornFor); v.Now.Before(back) {
		return v.at(Held, AssetsMissed, note).next(fmt.Sprintf(
			"%s Rolls back at %s unless promote with mode full ends the split at 100%%, or it stops.", stays, Clock(back))), true
	}
	return v.giveUp(note + "; release it with session affinity or a deploymentId"), true
}

package monitoring

import (
	"slices"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// memberAge is how long a place stays in a desk's queries after it was last asked
// about. A rollout under way is looked at about once a minute.
const memberAge = 4 * time.Minute

// overtaken is how much earlier than the latest a told time may be without being
// that of a clock that was set back: slow passes are overtaken by others. Who is
// later than this would have members forgotten.
const overtaken = memberAge

// need is how far back somebody asked, when, about what, and whether they still may.
type need struct {
	asked, after time.Time
	of           analysis.Source
	scope        Scope
}

// members are the places that are asked about, each with needs whose reach is
// the shorter the later they were: the first reaches furthest back.
type members map[place][]need

// join notes that a place was asked about. An earlier need that reaches no
// further back has nothing to add.
func (m members) join(p place, n need) {
	needs := slices.DeleteFunc(m[p], func(o need) bool { return !o.after.Before(n.after) })
	m[p] = append(needs, n)
}

// forget drops what nobody asked about for a while, and what nobody may ask about any
// more. A clock that was set back makes needs of the future, which are no better.
func (m members) forget(now time.Time) {
	for p, needs := range m {
		needs = slices.DeleteFunc(needs, func(n need) bool {
			return now.Sub(n.asked).Abs() > memberAge || !n.scope.admits(n.of)
		})
		if m[p] = needs; len(needs) == 0 {
			delete(m, p)
		}
	}
}

// everything tells whether of each location of some places somebody may ask about all
// that there is.
func (m members) everything(places map[place]bool) bool {
	whole := map[string]bool{}
	for p, needs := range m {
		whole[p.location] = whole[p.location] || slices.ContainsFunc(needs, func(n need) bool { return n.scope.everything(n.of) })
	}
	for p := range places {
		if !whole[p.location] {
			return false
		}
	}
	return true
}

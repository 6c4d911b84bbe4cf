package monitoring

import (
	"slices"
	"time"
)

// memberAge is how long a place stays in a desk's queries after it was last asked
// about. A rollout under way is looked at about once a minute.
const memberAge = 4 * time.Minute

// overtaken is how much earlier than the latest a told time may be without being
// that of a clock that was set back: slow passes are overtaken by others. Who is
// later than this would have members forgotten.
const overtaken = memberAge

// need is how far back somebody asked, and when.
type need struct{ asked, after time.Time }

// members are the places that are asked about, each with needs whose reach is
// the shorter the later they were: the first reaches furthest back.
type members map[place][]need

// join notes that a place was asked about. An earlier need that reaches no
// further back has nothing to add.
func (m members) join(p place, n need) {
	needs := slices.DeleteFunc(m[p], func(o need) bool { return !o.after.Before(n.after) })
	m[p] = append(needs, n)
}

// forget drops what nobody asked about for a while. A clock that was set back
// makes needs of the future, which are no better.
func (m members) forget(now time.Time) {
	for p, needs := range m {
		needs = slices.DeleteFunc(needs, func(n need) bool { return now.Sub(n.asked).Abs() > memberAge })
		if m[p] = needs; len(needs) == 0 {
			delete(m, p)
		}
	}
}

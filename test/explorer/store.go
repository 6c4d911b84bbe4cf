package explorer

import "hash/maphash"

// store holds every state that was reached, whole: two states are never taken for
// one because a hash is the same. States are numbered from 0 in the order in which
// they were reached, so the store is the queue of the search as well.
type store struct {
	seed  maphash.Seed
	slots []uint32 // number + 1 of the state; 0 where there is none
	count uint32
	pages [pages]*[pageSize]reached // never move: workers read old ones while new ones come
}

// reached is a state with how it was reached first, on a shortest path.
type reached struct {
	state  state
	parent uint32
	action uint8
}

func newStore() *store { return &store{seed: maphash.MakeSeed(), slots: make([]uint32, 1<<16)} }

func (s *store) at(n uint32) *reached { return &s.pages[n>>pageBits][n%pageSize] }

// add keeps a state that is new.
func (s *store) add(r reached) {
	slot := s.slot(&r.state)
	if s.slots[slot] != 0 {
		return
	}
	n := s.count
	s.count++
	if s.pages[n>>pageBits] == nil {
		s.pages[n>>pageBits] = new([pageSize]reached)
	}
	*s.at(n) = r
	s.slots[slot] = s.count
	if uint64(s.count)*3 > uint64(len(s.slots))*2 {
		s.grow()
	}
}

// slot is where a state is, or would be.
func (s *store) slot(wanted *state) uint64 {
	mask := uint64(len(s.slots) - 1) //nolint:gosec // a length
	at := maphash.Comparable(s.seed, *wanted) & mask
	for s.slots[at] != 0 && s.at(s.slots[at]-1).state != *wanted {
		at = (at + 1) & mask
	}
	return at
}

func (s *store) grow() {
	s.slots = make([]uint32, 2*len(s.slots))
	for n := uint32(0); n < s.count; n++ {
		s.slots[s.slot(&s.at(n).state)] = n + 1
	}
}

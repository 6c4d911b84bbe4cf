package modelplane

import "slices"

// Restore puts etcd back to the state it had at a revision, as a restored snapshot
// does: objects come back as they were, with the resource versions they had then.
//
// The revision itself falls too, so that resource versions are given out a second
// time, to other contents. With etcdutl's --bump-revision it jumps by bump
// instead of being used again; 0 is the plain restore. Every watch breaks, because
// the apiservers have to be started again: a view delivers nothing until it lists.
func (s *Server) Restore(revision, bump int64) {
	past := slices.Clone(s.now)
	for i := len(s.log) - 1; i >= 0 && s.log[i].Revision > revision; i-- {
		past.undo(s.log[i])
	}
	s.revision = min(s.revision, revision) + bump
	at := s.clock.Now()
	// The first change is of no object: a restore is one even if it changes nothing.
	s.log = append(s.log, Version{Revision: s.revision, At: at, Restored: true})
	for _, o := range slices.Clone(s.now) {
		if then := past.get(keyOf(o)); then != o {
			s.put(Version{Revision: s.revision, At: at, Restored: true, Was: o, Now: then})
		}
	}
	for _, o := range past {
		if s.now.get(keyOf(o)) == nil {
			s.put(Version{Revision: s.revision, At: at, Restored: true, Now: o})
		}
	}
}

func (s *Server) put(v Version) {
	s.log = append(s.log, v)
	s.now.apply(v)
}

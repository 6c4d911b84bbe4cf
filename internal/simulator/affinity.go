package simulator

import "time"

// defaultSession is how long users stay where nobody says it; chosen.
const defaultSession = 10 * time.Minute

// stick is how the requests of users are really split where revisions have session
// affinity: who has begun at such a revision stays with it, whatever the split says
// [docs run/configuring/session-affinity]. Sessions end at random; each second as
// many begin, and those follow the split.
func (s *service) stick(split []path) []path {
	length := time.Duration(s.users.SessionLength)
	if length == 0 {
		length = defaultSession
	}
	stay, free := 1-min(1, 1/length.Seconds()), 1.0
	kept := s.sessions[:0]
	for _, p := range s.sessions {
		if p.revision.phase != lost && p.revision.template.SessionAffinity {
			p.share *= stay
			free -= p.share
			kept = append(kept, p)
		}
	}
	s.sessions = kept
	bound := false
	for _, p := range split {
		if p.revision.template.SessionAffinity {
			s.sessions = addShare(s.sessions, path{p.revision, free * p.share})
			bound = true
		}
	}
	if !bound && len(s.sessions) == 0 {
		return split
	}
	out := append(make([]path, 0, len(split)+len(s.sessions)), s.sessions...)
	for _, p := range split {
		if !p.revision.template.SessionAffinity {
			out = addShare(out, path{p.revision, free * p.share})
		}
	}
	return out
}

func addShare(paths []path, more path) []path {
	for i := range paths {
		if paths[i].revision == more.revision {
			paths[i].share += more.share
			return paths
		}
	}
	return append(paths, more)
}

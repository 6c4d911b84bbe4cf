package simulator

import "slices"

const (
	// tagLimit is the number of tags in a project's location.
	tagLimit = 2000
	// revisionLimit is the number of revisions of a service.
	revisionLimit = 1000
)

// limitTags drops the oldest tags without traffic from a service that takes the
// project's location over its limit.
func (w *World) limitTags(s *service) {
	count := 0
	for _, other := range w.services {
		if other.name.parent() == s.name.parent() {
			count += len(tagsOf(other.Traffic))
		}
	}
	for _, tag := range tagsOf(s.Traffic) {
		if s.tags[tag].IsZero() {
			s.tags[tag] = s.UpdateTime
		}
	}
	for ; count > tagLimit; count-- {
		oldest := s.oldestTag()
		if oldest < 0 {
			return
		}
		s.Traffic = slices.Delete(s.Traffic, oldest, oldest+1)
	}
}

// oldestTag is the index of the oldest entry that is only there for its tag; -1
// if there is none.
func (s *service) oldestTag() int {
	oldest := -1
	for i, t := range s.Traffic {
		if t.Tag == "" || t.Percent > 0 {
			continue
		}
		if oldest < 0 || s.tags[t.Tag].Before(s.tags[s.Traffic[oldest].Tag].Time) {
			oldest = i
		}
	}
	return oldest
}

// limitRevisions deletes the oldest revisions that nothing names from a service
// that has too many.
func (w *World) limitRevisions(s *service) {
	if s.applied == nil {
		return // it is being set up; nothing is named yet
	}
	for i := 0; len(s.revisions) > revisionLimit && i < len(s.revisions)-1; {
		r := s.revisions[i]
		if !r.addressable.IsZero() {
			i++
			continue
		}
		r.phase = lost
		s.revisions = slices.Delete(s.revisions, i, i+1)
		s.gone = append(s.gone, r)
		r.bury()
		w.tell(Event{Kind: EventRevisionLost, Service: s.Name, Revision: r.name})
	}
}

func tagsOf(targets []TrafficTarget) []string {
	var tags []string
	for _, t := range targets {
		if t.Tag != "" {
			tags = append(tags, t.Tag)
		}
	}
	return tags
}

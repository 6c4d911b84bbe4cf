package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

var tagPattern = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

// normalTraffic checks a desired split and writes it as the server keeps it. An
// empty one means all traffic to the latest revision, as documented.
func normalTraffic(targets []TrafficTarget, sw Switches) ([]TrafficTarget, error) {
	if len(targets) == 0 {
		return []TrafficTarget{{Type: AllocateLatest, Percent: 100}}, nil
	}
	sum, tags, out := 0, map[string]bool{}, make([]TrafficTarget, 0, len(targets))
	for _, t := range targets {
		normal, err := normalTarget(t)
		if err != nil {
			return nil, err
		}
		if t.Tag != "" && tags[t.Tag] {
			return nil, invalid("service.traffic.tag", "Multiple definitions for \"%s\"", t.Tag)
		}
		tags[t.Tag] = true
		sum += t.Percent
		if t.Percent == 0 && t.Tag == "" && sw.ZeroPercentEntry == "dropped" {
			continue
		}
		out = append(out, normal)
	}
	if sum != 100 {
		return nil, invalid("service.traffic", "Traffic targets sum to %d, want 100", sum)
	}
	return out, nil
}

func normalTarget(t TrafficTarget) (TrafficTarget, error) {
	if t.Type == "" {
		t.Type = AllocateLatest
		if t.Revision != "" {
			t.Type = AllocateRevision
		}
	}
	t.Revision = shortName(t.Revision)
	switch {
	case t.Type != AllocateLatest && t.Type != AllocateRevision:
		return t, invalid("service.traffic.type",
			"Invalid value at 'service.traffic[].type' (type.googleapis.com/google.cloud.run.v2.TrafficTargetAllocationType), \"%s\"", t.Type)
	case t.Type == AllocateLatest && t.Revision != "":
		return t, invalid("service.traffic.revision", "A target of type LATEST names revision '%s'", t.Revision)
	case t.Type == AllocateRevision && t.Revision == "":
		return t, invalid("service.traffic.revision", "A target of type REVISION names no revision")
	case t.Percent < 0 || t.Percent > 100:
		return t, invalid("service.traffic.percent", "Traffic percent %d is not between 0 and 100", t.Percent)
	case t.Tag != "" && (len(t.Tag) > 63 || !tagPattern.MatchString(t.Tag)):
		return t, invalid("service.traffic.tag", "Tag \"%s\" is not a DNS-1035 label", t.Tag)
	}
	return t, nil
}

// obstacle tells why a split cannot be put in force: because a revision is still
// starting, or for good.
func (s *service) obstacle(targets []TrafficTarget) (waiting bool, err *OperationError) {
	for _, t := range targets {
		r := s.revision(t.Revision)
		if t.Type == AllocateLatest {
			r = s.latest()
		}
		switch {
		case r == nil:
			return false, &OperationError{Code: codeInternal, Message: fmt.Sprintf("Revision '%s' does not exist or is deleted. "+
				"Update all traffic to route to currently available revisions.", cmp.Or(t.Revision, shortName(s.LatestReadyRevision)))}
		case r.phase == failed:
			return false, &OperationError{Code: codeFailedPrecondition, Message: r.notReady()}
		case r.phase == starting:
			waiting = true
		}
	}
	return waiting, nil
}

// latest is the latest ready revision; before there is one, the newest. Where the one
// that is named is deleted there is none, until another one becomes ready: what serves
// is never another one than the service says.
func (s *service) latest() *revision {
	if s.LatestReadyRevision == "" {
		return s.newest()
	}
	return s.revision(shortName(s.LatestReadyRevision))
}

// apply puts a desired split in force.
func (w *World) apply(s *service, author string) {
	s.applied = append([]TrafficTarget(nil), s.Traffic...)
	w.route(s, author)
	s.TrafficStatuses = s.statuses(w.scenario.Switches)
	s.URI = s.baseURI("")
}

// route lets requests follow the split in force. It also runs when a LATEST
// entry has a new revision to follow.
func (w *World) route(s *service, author string) {
	next := make([]route, 0, len(s.applied))
	for _, t := range s.applied {
		r := s.revision(t.Revision)
		if t.Type == AllocateLatest {
			r = s.latest()
		}
		if r != nil && t.Percent > 0 {
			next = append(next, route{r, t.Percent})
		}
	}
	before, after := percentages(s.routes), percentages(next)
	w.address(s)
	if maps.Equal(before, after) {
		return
	}
	s.formerly, s.routes, s.switchedAt = s.routes, next, w.now
	w.tell(Event{Kind: EventEffective, Service: s.Name, Author: author, Split: after})
}

func percentages(routes []route) map[string]int {
	split := map[string]int{}
	for _, r := range routes {
		split[r.revision.name] += r.percent
	}
	return split
}

// address notes which revisions the split names, by share or by tag.
func (w *World) address(s *service) {
	named := map[*revision]bool{}
	for _, t := range s.applied {
		r := s.revision(t.Revision)
		if t.Type == AllocateLatest {
			r = s.latest()
		}
		if r != nil && (t.Percent > 0 || t.Tag != "") {
			named[r] = true
		}
	}
	for _, r := range s.revisions {
		switch {
		case named[r] && r.addressable.IsZero():
			r.addressable = stamp(w.now)
		case !named[r] && !r.addressable.IsZero():
			r.addressable, r.updated = Timestamp{}, stamp(w.now)
		}
	}
}

// statuses prints the split in force.
func (s *service) statuses(sw Switches) []TrafficStatus {
	targets := s.applied
	if sw.StatusCollapse == "merged" {
		targets = collapse(targets)
	}
	out := make([]TrafficStatus, 0, len(targets))
	for _, t := range targets {
		out = append(out, s.status(t))
	}
	return out
}

// collapse joins an untagged share with the entry that only tags its revision.
func collapse(targets []TrafficTarget) []TrafficTarget {
	out := slices.Clone(targets)
	for i := range out {
		if out[i].Tag != "" || out[i].Percent == 0 || out[i].Revision == "" {
			continue
		}
		j := slices.IndexFunc(out, func(t TrafficTarget) bool {
			return t.Tag != "" && t.Percent == 0 && t.Revision == out[i].Revision
		})
		if j >= 0 {
			out[i].Tag = out[j].Tag
			out[j] = TrafficTarget{}
		}
	}
	return slices.DeleteFunc(out, func(t TrafficTarget) bool { return t == TrafficTarget{} })
}

func (s *service) status(t TrafficTarget) TrafficStatus {
	st := TrafficStatus{Type: t.Type, Revision: t.Revision, Percent: t.Percent, Tag: t.Tag}
	if t.Tag != "" {
		st.URI = s.baseURI(t.Tag)
	}
	return st
}

func (s *service) baseURI(tag string) string {
	if tag != "" {
		tag += "---"
	}
	return "https://" + tag + s.host()
}

func (s *service) host() string {
	return s.name.Service + "-" + projectHash(s.name.Project) + "-" + regionCode(s.name.Location) + ".a.run.app"
}

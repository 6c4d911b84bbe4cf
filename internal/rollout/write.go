package rollout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Write is a compare-and-swap of a service's whole traffic list. Only newWrite
// makes one, so a Write that exists is well formed: an etag, at least one
// entry, a sum of 100, nothing that follows LATEST with weight.
//
// An empty list must be unsayable, because Cloud Run reads it as "100 % to the
// newest revision" (run v2 discovery, Service.traffic).
type Write struct {
	etag       string
	generation int64
	targets    []Entry

	claim       *Claim
	annotations map[string]string
}

// ETag is the version of the service that the decision was made on.
func (w Write) ETag() string { return w.etag }

// Generation is the service's generation that the decision was made on; an
// accepted write must answer with the next one.
func (w Write) Generation() int64 { return w.generation }

// Targets are the entries, in the order in which to send them.
func (w Write) Targets() []Entry { return slices.Clone(w.targets) }

// Claim is what the service is to say about who wrote, nil for nothing, and the
// annotations of others that go with it.
func (w Write) Claim() (claim *Claim, beside map[string]string) {
	return w.claim, maps.Clone(w.annotations)
}

// tagging says what a write does with our tag: where it puts it, and whose it
// takes it from. A tag of our name that somebody else set is not in was, and is
// kept to the letter.
type tagging struct {
	keep string // revision that will carry it; "" for none
	was  string // revision on which it is ours to move
}

// newWrite asks for a split of the service as it was read. The candidate comes
// first, because the rounding of minimum instances favours the first entry;
// everybody else's tags are kept to the letter.
func newWrite(svc Service, split Split, candidate string, ours tagging) (*Write, error) {
	if split.isBrief() {
		return nil, errors.New("a split of many revisions is not remembered whole")
	}
	var targets []Entry
	if percent := split.Of(candidate); percent > 0 {
		targets = append(targets, Entry{Revision: candidate, Percent: percent})
	}
	for _, share := range split {
		if share.Revision != candidate {
			targets = append(targets, Entry{Revision: share.Revision, Percent: share.Percent})
		}
	}
	if ours.keep != "" {
		targets = tag(targets, ours.keep)
	}
	for _, e := range svc.Desired {
		mine := e.Tag == Tag && (ours.keep != "" || svc.resolve(e) == ours.was)
		if e.Tag != "" && !mine {
			targets = append(targets, Entry{Latest: e.Latest, Revision: e.Revision, Tag: e.Tag})
		}
	}
	w := &Write{etag: svc.ETag, generation: svc.Generation, targets: targets}
	return w, w.validate()
}

// tag puts our tag on a revision's entry, or on an entry of its own without
// traffic.
func tag(targets []Entry, revision string) []Entry {
	for i := range targets {
		if targets[i].Revision == revision {
			targets[i].Tag = Tag
			return targets
		}
	}
	return append(targets, Entry{Revision: revision, Tag: Tag})
}

// validate is the reason why a Write can be trusted.
func (w Write) validate() error {
	if w.etag == "" {
		return errors.New("write without etag")
	}
	if len(w.targets) == 0 {
		return errors.New("write without traffic")
	}
	var sum int64
	seen := map[Entry]bool{}
	for _, e := range w.targets {
		if e.Percent < 0 || e.Percent > 100 {
			return fmt.Errorf("percent %d out of range", e.Percent)
		}
		if e.Latest && e.Percent > 0 {
			return errors.New("traffic to LATEST")
		}
		if !e.Latest && e.Revision == "" {
			return errors.New("entry without revision")
		}
		key := Entry{Latest: e.Latest, Revision: e.Revision, Tag: e.Tag}
		if seen[key] {
			return fmt.Errorf("two entries for revision %q, tag %q", e.Revision, e.Tag)
		}
		seen[key] = true
		sum += e.Percent
	}
	if sum != 100 {
		return fmt.Errorf("traffic sums to %d, not 100", sum)
	}
	return nil
}

package rollout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
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
	within     time.Duration

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

// Within is the same write, which has to be sent within a time: afterwards what it was
// decided on is older than anybody may rely on. Zero means whenever it may be.
func (w Write) Within(d time.Duration) Write {
	w.within = d
	return w
}

// ErrLate says that a write was not sent, because it came too long after its decision.
var ErrLate = errors.New("the write would have come too long after its decision")

// Late tells whether it may not be sent any more, so long after it was handed over. Whoever
// reads before they send asks once they have read, and fails with ErrLate.
func (w Write) Late(after time.Duration) bool { return w.within > 0 && after > w.within }

// Claim is what the service is to say about who wrote, nil for nothing, and the
// annotations of others that go with it.
func (w Write) Claim() (claim *Claim, beside map[string]string) {
	return w.claim, maps.Clone(w.annotations)
}

// tagging says what a write does with a tag of ours: where it puts it, and whose
// it takes it from. A tag of that name that somebody else set is not in was, and
// is kept to the letter.
type tagging struct {
	tag  string
	keep string // revision that will carry it; "" for none
	was  string // revision on which it is ours to move
}

// moves tells whether an entry of the service is ours to move.
func (t tagging) moves(svc Service, e Entry) bool {
	return e.Tag == t.tag && (t.keep != "" || svc.resolve(e) == t.was)
}

// newWrite asks for a split of the service as it was read. The candidate comes
// first, because the rounding of minimum instances favours the first entry;
// everybody else's tags are kept to the letter.
func newWrite(svc Service, split Split, candidate string, ours ...tagging) (*Write, error) {
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
	for _, t := range ours {
		targets = t.put(targets)
	}
	for _, e := range svc.Desired {
		mine := slices.ContainsFunc(ours, func(t tagging) bool { return t.moves(svc, e) })
		if e.Tag != "" && !mine {
			targets = append(targets, Entry{Latest: e.Latest, Revision: e.Revision, Tag: e.Tag})
		}
	}
	w := &Write{etag: svc.ETag, generation: svc.Generation, targets: targets}
	return w, w.validate()
}

// put puts the tag on a revision's entry, or on an entry of its own without
// traffic: each entry has room for one.
func (t tagging) put(targets []Entry) []Entry {
	if t.keep == "" {
		return targets
	}
	for i := range targets {
		if targets[i].Revision == t.keep && targets[i].Tag == "" {
			targets[i].Tag = t.tag
			return targets
		}
	}
	return append(targets, Entry{Revision: t.keep, Tag: t.tag})
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

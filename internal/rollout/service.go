package rollout

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The traffic tags that are ours. Those of everybody else are kept to the letter.
const (
	// Tag keeps the stable revision addressable while an attempt lasts, so that
	// Cloud Run does not delete it as unused.
	Tag = "sluice-stable"
	// WarmTag has Cloud Run start the candidate's own minimum of instances before
	// it gets traffic (docs run/configuring/min-instances).
	WarmTag = "sluice-candidate"
)

// ServiceRef names one Cloud Run service in one region.
type ServiceRef struct {
	Project, Location, Name string
}

// Presence says whether a read found what it looked for.
type Presence string

// The presences. Absence is a fact like any other, not an error. A revision that
// is Denied or Unknown is neither gone nor failing: nothing rises to it or
// relies on it, and nothing goes back because of it.
const (
	Found   Presence = "Found"
	Missing Presence = "Missing"
	Denied  Presence = "Denied"
	Unknown Presence = "Unknown" // could not be read, for a reason that may pass
)

// Service is what Cloud Run reports of a service: one live read.
type Service struct {
	Presence Presence
	Detail   string // the API's own words when not Found
	// Remedy is what ends a denial, as a sentence; empty where Google denies.
	Remedy string

	UID                string
	Generation         int64
	ObservedGeneration int64
	ETag               string
	Reconciling        bool
	// Failure is Cloud Run's reason when the last change could not be applied.
	Failure string

	// Skew is how far our clock is ahead of Cloud Run's, negative where it is
	// behind. It is 0 where they may agree and where that is not known.
	Skew time.Duration

	// Interleaved is set once after a write of ours that met somebody else's.
	Interleaved bool

	// Claim is who moves its traffic, nil when nobody says so; ClaimUnread is why
	// a claim that is there cannot be read.
	Claim       *Claim
	ClaimUnread string
	Annotations map[string]string // of others, which a write must carry along

	// MinInstances and MaxInstances are divided among the revisions by weight; 0 for
	// none. Where a person scales the service both are the number that it has.
	MinInstances, MaxInstances int64

	Desired   []Entry // what was asked for
	Effective []Entry // what serves

	LatestReady   string // short revision names
	LatestCreated string

	// Modifier is who changed it last, an e-mail address (run v2 discovery,
	// Service.lastModifier); "" where that is not told.
	Modifier string

	// Keeper is who keeps the service as their own description of it says, as it is
	// labelled; "" for nobody.
	Keeper string
	// TemplateRevision is the name that its template gives to revisions; "" where Cloud
	// Run makes one up.
	TemplateRevision string
	// Template is the digest of the template of ours that its template is, as its
	// annotation says; "" where it is nobody's or somebody else's.
	Template string
	// Kept is what is known beside it where a RunService is moved in its place.
	Kept Kept
}

// changedBy is the end of a sentence about what somebody else did. The last change
// need not be that one, so it is told as what it is.
func (s Service) changedBy() string {
	if s.Modifier == "" {
		return ""
	}
	return "; " + s.Modifier + " changed the service last"
}

// Entry is one line of a service's traffic list.
type Entry struct {
	Latest   bool   // follows the latest ready revision; Revision is empty
	Revision string // short name
	Percent  int64
	Tag      string
}

// settled tells whether Cloud Run is done with what it was asked for. After a
// failure the observed generation stays behind for good (run v2, Service.reconciling).
func (s Service) settled() bool {
	return !s.Reconciling && (s.Generation == s.ObservedGeneration || s.Failure != "")
}

// followsLatest tells whether a part of the traffic moves by itself to every
// new revision.
func (s Service) followsLatest() bool {
	return slices.ContainsFunc(s.Desired, func(e Entry) bool { return e.Latest && e.Percent > 0 })
}

// tagged returns the revision that carries a tag, or "".
func (s Service) tagged(tag string) string {
	for _, e := range s.Desired {
		if e.Tag == tag {
			return s.resolve(e)
		}
	}
	return ""
}

func (s Service) resolve(e Entry) string {
	if e.Latest {
		return s.LatestReady
	}
	return e.Revision
}

// split sums entries per revision, with LATEST resolved.
func (s Service) split(entries []Entry) Split {
	sums := map[string]int64{}
	for _, e := range entries {
		sums[s.resolve(e)] += e.Percent
	}
	return NewSplit(sums)
}

// Readiness is a revision's Ready condition.
type Readiness string

// The readinesses.
const (
	Ready    Readiness = "Ready"
	NotReady Readiness = "NotReady"
	Pending  Readiness = "Pending"
)

// Egress says which of a revision's outbound traffic takes the VPC, and so NAT.
type Egress string

// The egresses.
const (
	EgressNone    Egress = "none"                // no VPC access
	EgressPrivate Egress = "private-ranges-only" // public addresses do not pass NAT
	EgressAll     Egress = "all-traffic"
)

// VPCAccess names where a revision's traffic enters a VPC, in Cloud Run's own
// words: short names, or paths, of which a shared VPC's name its host project.
// Either Network or Subnetwork may be empty, and then follows from the other. With
// a Connector both are empty, and the connector knows them.
type VPCAccess struct {
	Network, Subnetwork string
	Connector           string
}

// Revision is what Cloud Run reports of a revision.
type Revision struct {
	Presence  Presence
	Name      string // short
	CreatedAt time.Time
	Readiness Readiness
	Why       string // Cloud Run's reason when not ready, or why it could not be read
	Egress    Egress
	VPC       VPCAccess     // empty without VPC access, and where it is not understood
	Timeout   time.Duration // request timeout; 0 when not reported
	// MinInstances is the revision's own least number of instances, MaxInstances the
	// largest; 0 when not reported.
	MinInstances int64
	MaxInstances int64
	// Provisioned tells that MinInstances are there, as Cloud Run says; Lacking is
	// what it says instead while they are not.
	Provisioned bool
	Lacking     string
	Image       string
	// Template is the digest of the template of ours that it was made from, as its
	// annotation says; "" for none.
	Template string
	// SessionAffinity keeps the requests of a browser with the revision that answered
	// its first one (template.sessionAffinity).
	SessionAffinity bool
	// CloudSQL is used through the built-in socket.
	CloudSQL bool
	// OwnURL is the name of the variable of its environment that holds the service's
	// own public URL; "" for none. Values are secrets and never kept.
	OwnURL string
}

// unread tells whether nobody knows what the revision is like.
func (r Revision) unread() bool { return r.Presence == Denied || r.Presence == Unknown }

func (r Revision) unreadWhy() string {
	return fmt.Sprintf("revision %s could not be read: %s", r.Name, r.Why)
}

// Share is a revision's percent of the traffic.
type Share struct {
	Revision string
	Percent  int64
}

// Split says who serves how much: at most one share per revision, none of them
// zero, ordered by name. Two splits are the same when they are Equal.
type Split []Share

// NewSplit makes a split from percents per revision.
func NewSplit(percents map[string]int64) Split {
	var split Split
	for revision, percent := range percents {
		if percent != 0 {
			split = append(split, Share{revision, percent})
		}
	}
	slices.SortFunc(split, func(a, b Share) int { return cmp.Compare(a.Revision, b.Revision) })
	return split
}

// all gives one revision the whole traffic.
func all(revision string) Split { return Split{{revision, 100}} }

// between gives the candidate its weight and stable the rest.
func between(candidate, stable string, weight int64) Split {
	return NewSplit(map[string]int64{candidate: weight, stable: 100 - weight})
}

// maxShares bounds the shares of a split that is remembered.
const maxShares = 4

// others begins the name of a share that stands for many. No revision has such a
// name, because theirs have no colon.
const others = "others:"

// brief is the split as it is remembered. A split of ours has two shares, but one
// that a person made can have a hundred, with names of 63 characters, and every
// copy of the object would carry them. All that is asked of it later is whether
// it is still there and what the candidate has. So with more than maxShares only
// the named revisions keep theirs. One more share stands for all others; its
// name has their number and the digest of the whole, by which Equal knows it.
func (s Split) brief(keep ...string) Split {
	if len(s) <= maxShares {
		return s
	}
	var short Split
	rest, many := int64(0), 0
	for _, share := range s {
		if slices.Contains(keep, share.Revision) {
			short = append(short, share)
			continue
		}
		rest += share.Percent
		many++
	}
	short = append(short, Share{fmt.Sprintf("%s%d:%s", others, many, s.digest()), rest})
	slices.SortFunc(short, func(a, b Share) int { return cmp.Compare(a.Revision, b.Revision) })
	return short
}

// isBrief tells whether a share of the split stands for many.
func (s Split) isBrief() bool { return slices.ContainsFunc(s, Share.many) }

func (s Share) many() bool { return strings.HasPrefix(s.Revision, others) }

// digest is the same for a split and its brief form, and differs between splits.
func (s Split) digest() string {
	var text strings.Builder
	for _, share := range s {
		if share.many() {
			return share.Revision[strings.LastIndex(share.Revision, ":")+1:]
		}
		fmt.Fprintf(&text, "%s %d\n", share.Revision, share.Percent)
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:16])
}

// Equal compares two splits, of which either may be brief.
func (s Split) Equal(other Split) bool {
	return slices.Equal(s, other) || (s.isBrief() || other.isBrief()) && s.digest() == other.digest()
}

// Of returns a revision's percent, 0 when it has none.
func (s Split) Of(revision string) int64 {
	for _, share := range s {
		if share.Revision == revision {
			return share.Percent
		}
	}
	return 0
}

// sole returns the one revision that holds all traffic.
func (s Split) sole() (string, bool) {
	if len(s) == 1 && s[0].Percent == 100 && !s[0].many() {
		return s[0].Revision, true
	}
	return "", false
}

// String writes the split for people: "web-2 25%, web-1 75%", largest last. Of
// many shares it names the largest.
func (s Split) String() string {
	smallestFirst := func(a, b Share) int { return cmp.Compare(a.Percent, b.Percent) }
	bySize := slices.Clone(s)
	slices.SortStableFunc(bySize, smallestFirst)
	if len(s) > maxShares {
		var largest []string
		for _, share := range bySize[len(bySize)-maxShares+1:] {
			largest = append(largest, share.Revision)
		}
		bySize = s.brief(largest...)
		slices.SortStableFunc(bySize, smallestFirst)
	}
	parts := make([]string, 0, len(bySize))
	for _, share := range bySize {
		parts = append(parts, fmt.Sprintf("%s %d%%", share.title(), share.Percent))
	}
	return strings.Join(parts, ", ")
}

// title names a share for people: "web-2", "96 others".
func (s Share) title() string {
	if !s.many() {
		return s.Revision
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(s.Revision, others), ":")
	return number + " others"
}

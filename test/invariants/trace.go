package invariants

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Trace is what happened to one service, in order.
type Trace []Event

// Event is one of the types of this file.
type Event interface{ when() time.Time }

// When is the time of an event.
func When(e Event) time.Time { return e.when() }

// At is the time of an event.
type At time.Time

func (a At) when() time.Time { return time.Time(a) }

// Split is percent per revision; zeros are left out.
type Split map[string]int

// equal compares two splits.
func (s Split) equal(other Split) bool { return maps.Equal(s, other) }

// agrees tells whether another split gives each revision that is named here as much.
func (s Split) agrees(other Split) bool {
	for revision, percent := range s {
		if other[revision] != percent {
			return false
		}
	}
	return true
}

// sole is the revision that has everything, or "".
func (s Split) sole() string {
	for revision, percent := range s {
		if percent == 100 {
			return revision
		}
	}
	return ""
}

// Target is one entry of a traffic list. Latest follows the newest revision.
type Target struct {
	Latest   bool
	Revision string
	Percent  int
	Tag      string
}

// State is a service at one moment.
type State struct {
	Etag       string
	Generation int64
	Traffic    []Target
	Desired    Split
}

// Read is an answer of the controller's read of the service. A stale one shows
// an older state than the service has; then State is that of the service and
// Stale is set.
type Read struct {
	At
	By    string // the process, where there are several
	State State
	Stale bool
}

// Listed is an answer of the controller's read of all services of a place, among them
// this one. A stale one shows an older state than the service has.
type Listed struct {
	At
	By    string // the process, where there are several
	Stale bool
}

// Write is a write that the controller sent.
type Write struct {
	At
	By       string // the process, where there are several
	Mask     []string
	Etag     string
	Targets  []Target
	Split    Split // of the targets
	Before   State // at the moment at which it was carried out or refused
	Accepted bool
	// Landed is set where the write was sent earlier and reaches the service only
	// now. A write that is under way for long has two events: sent, not accepted
	// yet; and landed. So has one that the network delivers twice: sent, and then
	// landed once more.
	Landed bool
	// Unclaimed is set where nothing on the service tells of it later: whoever keeps the
	// service keeps its annotations too.
	Unclaimed bool
}

// Deploy is a template that the controller sent.
type Deploy struct {
	At
	By       string // the process, where there are several
	Mask     []string
	Etag     string
	Digest   string // of the plan's template that it carries
	Before   State
	Accepted bool
	Landed   bool // as of a [Write]
}

// Desired is a new split that was asked for. Ours tells the controller's from
// everybody else's.
type Desired struct {
	At
	Split Split
	Ours  bool
}

// Restored is a split that Config Connector asks for again, because its object says so:
// nobody has decided on it now.
type Restored struct{ Desired }

// Rewound is the object that Config Connector carries out, put back into its past with the
// rest of etcd: what it asks for, as somebody wrote it then.
type Rewound struct {
	At
	Split  Split
	Tagged string // the revision that has our tag in it
	Ours   bool   // whether we wrote it
}

// Effective is a new split that serves.
type Effective struct {
	At
	Split Split
}

// Life is a moment of a revision's life.
type Life struct {
	At
	Revision string
	State    LifeState
}

// LifeState is how far a revision has come.
type LifeState string

// The states of a revision.
const (
	Created LifeState = "created"
	Ready   LifeState = "ready"
	Failed  LifeState = "failed"
	Lost    LifeState = "lost"
)

// Evidence is what the metrics showed at a moment: the truth for the controller's
// verdict. One belongs before every write and before every saved completion.
type Evidence struct {
	At
	// Minutes of the candidate since the attempt's beginning, oldest first, each
	// named by its end, as far as they could be seen and told from silence.
	Candidate []Minute
	// Stable's minutes, for the look before the first write.
	Stable []Minute
	// Gateways holds the minutes of each watched gateway, by name.
	Gateways map[string][]GatewayMinute
	// Behind is what somebody else who decides at that moment may take for arrived: their
	// clock is behind where this is by one that is ahead, or they asked a little before. It
	// may have a Behind too; nil where all know the same.
	Behind *Evidence
}

// views are the evidence as anybody may have it.
func (e Evidence) views() []Evidence {
	views := []Evidence{e}
	for e.Behind != nil {
		e = *e.Behind
		views = append(views, e)
	}
	return views
}

// against is what is wrong in every view, as the first one has it; "" if it is not in one.
func (e Evidence) against(wrong func(Evidence) string) string {
	first := ""
	for _, view := range e.views() {
		what := wrong(view)
		if what == "" {
			return ""
		}
		first = cmp.Or(first, what)
	}
	return first
}

// minutesOf are a gateway's minutes after a time.
func (e Evidence) minutesOf(gateway string, after time.Time) []GatewayMinute {
	return slices.DeleteFunc(slices.Clone(e.Gateways[gateway]), func(m GatewayMinute) bool { return !m.End.After(after) })
}

// Minute is a revision's minute that could be seen.
type Minute struct {
	End      time.Time
	Requests int64
	Errors   int64 // of them answered 5xx
}

// GatewayMinute is a gateway's minute that could be seen.
type GatewayMinute struct {
	End    time.Time
	Drops  int64
	Failed bool // an allocation failed
	// Early is set where the flag of failed allocations is all that could be seen.
	Early bool
}

// Plan is what the user asked for from a moment on.
type Plan struct {
	At
	Number         int // rises by one with every edit
	Paused         bool
	StableRevision string
	Candidate      string // that is named
	Template       string // digest of the one that is wanted; "" for none
	Steps          []Step
	Errors         *ErrorLimit // nil: not enforced
	Drops          *DropLimit
	Allocation     *AllocationLimit
	Gateways       []string // watched
	// Paced: smaller weights may be inserted between those of the steps.
	Paced bool
}

// Step is a weight held for minutes of evidence.
type Step struct {
	Weight   int
	Bake     int // minutes
	Approval bool
}

// ErrorLimit is the enforced limit on server errors.
type ErrorLimit struct {
	MaxRatio    float64
	MinRequests int64
}

// DropLimit is the enforced limit on a gateway's drops.
type DropLimit struct {
	MaxPerMinute int64
	MinMinutes   int
}

// AllocationLimit is the enforced limit on minutes with failed allocations.
type AllocationLimit struct{ MaxMinutes int }

// Request is a person's verb, from the moment it is stored. One without a verb takes
// the one before away, as a database does that is put back into its past.
type Request struct {
	At
	ID   string
	Verb string
	Mode string // of a promote
}

// Saved is a status, from the moment it is stored.
type Saved struct {
	At
	By         string // the process, where there are several
	Plan       int    // the number of the plan it was decided on
	Generation int64  // of the service, the newest one it has seen

	Phase     string
	Reason    string
	Attempt   int64
	Stable    string
	Candidate string
	Latched   []string
	// Spared is when everything went back and nothing was given up; zero for never in
	// this attempt.
	Spared time.Time

	// Serving is the split that the status says serves; nil where it says none.
	Serving Split
	// Undated is set where a bake begins, and the status does not say yet since when.
	Undated bool
	// Confirmed is the split of ours that the attempt saw serve last, whatever it does now.
	Confirmed Split
	// Told is what it tells people of that, in several places: in each the percent of
	// the revisions that it names there, also of those that have nothing.
	Told []Split
	// Intent is the write that is to follow; nil for none.
	Intent *Intent
	// Answered and Accepted are the newest answer to a request.
	Answered string // its ID
	Accepted bool
}

// Put is a status that somebody else than the controller stored: it was wiped, or
// put back into its past. It is what the controller has to go on, and claims
// nothing.
type Put struct {
	Saved
	// Past is set where the whole object was put back into its past, and Of is when that
	// object was stored first.
	Past bool
	Of   time.Time
}

// Known is a generation of the service that anybody could read from now on,
// whether or not a read of it is in the trace.
type Known struct {
	At
	Generation int64
}

// Frozen is a freeze from when it is stored: nothing may rise until it is over.
type Frozen struct {
	At
	Until time.Time
}

// Apart tells that the clocks of the controllers differ from the world's by no more
// than this, from now on.
type Apart struct {
	At
	Most time.Duration
}

// Deleting is the moment from which on the object is to go.
type Deleting struct{ At }

// Stood is the moment at which a process that had stood still goes on, with what it knew.
type Stood struct {
	At
	By  string
	For time.Duration
}

// Died is the moment at which a process is gone, with all that it has read and told nobody.
type Died struct {
	At
	By string
}

// Gone is the moment at which the object is not there any more. A later plan is
// that of a new one.
type Gone struct{ At }

// Intent is a write that is about to be sent.
type Intent struct {
	Split Split
	Etag  string
	// Again are the etags of the same split's writes that were announced before it, and
	// whose fate is unknown too: each may be sent again.
	Again []string
}

// announces tells whether it is that of a write.
func (i *Intent) announces(w Write) bool {
	return i != nil && i.Split.equal(w.Split) && (i.Etag == w.Etag || slices.Contains(i.Again, w.Etag))
}

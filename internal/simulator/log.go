package simulator

import (
	"slices"
	"time"
)

// EventKind says what an event tells.
type EventKind string

// The kinds of events in a world's log.
const (
	// EventCall is an API call with its outcome. A parked write appears twice:
	// when it was sent and, marked Late, when it took effect or was refused. So
	// does a duplicated call: first with a lost answer, then marked Again.
	EventCall EventKind = "Call"
	// EventDesired is a new desired split (traffic), from the moment it is accepted.
	EventDesired EventKind = "Desired"
	// EventEffective is a new effective split (trafficStatuses).
	EventEffective EventKind = "Effective"
	// EventSettled is the end of a reconciliation; Text is empty if it succeeded.
	EventSettled EventKind = "Settled"
	// EventRevisionCreated, EventRevisionReady, EventRevisionFailed and
	// EventRevisionLost are the life of a revision.
	EventRevisionCreated EventKind = "RevisionCreated"
	EventRevisionReady   EventKind = "RevisionReady"
	EventRevisionFailed  EventKind = "RevisionFailed"
	EventRevisionLost    EventKind = "RevisionLost"
	// EventInstanceFailed is an instance that did not start; Text says why.
	EventInstanceFailed EventKind = "InstanceFailed"
	// EventTally is a revision's requests in the minute that ends at At.
	EventTally EventKind = "Tally"
	// EventFault is a fault injected or, with Text "cleared", taken back.
	EventFault EventKind = "Fault"
)

// AuthorLatest is the author of an effective split that changed because an
// entry without a revision followed the newest ready one.
const AuthorLatest = "LATEST"

// Event is one line of the world's log. Splits map the short names of revisions
// to percentages, summed per revision, LATEST resolved, zeros left out.
type Event struct {
	Seq      int            `json:"seq"`
	At       time.Time      `json:"at"`
	Kind     EventKind      `json:"kind"`
	Service  string         `json:"service,omitempty"`  // full name
	Revision string         `json:"revision,omitempty"` // short name
	Author   string         `json:"author,omitempty"`   // who changed a split
	Split    map[string]int `json:"split,omitempty"`
	Call     *Call          `json:"call,omitempty"`
	Tally    *Tally         `json:"tally,omitempty"`
	Text     string         `json:"text,omitempty"`
}

// Call is one call of the API: what was asked, what the service was like before
// it was carried out, and what came of it.
type Call struct {
	Operation   string            `json:"operation"` // like services.patch
	Resource    string            `json:"resource"`
	Caller      string            `json:"caller,omitempty"`
	UserAgent   string            `json:"userAgent,omitempty"`
	Mask        []string          `json:"mask,omitempty"`
	Etag        string            `json:"etag,omitempty"`
	Traffic     []TrafficTarget   `json:"traffic,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Template    map[string]string `json:"template,omitempty"` // the annotations of a template
	Body        string            `json:"body,omitempty"`     // as the wire received it
	Filter      string            `json:"filter,omitempty"`   // of a query of Monitoring
	Start       time.Time         `json:"start,omitzero"`     // and its interval
	End         time.Time         `json:"end,omitzero"`
	Before      *State            `json:"before,omitempty"`
	After       *State            `json:"after,omitempty"` // of an accepted write
	Code        int               `json:"code"`            // HTTP status of the answer
	Status      string            `json:"status,omitempty"`
	Message     string            `json:"message,omitempty"`
	Accepted    bool              `json:"accepted,omitempty"` // a write that took effect
	Lost        bool              `json:"lost,omitempty"`     // the caller got no answer
	Late        bool              `json:"late,omitempty"`     // a parked write, now carried out
	Again       bool              `json:"again,omitempty"`    // the second of a call that came twice
	Fault       string            `json:"fault,omitempty"`    // the fault that hit it
}

// State is what matters of a service at one moment.
type State struct {
	Generation  int64           `json:"generation"`
	Etag        string          `json:"etag"`
	Reconciling bool            `json:"reconciling,omitempty"`
	Traffic     []TrafficTarget `json:"traffic"` // as printed
	Desired     map[string]int  `json:"desired"`
	Effective   map[string]int  `json:"effective"`
}

// Tally counts requests. Ended and Failed count a request when its answer is
// sent, as request_count does; Failed are those answered 5xx. Unreached are
// requests that found no instance: users see an error, no metric does.
type Tally struct {
	Arrived   int `json:"arrived"`
	Ended     int `json:"ended"`
	Failed    int `json:"failed"`
	Unreached int `json:"unreached,omitempty"`
}

func (t *Tally) add(o Tally) {
	t.Arrived += o.Arrived
	t.Ended += o.Ended
	t.Failed += o.Failed
	t.Unreached += o.Unreached
}

// Log returns what has happened, oldest first. The slice is the caller's; the
// events are shared and must not be changed.
func (w *World) Log() []Event { return slices.Clone(w.log) }

// LogSince returns the events with a sequence number above seq.
func (w *World) LogSince(seq int) []Event {
	return slices.Clone(w.log[min(max(seq, 0), len(w.log)):])
}

func (w *World) tell(e Event) {
	e.Seq = len(w.log) + 1
	e.At = w.now
	w.log = append(w.log, e)
}

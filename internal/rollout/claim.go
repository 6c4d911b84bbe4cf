package rollout

import "slices"

// Claim is what a service itself says about who moves its traffic. It is written
// only together with a split, has no end, and outlives the status of the object
// that wrote it.
type Claim struct {
	Holder
	Attempt int64
	Seq     int64    // number of the write that carried it
	Stable  string   // the way back of that write
	Latched []string // revisions given up by then
}

// Holder is the object that a claim is about.
type Holder struct {
	Cluster   string // UID of the namespace kube-system
	Namespace string
	Name      string
	UID       string
}

// known tells whether a holder can be told from others.
func (h Holder) known() bool { return h.Cluster != "" && h.UID != "" }

// claim is what the next write says of itself, or nil where nobody knows who we
// are. A write that is sent again is the same to the byte.
func (v view) claim(p Progress, seq int64) *Claim {
	if !v.Self.known() {
		return nil
	}
	return &Claim{Holder: v.Self, Attempt: p.Attempt, Seq: seq, Stable: p.Stable, Latched: slices.Clone(p.Latched)}
}

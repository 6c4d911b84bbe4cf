package cloudrun

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// ClaimKey is the annotation of a service that says who moves its traffic.
const ClaimKey = "rollouts.sluice.dev/claim"

// claim is the annotation's value. Its fields are read by every version of this
// program, so they are only ever added to.
type claim struct {
	Cluster   string   `json:"cluster"`
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	UID       string   `json:"uid"`
	Attempt   int64    `json:"attempt"`
	Since     string   `json:"since,omitempty"` // RFC 3339
	Seq       int64    `json:"seq"`
	Stable    string   `json:"stable"`
	Latched   []string `json:"latched,omitempty"`
	// Split is percent per revision.
	Split map[string]int64 `json:"split,omitempty"`
}

// The lengths that a claim of ours stays within; a longer one would not fit into
// the status of the object that takes it up.
const (
	maxLatched  = 20
	maxRevision = 63
	maxHolder   = 253
	maxUID      = 64
)

func (c claim) bounded() bool {
	long := func(name string) bool { return len(name) > maxRevision }
	for _, percent := range c.Split {
		if percent < 0 || percent > 100 {
			return false
		}
	}
	return len(c.Split) <= maxLatched && !slices.ContainsFunc(slices.Collect(maps.Keys(c.Split)), long) &&
		len(c.Latched) <= maxLatched && !slices.ContainsFunc(c.Latched, long) && !long(c.Stable) &&
		len(c.UID) <= maxUID && len(c.Cluster) <= maxUID && len(c.Name) <= maxHolder && len(c.Namespace) <= maxHolder
}

// printable tells whether every name is one line of text. What is not is no name;
// mended, it could become ours.
func (c claim) printable() bool {
	spoilt := func(name string) bool { return google.Clean(name) != name }
	names := append([]string{c.Cluster, c.Namespace, c.Name, c.UID, c.Stable}, c.Latched...)
	return !slices.ContainsFunc(slices.AppendSeq(names, maps.Keys(c.Split)), spoilt)
}

// since is when the attempt first wrote; the zero time where that is not said the
// way we say it.
func (c claim) since() time.Time {
	at, err := time.Parse(time.RFC3339, c.Since)
	if err != nil || at.UTC().Format(time.RFC3339) != c.Since {
		return time.Time{}
	}
	return at.UTC()
}

// reserved are prefixes of annotations that are Cloud Run's own: v2 refuses them
// in a write (run v2 discovery, Service.annotations).
var reserved = []string{
	"run.googleapis.com/", "cloud.googleapis.com/", "serving.knative.dev/", "autoscaling.knative.dev/",
}

// claimOf reads the claim, and says why one that is there cannot be read.
func claimOf(annotations map[string]string) (*rollout.Claim, string) {
	text, ok := annotations[ClaimKey]
	if !ok {
		return nil, ""
	}
	var c claim
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, "it is not JSON"
	}
	if c.Cluster == "" || c.UID == "" || c.Seq < 0 || c.Attempt < 0 {
		return nil, "it names no cluster and no object"
	}
	if !c.bounded() {
		return nil, "it is longer than any that Sluice writes"
	}
	if !c.printable() {
		return nil, "it names what cannot be a name"
	}
	var split rollout.Split // nil where it is not said
	if len(c.Split) > 0 {
		split = rollout.NewSplit(c.Split)
	}
	return &rollout.Claim{
		Split:   split,
		Holder:  rollout.Holder{Cluster: c.Cluster, Namespace: c.Namespace, Name: c.Name, UID: c.UID},
		Attempt: c.Attempt, Since: c.since(), Seq: c.Seq, Stable: c.Stable, Latched: append([]string{}, c.Latched...),
	}, ""
}

// othersOf are the annotations that a write carries along unchanged.
func othersOf(annotations map[string]string) map[string]string {
	others := maps.Clone(annotations)
	maps.DeleteFunc(others, func(key, _ string) bool {
		for _, prefix := range reserved {
			if strings.HasPrefix(key, prefix) {
				return true
			}
		}
		return key == ClaimKey
	})
	return others
}

// claimed are all the annotations of a write. They are sent whole, because
// whether the mask merges or replaces them is not documented.
func claimed(c rollout.Claim, beside map[string]string) map[string]string {
	since := ""
	if !c.Since.IsZero() {
		since = c.Since.UTC().Format(time.RFC3339)
	}
	percents := map[string]int64{}
	for _, share := range c.Split {
		percents[share.Revision] = share.Percent
	}
	text, err := json.Marshal(claim{
		Since: since, Split: percents,
		Cluster: c.Cluster, Namespace: c.Namespace, Name: c.Name, UID: c.UID,
		Attempt: c.Attempt, Seq: c.Seq, Stable: c.Stable, Latched: c.Latched,
	})
	if err != nil { // cannot be: strings and numbers; the firewall refuses an empty claim
		text = nil
	}
	all := maps.Clone(beside)
	if all == nil {
		all = map[string]string{}
	}
	all[ClaimKey] = string(text)
	return all
}

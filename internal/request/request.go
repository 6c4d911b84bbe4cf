// Package request writes what a person asks of a rollout into annotations, bound to
// what that person saw of it.
package request

import (
	"crypto/rand"
	"strconv"
	"strings"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// Ask is what a person asks of a rollout, before it is written down.
type Ask struct {
	Verb     string   // one of v1alpha1.Verbs
	Modes    []string // of a promote: v1alpha1.ModeFull, v1alpha1.ModeOverride
	Revision string   // that a retry starts, or an undo goes back to; "" leaves it to Sluice
	By       string   // the caller, as the API server names them
	Reason   string   // why, in their words
	ID       string   // tells this request from others; "" makes one
}

// Annotations write a request, bound to what the person saw of a rollout: an
// attempt, and for approve and promote the step. They name every field, those that
// do not apply with "", which counts as absent: set over the annotations of an
// earlier request they leave nothing of it.
func (a Ask) Annotations(seen *v1alpha1.CloudRunRollout) map[string]string {
	attempt, step := "", ""
	if at := seen.Status.Attempt; at != nil && at.ID > 0 && a.Verb != v1alpha1.VerbAdopt {
		attempt = strconv.FormatInt(at.ID, 10)
	}
	if a.Verb == v1alpha1.VerbApprove || a.Verb == v1alpha1.VerbPromote {
		step, _, _ = strings.Cut(seen.Status.Step, "/")
	}
	id := a.ID
	if id == "" {
		id = rand.Text()
	}
	return map[string]string{
		v1alpha1.RequestID:       id,
		v1alpha1.RequestVerb:     a.Verb,
		v1alpha1.RequestAttempt:  attempt,
		v1alpha1.RequestStep:     step,
		v1alpha1.RequestRevision: a.Revision,
		v1alpha1.RequestMode:     strings.Join(a.Modes, ","),
		v1alpha1.RequestReason:   a.Reason,
		v1alpha1.RequestBy:       a.By,
	}
}

// Pending is the request that a rollout carries and that is not answered yet. One
// without an id is not told from those that were.
func Pending(ro *v1alpha1.CloudRunRollout) (Ask, bool) {
	id := ro.Annotations[v1alpha1.RequestID]
	if last := ro.Status.LastRequest; id == "" || last != nil && last.ID == id {
		return Ask{}, false
	}
	return Ask{
		ID: id, Verb: ro.Annotations[v1alpha1.RequestVerb], By: ro.Annotations[v1alpha1.RequestBy], Reason: ro.Annotations[v1alpha1.RequestReason],
	}, true
}

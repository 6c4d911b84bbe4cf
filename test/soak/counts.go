package soak

import (
	"slices"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// counts is what happened how often.
type counts struct {
	passes    int
	faults    map[string]int // acts that were played, by kind
	sometimes map[string]int
}

func newCounts() counts {
	return counts{faults: map[string]int{}, sometimes: map[string]int{}}
}

// The rare paths that must be reached by some seeds.
const (
	backWhileStuck    = "a way back begins while a reconciliation is stuck"
	conflictAtPinning = "409 while traffic is pinned"
	lateAfterAbort    = "a rise lands late, after the candidate was given up"
	deposedRefused    = "the write of a deposed leader is refused by its etag"
	deposedConflict   = "the save of a deposed leader is refused by its version"
	conflictLatched   = "the save of a way back meets a conflict"
	breachAfterDown   = "a way back is the first thing after a downtime"
	resumedAfterEdit  = "a resume takes a foreign edit back"
	rewoundHeld       = "a cache that went back is seen and waited for"
	deletedWhileDown  = "a deletion with a way back while Cloud Run is down"
	deletedBack       = "a deletion sends traffic back"
	interleaved       = "two writes meet, and the second fence tells"
	supersededOnce    = "a candidate is superseded"
	baselineLost      = "the way back is lost"
	stateLost         = "the state is lost, and a person is asked"
	takenUp           = "an attempt is taken up from the claim"
	noDataBack        = "missing data leads back"
	natBack           = "a gateway's trouble leads back"
	// sparedOnce is counted, and need not be reached: only with a neighbour's burst a seed
	// makes users fail from when their gateway suffers on.
	sparedOnce         = "users fail while a gateway suffers, and the candidate is not given up"
	endedByPerson      = "a person's own way back ends an attempt"
	refusedRequest     = "a request for another attempt is refused"
	swallowedSave      = "a save succeeded, and its answer was lost"
	duplicatedWrite    = "a write arrives twice"
	deadlineExceeded   = "a step exceeds its deadline"
	listOfBefore       = "a quota keeps the list out, and the one before is looked at"
	heldByFreeze       = "a freeze holds a rise"
	templateMidway     = "a template is deployed during an attempt"
	templateAgain      = "the answer to a template was lost, and it is not sent again"
	wentBackInGit      = "Git goes back to what stable serves during an attempt"
	promotedInFull     = "a promote goes to the end in one write"
	completedAfterKill = "a rollout is completed by another process than began it"
)

// Sometimes lists them.
var Sometimes = []string{
	backWhileStuck, conflictAtPinning, lateAfterAbort, deposedRefused, deposedConflict, conflictLatched, breachAfterDown, resumedAfterEdit,
	rewoundHeld, deletedWhileDown, deletedBack, interleaved, supersededOnce, baselineLost, stateLost, takenUp, noDataBack, natBack,
	endedByPerson, refusedRequest, swallowedSave, duplicatedWrite, deadlineExceeded, completedAfterKill, listOfBefore, heldByFreeze,
	templateMidway, templateAgain, wentBackInGit, promotedInFull,
}

// counted counts what the world tells.
func (s *stage) counted(e simulator.Event) {
	c, o := &s.count, s.record.object
	if e.Kind != simulator.EventCall || e.Call.Caller != ours {
		return
	}
	if (e.Call.Code >= 500 || e.Call.Lost) && o != nil && !o.DeletionTimestamp.IsZero() {
		c.sometimes[deletedWhileDown]++
	}
	if e.Call.Operation == "services.patch" {
		s.countedWrite(e, o)
	}
}

// countedWrite counts what a write of ours came to.
func (s *stage) countedWrite(e simulator.Event, o *v1alpha1.CloudRunRollout) {
	c := &s.count
	call, by := e.Call, s.processes[e.Call.UserAgent]
	if call.Again && call.Fault != "" {
		c.sometimes[duplicatedWrite]++
	}
	if call.Code == 409 && by != nil && by.deposed && call.Fault == "" {
		c.sometimes[deposedRefused]++
	}
	if o == nil || o.Status.Attempt == nil || call.Before == nil {
		return
	}
	if call.Accepted && len(call.Template) > 0 {
		s.countedTemplate(call, o)
	}
	a := o.Status.Attempt
	if call.Code == 409 && a.Candidate == "" {
		c.sometimes[conflictAtPinning]++
	}
	if call.Late && call.Accepted && slices.Contains(a.Latched, a.Candidate) && raises(call, a.Candidate) {
		c.sometimes[lateAfterAbort]++
	}
}

// countedTemplate counts what a template of ours that was accepted came to.
func (s *stage) countedTemplate(call *simulator.Call, o *v1alpha1.CloudRunRollout) {
	if o.Status.Attempt.Candidate != "" && o.Status.Phase != v1alpha1.PhaseIdle && o.Status.Phase != v1alpha1.PhaseRolledBack &&
		o.Status.Phase != v1alpha1.PhaseCompleted {
		s.count.sometimes[templateMidway]++
	}
	if call.Lost && !call.Late {
		s.count.sometimes[templateAgain]++ // deploysOnce holds it to that
	}
}

// raises tells whether a write gives a revision more.
func raises(call *simulator.Call, revision string) bool {
	return slices.ContainsFunc(call.Traffic, func(t simulator.TrafficTarget) bool {
		return t.Revision == revision && t.Percent > call.Before.Desired[revision]
	})
}

// countSaved counts what a saved status tells.
func (s *stage) countSaved(by *process, was, now *v1alpha1.CloudRunRollout) {
	a := now.Status.Attempt
	if a == nil || was == nil {
		return
	}
	if now.Status.Phase == v1alpha1.PhaseRollingBack && was.Status.Phase != v1alpha1.PhaseRollingBack {
		s.countBack(by, now)
	}
	if note := lastNote(now); strings.Contains(note, "resumed by") && strings.Contains(note, "traffic goes back") && was.Status.Phase == v1alpha1.PhasePaused {
		s.count.sometimes[resumedAfterEdit]++
	}
	if a.AdoptedFrom != "" && (was.Status.Attempt == nil || was.Status.Attempt.AdoptedFrom == "") {
		s.count.sometimes[takenUp]++
	}
	if a.SparedAt != nil && (was.Status.Attempt == nil || was.Status.Attempt.SparedAt == nil) {
		s.count.sometimes[sparedOnce]++
	}
	turned := was.Status.Attempt == nil || was.Status.Attempt.Reason != a.Reason
	if what, rare := rareReasons[a.Reason]; rare && turned {
		s.count.sometimes[what]++
	}
	s.countEnds(by, was, now)
}

// rareReasons are reasons that are rare paths by themselves.
var rareReasons = map[string]string{
	v1alpha1.ReasonOutsideWindow: heldByFreeze, v1alpha1.ReasonBaselineLost: baselineLost, v1alpha1.ReasonStateLost: stateLost, v1alpha1.ReasonStepDeadlineExceeded: deadlineExceeded,
}

// lastNote is the newest entry of the history.
func lastNote(o *v1alpha1.CloudRunRollout) string {
	if n := len(o.Status.History); n > 0 {
		return o.Status.History[n-1].Message
	}
	return ""
}

// countBack counts a way back that begins.
func (s *stage) countBack(by *process, now *v1alpha1.CloudRunRollout) {
	c := &s.count
	if s.reconcilesStuck() {
		c.sometimes[backWhileStuck]++
	} else if by.passes == 1 {
		c.sometimes[breachAfterDown]++
	}
	if !now.DeletionTimestamp.IsZero() {
		c.sometimes[deletedBack]++
	}
	text := strings.ToLower(lastNote(now) + now.Status.Attempt.Cause)
	for part, what := range map[string]string{"superseded": supersededOnce, "nat-": natBack, "no evidence since": noDataBack, "went back to what": wentBackInGit} {
		if strings.Contains(text, part) {
			c.sometimes[what]++
		}
	}
}

// countEnds counts the ends of attempts and requests.
func (s *stage) countEnds(by *process, was, now *v1alpha1.CloudRunRollout) {
	c := &s.count
	a, r := now.Status.Attempt, now.Status.LastRequest
	if answered := r != nil && (was.Status.LastRequest == nil || was.Status.LastRequest.ID != r.ID); answered {
		c.countAnswer(r, now.Annotations[v1alpha1.RequestMode])
	}
	if now.Status.Phase == v1alpha1.PhaseRolledBack && was.Status.Phase != v1alpha1.PhaseRolledBack && was.Status.Phase != v1alpha1.PhaseRollingBack {
		c.sometimes[endedByPerson]++
	}
	if now.Status.Phase == v1alpha1.PhaseCompleted && was.Status.Phase != v1alpha1.PhaseCompleted && a.FirstWrite != nil &&
		by.born.After(a.FirstWrite.Time) {
		c.sometimes[completedAfterKill]++
	}
}

// countAnswer counts what became of a request.
func (c *counts) countAnswer(r *v1alpha1.RequestStatus, mode string) {
	switch {
	case r.Result == v1alpha1.RequestRefused && strings.Contains(r.Message, "was meant"):
		c.sometimes[refusedRequest]++
	case r.Result == v1alpha1.RequestAccepted && r.Verb == v1alpha1.VerbPromote && strings.Contains(mode, v1alpha1.ModeFull):
		c.sometimes[promotedInFull]++
	}
}

// reconcilesStuck tells whether Cloud Run cannot end what it was asked for.
func (s *stage) reconcilesStuck() bool {
	return slices.ContainsFunc(s.acts, func(c *cue) bool {
		return c.gone && c.Deed == Break && c.Fault.Kind == simulator.FaultStuck && s.now().Before(c.played.Add(time.Duration(c.Fault.For)))
	})
}

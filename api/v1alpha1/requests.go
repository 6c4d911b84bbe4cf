package v1alpha1

// A person asks for something by annotations, one for each field. Git tools do
// not undo them, and status.lastRequest answers each id once. Of each value the
// first 128 characters count (MaxRequestField).
const (
	// RequestID makes the request a new one. Absent, it is made from the others.
	RequestID = "request.rollouts.sluice.dev/id"
	// RequestVerb is what is asked for: one of the verbs. Required.
	RequestVerb = "request.rollouts.sluice.dev/verb"
	// RequestAttempt is the status.attempt.id that the person looked at.
	RequestAttempt = "request.rollouts.sluice.dev/attempt"
	// RequestStep is the number before the slash in status.step that the person
	// looked at.
	RequestStep = "request.rollouts.sluice.dev/step"
	// RequestRevision is the revision that a retry starts, or that an undo goes back
	// to. For the other verbs it is the candidate that the person looked at.
	RequestRevision = "request.rollouts.sluice.dev/revision"
	// RequestMode says how far a promote goes: ModeFull, ModeOverride, or both with a
	// comma between them.
	RequestMode = "request.rollouts.sluice.dev/mode"
	// RequestReason is why, in the person's words.
	RequestReason = "request.rollouts.sluice.dev/reason"
	// RequestBy is who asks.
	RequestBy = "request.rollouts.sluice.dev/by"
)

// The verbs of requests.
const (
	// VerbApprove passes one approval, or one step with too few requests.
	VerbApprove = "approve"
	// VerbPromote ends the bake under way and goes to the next weight.
	VerbPromote = "promote"
	// VerbPause keeps traffic from rising until somebody resumes.
	VerbPause = "pause"
	// VerbResume leaves Paused.
	VerbResume = "resume"
	// VerbAbort gives all traffic to stable and the candidate up.
	VerbAbort = "abort"
	// VerbRetry starts a new attempt with a revision that was given up.
	VerbRetry = "retry"
	// VerbUndo gives all traffic back to the stable before the last one.
	VerbUndo = "undo"
	// VerbAdopt takes over a service that another cluster, or another object,
	// claims.
	VerbAdopt = "adopt"
)

// Verbs lists them, in the order of the documentation.
var Verbs = []string{VerbApprove, VerbPromote, VerbPause, VerbResume, VerbAbort, VerbRetry, VerbUndo, VerbAdopt}

// The modes of a promote.
const (
	// ModeFull sends the candidate everything in one write. The last bake stays.
	ModeFull = "full"
	// ModeOverride goes past what the NAT gateways are known to have room for.
	ModeOverride = "override"
)

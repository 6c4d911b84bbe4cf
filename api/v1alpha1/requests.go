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
	// RequestRevision is the revision that a retry starts.
	RequestRevision = "request.rollouts.sluice.dev/revision"
	// RequestReason is why, in the person's words.
	RequestReason = "request.rollouts.sluice.dev/reason"
	// RequestBy is who asks.
	RequestBy = "request.rollouts.sluice.dev/by"
)

// The verbs of requests.
const (
	// VerbApprove passes one approval, or one step with too few requests.
	VerbApprove = "approve"
	// VerbResume leaves Paused.
	VerbResume = "resume"
	// VerbAbort gives all traffic to stable and the candidate up.
	VerbAbort = "abort"
	// VerbAdopt takes over a service that another cluster, or another object,
	// claims.
	VerbAdopt = "adopt"
	// VerbRetry starts a new attempt with a revision that was given up.
	VerbRetry = "retry"
)

package v1alpha1

// Each condition type is followed by its reasons. A reason that can be the
// state of a rollout is the reason of Ready, and of Reconciling or Stalled
// beside it; Reconciling and Stalled are never both present.

// ConditionReady is True when nothing is left to do: the service is settled on
// one revision. It is always present.
const ConditionReady = "Ready"

// The reasons of Ready=True.
const (
	// ReasonSteady: the newest revision serves all traffic already.
	ReasonSteady = "Steady"
	// ReasonCompleted: the candidate passed every step and is the new stable.
	ReasonCompleted = "Completed"
)

// ConditionReconciling is True while a rollout is under way and can go on, by
// itself or with a person's help. It is absent otherwise.
const ConditionReconciling = "Reconciling"

// The reasons of Ready=False with Reconciling=True.
const (
	// ReasonPreparing: a candidate was found, its preconditions are looked at, or
	// its instances are started.
	ReasonPreparing = "Preparing"
	// ReasonProgressing: traffic is being shifted, or a step bakes.
	ReasonProgressing = "Progressing"
	// ReasonDeploying: spec.template was sent, and Cloud Run makes its revision.
	ReasonDeploying = "Deploying"
	// ReasonAwaitingApproval: a person must let the next weight begin.
	ReasonAwaitingApproval = "AwaitingApproval"
	// ReasonHeldByAnalysis: a check holds the step, and may release it.
	ReasonHeldByAnalysis = "HeldByAnalysis"
	// ReasonMetricsUnavailable: metrics are missing, late or partial, or cannot be
	// dated because clocks disagree.
	ReasonMetricsUnavailable = "MetricsUnavailable"
	// ReasonTooFewRequests: the step has not seen enough requests to be judged.
	ReasonTooFewRequests = "TooFewRequests"
	// ReasonAssetsMissed: pages of one revision ask for files of the other, and the split
	// is not widened.
	ReasonAssetsMissed = "AssetsMissed"
	// ReasonWaitingForNat: the NAT gateways cannot give more ports yet.
	ReasonWaitingForNat = "WaitingForNat"
	// ReasonOutsideWindow: a RolloutFreeze holds, or it is outside of strategy.windows, or the
	// apiserver could not be asked for freezes or for access before a rise.
	ReasonOutsideWindow = "OutsideWindow"
	// ReasonPaused: spec.paused or a person's request paused the rollout.
	ReasonPaused = "Paused"
	// ReasonTrafficConflict: someone else changed the traffic split.
	ReasonTrafficConflict = "TrafficConflict"
	// ReasonStepDeadlineExceeded: a step took longer than stepDeadline.
	ReasonStepDeadlineExceeded = "StepDeadlineExceeded"
	// ReasonNoDataDeadlineExceeded: metrics stayed away for longer than
	// onNoData.after.
	ReasonNoDataDeadlineExceeded = "NoDataDeadlineExceeded"
	// ReasonRollingBack: stable was sent all traffic and does not serve it yet.
	ReasonRollingBack = "RollingBack"
)

// ConditionStalled is True when nothing more happens until someone changes the
// spec, the service or its access, or asks for a retry. It is absent otherwise.
const ConditionStalled = "Stalled"

// The reasons of Ready=False with Stalled=True.
const (
	// ReasonRolledBack: the candidate was given up, stable serves all traffic.
	ReasonRolledBack = "RolledBack"
	// ReasonInvalidSpec: the spec cannot be carried out, and the message says
	// what to write.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonTooManyRollouts: the namespace has more rollouts than are followed, and this
	// one is not among the oldest.
	ReasonTooManyRollouts = "TooManyRollouts"
	// ReasonAccessDenied: Google Cloud refuses access, or no CloudRunAccess gives
	// it. During an attempt the rollout is held instead, with Reconciling.
	ReasonAccessDenied = "AccessDenied"
	// ReasonServiceNotFound: there is no such service, or it was created anew.
	ReasonServiceNotFound = "ServiceNotFound"
	// ReasonBaselineUnknown: no one revision serves all traffic, or the one that
	// should is deleted, so there is no way back; spec.stableRevision settles it.
	ReasonBaselineUnknown = "BaselineUnknown"
	// ReasonBaselineLost: the stable revision is gone during an attempt.
	ReasonBaselineLost = "BaselineLost"
	// ReasonStateLost: what was saved of the attempt is missing or too old.
	ReasonStateLost = "StateLost"
	// ReasonNatUnwatched: traffic leaves through NAT and it is not known by which
	// gateway; the message names the field to write or the permission to grant.
	ReasonNatUnwatched = "NatUnwatched"
	// ReasonOwnedElsewhere: another object, or another cluster, moves the service's
	// traffic.
	ReasonOwnedElsewhere = "OwnedElsewhere"
	// ReasonRevisionNotFound: a revision that the spec names does not exist.
	ReasonRevisionNotFound = "RevisionNotFound"
	// ReasonRevisionNotReady: the revision to roll out cannot serve.
	ReasonRevisionNotReady = "RevisionNotReady"
	// ReasonNotDeployed: spec.template is wrong, or may not be deployed; the message says
	// what to write. Or Config Connector does not carry out what a RunService asks for.
	ReasonNotDeployed = "NotDeployed"
)

// ConditionAccepted is True when the spec is valid and its service was found
// and may be changed. GitOps tools that must not wait for hours wait for it.
const ConditionAccepted = "Accepted"

// ReasonAccepted is the reason of Accepted=True. Those of Accepted=False are
// InvalidSpec, TooManyRollouts, AccessDenied, ServiceNotFound, NotDeployed, and OwnedElsewhere: of a service that Config
// Connector keeps, because the target is not its RunService; of a RunService, because
// somebody else's ownership of its traffic refused a write.
const ReasonAccepted = "Accepted"

// ConditionTrafficInSync is True when the split that serves is the one that
// Sluice asked for, or that stood when it first looked.
const ConditionTrafficInSync = "TrafficInSync"

// The reasons of TrafficInSync; TrafficConflict is one of them.
const (
	// ReasonInSync: Cloud Run confirms the split.
	ReasonInSync = "InSync"
	// ReasonUnconfirmed: a split was sent and does not serve yet.
	ReasonUnconfirmed = "Unconfirmed"
	// ReasonTrafficUnknown: the service could not be read.
	ReasonTrafficUnknown = "TrafficUnknown"
)

// ConditionMetricsAvailable is True when every check that applies got an
// answer, and Unknown while none is asked.
const ConditionMetricsAvailable = "MetricsAvailable"

// The reasons of MetricsAvailable; MetricsUnavailable is that of False.
const (
	// ReasonMetricsAvailable: every check that applies got an answer.
	ReasonMetricsAvailable = "MetricsAvailable"
	// ReasonNotMeasured: no attempt is under way, so nothing is asked.
	ReasonNotMeasured = "NotMeasured"
)

// The reasons of events that are transitions. Every other event has the reason
// of the state that was saved.
const (
	// ReasonRolloutStarted: an attempt began.
	ReasonRolloutStarted = "RolloutStarted"
	// ReasonPinned: LATEST was replaced by the revision it resolves to.
	ReasonPinned = "Pinned"
	// ReasonTrafficShifted: a new split was sent.
	ReasonTrafficShifted = "TrafficShifted"
	// ReasonStepPassed: a step has all the healthy minutes it needs.
	ReasonStepPassed = "StepPassed"
	// ReasonSuperseded: a newer revision took the candidate's place.
	ReasonSuperseded = "Superseded"
	// ReasonRequestAccepted: a person's request is followed; the note says whose it
	// is, and what it does.
	ReasonRequestAccepted = "RequestAccepted"
	// ReasonRequestRefused: a person's request was not followed.
	ReasonRequestRefused = "RequestRefused"
	// ReasonClaimMissing: the annotation that says whose the service is was taken
	// away.
	ReasonClaimMissing = "ClaimMissing"
	// ReasonLiteralSecret: a template was deployed in which a literal seems to be a secret.
	ReasonLiteralSecret = "LiteralSecret"
	// ReasonReleased: the object was deleted; the note says where traffic stays.
	ReasonReleased = "Released"
	// ReasonStillWaitingForNat: a rise has waited for a NAT gateway for longer than
	// stepDeadline, and goes on waiting.
	ReasonStillWaitingForNat = "StillWaitingForNat"
	// ReasonWarmupUnavailable: the candidate could not be warmed up, and the first
	// step is the warm-up.
	ReasonWarmupUnavailable = "WarmupUnavailable"
	// ReasonUnownedSplitFailing: a split that we did not write breaches a check.
	ReasonUnownedSplitFailing = "UnownedSplitFailing"
)

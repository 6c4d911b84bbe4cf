package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The limits of what an attempt remembers.
const (
	// MaxIntents limits the writes whose fate may be unknown at once.
	MaxIntents = 4
	// MaxShares limits the shares of a split that is remembered.
	MaxShares = 4
	// MaxLatched limits the memory of revisions given up; the oldest goes first.
	MaxLatched = 20
	// MaxRises limits the rises that are remembered; the oldest goes first.
	MaxRises = 3
)

// Attempt is all that must be remembered of a rollout across a restart. It is
// saved before a write to Cloud Run. All times are whole seconds.
type Attempt struct {
	// id is the number of the attempt, counted from 1. Absent before the first.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ID int64 `json:"id,omitempty"`

	// serviceUID is the service's UID, which tells it from a later one of the
	// same name.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ServiceUID string `json:"serviceUID,omitempty"`

	// seenGeneration is the newest generation of the Cloud Run service that was
	// seen; an older one is a stale read.
	// +optional
	// +kubebuilder:validation:Minimum=0
	SeenGeneration int64 `json:"seenGeneration,omitempty"`

	// reason is the reason of the Ready condition that belongs to phase.
	// +optional
	// +kubebuilder:validation:MaxLength=24
	Reason string `json:"reason,omitempty"`

	// cause is why the candidate was given up, or why a person is waited for, in
	// words. Absent otherwise.
	// +optional
	// +kubebuilder:validation:MaxLength=360
	Cause string `json:"cause,omitempty"`

	// since is when the present phase and reason began.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// baseline is the recorded stable revision. Absent while it is unknown.
	// +optional
	Baseline *Baseline `json:"baseline,omitempty"`

	// settledBy is the spec.stableRevision that was already used.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	SettledBy string `json:"settledBy,omitempty"`

	// deployedTemplate is the digest of the newest spec.template that was seen on the
	// service, or on the revision that serves. It is not deployed again.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	DeployedTemplate string `json:"deployedTemplate,omitempty"`

	// sentTemplate is a spec.template that was sent and was not seen on the service yet.
	// Absent when none is awaited.
	// +optional
	SentTemplate SentTemplate `json:"sentTemplate,omitzero"`

	// candidate is the revision of this attempt, or of the last one.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Candidate string `json:"candidate,omitempty"`

	// requested is the revision that a retry asked for. Absent when none did.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Requested string `json:"requested,omitempty"`

	// step is the step under way, counted from 1. Absent before the first.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	Step int32 `json:"step,omitempty"`

	// waitingSince is since when the next rise waits for a NAT gateway. Of the
	// rollouts behind one, the one that waits longest comes first. Absent while it
	// does not wait.
	// +optional
	WaitingSince *metav1.Time `json:"waitingSince,omitempty"`

	// longWaitTold is True once it was told that this is longer than stepDeadline.
	// Absent otherwise.
	// +optional
	// +kubebuilder:validation:Enum="True"
	LongWaitTold string `json:"longWaitTold,omitempty"`

	// hotSince is when traffic was last raised behind NAT, until the gateways
	// first report a complete minute of it. Absent otherwise.
	// +optional
	HotSince *metav1.Time `json:"hotSince,omitempty"`

	// rises are the newest rises of the candidate's weight in this attempt, oldest
	// first, at most 3. Their times tell whether a gateway's trouble is the
	// candidate's, and for how much of the traffic stable still has instances.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=3
	Rises []Rise `json:"rises,omitempty"`

	// othersHotSince is when another rollout behind the same NAT gateway raised its
	// traffic, or went back. Absent when none did.
	// +optional
	OthersHotSince *metav1.Time `json:"othersHotSince,omitempty"`

	// othersHotUntil is until when others' rises were not seen in the gateway's
	// metrics yet.
	// +optional
	OthersHotUntil *metav1.Time `json:"othersHotUntil,omitempty"`

	// trial is an experiment: the candidate went back by one weight, to see whether
	// a gateway's trouble that nobody can explain stops. Absent when none was made.
	// +optional
	Trial Trial `json:"trial,omitzero"`

	// retreat is a way back in steps that is under way. Absent otherwise.
	// +optional
	Retreat Retreat `json:"retreat,omitzero"`

	// calledAt is when a person was last called for a gateway's trouble.
	// +optional
	CalledAt *metav1.Time `json:"calledAt,omitempty"`

	// sparedAt is when everything went back to stable and nothing was given up, because
	// users failed while a gateway suffered that the candidate may have nothing to do
	// with. That is done once in an attempt. Absent when it was not.
	// +optional
	SparedAt *metav1.Time `json:"sparedAt,omitempty"`

	// accusedAt is the end of the minute that put a check of the users in breach, while
	// everything goes back and it is open whether the candidate is given up: a gateway
	// whose ports or addresses grow has not told yet whether it dropped packets then.
	// Absent otherwise.
	// +optional
	AccusedAt *metav1.Time `json:"accusedAt,omitempty"`

	// firstWrite is when the attempt first moved traffic.
	// +optional
	FirstWrite *metav1.Time `json:"firstWrite,omitempty"`

	// effectiveSince is when the step's split was first seen to serve.
	// +optional
	EffectiveSince *metav1.Time `json:"effectiveSince,omitempty"`

	// evidenceSince is when the step before this one began to serve, in the first step
	// when that one did, or later where somebody else's split was in between, or when
	// the first write was sent, where that is all the claim on the service tells. What
	// served since then is judged again, in case its data came late.
	// +optional
	EvidenceSince *metav1.Time `json:"evidenceSince,omitempty"`

	// judgedThrough is the end of the newest minute of the step that every check
	// has judged. What ended after it is judged minute by minute, however long
	// nobody looked.
	// +optional
	JudgedThrough *metav1.Time `json:"judgedThrough,omitempty"`

	// lowered is when a write last gave traffic back to stable, or, where that is
	// later, when stable was last seen to have got some back, whoever gave it.
	// +optional
	Lowered *metav1.Time `json:"lowered,omitempty"`

	// bakedMinutes is how many complete, healthy minutes the step has.
	// +optional
	// +kubebuilder:validation:Minimum=0
	BakedMinutes int32 `json:"bakedMinutes,omitempty"`

	// confirmed is the last split of ours that was seen to serve, or the one that
	// a rollback leaves. Of a split of more than 4 revisions only the shares of
	// the candidate and of stable are kept, and one that stands for all others.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	Confirmed []Share `json:"confirmed,omitempty"`

	// intents are the writes that were decided and not yet seen to serve, the
	// newest last, at most 4. By them Sluice knows its own split again when the
	// answer to a write was lost.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	Intents []Intent `json:"intents,omitempty"`

	// seq is the number of the last write to the service that was decided. It is
	// part of the claim on the service, by which a lost or old status is noticed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Seq int64 `json:"seq,omitempty"`

	// adoptedFrom is the UID of the object whose claim on the service was taken
	// over. Absent when none was, and once the service carries our own claim.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	AdoptedFrom string `json:"adoptedFrom,omitempty"`

	// claimMissing is True once it was told that our claim was taken off the
	// service. Absent otherwise.
	// +optional
	// +kubebuilder:validation:Enum="True"
	ClaimMissing string `json:"claimMissing,omitempty"`

	// taggedRevision is the revision that carries our traffic tag.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	TaggedRevision string `json:"taggedRevision,omitempty"`

	// warmup is what was done to start the candidate's own minimum of instances
	// before its first step. Absent when nothing was.
	// +optional
	Warmup AttemptWarmup `json:"warmup,omitzero"`

	// latched are the revisions that were given up, the newest last, at most
	// 20. Only a person's retry lifts it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=63
	Latched []string `json:"latched,omitempty"`

	// approvedWeight is the weight in percent that a person let the candidate
	// have. Smaller weights on the way to it are approved with it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	ApprovedWeight int32 `json:"approvedWeight,omitempty"`

	// approvedThin is the step that a person let pass with too few requests.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	ApprovedThin int32 `json:"approvedThin,omitempty"`

	// promotedWeight is the weight in percent of a promote that was not seen to
	// serve yet. Absent otherwise.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	PromotedWeight int32 `json:"promotedWeight,omitempty"`

	// promotedFull is True where that promote is one to the end, whatever the steps
	// between say. Absent otherwise.
	// +optional
	// +kubebuilder:validation:Enum="True"
	PromotedFull string `json:"promotedFull,omitempty"`

	// natOverridden is True where that promote goes past what the NAT gateways are
	// known to have room for. Absent otherwise.
	// +optional
	// +kubebuilder:validation:Enum="True"
	NatOverridden string `json:"natOverridden,omitempty"`

	// formerStable is the revision that was stable before this attempt completed,
	// to which an undo goes back. Absent otherwise.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	FormerStable string `json:"formerStable,omitempty"`

	// noDataSince is when metrics went away. Absent while they are there.
	// +optional
	NoDataSince *metav1.Time `json:"noDataSince,omitempty"`

	// deadlineSpentSeconds is how much of stepDeadline the step had used when
	// the stopwatch last stopped.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DeadlineSpentSeconds int64 `json:"deadlineSpentSeconds,omitempty"`

	// deadlineRunningSince is when the stopwatch of stepDeadline was started.
	// Absent while it stands, as it does when a person is waited for.
	// +optional
	DeadlineRunningSince *metav1.Time `json:"deadlineRunningSince,omitempty"`
}

// Baseline is the recorded stable revision.
type Baseline struct {
	// revision is the short name of the stable revision.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Revision string `json:"revision"`

	// cutoff is Cloud Run's creation time of the newest revision that existed
	// when stable was recorded: only later ones are candidates by themselves.
	// +optional
	Cutoff *metav1.Time `json:"cutoff,omitempty"`
}

// Share is a revision's part of the traffic.
type Share struct {
	// revision is the short name of the revision. Where a share stands for many
	// it is "others:", their number, ":" and a digest of the whole split.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Revision string `json:"revision"`

	// percent is its share in percent, 1 to 100.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Percent int32 `json:"percent,omitempty"`
}

// Rise is a higher weight that was written.
type Rise struct {
	// at is when it was decided.
	// +required
	At metav1.Time `json:"at"`

	// from is the candidate's percent before it, 0 to 99.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=99
	From int32 `json:"from"`
}

// Trial is a lower weight that shows whose a gateway's trouble is.
type Trial struct {
	// at is when the lower weight was decided.
	// +required
	At metav1.Time `json:"at"`

	// from is the candidate's percent before it, 1 to 100.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	From int32 `json:"from,omitempty"`

	// to is the lower percent, 0 to 99.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=99
	To int32 `json:"to"`

	// since is when it was first seen to serve. Absent before.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// role is Bystander once the trouble outlasted all that the candidate could have
	// left behind. Absent before.
	// +optional
	// +kubebuilder:validation:Enum=Bystander
	Role string `json:"role,omitempty"`
}

// Retreat is a way back in at most three writes.
type Retreat struct {
	// began is when the first write was decided.
	// +required
	Began metav1.Time `json:"began"`

	// last is when the latest write was decided.
	// +required
	Last metav1.Time `json:"last"`

	// sent is how many writes there were, 1 to 3.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3
	Sent int32 `json:"sent,omitempty"`

	// weight is the candidate's percent that the latest write asks for, 1 to 99.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=99
	Weight int32 `json:"weight,omitempty"`
}

// AttemptWarmup is what was done to start the candidate's own minimum of instances
// before its first step.
type AttemptWarmup struct {
	// tagged is the revision that carries the traffic tag sluice-candidate, or is
	// about to. It may outlive the attempt, until the tag is gone.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Tagged string `json:"tagged,omitempty"`

	// since is when the tag was decided. Absent when none is wanted.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// over is when the first step waited for the instances no longer. Absent before.
	// +optional
	Over *metav1.Time `json:"over,omitempty"`
}

// Intent is a write that was decided. It is saved before it is sent.
type Intent struct {
	// split is what the write asks for.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	Split []Share `json:"split,omitempty"`

	// baseEtag is the version of the service that it was decided on.
	// +required
	// +kubebuilder:validation:MaxLength=256
	BaseEtag string `json:"baseEtag"`

	// baseGeneration is the generation of the service that it was decided on.
	// +required
	// +kubebuilder:validation:Minimum=0
	BaseGeneration int64 `json:"baseGeneration"`

	// seq is the number of the write.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Seq int64 `json:"seq,omitempty"`

	// savedAt is when it was decided.
	// +required
	SavedAt metav1.Time `json:"savedAt"`
}

// SentTemplate is a template on its way to the service.
//
// +kubebuilder:validation:MinProperties=1
type SentTemplate struct {
	// digest tells which one it is. Required.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Digest string `json:"digest,omitempty"`

	// at is when it was last sent. Required.
	// +required
	At metav1.Time `json:"at,omitzero"`

	// times is how often it was sent, at least once. Required.
	// +required
	// +kubebuilder:validation:Minimum=1
	Times int32 `json:"times,omitempty"`

	// before are the digests of those that were sent before it and were not seen either,
	// newest first.
	// +optional
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=16
	// +listType=atomic
	Before []string `json:"before,omitempty"`
}

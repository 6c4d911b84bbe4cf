package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The limits of status, in characters and items. kube-apiserver refuses a
// status that exceeds them, so whoever writes one keeps to them. Together they
// keep the largest status under 32 KiB, at one byte a character: what is said
// once for the reader, such as a condition's message, may be longer than what is
// there many times, such as an entry of history.
const (
	// MaxConditionMessage limits the message of a condition.
	MaxConditionMessage = 896
	// MaxNextAction limits nextAction.
	MaxNextAction = 400
	// MaxMeasure limits what a check measured, and what it allows.
	MaxMeasure = 32
	// MaxMessage limits every other message, but for those of history.
	MaxMessage = 200
	// MaxHistoryMessage limits the messages of history, of which there are most.
	MaxHistoryMessage = 120
	// MaxCause limits attempt.cause.
	MaxCause = 360
	// MaxReason limits a reason that is saved beside the conditions. The longest has 22.
	MaxReason = 24
	// MaxRequestField limits what of a request's annotations is kept.
	MaxRequestField = 128
	// MaxRequestVerb limits what of a request's verb is kept.
	MaxRequestVerb = 32
	// MaxRevisionName limits the name of a revision: a DNS label.
	MaxRevisionName = 63
	// MaxImage limits the name of an image.
	MaxImage = 320
	// MaxGateways limits the gateways that are shown and remembered.
	MaxGateways = 4
	// MaxAdvice limits the findings.
	MaxAdvice = 6
	// MaxAdviceCode limits the name of a finding.
	MaxAdviceCode = 32
	// MaxHistory limits the entries of history.
	MaxHistory = 20
)

// CloudRunRolloutStatus says where a rollout stands.
type CloudRunRolloutStatus struct {
	// observedGeneration is the metadata.generation that status describes; -1
	// before the first look. A lower number than metadata.generation means that
	// the newest spec was not seen yet.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Ready, Reconciling, Stalled, Accepted, TrafficInSync and
	// MetricsAvailable. Their reasons are documented in docs/conditions.md.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=6
	// +kubebuilder:validation:XValidation:rule="self.all(c, c.message.size() <= 896 && c.reason.size() <= 64)",message="a condition's message has at most 896 characters and its reason at most 64: shorten them"
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// phase is where the rollout stands, in one word. Absent before the first
	// look.
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// step is the step under way and the number of steps, such as "2/4"; at a
	// weight that was inserted before it, such as "2/4, 15% on the way to 25%".
	// Absent outside an attempt.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Step string `json:"step,omitempty"`

	// weight is the candidate's share of the traffic as Cloud Run reports it,
	// such as "25%". Absent outside an attempt.
	// +optional
	// +kubebuilder:validation:MaxLength=4
	Weight string `json:"weight,omitempty"`

	// stable is the revision to go back to. Absent while it is unknown.
	// +optional
	Stable *RevisionStatus `json:"stable,omitempty"`

	// candidate is the revision being rolled out, or the last one that was.
	// Absent while there was none.
	// +optional
	Candidate *RevisionStatus `json:"candidate,omitempty"`

	// attempt is all that Sluice must remember of the rollout across a restart.
	// Absent before the first look.
	// +optional
	Attempt *Attempt `json:"attempt,omitempty"`

	// nextAction is a sentence that says what happens next and when, and what a
	// person can do. At most 400 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=400
	NextAction string `json:"nextAction,omitempty"`

	// checks are the verdicts on the step under way, one for each check that is
	// not Off, at most 11. Absent outside an attempt.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=11
	Checks []CheckStatus `json:"checks,omitempty"`

	// gateways are the NAT gateways that the attempt watches, at most 4. Absent
	// outside an attempt.
	// +optional
	// +listType=map
	// +listMapKey=project
	// +listMapKey=region
	// +listMapKey=router
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=4
	Gateways []GatewayStatus `json:"gateways,omitempty"`

	// advice is what was found about the service that a release can suffer from,
	// at most 6 findings. It has no effect. Absent when nothing was found.
	// +optional
	// +listType=map
	// +listMapKey=code
	// +kubebuilder:validation:MaxItems=6
	Advice []Advice `json:"advice,omitempty"`

	// lastRequest is the answer to the newest request of a person. Absent while
	// there was none.
	// +optional
	LastRequest *RequestStatus `json:"lastRequest,omitempty"`

	// history is what happened, the newest entry last, at most 20 entries; it
	// outlives events.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	History []HistoryEntry `json:"history,omitempty"`
}

// Phase is where a rollout stands.
//
// +kubebuilder:validation:Enum=Idle;Checking;WarmingUp;Shifting;Baking;AwaitingApproval;Held;Paused;RollingBack;RolledBack;Completed
type Phase string

// The phases.
const (
	// PhaseIdle: there is nothing to roll out, or it cannot begin.
	PhaseIdle Phase = "Idle"
	// PhaseChecking: a candidate was found and its preconditions are looked at.
	PhaseChecking Phase = "Checking"
	// PhaseWarmingUp: the candidate's own minimum of instances is started before
	// its first step.
	PhaseWarmingUp Phase = "WarmingUp"
	// PhaseShifting: a split was sent and does not serve yet.
	PhaseShifting Phase = "Shifting"
	// PhaseBaking: a split serves and evidence about it is gathered.
	PhaseBaking Phase = "Baking"
	// PhaseAwaitingApproval: a person must let the next weight begin.
	PhaseAwaitingApproval Phase = "AwaitingApproval"
	// PhaseHeld: waits for the world, and goes on by itself.
	PhaseHeld Phase = "Held"
	// PhasePaused: waits for a person.
	PhasePaused Phase = "Paused"
	// PhaseRollingBack: stable was sent all traffic and does not serve it yet.
	PhaseRollingBack Phase = "RollingBack"
	// PhaseRolledBack: stable serves all traffic, the candidate was given up.
	PhaseRolledBack Phase = "RolledBack"
	// PhaseCompleted: the candidate became stable.
	PhaseCompleted Phase = "Completed"
)

// RevisionStatus is a revision and what it serves.
type RevisionStatus struct {
	// revision is the short name of the revision.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Revision string `json:"revision"`

	// percent is its share of the traffic in percent, as Cloud Run reports it.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent int32 `json:"percent"`

	// image is its first container's image. Absent when it could not be read.
	// +optional
	// +kubebuilder:validation:MaxLength=320
	Image string `json:"image,omitempty"`
}

// CheckStatus is what a check says about the step under way.
type CheckStatus struct {
	// name is the check's name.
	// +required
	// +kubebuilder:validation:MaxLength=40
	Name string `json:"name"`

	// source is the revision or NAT gateway that the verdict is about. Absent
	// when the check is not applicable.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Source string `json:"source,omitempty"`

	// verdict is what the evidence says; only Pass and NotApplicable let a step
	// end.
	// +required
	Verdict Verdict `json:"verdict,omitempty"`

	// cause is why there are no data; message says more. Absent unless verdict is
	// NoData.
	// +optional
	Cause NoDataCause `json:"cause,omitempty"`

	// mode is Enforce, or Shadow for a verdict without effect.
	// +required
	Mode CheckMode `json:"mode,omitempty"`

	// value is what was measured, with its unit, such as "0.4%".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Value string `json:"value,omitempty"`

	// limit is what is allowed, with its unit, such as "1%".
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Limit string `json:"limit,omitempty"`

	// samples is how many requests were judged. Absent for checks that do not
	// count requests.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Samples int64 `json:"samples,omitempty"`

	// required is how many requests the step needs. Absent for checks that do
	// not count requests.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Required int64 `json:"required,omitempty"`

	// observedThrough is the end of the newest minute that was judged. It lies
	// behind the clock by the metric's delay. Absent before the first one.
	// +optional
	ObservedThrough *metav1.Time `json:"observedThrough,omitempty"`

	// breachedSince is when the breach was noticed: minutes after it began, because
	// metrics are late. Absent without a breach.
	// +optional
	BreachedSince *metav1.Time `json:"breachedSince,omitempty"`

	// message is the verdict in words: number, limit, source.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	Message string `json:"message,omitempty"`
}

// Verdict is what the evidence says.
//
// +kubebuilder:validation:Enum=Pass;Breach;NoData;Incomplete;Insufficient;Undecided;NotApplicable
type Verdict string

// The verdicts.
const (
	// VerdictPass: enough evidence, within the limit.
	VerdictPass Verdict = "Pass"
	// VerdictBreach: certainly over the limit.
	VerdictBreach Verdict = "Breach"
	// VerdictNoData: the metric does not answer, or its silence is unexplained.
	VerdictNoData Verdict = "NoData"
	// VerdictIncomplete: the first minute of the step has not arrived yet.
	VerdictIncomplete Verdict = "Incomplete"
	// VerdictInsufficient: too few requests to say anything.
	VerdictInsufficient Verdict = "Insufficient"
	// VerdictUndecided: enough requests, over the limit, but not certainly.
	VerdictUndecided Verdict = "Undecided"
	// VerdictNotApplicable: there is nothing to watch; the message says why.
	VerdictNotApplicable Verdict = "NotApplicable"
)

// NoDataCause is why a check has no data.
//
// +kubebuilder:validation:Enum=NoTraffic;DataLate;SeriesAbsent;AccessDenied;QuotaExceeded;Unavailable;PartialResult;UnusableValues;AmbiguousName;QueryRefused;NotAsked;GatewayUnread
type NoDataCause string

// The causes.
const (
	// CauseNoTraffic: instances report, and neither revision gets requests.
	CauseNoTraffic NoDataCause = "NoTraffic"
	// CauseDataLate: the series was seen in this attempt, and is not any more.
	CauseDataLate NoDataCause = "DataLate"
	// CauseSeriesAbsent: the series was never seen.
	CauseSeriesAbsent NoDataCause = "SeriesAbsent"
	// CauseAccessDenied: metrics may not be read.
	CauseAccessDenied NoDataCause = "AccessDenied"
	// CauseQuotaExceeded: too many queries were made.
	CauseQuotaExceeded NoDataCause = "QuotaExceeded"
	// CauseUnavailable: Cloud Monitoring does not answer.
	CauseUnavailable NoDataCause = "Unavailable"
	// CausePartialResult: it answers in part.
	CausePartialResult NoDataCause = "PartialResult"
	// CauseUnusableValues: values of another type or unit, or negative ones.
	CauseUnusableValues NoDataCause = "UnusableValues"
	// CauseAmbiguousName: several gateways have the name.
	CauseAmbiguousName NoDataCause = "AmbiguousName"
	// CauseQueryRefused: it refuses the query.
	CauseQueryRefused NoDataCause = "QueryRefused"
	// CauseNotAsked: the service could not be read, so nothing was asked.
	CauseNotAsked NoDataCause = "NotAsked"
	// CauseGatewayUnread: it is not known what the NAT gateway has to give.
	CauseGatewayUnread NoDataCause = "GatewayUnread"
)

// GatewayStatus is what is known of a NAT gateway that an attempt watches.
type GatewayStatus struct {
	// project is the ID of the project of the gateway's router.
	// +required
	// +kubebuilder:validation:MaxLength=30
	Project string `json:"project"`

	// region is the region of the gateway's router.
	// +required
	// +kubebuilder:validation:MaxLength=32
	Region string `json:"region"`

	// router is the name of the Cloud Router.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Router string `json:"router"`

	// name is the name of the gateway on that router.
	// +required
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`

	// origin says how the gateway is known: Named in spec.nat.gateways, or
	// Discovered.
	// +required
	Origin GatewayOrigin `json:"origin,omitempty"`

	// addressing says how the gateway gets its addresses: Manual, or Automatic,
	// where it gets more when it needs them and so has no fixed capacity. Absent
	// when it is not known.
	// +optional
	Addressing GatewayAddressing `json:"addressing,omitempty"`

	// ips is the number of the gateway's addresses now. Absent when it is not
	// known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	IPs int32 `json:"ips,omitempty"`

	// portsPerEndpoint is the number of ports that an instance gets when it
	// starts. Absent when it is not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	PortsPerEndpoint int32 `json:"portsPerEndpoint,omitempty"`

	// endpoints is the number of instances and machines that have ports now.
	// Absent when it is not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Endpoints *int32 `json:"endpoints,omitempty"`

	// capacity is the number of ports of one protocol that the gateway's
	// addresses have: 64,512 each. Absent when it is not known or not fixed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Capacity *int32 `json:"capacity,omitempty"`

	// allocated is the number of ports that were allocated in the newest minute
	// that is known. Absent when none is.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Allocated *int32 `json:"allocated,omitempty"`

	// forecast is the number of ports that there must be, beside the reserve, for
	// the next weight: those that are allocated, those that other rollouts may
	// still take, and those that the step may. Absent when nothing is forecast.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Forecast *int32 `json:"forecast,omitempty"`

	// headroom is the number of ports that the rollout may still take: the
	// capacity without what is allocated, without what other rollouts may still
	// take, and without the reserve. Absent when it is not known or not bounded.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Headroom *int32 `json:"headroom,omitempty"`

	// claimed is the number of ports that the last rise may still take, or that
	// the next one would where it waits. Other rollouts behind the gateway reckon
	// with it. Absent when there is neither.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Claimed int32 `json:"claimed,omitempty"`

	// growing is True where the gateway was last read to give more as more is needed,
	// ports to an endpoint or addresses to all: it drops packets until it has. Absent
	// otherwise.
	// +optional
	// +kubebuilder:validation:Enum="True"
	Growing string `json:"growing,omitempty"`

	// observedThrough is the end of the minute of allocated, or else when the
	// gateway was read. Absent before the first look.
	// +optional
	ObservedThrough *metav1.Time `json:"observedThrough,omitempty"`
}

// GatewayOrigin says how a gateway is known.
//
// +kubebuilder:validation:Enum=Named;Discovered
type GatewayOrigin string

// The values of GatewayOrigin.
const (
	// OriginNamed is named in spec.nat.gateways.
	OriginNamed GatewayOrigin = "Named"
	// OriginDiscovered was found by the way that the revisions' traffic takes.
	OriginDiscovered GatewayOrigin = "Discovered"
)

// GatewayAddressing says how a gateway gets its addresses.
//
// +kubebuilder:validation:Enum=Manual;Automatic
type GatewayAddressing string

// The values of GatewayAddressing.
const (
	// AddressingManual has the addresses that its owner gave it.
	AddressingManual GatewayAddressing = "Manual"
	// AddressingAutomatic gets more addresses when it needs them.
	AddressingAutomatic GatewayAddressing = "Automatic"
)

// Advice is a finding about a service that a release can suffer from.
type Advice struct {
	// code is the finding in one word.
	// +required
	// +kubebuilder:validation:MaxLength=32
	Code string `json:"code"`

	// message says what was found, and what to write.
	// +required
	// +kubebuilder:validation:MaxLength=200
	Message string `json:"message"`
}

// RequestStatus is the answer to a person's request.
type RequestStatus struct {
	// id is the request's id, as the annotation gave it.
	// +required
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id"`

	// verb is what was asked for.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Verb string `json:"verb,omitempty"`

	// result says whether the request was followed.
	// +required
	Result RequestResult `json:"result,omitempty"`

	// message says what was done, or why nothing was.
	// +optional
	// +kubebuilder:validation:MaxLength=200
	Message string `json:"message,omitempty"`

	// time is when the request was answered.
	// +required
	Time metav1.Time `json:"time"`
}

// RequestResult says whether a request was followed.
//
// +kubebuilder:validation:Enum=Accepted;Refused
type RequestResult string

// The values of RequestResult.
const (
	// RequestAccepted followed the request.
	RequestAccepted RequestResult = "Accepted"
	// RequestRefused did nothing; the message says why.
	RequestRefused RequestResult = "Refused"
)

// HistoryEntry is one thing that happened.
type HistoryEntry struct {
	// time is when it happened.
	// +required
	Time metav1.Time `json:"time"`

	// reason is the reason of the event that told it.
	// +required
	// +kubebuilder:validation:MaxLength=24
	Reason string `json:"reason"`

	// message says what happened, with the number that decided.
	// +optional
	// +kubebuilder:validation:MaxLength=120
	Message string `json:"message,omitempty"`

	// step is the step it happened in, such as "2/4". Absent outside an attempt.
	// +optional
	// +kubebuilder:validation:MaxLength=5
	Step string `json:"step,omitempty"`

	// weight is the candidate's share then, such as "25%". Absent outside an
	// attempt.
	// +optional
	// +kubebuilder:validation:MaxLength=4
	Weight string `json:"weight,omitempty"`

	// revision is the candidate then. Absent when there was none.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Revision string `json:"revision,omitempty"`
}

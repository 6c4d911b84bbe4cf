package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// CloudRunRollout rolls out new revisions of one Cloud Run service in one
// location, step by step, and goes back when a check is breached. A manifest
// that names only spec.target is a safe rollout.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=crr,categories=sluice,scope=Namespaced
// +kubebuilder:selectablefield:JSONPath=`.spec.target.service.project`
// +kubebuilder:selectablefield:JSONPath=`.spec.target.service.location`
// +kubebuilder:selectablefield:JSONPath=`.spec.target.service.name`
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.spec.target['service','runServiceRef'].name`
// +kubebuilder:printcolumn:name="Step",type=string,JSONPath=`.status.step`
// +kubebuilder:printcolumn:name="Weight",type=string,JSONPath=`.status.weight`
// +kubebuilder:printcolumn:name="Candidate",type=string,JSONPath=`.status.candidate.revision`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Since",type=date,JSONPath=`.status.conditions[?(@.type=="Ready")].lastTransitionTime`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Region",type=string,priority=1,JSONPath=`.spec.target.service.location`
// +kubebuilder:printcolumn:name="Stable",type=string,priority=1,JSONPath=`.status.stable.revision`
// +kubebuilder:printcolumn:name="Next",type=string,priority=1,JSONPath=`.status.nextAction`
// +kubebuilder:printcolumn:name="Ready",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
type CloudRunRollout struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard metadata of every object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says which service is rolled out, and how. Required; only
	// spec.target has no default.
	// +required
	Spec CloudRunRolloutSpec `json:"spec"`

	// status says where the rollout stands. Sluice writes it, and reads it
	// again after a restart; changes made by anyone else are a mistake.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status CloudRunRolloutStatus `json:"status,omitzero"`
}

// CloudRunRolloutList is a list of CloudRunRollout.
//
// +kubebuilder:object:root=true
type CloudRunRolloutList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []CloudRunRollout `json:"items"`
}

// CloudRunRolloutSpec is what the owner of a service asks for.
//
// +kubebuilder:validation:XValidation:rule="!has(self.target.service) || !has(self.candidateRevision) || self.candidateRevision.size() == 0 || self.candidateRevision.startsWith(self.target.service.name + '-')",fieldPath=".candidateRevision",message="candidateRevision must be a revision of the target service: write its full name, which begins with the service's name and a hyphen"
// +kubebuilder:validation:XValidation:rule="!has(self.target.service) || !has(self.stableRevision) || self.stableRevision.size() == 0 || self.stableRevision.startsWith(self.target.service.name + '-')",fieldPath=".stableRevision",message="stableRevision must be a revision of the target service: write its full name, which begins with the service's name and a hyphen"
// +kubebuilder:validation:XValidation:rule="!has(self.nat) || !has(self.nat.discovery) || self.nat.discovery != 'Off' || !has(self.analysis) || !has(self.analysis.checks) || !self.analysis.checks.exists(c, c.name == 'errors') || self.analysis.checks.exists(c, !(c.name in ['nat-allocation', 'nat-drops']) && !has(c.natAllocationFailures) && !has(c.natDroppedPackets) && !has(c.natPortUtilization) && (!has(c.mode) || c.mode == 'Enforce'))",fieldPath=".analysis.checks",message="with nat.discovery \"Off\" no NAT check runs and all others are Off or Shadow, so nothing would stop a bad revision: write mode: Enforce in a check that does not watch NAT, or leave errors out of the list, which keeps it on"
// +kubebuilder:validation:XValidation:rule="!has(self.template) || !has(self.target.runServiceRef)",fieldPath=".template",message="template is not for a runServiceRef target, whose revisions Config Connector makes: change the RunService's spec.template instead, and remove template here"
// +kubebuilder:validation:XValidation:rule="!has(self.template) || !has(self.candidateRevision) || self.candidateRevision.size() == 0",fieldPath=".candidateRevision",message="candidateRevision and template exclude each other: remove candidateRevision to deploy the template, or remove template to roll out a revision that exists"
type CloudRunRolloutSpec struct {
	// target names what is rolled out: exactly one member must be set.
	// Required and immutable; another service needs another CloudRunRollout.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="target is immutable: create another CloudRunRollout for another service, and delete this one if it is not needed any more"
	Target Target `json:"target"`

	// paused lets no weight rise while it is true; checks still roll back. It is
	// the pause for Git. An operator's pause is a request, which Git does not undo.
	// Default false.
	// +optional
	Paused bool `json:"paused,omitempty"`

	// candidateRevision is the full name of the one revision to roll out, such
	// as graphql-api-00042-abc. At most 63 characters. Absent or empty, each
	// new ready revision that was created after the stable one was recorded is
	// rolled out.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z]([-a-z0-9]*[a-z0-9])?)?$')",message="candidateRevision must be the full name of a revision, such as graphql-api-00042-abc: lowercase letters, digits and hyphens"
	CandidateRevision string `json:"candidateRevision,omitempty"`

	// stableRevision is the full name of the revision to go back to, such as
	// graphql-api-00041-xyz. Write it only to settle a rollout that says
	// BaselineUnknown or TrafficConflict; it is used once. At most 63
	// characters. Absent or empty, stable is the one revision that serves all
	// traffic when the rollout begins.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z]([-a-z0-9]*[a-z0-9])?)?$')",message="stableRevision must be the full name of a revision, such as graphql-api-00041-xyz: lowercase letters, digits and hyphens"
	StableRevision string `json:"stableRevision,omitempty"`

	// template has Sluice deploy the revision too: the template of the service's next
	// revision in the JSON of the Cloud Run API, a GoogleCloudRunV2RevisionTemplate
	// (https://cloud.google.com/run/docs/reference/rest/v2/RevisionTemplate), such as
	// {containers: [{image: "...@sha256:..."}]}. It is the whole template: what is not
	// written has Cloud Run's default, not what the service had. Each template is
	// deployed once, while its traffic is pinned and nothing moves, and the
	// revision gets its traffic in steps like any other. At most 64 KiB; without
	// revision, because Cloud Run names revisions; fields are checked strictly, and
	// what is wrong is told in the condition Accepted and by kubectl sluice lint.
	// Secrets belong in valueSource.secretKeyRef: whoever may read this object reads
	// what is written here. It needs mayDeploy of a CloudRunAccess, and excludes
	// candidateRevision; for a runServiceRef target change the RunService instead.
	// Absent: revisions are made by somebody else.
	// +optional
	// +structType=atomic
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Template *runtime.RawExtension `json:"template,omitempty"`

	// strategy says in which steps the candidate gets traffic. Absent, it gets
	// 5, 25 and 50 % for 10 minutes each, then 100 % for 20 minutes.
	// +optional
	// +kubebuilder:default={}
	Strategy Strategy `json:"strategy,omitzero"`

	// analysis says what the candidate is judged by. Absent, the three built-in
	// checks judge it: errors, nat-allocation and nat-drops.
	// +optional
	// +kubebuilder:default={}
	Analysis Analysis `json:"analysis,omitzero"`

	// nat says how the Cloud NAT gateways that carry the service's traffic are
	// found, and how much of them a rollout leaves alone. Absent, they are looked
	// up.
	// +optional
	// +kubebuilder:default={}
	NAT NAT `json:"nat,omitzero"`
}

// Target names what is rolled out, in one of several ways.
//
// +kubebuilder:validation:XValidation:rule="[has(self.service), has(self.runServiceRef)].exists_one(set, set)",message="target must have exactly one member: write target.service with project, location and name, or target.runServiceRef with the name of a RunService where Config Connector keeps the service"
type Target struct {
	// service is a Cloud Run service. Absent, runServiceRef must be there.
	// +optional
	Service *ServiceReference `json:"service,omitempty"`

	// runServiceRef is a RunService of Config Connector in the namespace of the
	// CloudRunRollout. Sluice writes its spec.traffic, and Config Connector carries
	// it out. A service that Config Connector keeps is written so and not as service,
	// because Config Connector takes back what is set past it. Absent, service must be
	// there.
	// +optional
	RunServiceRef *RunServiceReference `json:"runServiceRef,omitempty"`
}

// RunServiceName is the name of the RunService that is moved; "" where the target is a
// service.
func (t *Target) RunServiceName() string {
	if t.RunServiceRef == nil {
		return ""
	}
	return t.RunServiceRef.Name
}

// RunServiceReference names a RunService of Config Connector in the namespace of the
// object that refers to it.
type RunServiceReference struct {
	// name is metadata.name of the RunService, such as graphql-api: at most 253
	// lowercase letters, digits, hyphens and dots. Required. The service may have
	// another name, by spec.resourceID of the RunService.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="name must be the name of a RunService in this namespace, such as graphql-api: lowercase letters, digits, hyphens and dots"
	Name string `json:"name"`
}

// ServiceReference names one Cloud Run service in one location.
type ServiceReference struct {
	// project is the ID of the Google Cloud project, such as acme-prod: 6 to 30
	// lowercase letters, digits and hyphens. Required. Neither a project number
	// nor an old domain-scoped ID (example.com:acme) is accepted.
	// +required
	// +kubebuilder:validation:MaxLength=30
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][-a-z0-9]{4,28}[a-z0-9]$')",message="project must be a project ID such as acme-prod: 6 to 30 lowercase letters, digits and hyphens; not a number, not a domain-scoped ID"
	Project string `json:"project"`

	// location is the region of the service, such as asia-northeast1. At most
	// 32 characters. Required; several regions need several CloudRunRollouts.
	// +required
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]+(-[a-z]+)+[0-9]+$')",message="location must be a region such as asia-northeast1, not a zone"
	Location string `json:"location"`

	// name is the name of the service, such as graphql-api: at most 49
	// lowercase letters, digits and hyphens. Required.
	// +required
	// +kubebuilder:validation:MaxLength=49
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="name must be the short name of a service, such as graphql-api: lowercase letters, digits and hyphens"
	Name string `json:"name"`
}

// Strategy says in which steps the candidate gets traffic.
//
// +kubebuilder:validation:XValidation:rule="!has(self.steps) || !has(self.stepDeadline) || !self.stepDeadline.matches('^([0-9]{1,5}[hms]){1,3}$') || self.steps.all(s, !has(s.bake) || !s.bake.matches('^([0-9]{1,5}[hms]){1,3}$') || duration(self.stepDeadline) >= duration(s.bake) + duration('20m'))",fieldPath=".stepDeadline",message="stepDeadline must be at least 20m longer than the longest bake: write a longer stepDeadline, for example 2h30m for a bake of 2h"
type Strategy struct {
	// steps are the weights the candidate gets, one after the other: 1 to 20 of
	// them, each higher than the one before, the last one 100. Default 5, 25
	// and 50 % for 10m each, then 100 % for 20m.
	// +optional
	// +listType=atomic
	// +kubebuilder:default={{weight: 5, bake: "10m"}, {weight: 25, bake: "10m"}, {weight: 50, bake: "10m"}, {weight: 100, bake: "20m"}}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.map(s, s.weight).isSorted() && self.all(s, self.exists_one(t, t.weight == s.weight))",message="the weights of steps must rise: write for example 5, 25, 50, 100"
	// +kubebuilder:validation:XValidation:rule="self.size() == 0 || self[self.size() - 1].weight == 100",message="the last of steps must have weight: 100"
	Steps []Step `json:"steps,omitempty"`

	// pacing says whether a rollout may go in smaller steps than those that are
	// written. Headroom: where a weight would take more ports of a NAT gateway
	// than it can give, smaller ones are inserted before it, and where none fits
	// the rollout waits (WaitingForNat); no weight is ever higher than written.
	// Fixed: exactly the weights of steps, whatever the gateways have left.
	// Default Headroom.
	// +optional
	// +kubebuilder:default=Headroom
	Pacing Pacing `json:"pacing,omitempty"`

	// warmup has Cloud Run start the candidate's own minimum of instances before
	// its first users come, where the candidate's template has one
	// (scaling.minInstanceCount, which gcloud run deploy sets with
	// --min-instances): the candidate gets the traffic tag sluice-candidate,
	// without traffic, until the first step is sent. Where it has none, the
	// rollout says so once (WarmupUnavailable) and the first step is the warm-up.
	// The instances take ports of NAT gateways like any other, and are counted
	// before they are started. Absent: no warm-up. Default absent.
	// +optional
	Warmup *Warmup `json:"warmup,omitempty"`

	// stepDeadline is how long one step may take before the rollout pauses and
	// waits for a person. It must be at least 20m longer than the longest bake:
	// 21m to 48h, written like 1h or 2h30m. Time in which the rollout waits for
	// a person does not count. Default 1h.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}[hms]){1,3}$') && duration(self) >= duration('21m') && duration(self) <= duration('48h')",message="stepDeadline must be 21m to 48h, written like 1h or 2h30m"
	StepDeadline Duration `json:"stepDeadline,omitempty"`

	// windows are the hours in which traffic may rise: 1 to 20 of them, and it is
	// enough to be in one. Outside of them the rollout waits (OutsideWindow) with
	// the weight that it has; bakes go on, breaches lead back, and the end of the
	// last bake is no rise. Requests do not go past them. Absent: at any time.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Windows []Window `json:"windows,omitempty"`

	// onDelete says what becomes of the traffic when the CloudRunRollout is
	// deleted during an attempt. Freeze: it stays as it is. Rollback: the stable
	// revision gets it all first, which a finalizer waits for, ten minutes at
	// most; a split that somebody else set stays. Default Freeze.
	// +optional
	// +kubebuilder:default=Freeze
	OnDelete OnDelete `json:"onDelete,omitempty"`
}

// Window is a span of time that comes again and again.
type Window struct {
	// schedule is when the window opens, in five cron fields: minute, hour, date,
	// month and day of the week. "0 9 * * 1-5" is nine o'clock from Monday
	// to Friday. A time that the clock skips in spring opens nothing; one that
	// comes twice in autumn opens twice. Required.
	// +required
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^[^ =@]+( +[^ =@]+){4}$`
	Schedule string `json:"schedule,omitempty"`

	// duration is how long it stays open from then on, in elapsed time: 1m to
	// 168h, written like 8h or 90m. Required.
	// +required
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}[hms]){1,3}$') && duration(self) >= duration('1m') && duration(self) <= duration('168h')",message="duration must be 1m to 168h, written like 8h or 90m"
	Duration Duration `json:"duration"`

	// timeZone is that of schedule, by its IANA name, such as Asia/Tokyo. Default
	// Etc/UTC.
	// +optional
	// +kubebuilder:default="Etc/UTC"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_+/-]+$`
	TimeZone string `json:"timeZone,omitempty"`
}

// Warmup is how the candidate's own minimum of instances is started before its
// first step.
type Warmup struct {
	// timeout is how long the instances are waited for before the first step is
	// sent without them: 10s to 15m, written like 5m or 90s. Default 5m.
	// +optional
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}[hms]){1,3}$') && duration(self) >= duration('10s') && duration(self) <= duration('15m')",message="timeout must be 10s to 15m, written like 5m or 90s"
	Timeout Duration `json:"timeout,omitempty"`
}

// Pacing says whether a rollout may go in smaller steps than those that are
// written.
//
// +kubebuilder:validation:Enum=Headroom;Fixed
type Pacing string

// The values of Pacing.
const (
	// PacingHeadroom inserts smaller weights so that NAT can follow.
	PacingHeadroom Pacing = "Headroom"
	// PacingFixed sends exactly the weights that are written.
	PacingFixed Pacing = "Fixed"
)

// OnDelete says what becomes of the traffic when a rollout is deleted.
//
// +kubebuilder:validation:Enum=Freeze;Rollback
type OnDelete string

// The values of OnDelete.
const (
	// OnDeleteFreeze leaves the traffic as it is.
	OnDeleteFreeze OnDelete = "Freeze"
	// OnDeleteRollback sends it back to the stable revision first.
	OnDeleteRollback OnDelete = "Rollback"
)

// FinalizerRollback holds an object with onDelete Rollback while its candidate
// may have traffic. Idle objects carry none. Taking it away by hand lets the
// object go and leaves the traffic as it is.
const FinalizerRollback = "rollouts.sluice.dev/rollback"

// FinalizerRelease holds an object whose target is a RunService once it has written
// spec.traffic of it, until that is given up. Taking it away by hand lets the object
// go, and leaves spec.traffic as it is, with nobody to change it.
const FinalizerRelease = "rollouts.sluice.dev/release"

// Duration is a length of time as people write it, such as 90s, 10m or 1h30m.
// Every value that kube-apiserver let pass can be read by time.ParseDuration,
// RollbackNever apart.
type Duration string

// Step is a weight that is held until enough healthy minutes were seen.
type Step struct {
	// weight is the candidate's share of the traffic in percent, 1 to 100; the
	// stable revision keeps the rest. Required.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Weight int32 `json:"weight,omitempty"`

	// bake is how many minutes of complete, healthy evidence the step needs:
	// 1m to 24h in whole minutes, written like 10m or 1h30m. The metrics' delay
	// comes on top. Default 10m.
	// +optional
	// +kubebuilder:default="10m"
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}[hms]){1,3}$') && duration(self) >= duration('1m') && duration(self) <= duration('24h') && duration(self).getSeconds() % 60 == 0",message="bake must be 1m to 24h in whole minutes, written like 10m or 1h30m"
	Bake Duration `json:"bake,omitempty"`

	// approval says whether a person must let this step begin. Required: the
	// rollout waits for a person before traffic is raised to this weight.
	// Absent, it goes on by itself.
	// +optional
	Approval Approval `json:"approval,omitempty"`
}

// Approval says whether a person must let a step begin.
//
// +kubebuilder:validation:Enum=Required
type Approval string

// The values of Approval.
const (
	// ApprovalRequired waits for a person.
	ApprovalRequired Approval = "Required"
)

// NAT says how the Cloud NAT gateways that carry the service's traffic are found,
// and how much of them a rollout leaves alone.
//
// +kubebuilder:validation:XValidation:rule="!has(self.discovery) || self.discovery != 'Off' || !has(self.gateways) || self.gateways.size() == 0",fieldPath=".discovery",message="discovery \"Off\" means that NAT is not watched: remove gateways, or remove discovery to have them watched"
type NAT struct {
	// discovery says how the gateways are found. Auto: where a revision sends all
	// its traffic through a VPC network, they are looked up there; where none is
	// found, or it is not clear which, or the look-up is not allowed, a rollout
	// does not begin (NatUnwatched). Gateways that are named below are watched
	// instead, and nothing is looked up but what they have to give. "Off", with
	// quotes in YAML: NAT is not watched, and its checks are skipped. Default
	// Auto.
	// +optional
	// +kubebuilder:default=Auto
	Discovery Discovery `json:"discovery,omitempty"`

	// gateways are the Cloud NAT gateways that the service's traffic leaves
	// through, at most 4. Absent, they are looked up; name them where the
	// look-up cannot tell, or is not allowed.
	// +optional
	// +listType=map
	// +listMapKey=project
	// +listMapKey=region
	// +listMapKey=router
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=4
	Gateways []Gateway `json:"gateways,omitempty"`

	// reservePercent is how many percent of a gateway's ports a rollout never
	// plans with, so that they are left for everybody else and for what a
	// forecast cannot know: 0 to 90. It has no effect where pacing is Fixed.
	// Default 20.
	// +optional
	// +kubebuilder:default=20
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=90
	ReservePercent *int32 `json:"reservePercent,omitempty"`

	// endpointsPerInstance is how many endpoints a Cloud Run instance is to a
	// gateway, each with ports of its own: 1 or 2. With Direct VPC egress an
	// instance has two addresses; whether both get ports is not documented, and a
	// rehearsal shows it. It has no effect where pacing is Fixed. Absent, 2 is
	// assumed, which asks for more room.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2
	EndpointsPerInstance int32 `json:"endpointsPerInstance,omitempty"`
}

// Discovery says how a service's NAT gateways are found.
//
// +kubebuilder:validation:Enum=Auto;Off
type Discovery string

// The values of Discovery.
const (
	// DiscoveryAuto looks them up where a revision sends all its traffic through
	// a VPC network, unless they are named.
	DiscoveryAuto Discovery = "Auto"
	// DiscoveryOff never watches NAT.
	DiscoveryOff Discovery = "Off"
)

// Gateway names one Cloud NAT gateway.
type Gateway struct {
	// project is the ID of the project of the gateway's router, such as
	// acme-net: 6 to 30 lowercase letters, digits and hyphens. Required.
	// +required
	// +kubebuilder:validation:MaxLength=30
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][-a-z0-9]{4,28}[a-z0-9]$')",message="project must be a project ID such as acme-net: 6 to 30 lowercase letters, digits and hyphens; not a number, not a domain-scoped ID"
	Project string `json:"project"`

	// region is the region of the gateway's router, such as asia-northeast1. At
	// most 32 characters. Required.
	// +required
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]+(-[a-z]+)+[0-9]+$')",message="region must be a region such as asia-northeast1, not a zone"
	Region string `json:"region"`

	// router is the name of the Cloud Router, such as r1: at most 63 lowercase
	// letters, digits and hyphens. Required.
	// +required
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="router must be the short name of a Cloud Router, such as r1: lowercase letters, digits and hyphens"
	Router string `json:"router"`

	// name is the name of the gateway on that router, such as nat-1: at most 63
	// lowercase letters, digits and hyphens. Required.
	// +required
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="name must be the short name of a Cloud NAT gateway, such as nat-1: lowercase letters, digits and hyphens"
	Name string `json:"name"`
}

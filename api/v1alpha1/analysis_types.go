package v1alpha1

import (
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Analysis says what the candidate is judged by.
type Analysis struct {
	// window is the newest part of a step that is judged by itself as well, so
	// that a sudden breach is seen early: 1m to 1h in whole minutes, written
	// like 5m. A step passes on its whole length. Default 5m.
	// +optional
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}[hms]){1,3}$') && duration(self) >= duration('1m') && duration(self) <= duration('1h') && duration(self).getSeconds() % 60 == 0",message="window must be 1m to 1h in whole minutes, written like 5m"
	Window Duration `json:"window,omitempty"`

	// onNoData says what follows when metrics stay away; the rollout is held
	// from the first missing minutes on. Default: pause after 30m.
	// +optional
	// +kubebuilder:default={}
	OnNoData OnNoData `json:"onNoData,omitzero"`

	// checks add to the three built-in ones, or replace those of the same name;
	// at most 8. A built-in check that is not named here is on as it is:
	// {name: errors, serverErrors: {maxPercent: 1, minRequests: 100}, onBreach: Rollback},
	// {name: nat-allocation, natAllocationFailures: {maxMinutes: 0}, onBreach: Hold, rollbackAfter: 5m},
	// {name: nat-drops, natDroppedPackets: {maxPerMinute: 0, minMinutes: 2}, onBreach: Hold, rollbackAfter: 5m}.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="!['errors', 'nat-allocation', 'nat-drops'].all(n, self.exists(c, c.name == n)) || self.exists(c, !has(c.mode) || c.mode == 'Enforce')",message="all checks are Off or Shadow, so nothing would stop a bad revision: write mode: Enforce in at least one of them, or leave a built-in check out of the list, which keeps it on"
	Checks []Check `json:"checks,omitempty"`
}

// OnNoData says what follows when metrics stay away.
type OnNoData struct {
	// after is how long metrics may stay away: 1m to 24h, written like 30m. An
	// after that is not shorter than strategy.stepDeadline has no effect,
	// because that one pauses the rollout first. Default 30m.
	// +optional
	// +kubebuilder:default="30m"
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}[hms]){1,3}$') && duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="after must be 1m to 24h, written like 30m"
	After Duration `json:"after,omitempty"`

	// action is what follows then. Pause: leave the split and wait for a
	// person. Rollback: give all traffic to stable. Default Pause.
	// +optional
	// +kubebuilder:default=Pause
	Action NoDataAction `json:"action,omitempty"`
}

// NoDataAction is what follows when metrics stay away for too long.
//
// +kubebuilder:validation:Enum=Pause;Rollback
type NoDataAction string

// The values of NoDataAction.
const (
	// NoDataPause leaves the split and waits for a person.
	NoDataPause NoDataAction = "Pause"
	// NoDataRollback gives all traffic to stable.
	NoDataRollback NoDataAction = "Rollback"
)

// The names of the built-in checks.
const (
	// CheckErrors limits the candidate's server errors.
	CheckErrors = "errors"
	// CheckNATAllocation limits failed allocations of NAT addresses.
	CheckNATAllocation = "nat-allocation"
	// CheckNATDrops limits the packets a NAT gateway drops.
	CheckNATDrops = "nat-drops"
)

// Check is a threshold on a metric, with what follows when it is breached.
//
// +kubebuilder:validation:XValidation:rule="[has(self.serverErrors), has(self.clientErrors), has(self.latency), has(self.instanceSaturation), has(self.natAllocationFailures), has(self.natDroppedPackets), has(self.natPortUtilization), has(self.query)].filter(set, set).size() <= 1",message="a check has only one of serverErrors, clientErrors, latency, instanceSaturation, natAllocationFailures, natDroppedPackets, natPortUtilization and query: write a check of its own, with its own name, for each"
// +kubebuilder:validation:XValidation:rule="self.name in ['errors', 'nat-allocation', 'nat-drops'] || has(self.serverErrors) || has(self.clientErrors) || has(self.latency) || has(self.instanceSaturation) || has(self.natAllocationFailures) || has(self.natDroppedPackets) || has(self.natPortUtilization) || has(self.query)",message="a check needs a threshold: write one of serverErrors, clientErrors, latency, instanceSaturation, natAllocationFailures, natDroppedPackets, natPortUtilization and query; only the built-in errors, nat-allocation and nat-drops may go without"
// +kubebuilder:validation:XValidation:rule="self.name == 'errors' ? [has(self.clientErrors), has(self.latency), has(self.instanceSaturation), has(self.natAllocationFailures), has(self.natDroppedPackets), has(self.natPortUtilization), has(self.query)].all(set, !set) : self.name == 'nat-allocation' ? [has(self.serverErrors), has(self.clientErrors), has(self.latency), has(self.instanceSaturation), has(self.natDroppedPackets), has(self.natPortUtilization), has(self.query)].all(set, !set) : self.name == 'nat-drops' ? [has(self.serverErrors), has(self.clientErrors), has(self.latency), has(self.instanceSaturation), has(self.natAllocationFailures), has(self.natPortUtilization), has(self.query)].all(set, !set) : true",message="a built-in check keeps its kind: write serverErrors in errors, natAllocationFailures in nat-allocation, natDroppedPackets in nat-drops, or give the check another name"
// +kubebuilder:validation:XValidation:rule="!has(self.rollbackAfter) || (has(self.onBreach) ? self.onBreach == 'Hold' : self.name != 'errors' && !has(self.serverErrors) && !has(self.latency))",fieldPath=".rollbackAfter",message="rollbackAfter needs a check that holds: write onBreach: Hold, or remove rollbackAfter to roll back at once"
type Check struct {
	// name is the check's name in messages and in status: at most 40 lowercase
	// letters, digits and hyphens. The names errors, nat-allocation and
	// nat-drops replace the built-in checks. Required.
	// +required
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="name must be a word such as errors or client-errors: lowercase letters, digits and hyphens"
	Name string `json:"name"`

	// serverErrors limits the share of the candidate's responses with a 5xx
	// status. Absent in the check named errors: maxPercent 1, minRequests 100.
	// +optional
	ServerErrors *ServerErrors `json:"serverErrors,omitempty"`

	// clientErrors limits the share of the candidate's responses with a 4xx
	// status. Those with 404 are shown and not judged, because a page of one
	// revision may ask the other one for its assets.
	// +optional
	ClientErrors *ClientErrors `json:"clientErrors,omitempty"`

	// latency limits a percentile of the time that the candidate's requests take.
	// +optional
	Latency Latency `json:"latency,omitzero"`

	// instanceSaturation limits how close the candidate comes to its largest
	// number of instances: the requests that Cloud Run then refuses (429, 503)
	// are in no other check.
	// +optional
	InstanceSaturation *InstanceSaturation `json:"instanceSaturation,omitempty"`

	// natAllocationFailures limits the minutes in which a gateway could not
	// allocate NAT addresses. Absent in the check named nat-allocation:
	// maxMinutes 0.
	// +optional
	NATAllocationFailures *NATAllocationFailures `json:"natAllocationFailures,omitempty"`

	// natDroppedPackets limits the packets that a gateway drops. Absent in the
	// check named nat-drops: maxPerMinute 0, minMinutes 2.
	// +optional
	NATDroppedPackets *NATDroppedPackets `json:"natDroppedPackets,omitempty"`

	// natPortUtilization limits how much of a gateway's ports are allocated. It
	// does not apply to gateways that get their addresses automatically.
	// +optional
	NATPortUtilization NATPortUtilization `json:"natPortUtilization,omitzero"`

	// query limits the value of a PromQL query of your own to Cloud Monitoring, about
	// the project of the target service. It needs a CloudRunAccess with mayQuery: true;
	// without one the rollout does not begin, and says so.
	// +optional
	Query Query `json:"query,omitzero"`

	// onBreach is what a breach leads to. Rollback: give all traffic to stable
	// at once. Hold: keep the split and wait until the breach is over, or until
	// rollbackAfter. Default Rollback for serverErrors and latency, Hold for the
	// others. A NAT gateway serves others as well, so a check about one gives
	// traffic back only where the candidate is to blame. Where others are, it is
	// held. Where nobody can tell, it goes back by one step, to see whether the
	// trouble stops. Where users fail while a gateway suffers, and the candidate is not
	// known to be to blame, everything goes to stable at once, and the rollout begins
	// anew, once.
	// +optional
	OnBreach BreachAction `json:"onBreach,omitempty"`

	// rollbackAfter turns a Hold into a rollback when the breach has lasted for
	// so long: 1m to 24h, written like 5m, or Never. Only with onBreach: Hold.
	// Default 5m.
	// +optional
	// +kubebuilder:validation:MaxLength=18
	// +kubebuilder:validation:XValidation:rule="self == 'Never' || self.matches('^([0-9]{1,5}[hms]){1,3}$') && duration(self) >= duration('1m') && duration(self) <= duration('24h')",message="rollbackAfter must be 1m to 24h, written like 5m, or Never; to roll back at once write onBreach: Rollback"
	RollbackAfter Duration `json:"rollbackAfter,omitempty"`

	// mode is how much the check may do. Enforce: it decides. Shadow: it is
	// judged and shown, without effect. "Off", with quotes in YAML: it is not
	// asked at all. At least one check must be Enforce, and nothing rises
	// while no such check applies. Default Enforce.
	// +optional
	// +kubebuilder:default=Enforce
	Mode CheckMode `json:"mode,omitempty"`
}

// BreachAction is what a breach leads to.
//
// +kubebuilder:validation:Enum=Hold;Rollback
type BreachAction string

// The values of BreachAction.
const (
	// BreachHold keeps the split until the breach is over.
	BreachHold BreachAction = "Hold"
	// BreachRollback gives all traffic to stable at once.
	BreachRollback BreachAction = "Rollback"
)

// The words that a Duration may be.
const (
	// RollbackNever is the rollbackAfter of a Hold that never becomes a rollback.
	RollbackNever Duration = "Never"
)

// CheckMode is how much a check may do.
//
// +kubebuilder:validation:Enum=Enforce;Shadow;Off
type CheckMode string

// The values of CheckMode.
const (
	// ModeEnforce lets the check decide.
	ModeEnforce CheckMode = "Enforce"
	// ModeShadow shows what the check would say.
	ModeShadow CheckMode = "Shadow"
	// ModeOff does not ask.
	ModeOff CheckMode = "Off"
)

// ServerErrors limits the share of responses with a 5xx status. It is breached
// when at least 3 errors were seen and the share is certainly (three standard
// deviations) over the limit.
type ServerErrors struct {
	// maxPercent is the largest allowed share of 5xx responses in percent, 0 to
	// 99.99: a whole number, or a string with at most two decimals such as
	// "0.5" or "0.5%". Required.
	// +required
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=6
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 0 && self <= 99 : self.matches('^[0-9]{1,2}([.][0-9]{1,2})?%?$')",message="maxPercent must be 0 to 99.99 percent: write a whole number such as 1, or a quoted string such as \"0.5\"; to switch a check off write mode: \"Off\""
	MaxPercent intstr.IntOrString `json:"maxPercent"`

	// minRequests is how many requests of the candidate a step needs before it
	// can pass: 1 to 1,000,000. Default 100.
	// +optional
	// +kubebuilder:default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MinRequests int32 `json:"minRequests,omitempty"`

	// relativeToStable makes maxPercent the share that the candidate may have
	// more than stable in the same minutes, in percentage points. Where stable
	// has fewer than minRequests then, as at 100 %, it is compared with stable
	// since half an hour before the rollout. Default false.
	// +optional
	RelativeToStable bool `json:"relativeToStable,omitempty"`
}

// ClientErrors limits the share of responses with a 4xx status other than 404.
// It is breached like ServerErrors.
type ClientErrors struct {
	// maxPercent is the largest allowed share in percent, 0 to 99.99: a whole
	// number, or a string with at most two decimals such as "0.5" or "0.5%".
	// Required.
	// +required
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=6
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self >= 0 && self <= 99 : self.matches('^[0-9]{1,2}([.][0-9]{1,2})?%?$')",message="maxPercent must be 0 to 99.99 percent: write a whole number such as 5, or a quoted string such as \"0.5\"; to switch a check off write mode: \"Off\""
	MaxPercent intstr.IntOrString `json:"maxPercent"`

	// minRequests is how many requests of the candidate a step needs before it
	// can pass: 1 to 1,000,000. Default 100.
	// +optional
	// +kubebuilder:default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MinRequests int32 `json:"minRequests,omitempty"`

	// relativeToStable makes maxPercent the share that the candidate may have
	// more than stable, as in serverErrors. Recommended: what clients ask for is
	// seldom right at all times. Default false.
	// +optional
	RelativeToStable bool `json:"relativeToStable,omitempty"`
}

// Latency limits a percentile of the time that requests take in an instance,
// start-up and the wait for an instance not included. It is breached when more
// requests than the percentile allows are certainly slower.
type Latency struct {
	// percentile is the percentile that is limited: 50 to 99. Default 99.
	// +optional
	// +kubebuilder:default=99
	// +kubebuilder:validation:Minimum=50
	// +kubebuilder:validation:Maximum=99
	Percentile int32 `json:"percentile,omitempty"`

	// maxMilliseconds is the largest allowed value of the percentile: 1 to
	// 3,600,000 milliseconds. Required.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600000
	MaxMilliseconds int32 `json:"maxMilliseconds,omitempty"`

	// minRequests is how many requests of the candidate a step needs before it
	// can pass: 1 to 1,000,000. Default 100.
	// +optional
	// +kubebuilder:default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MinRequests int32 `json:"minRequests,omitempty"`
}

// InstanceSaturation limits how close a candidate comes to its largest number of
// instances. It is breached when two of the newest five complete minutes of the
// step exceed a limit.
//
// +kubebuilder:validation:XValidation:rule="has(self.maxPercent) || has(self.maxPending)",message="instanceSaturation needs a limit: write maxPercent, maxPending or both"
type InstanceSaturation struct {
	// maxPercent is how many percent of the largest number of instances that the
	// candidate may have may serve requests at once: 1 to 100. Absent: not
	// limited.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxPercent int32 `json:"maxPercent,omitempty"`

	// maxPending is how many requests may wait for an instance at the end of a
	// minute: 0 to 1,000,000. Absent: not limited.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	MaxPending *int32 `json:"maxPending,omitempty"`
}

// NATAllocationFailures limits the minutes in which a gateway could not
// allocate NAT addresses.
type NATAllocationFailures struct {
	// maxMinutes is how many of the newest five complete minutes may show a
	// failed allocation: 0 to 4. Required.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=4
	MaxMinutes int32 `json:"maxMinutes"`
}

// NATDroppedPackets limits the packets that a gateway drops.
type NATDroppedPackets struct {
	// maxPerMinute is how many packets a minute a gateway may drop: 0 to
	// 1,000,000,000. If more were usual in the 30 minutes before the rollout,
	// their median is the limit instead. Required.
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000000
	MaxPerMinute int32 `json:"maxPerMinute"`

	// minMinutes is in how many of the newest five complete minutes the limit
	// must be exceeded for a breach: 1 to 5. Default 2.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5
	MinMinutes int32 `json:"minMinutes,omitempty"`
}

// NATPortUtilization limits how much of a gateway's ports are allocated: of the
// 64,512 that each of its addresses has. It is breached when two of the newest
// five complete minutes of the step exceed the limit.
type NATPortUtilization struct {
	// maxPercent is how many percent of the gateway's ports may be allocated: 1
	// to 99. Required.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=99
	MaxPercent int32 `json:"maxPercent,omitempty"`
}

// Query limits the value of a PromQL query. It is asked for each whole minute of the
// step that is at least five minutes old; what arrives later than that needs an offset
// in the query. It is breached when one of the newest five minutes is outside of the
// limits, or one that ended while nobody looked; a minute outside does not count as
// bake. A query without a value says nothing, and never zero: no series, NaN and
// infinities, an error, and an answer with warnings are no data, and analysis.onNoData
// says what follows.
//
// +kubebuilder:validation:XValidation:rule="has(self.max) || has(self.min)",message="query needs a limit: write max, min or both"
// +kubebuilder:validation:XValidation:rule="!has(self.max) || !has(self.min) || !self.max.matches('^-?[0-9]{1,12}([.][0-9]{1,9})?$') || !self.min.matches('^-?[0-9]{1,12}([.][0-9]{1,9})?$') || double(self.min) <= double(self.max)",message="min is above max, so that no value would be within: exchange them, or remove one"
type Query struct {
	// promql is the query: 1 to 2,000 characters that give at most one series, so
	// aggregate, for example with sum(...). Names stand in it as placeholders, inside
	// strings between double or single quotes: {{service}}, {{candidate}}, {{stable}}
	// (two revisions), {{location}} and {{project}}. Metrics have Google's names, such as
	// run_googleapis_com:request_count{monitored_resource="cloud_run_revision",revision_name="{{candidate}}"}.
	// A range such as [5m] looks back over what served before the step. Whether it is
	// PromQL is checked when the controller reads it, and by kubectl sluice lint.
	// Required.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	PromQL string `json:"promql,omitempty"`

	// max is the largest value that is within the limits: a decimal number as a string,
	// with at most 12 digits and 9 decimals, such as "0.02". Absent: none is too large.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=23
	// +kubebuilder:validation:XValidation:rule="self.matches('^-?[0-9]{1,12}([.][0-9]{1,9})?$')",message="max must be a decimal number in quotes, such as \"0.02\": at most 12 digits and 9 decimals, no exponent"
	Max string `json:"max,omitempty"`

	// min is the smallest value that is within the limits, written like max. Absent:
	// none is too small.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=23
	// +kubebuilder:validation:XValidation:rule="self.matches('^-?[0-9]{1,12}([.][0-9]{1,9})?$')",message="min must be a decimal number in quotes, such as \"0.02\": at most 12 digits and 9 decimals, no exponent"
	Min string `json:"min,omitempty"`
}

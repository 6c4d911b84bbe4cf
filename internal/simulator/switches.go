package simulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Switches are the behaviours of the real services that nobody has verified.
// An empty field takes the first of its values. docs/simulator.md has the table.
type Switches struct {
	// Etag: enforced | ignored. Whether a PATCH with a stale etag is refused.
	Etag string `json:"etag,omitempty"`
	// PatchWhileReconciling: accepted | rejected.
	PatchWhileReconciling string `json:"patchWhileReconciling,omitempty"`
	// ZeroSeries: absent | zero. Whether counters and flags of things that did
	// not happen exist with value zero.
	ZeroSeries string `json:"zeroSeries,omitempty"`
	// ZeroPercentEntry: kept | dropped. Whether an untagged entry of 0 % survives.
	ZeroPercentEntry string `json:"zeroPercentEntry,omitempty"`
	// MaskedAnnotations: replaced | merged. What updateMask=annotations does.
	MaskedAnnotations string `json:"maskedAnnotations,omitempty"`
	// StatusCollapse: merged | asGiven. Whether trafficStatuses joins an untagged
	// entry with a tagged entry of 0 % for the same revision.
	StatusCollapse string `json:"statusCollapse,omitempty"`
	// UpdateTimeOnSettle: kept | changed. Whether updateTime, and with it the
	// etag, changes when reconciliation ends.
	UpdateTimeOnSettle string `json:"updateTimeOnSettle,omitempty"`
	// LatestCreated: onDone | onCreate. When latestCreatedRevision names a new
	// revision.
	LatestCreated string `json:"latestCreated,omitempty"`
	// NoopPatch: unchanged | bumped. Whether a PATCH that changes nothing gives a
	// new generation.
	NoopPatch string `json:"noopPatch,omitempty"`
	// EchoedRevision: accepted | refused. Whether a body that repeats the name and
	// the configuration of an existing revision passes.
	EchoedRevision string `json:"echoedRevision,omitempty"`
	// TrafficWithFailedTemplate: applied | refused. Whether a traffic write takes
	// effect while the newest revision has failed.
	TrafficWithFailedTemplate string `json:"trafficWithFailedTemplate,omitempty"`
	// RequestCountVisible: after180s | after120s. The longest delay of request_count.
	RequestCountVisible string `json:"requestCountVisible,omitempty"`
	// AlignmentPeriods: fromEnd | fromEpoch. Where Monitoring cuts its periods.
	AlignmentPeriods string `json:"alignmentPeriods,omitempty"`
	// ReducedProject: dropped | kept. Whether a reduced series keeps project_id.
	ReducedProject string `json:"reducedProject,omitempty"`
	// UnknownMetric: invalidArgument | notFound. What an unknown type answers.
	UnknownMetric string `json:"unknownMetric,omitempty"`
	// UnknownLabels: matchNothing | refused. What an unknown label in a filter does.
	UnknownLabels string `json:"unknownLabels,omitempty"`

	// The following matter where the scenario has a network.

	// RetainedAddressPorts: held | freed. Whether the addresses that Cloud Run keeps
	// after an instance ended go on holding their NAT ports.
	RetainedAddressPorts string `json:"retainedAddressPorts,omitempty"`
	// InstanceEndpoints: two | one. How many of an instance's two addresses are NAT
	// endpoints with ports.
	InstanceEndpoints string `json:"instanceEndpoints,omitempty"`
	// UnservedPackets: counted | silent. Whether packets of an endpoint that has no
	// ports at all are counted as dropped.
	UnservedPackets string `json:"unservedPackets,omitempty"`
	// PortUsage: withTimeWait | established. What nat/port_usage counts.
	PortUsage string `json:"portUsage,omitempty"`
	// SubnetUtilization: counted | silent. Whether the utilization of a subnetwork
	// counts the addresses that Cloud Run has reserved.
	SubnetUtilization string `json:"subnetUtilization,omitempty"`
}

// A choice is one switch: its name, where it is kept and what it may say, the
// default first.
type choice struct {
	name   string
	value  *string
	values [2]string
}

func (s *Switches) choices() []choice {
	return []choice{
		{"etag", &s.Etag, [2]string{"enforced", "ignored"}},
		{"patchWhileReconciling", &s.PatchWhileReconciling, [2]string{"accepted", "rejected"}},
		{"zeroSeries", &s.ZeroSeries, [2]string{"absent", "zero"}},
		{"zeroPercentEntry", &s.ZeroPercentEntry, [2]string{"kept", "dropped"}},
		{"maskedAnnotations", &s.MaskedAnnotations, [2]string{"replaced", "merged"}},
		{"statusCollapse", &s.StatusCollapse, [2]string{"merged", "asGiven"}},
		{"updateTimeOnSettle", &s.UpdateTimeOnSettle, [2]string{"kept", "changed"}},
		{"latestCreated", &s.LatestCreated, [2]string{"onDone", "onCreate"}},
		{"noopPatch", &s.NoopPatch, [2]string{"unchanged", "bumped"}},
		{"echoedRevision", &s.EchoedRevision, [2]string{"accepted", "refused"}},
		{"trafficWithFailedTemplate", &s.TrafficWithFailedTemplate, [2]string{"applied", "refused"}},
		{"requestCountVisible", &s.RequestCountVisible, [2]string{"after180s", "after120s"}},
		{"alignmentPeriods", &s.AlignmentPeriods, [2]string{"fromEnd", "fromEpoch"}},
		{"reducedProject", &s.ReducedProject, [2]string{"dropped", "kept"}},
		{"unknownMetric", &s.UnknownMetric, [2]string{"invalidArgument", "notFound"}},
		{"unknownLabels", &s.UnknownLabels, [2]string{"matchNothing", "refused"}},
		{"retainedAddressPorts", &s.RetainedAddressPorts, [2]string{"held", "freed"}},
		{"instanceEndpoints", &s.InstanceEndpoints, [2]string{"two", "one"}},
		{"unservedPackets", &s.UnservedPackets, [2]string{"counted", "silent"}},
		{"portUsage", &s.PortUsage, [2]string{"withTimeWait", "established"}},
		{"subnetUtilization", &s.SubnetUtilization, [2]string{"counted", "silent"}},
	}
}

// Set gives a switch a value by their names.
func (s *Switches) Set(name, value string) error {
	for _, c := range s.choices() {
		if c.name != name {
			continue
		}
		*c.value = value
		return s.complete()
	}
	return fmt.Errorf("switch %q does not exist", name)
}

// Values are the values that the switches have, by their names. One that is not
// set has its default.
func (s Switches) Values() map[string]string {
	all := map[string]string{}
	for _, c := range s.choices() {
		all[c.name] = cmp.Or(*c.value, c.values[0])
	}
	return all
}

// AllSwitches lists every switch with its two values, the default first, for
// tests that run a story under each.
func AllSwitches() map[string][2]string {
	all := map[string][2]string{}
	for _, c := range new(Switches).choices() {
		all[c.name] = c.values
	}
	return all
}

// complete fills defaults and refuses unknown values.
func (s *Switches) complete() error {
	for _, c := range s.choices() {
		if *c.value == "" {
			*c.value = c.values[0]
		}
		if !slices.Contains(c.values[:], *c.value) {
			return fmt.Errorf("switch %s: %q is not one of %s", c.name, *c.value, strings.Join(c.values[:], ", "))
		}
	}
	return nil
}

package invariants

// needs lists the behaviours of the clouds that nobody has verified, each with
// the values that it may have, and for every value the invariants that need it:
// under the other value they are not promised, and [Judge] leaves them out.
//
// Where etags are ignored a write that was held back or delivered twice takes
// effect on whatever is there by then. The controller can only notice it
// afterwards, by the generation; it cannot keep it from happening.
var needs = map[string]map[string][]string{
	"etag":                      {"enforced": {"I1", "I2", "I5", "I7", "I16"}, "ignored": nil},
	"patchWhileReconciling":     {"accepted": nil, "rejected": nil},
	"zeroSeries":                {"absent": nil, "zero": nil},
	"zeroPercentEntry":          {"kept": nil, "dropped": nil},
	"maskedAnnotations":         {"replaced": nil, "merged": nil},
	"statusCollapse":            {"merged": nil, "asGiven": nil},
	"updateTimeOnSettle":        {"kept": nil, "changed": nil},
	"latestCreated":             {"onDone": nil, "onCreate": nil},
	"noopPatch":                 {"unchanged": nil, "bumped": nil},
	"echoedRevision":            {"accepted": nil, "refused": nil},
	"trafficWithFailedTemplate": {"applied": nil, "refused": nil},
	"requestCountVisible":       {"after180s": nil, "after120s": nil},
	"alignmentPeriods":          {"fromEnd": nil, "fromEpoch": nil},
	"reducedProject":            {"dropped": nil, "kept": nil},
	"unknownMetric":             {"invalidArgument": nil, "notFound": nil},
	"unknownLabels":             {"matchNothing": nil, "refused": nil},
	"retainedAddressPorts":      {"held": nil, "freed": nil},
	"instanceEndpoints":         {"two": nil, "one": nil},
	"unservedPackets":           {"counted": nil, "silent": nil},
	"portUsage":                 {"withTimeWait": nil, "established": nil},
	"subnetUtilization":         {"counted": nil, "silent": nil},
}

// Needs lists the invariants that hold only where a cloud behaves as given. It is
// not known where nobody has said.
func Needs(b Behaviour) (invariants []string, known bool) {
	invariants, known = needs[b.Switch][b.Value]
	return invariants, known
}

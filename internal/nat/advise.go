package nat

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Facts are what is known of a service that advice can be given on.
type Facts struct {
	Gateways []Gateway
	// AllTraffic: the revision sends all its traffic through the VPC. Moved: it does not,
	// and the one before it does.
	AllTraffic, Moved bool
	// CloudSQLPublic: it uses Cloud SQL, and not over a private address.
	CloudSQLPublic bool
	// OwnURL is the variable of its environment that holds its own public URL.
	OwnURL string
	// SubnetUnread is why it is not known how many addresses the subnetwork of its
	// instances has; "" where that is known, or does not matter.
	SubnetUnread string
	// Minimum number of instances, the revision's or the service's.
	Minimum int64
	// Refused are the requests that a split makes fail, where nothing keeps a user
	// with a revision; zero for none.
	Refused Refused
}

// Refused is the share of requests that were answered with a 4xx status, 0..1: of
// stable before the attempt, and of both revisions since traffic is split.
type Refused struct {
	Before, Candidate, Stable float64
}

// Code tells kinds of findings apart.
type Code string

// The codes of findings, the gravest first.
const (
	AssetsMissed       Code = "AssetsMissed"
	OwnURLCalled       Code = "OwnURLCalled"
	CloudSQLPublic     Code = "CloudSQLPublic"
	AllTrafficUnneeded Code = "AllTrafficUnneeded"
	TooFewPorts        Code = "TooFewPorts"
	OneManualIP        Code = "OneManualIP"
	EndpointsCollide   Code = "EndpointsCollide"
	NoMinimum          Code = "NoMinimum"
	SubnetUnread       Code = "SubnetUnread"
	LoggingOff         Code = "LoggingOff"
)

const (
	// MostFindings is how many findings there are at most.
	MostFindings = 6
	// LongestFinding is how many bytes one has at most. Both keep the status
	// within its size.
	LongestFinding = 200
	// slowConnects are too few connections a second for an endpoint, of which nobody
	// knows how many it opens: a page that makes five calls without keep-alive.
	slowConnects = 5
)

// Finding is a piece of advice: a code and a sentence.
type Finding struct {
	Code Code
	Text string
}

// Advise lists what would spare the gateways, the gravest first, each code once.
func Advise(f Facts) []Finding {
	var findings []Finding
	for _, advice := range advices {
		if text := advice.of(f); text != "" && len(findings) < MostFindings {
			findings = append(findings, Finding{Code: advice.code, Text: cut(text, LongestFinding)})
		}
	}
	return findings
}

// advices in order of gravity: what users suffer from comes first; what takes traffic
// off the gateways before what makes them larger, and that before what helps to see.
var advices = []struct {
	code Code
	of   func(Facts) string
}{
	{AssetsMissed, assetsMissed},
	{OwnURLCalled, ownURL},
	{CloudSQLPublic, cloudSQL},
	{AllTrafficUnneeded, allTraffic},
	{TooFewPorts, each(tooFewPorts)},
	{OneManualIP, each(oneManualIP)},
	{EndpointsCollide, each(endpointsCollide)},
	{NoMinimum, noMinimum},
	{SubnetUnread, subnetUnread},
	{LoggingOff, each(loggingOff)},
}

// each gives advice for the first gateway that needs it.
func each(advise func(Facts, Gateway) string) func(Facts) string {
	return func(f Facts) string {
		for _, g := range f.Gateways {
			if text := advise(f, g); text != "" {
				return text
			}
		}
		return ""
	}
}

// assetsMissed: a page of one revision asks for files that are named after its build,
// and the other one is asked. Next.js tells them apart by deploymentId.
func assetsMissed(f Facts) string {
	text := f.Refused.Text()
	if text == "" {
		return ""
	}
	return text + ". Set template.sessionAffinity: true, or deploymentId in Next.js, or use a CDN."
}

// Text says what the split does, as a clause; "" for nothing.
func (r Refused) Text() string {
	if r == (Refused{}) {
		return ""
	}
	percent := func(share float64) string { return decimal(100*share) + "%" }
	return fmt.Sprintf("4xx rose with the split from %s to %s (candidate) and %s (stable): pages may miss their build's assets",
		percent(r.Before), percent(r.Candidate), percent(r.Stable))
}

func ownURL(f Facts) string {
	name := cut(f.OwnURL, 63)
	switch {
	case f.OwnURL == "":
		return ""
	case f.Moved: // its calls no longer come from inside the VPC
		return name + " holds the service's own public URL: without all-traffic, an internal ingress refuses calls to it; first call 127.0.0.1."
	case f.AllTraffic:
		return name + " holds the service's own public URL: calls to it leave through Cloud NAT, one port each; call 127.0.0.1 instead."
	}
	return ""
}

func cloudSQL(f Facts) string {
	if !f.CloudSQLPublic || !f.AllTraffic {
		return ""
	}
	return "Cloud SQL is reached over a public path: all its connections share one destination, and so one set of ports; " +
		"use its private address."
}

func allTraffic(f Facts) string {
	if !f.AllTraffic {
		return ""
	}
	first := ""
	if f.OwnURL != "" {
		first = "; first call 127.0.0.1 in place of its own URL"
	}
	return "All traffic leaves through the VPC and Cloud NAT; unless others rely on its fixed addresses, " +
		"egress PRIVATE_RANGES_ONLY takes public calls off NAT" + first + "."
}

func tooFewPorts(_ Facts, g Gateway) string {
	rate, seconds := g.ConnectRate(), int64(g.timeWait()/time.Second)
	if rate >= slowConnects {
		return ""
	}
	return fmt.Sprintf("%s: %s ports per endpoint / %s s TIME_WAIT = %s connections/s to one destination; "+
		"reuse connections or raise minPortsPerVm.", cut(g.Name, 63), thousands(g.MostPortsEach()), thousands(seconds), decimal(rate))
}

func oneManualIP(_ Facts, g Gateway) string {
	if g.Auto || g.IPs != 1 {
		return ""
	}
	return fmt.Sprintf("%s has one manual address: %s endpoints with %s ports each, and no more; add an address.",
		cut(g.Name, 63), thousands(g.Capacity().Endpoints), thousands(g.PortsEach()))
}

func endpointsCollide(_ Facts, g Gateway) string {
	if !g.EndpointIndependent {
		return ""
	}
	return cut(g.Name, 63) + " maps endpoint-independently: ports can collide and packets drop while ports are free; turn it off."
}

func noMinimum(f Facts) string {
	if f.Minimum > 0 || !f.AllTraffic {
		return ""
	}
	return "No minimum of instances: each burst starts them cold, and each opens its connections at once; " +
		"a minimum of 3 keeps some warm."
}

func subnetUnread(f Facts) string {
	if f.SubnetUnread == "" {
		return ""
	}
	return "Addresses of the subnetwork are not known, and limit no step: " + cut(f.SubnetUnread, 130) + "."
}

func loggingOff(_ Facts, g Gateway) string {
	if g.Logging {
		return ""
	}
	return cut(g.Name, 63) + " logs no dropped connections: errors-only logging would tell which instance and destination ran out."
}

// cut bounds a text to a number of bytes, at the end of a character.
func cut(text string, bytes int) string {
	const ellipsis = "..."
	if len(text) <= bytes {
		return text
	}
	return strings.ToValidUTF8(text[:bytes-len(ellipsis)], "") + ellipsis
}

// decimal writes a rate with at most two decimals, without more than it needs.
func decimal(x float64) string {
	if x >= 10 {
		return thousands(round(x))
	}
	return strconv.FormatFloat(float64(round(x*100))/100, 'f', -1, 64)
}

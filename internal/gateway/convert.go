package gateway

import (
	"cmp"
	"slices"
	"time"

	compute "google.golang.org/api/compute/v1"

	"github.com/sluice-rollouts/sluice/internal/google"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

const (
	manualIPs = "MANUAL_ONLY"
	autoIPs   = "AUTO_ONLY"

	// logTranslations is the one filter that leaves out what is dropped.
	logTranslations = "TRANSLATIONS_ONLY"
)

// configured reads a gateway's configuration. Of NAT rules, which allocate ports of
// their own, only the number is in it. A number that is none of ours to understand counts as
// not configured.
func configured(n *compute.RouterNat) nat.Gateway {
	wait := cmp.Or(n.EffectiveTcpTimeWaitTimeoutSec, n.TcpTimeWaitTimeoutSec)
	return nat.Gateway{
		Name:                google.Clean(n.Name),
		Auto:                n.NatIpAllocateOption == autoIPs,
		Ports:               max(n.MinPortsPerVm, 0),
		Dynamic:             n.EnableDynamicPortAllocation,
		MostPorts:           max(n.MaxPortsPerVm, 0),
		TimeWait:            time.Duration(min(max(wait, 0), maxTimeWait)) * time.Second,
		EndpointIndependent: n.EnableEndpointIndependentMapping,
		Rules:               int64(len(n.Rules)),
		Logging:             n.LogConfig != nil && n.LogConfig.Enable && n.LogConfig.Filter != logTranslations,
	}
}

// maxTimeWait bounds a number of seconds that would be no duration.
const maxTimeWait = 24 * 60 * 60

// report adds what the router reports, and says why that is not known.
func report(g *nat.Gateway, n *compute.RouterNat, s *compute.RouterStatusNatStatus) string {
	switch option := n.NatIpAllocateOption; {
	case s == nil:
		return "its router does not report on it"
	case option == manualIPs:
		g.IPs = distinct(s.UserAllocatedNatIps, s.DrainUserAllocatedNatIps)
	case option == autoIPs:
		g.IPs = distinct(s.AutoAllocatedNatIps, s.DrainAutoAllocatedNatIps)
	default:
		return unknown("natIpAllocateOption", option)
	}
	if s.NumVmEndpointsWithNatMappings < 0 {
		return "its router reports a negative number of endpoints"
	}
	g.Endpoints, g.ExtraIPs = s.NumVmEndpointsWithNatMappings, max(s.MinExtraNatIpsNeeded, 0)
	for _, rule := range s.RuleStatus {
		if rule != nil {
			g.ExtraIPs = max(g.ExtraIPs, rule.MinExtraIpsNeeded)
		}
	}
	return ""
}

// distinct counts addresses once, and those that drain not at all: no new endpoint
// gets ports of them.
func distinct(ips, draining []string) int64 {
	ips = slices.Compact(slices.Sorted(slices.Values(ips)))
	return int64(len(slices.DeleteFunc(ips, func(ip string) bool { return ip == "" || slices.Contains(draining, ip) })))
}

package gateway

import (
	"fmt"
	"slices"

	compute "google.golang.org/api/compute/v1"

	"github.com/sluice-rollouts/sluice/internal/google"
)

// The enums of the API that are understood. Any other value is one that this
// program does not know: a NAT that has it may or may not cover a subnetwork.
const (
	typePublic  = "PUBLIC"
	typePrivate = "PRIVATE"

	forVMs = "ENDPOINT_TYPE_VM"

	allRanges        = "ALL_SUBNETWORKS_ALL_IP_RANGES"
	allPrimaryRanges = "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES"
	listed           = "LIST_OF_SUBNETWORKS"

	subnetAll       = "ALL_IP_RANGES"
	subnetPrimary   = "PRIMARY_IP_RANGE"
	subnetSecondary = "LIST_OF_SECONDARY_IP_RANGES"
)

// coverage says whether a NAT translates what leaves a subnetwork.
type coverage int

const (
	coversNot coverage = iota
	covers
	coversPerhaps
)

// public tells whether a NAT translates to public addresses for virtual machines,
// as which instances of Cloud Run count: "endpointTypes: [ENDPOINT_TYPE_VM]"
// serves them in live configurations in public code. The NAT that Google makes for
// a Secure Web Proxy in the same network does not (docs secure-web-proxy). Why is
// what is not understood of it.
func public(n *compute.RouterNat) (c coverage, why string) {
	switch {
	case len(n.EndpointTypes) > 0 && !slices.Contains(n.EndpointTypes, forVMs), n.Type == typePrivate:
		return coversNot, ""
	case n.Type != "" && n.Type != typePublic:
		return coversPerhaps, unknown("type", n.Type)
	}
	return covers, ""
}

// whole tells whether a NAT covers the primary ranges of every subnetwork of its
// network and region. Cloud Run takes its addresses from the primary range.
func whole(n *compute.RouterNat) bool {
	return n.SourceSubnetworkIpRangesToNat == allRanges || n.SourceSubnetworkIpRangesToNat == allPrimaryRanges
}

// covering tells whether a NAT on a router of that network covers a subnetwork.
// One that names no ranges translates IPv6 alone.
func covering(n *compute.RouterNat, subnet subnetName) (c coverage, why string) {
	kind, doubt := public(n)
	if kind == coversNot {
		return coversNot, ""
	}
	if c, why = ranging(n, subnet); c == covers {
		return kind, doubt
	}
	return c, why
}

// ranging tells whether a subnetwork is among those that a NAT takes in.
func ranging(n *compute.RouterNat, subnet subnetName) (c coverage, why string) {
	switch scope := n.SourceSubnetworkIpRangesToNat; {
	case whole(n):
		return covers, ""
	case scope == "":
		return coversNot, ""
	case scope != listed:
		return coversPerhaps, unknown("sourceSubnetworkIpRangesToNat", scope)
	}
	for _, s := range n.Subnetworks {
		if s == nil {
			continue
		}
		at, name, ok := parse(s.Name, "subnetworks", subnet.place)
		if !ok {
			return coversPerhaps, unknown("subnetwork", s.Name)
		}
		if name == subnet.name && at.region == subnet.region && same(at.project, subnet.project) {
			return primary(s.SourceIpRangesToNat)
		}
	}
	return coversNot, ""
}

// primary tells whether the primary range is among those of a subnetwork that are
// translated; without any all are (compute v1 discovery, sourceIpRangesToNat).
func primary(ranges []string) (c coverage, why string) {
	if len(ranges) == 0 || slices.Contains(ranges, subnetAll) || slices.Contains(ranges, subnetPrimary) {
		return covers, ""
	}
	for _, r := range ranges {
		if r != subnetSecondary {
			return coversPerhaps, unknown("sourceIpRangesToNat", r)
		}
	}
	return coversNot, ""
}

func unknown(field, value string) string {
	return fmt.Sprintf("its %s %q is not known to this version of Sluice", field, google.Clean(value))
}

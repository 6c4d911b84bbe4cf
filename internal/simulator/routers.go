package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Router is a Cloud Router as the Compute API v1 prints it.
type Router struct {
	Kind              string      `json:"kind"`
	ID                string      `json:"id"`
	CreationTimestamp string      `json:"creationTimestamp"`
	Name              string      `json:"name"`
	Region            string      `json:"region"`
	Network           string      `json:"network"`
	Nats              []RouterNat `json:"nats,omitempty"`
	SelfLink          string      `json:"selfLink"`
}

// RouterNat is a NAT on a router, as the API prints it.
type RouterNat struct {
	Name                             string                     `json:"name,omitempty"`
	Type                             string                     `json:"type,omitempty"`
	SourceSubnetworkIPRangesToNat    string                     `json:"sourceSubnetworkIpRangesToNat,omitempty"`
	Subnetworks                      []RouterNatSubnetworkToNat `json:"subnetworks,omitempty"`
	NatIPs                           []string                   `json:"natIps,omitempty"`
	DrainNatIPs                      []string                   `json:"drainNatIps,omitempty"`
	NatIPAllocateOption              string                     `json:"natIpAllocateOption,omitempty"`
	MinPortsPerVM                    int                        `json:"minPortsPerVm,omitempty"`
	MaxPortsPerVM                    int                        `json:"maxPortsPerVm,omitempty"`
	EnableDynamicPortAllocation      bool                       `json:"enableDynamicPortAllocation"`
	EnableEndpointIndependentMapping bool                       `json:"enableEndpointIndependentMapping"`
	EndpointTypes                    []string                   `json:"endpointTypes,omitempty"`
	LogConfig                        *RouterNatLogConfig        `json:"logConfig,omitempty"`
	Rules                            []RouterNatRule            `json:"rules,omitempty"`
	TCPTimeWaitTimeoutSec            int                        `json:"tcpTimeWaitTimeoutSec,omitempty"`
	EffectiveTCPTimeWaitTimeoutSec   int                        `json:"effectiveTcpTimeWaitTimeoutSec,omitempty"`
}

// RouterNatSubnetworkToNat names a subnetwork and its ranges that are translated.
type RouterNatSubnetworkToNat struct {
	Name                string   `json:"name"`
	SourceIPRangesToNat []string `json:"sourceIpRangesToNat,omitempty"`
}

// RouterNatRule gives addresses of its own to what goes to some destinations.
type RouterNatRule struct {
	RuleNumber int    `json:"ruleNumber"`
	Match      string `json:"match,omitempty"`
}

// RouterNatLogConfig says what a NAT logs.
type RouterNatLogConfig struct {
	Enable bool   `json:"enable"`
	Filter string `json:"filter,omitempty"`
}

// RouterStatus is the answer of routers.getRouterStatus.
type RouterStatus struct {
	Kind   string             `json:"kind"`
	Result RouterStatusResult `json:"result"`
}

// RouterStatusResult is what a router reports.
type RouterStatusResult struct {
	Network   string      `json:"network"`
	NatStatus []NatStatus `json:"natStatus,omitempty"`
}

// NatStatus is what a router reports of a NAT. Zeros are printed (docs
// secure-web-proxy shows minExtraNatIpsNeeded 0).
type NatStatus struct {
	Name                          string   `json:"name"`
	AutoAllocatedNatIPs           []string `json:"autoAllocatedNatIps,omitempty"`
	UserAllocatedNatIPs           []string `json:"userAllocatedNatIps,omitempty"`
	UserAllocatedNatIPResources   []string `json:"userAllocatedNatIpResources,omitempty"`
	NumVMEndpointsWithNatMappings int      `json:"numVmEndpointsWithNatMappings"`
	MinExtraNatIPsNeeded          int      `json:"minExtraNatIpsNeeded"`
}

// computeURL is the name of a resource of Compute, as one resource names another.
func computeURL(path string) string { return "https://www.googleapis.com/compute/v1/" + path }

// nat is a NAT, where it is, and what its router reports of it.
type nat struct {
	project, region, network string
	router, routerID         string
	config                   RouterNat
	status                   NatStatus
}

func (n nat) place() string { return "projects/" + n.project + "/regions/" + n.region }

// path is the name of the NAT's router.
func (n nat) path() string { return n.place() + "/routers/" + n.router }

// nats are all NATs of the world.
func (w *World) nats() []nat {
	var all []nat
	reported := w.reported()
	for i := range w.scenario.Gateways {
		n := w.scenario.Gateways[i].nat()
		n.status = reported[i]
		all = append(all, n)
	}
	return all
}

// routers are the routers of a place, or of all with an empty one, by name.
func (w *World) routers(place string) []Router {
	byPath := map[string]*Router{}
	for _, n := range w.nats() {
		if place != "" && n.place() != place {
			continue
		}
		if byPath[n.path()] == nil {
			byPath[n.path()] = &Router{
				Kind: "compute#router", ID: n.routerID, Name: n.router, Region: computeURL(n.place()),
				CreationTimestamp: w.Start().AddDate(-1, 0, 0).Format("2006-01-02T15:04:05.000-07:00"),
				Network:           computeURL("projects/" + n.project + "/global/networks/" + n.network),
				SelfLink:          computeURL(n.path()),
			}
		}
		byPath[n.path()].Nats = append(byPath[n.path()].Nats, n.config)
	}
	var all []Router
	for _, r := range byPath {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b Router) int { return strings.Compare(a.SelfLink, b.SelfLink) })
	return all
}

// ListRouters reads a page of the routers of projects/P/regions/R.
func (a API) ListRouters(place string, page Page) ([]Router, string, error) {
	found, err := carryOut(a, "routers.list", place+"/routers", func(*ticket) (listed[Router], error) {
		project, _, _ := strings.Cut(strings.TrimPrefix(place, "projects/"), "/")
		if !a.world.hasProject(project) {
			return listed[Router]{}, resourceNotFound("projects/" + project)
		}
		return paged(a.world.routers(place), page)
	})
	return found.part, found.next, err
}

// ListAllRouters reads the routers of a project, by region.
func (a API) ListAllRouters(project string) (map[string][]Router, error) {
	return carryOut(a, "routers.aggregatedList", project, func(*ticket) (map[string][]Router, error) {
		if !a.world.hasProject(strings.TrimPrefix(project, "projects/")) {
			return nil, resourceNotFound(project)
		}
		byRegion := map[string][]Router{}
		for _, r := range a.world.routers("") {
			if region, ok := strings.CutPrefix(r.Region, computeURL(project+"/")); ok {
				byRegion[region] = append(byRegion[region], r)
			}
		}
		return byRegion, nil
	})
}

// GetRouter reads a router by projects/P/regions/R/routers/N.
func (a API) GetRouter(name string) (Router, error) {
	return carryOut(a, "routers.get", name, func(*ticket) (Router, error) {
		for _, r := range a.world.routers("") {
			if r.SelfLink == computeURL(name) {
				return r, nil
			}
		}
		return Router{}, resourceNotFound(name)
	})
}

// GetRouterStatus reads what a router reports.
func (a API) GetRouterStatus(name string) (RouterStatus, error) {
	return carryOut(a, "routers.getRouterStatus", name, func(*ticket) (RouterStatus, error) {
		s := RouterStatus{Kind: "compute#routerStatusResponse"}
		for _, n := range a.world.nats() {
			if n.path() == name {
				s.Result.Network = computeURL("projects/" + n.project + "/global/networks/" + n.network)
				s.Result.NatStatus = append(s.Result.NatStatus, n.status)
			}
		}
		if s.Result.NatStatus == nil {
			return RouterStatus{}, resourceNotFound(name)
		}
		return s, nil
	})
}

func (w *World) hasProject(project string) bool {
	return slices.ContainsFunc(w.nats(), func(n nat) bool { return n.project == project }) ||
		slices.ContainsFunc(w.services, func(s *service) bool { return s.name.Project == project })
}

// resourceNotFound is Compute's 404.
func resourceNotFound(name string) *APIError {
	return &APIError{
		Code: http.StatusNotFound, Status: statusName(http.StatusNotFound),
		Message: fmt.Sprintf("The resource '%s' was not found", name),
	}
}

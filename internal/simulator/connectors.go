package simulator

import (
	"cmp"
	"fmt"
	"net/http"
)

// VPCAccessConnector is a connector as the Serverless VPC Access API prints it. One
// with a subnetwork of somebody's tells that one, any other its network and range.
type VPCAccessConnector struct {
	Name         string           `json:"name"`
	Network      string           `json:"network,omitempty"`
	IPCIDRRange  string           `json:"ipCidrRange,omitempty"`
	State        string           `json:"state"`
	MachineType  string           `json:"machineType"`
	MinInstances int              `json:"minInstances"`
	MaxInstances int              `json:"maxInstances"`
	Subnet       *ConnectorSubnet `json:"subnet,omitempty"`
}

// ConnectorSubnet names the subnetwork of a connector.
type ConnectorSubnet struct {
	Name      string `json:"name"`
	ProjectID string `json:"projectId"`
}

// GetConnector reads a connector by projects/P/locations/R/connectors/N.
func (a API) GetConnector(name string) (VPCAccessConnector, error) {
	return carryOut(a, "connectors.get", name, func(*ticket) (VPCAccessConnector, error) {
		n := a.world.scenario.Network
		if n == nil {
			return VPCAccessConnector{}, resourceNotFound(name)
		}
		for _, c := range n.Connectors {
			subnet := n.subnetwork(c.Subnetwork, "")
			if c.path(subnet) == name {
				return c.printed(subnet), nil
			}
		}
		return VPCAccessConnector{}, resourceNotFound(name)
	})
}

// path is the connector's name in full.
func (c Connector) path(subnet *Subnet) string {
	return "projects/" + cmp.Or(c.Project, subnet.Project) + "/locations/" + subnet.Region + "/connectors/" + c.Name
}

func (c Connector) printed(subnet *Subnet) VPCAccessConnector {
	machines := cmp.Or(c.Machines, defaultMachines)
	printed := VPCAccessConnector{
		Name: c.path(subnet), State: "READY", MachineType: "e2-micro", MinInstances: machines, MaxInstances: machines,
	}
	if c.Hidden {
		printed.Network, printed.IPCIDRRange = subnet.Network, subnet.Range.String()
	} else {
		printed.Subnet = &ConnectorSubnet{Name: subnet.Name, ProjectID: subnet.Project}
	}
	return printed
}

// vpcAccessText is what the Serverless VPC Access API says with a code, "" where it
// says the same as others.
func vpcAccessText(code int, c *Call) string {
	switch code {
	case http.StatusForbidden:
		return fmt.Sprintf("Permission 'vpcaccess.connectors.get' denied on resource '%s' (or it may not exist).", c.Resource)
	case http.StatusTooManyRequests:
		return "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' " +
			"of service 'vpcaccess.googleapis.com' for consumer 'project_number:" + projectNumber(c.Resource) + "'."
	}
	return ""
}

package plan

import (
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/nat"
)

// Scene is what must be known for a forecast.
type Scene struct {
	// Instances is how many instances the service's whole traffic keeps busy.
	Instances int64 `json:"instances"`
	// MinInstances is the candidate's own minimum; 0 for none.
	MinInstances int64 `json:"minInstances,omitempty"`
	// MaxInstances is the candidate's own maximum; 0 where it is not known.
	MaxInstances int64 `json:"maxInstances,omitempty"`
	// Gateways are the NAT gateways that the service leaves through.
	Gateways []Gateway `json:"gateways"`
}

// Gateway is a NAT gateway as gcloud compute routers nats describe and get-status
// tell of it.
type Gateway struct {
	Name string `json:"name"`
	// IPs is the number of its addresses.
	IPs int64 `json:"ips"`
	// Automatic gateways take further addresses by themselves.
	Automatic bool `json:"automatic,omitempty"`
	// PortsPerEndpoint is minPortsPerVm; 0 for the default.
	PortsPerEndpoint int64 `json:"portsPerEndpoint,omitempty"`
	// DynamicPorts is enableDynamicPortAllocation.
	DynamicPorts bool `json:"dynamicPorts,omitempty"`
	// Endpoints is numVmEndpointsWithNatMappings, those of everybody.
	Endpoints int64 `json:"endpoints"`
	// AllocatedPorts is the metric allocated_ports; 0 where it is not known.
	AllocatedPorts int64 `json:"allocatedPorts,omitempty"`
}

// ParseScene reads a scene from YAML. Fields that it does not know are mistakes.
func ParseScene(text []byte) (*Scene, error) {
	scene := &Scene{}
	if err := yaml.UnmarshalStrict(text, scene); err != nil {
		return nil, err
	}
	return scene, scene.valid()
}

// valid says what is missing for a forecast.
func (s *Scene) valid() error {
	if s.Instances < 1 {
		return errors.New("instances: write how many the service's traffic keeps busy, at least 1")
	}
	if len(s.Gateways) == 0 {
		return errors.New("gateways: write at least one")
	}
	for i, g := range s.Gateways {
		if g.Name == "" || g.IPs < 1 || g.Endpoints < 0 || g.PortsPerEndpoint < 0 || g.AllocatedPorts < 0 {
			return fmt.Errorf("gateways[%d]: write name, ips (at least 1) and endpoints; no number is negative", i)
		}
	}
	return nil
}

// SceneOf takes a scene from the gateways that a rollout's status knows; nil where
// it knows none.
func SceneOf(ro *v1alpha1.CloudRunRollout, instances int64) *Scene {
	if len(ro.Status.Gateways) == 0 {
		return nil
	}
	scene := &Scene{Instances: instances}
	for _, g := range ro.Status.Gateways {
		known := Gateway{
			Name: g.Name, IPs: int64(g.IPs), Automatic: g.Addressing == v1alpha1.AddressingAutomatic,
			PortsPerEndpoint: int64(g.PortsPerEndpoint),
			DynamicPorts:     g.Growing != "" && g.Addressing == v1alpha1.AddressingManual, // one of the two grows
		}
		if g.Endpoints != nil {
			known.Endpoints = int64(*g.Endpoints)
		}
		if g.Allocated != nil {
			known.AllocatedPorts = int64(*g.Allocated)
		}
		scene.Gateways = append(scene.Gateways, known)
	}
	return scene
}

// Names are those of the gateways.
func (s *Scene) Names() []string {
	var names []string
	for _, g := range s.Gateways {
		names = append(names, g.Name)
	}
	return names
}

// Named are the gateways that a manifest says its traffic leaves through.
func Named(ro *v1alpha1.CloudRunRollout) []string {
	var names []string
	for _, g := range ro.Spec.NAT.Gateways {
		names = append(names, g.Name)
	}
	return names
}

// Beside compares the gateways with those that a manifest names: others are those that it
// does not name, and missing those that it does and that are not there.
func (s *Scene) Beside(ro *v1alpha1.CloudRunRollout) (others, missing []string) {
	without := func(all, known []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(known, name) })
	}
	return without(s.Names(), Named(ro)), without(Named(ro), s.Names())
}

func (g Gateway) nat() nat.Gateway {
	return nat.Gateway{
		Name: g.Name, IPs: g.IPs, Auto: g.Automatic, Ports: g.PortsPerEndpoint, Dynamic: g.DynamicPorts,
		Endpoints: g.Endpoints, Allocated: g.AllocatedPorts,
	}
}

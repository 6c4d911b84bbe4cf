package network

import (
	"errors"
	"fmt"
)

// ErrNoAddress tells that a subnet has no address left. Of an instance Cloud Run
// says: "Instance failed to start because of insufficient free IP addresses in
// the subnetwork" [GoogleCloudPlatform/enterprise-knowledge-solution PR 172].
var ErrNoAddress = errors.New("insufficient free IP addresses in the subnetwork")

const (
	// googleReserved addresses of each range belong to Google: the first two and
	// the last two [docs vpc/subnets].
	googleReserved = 4
	// blockSize is the unit in which Cloud Run reserves addresses: a /28
	// [docs run/configuring/vpc-direct-vpc].
	blockSize = 16
	// perInstance is what an instance takes [same page, "2x instances"].
	perInstance = 2
	// connectorBits is the size of a connector's own subnet.
	connectorBits = 28
)

// subnet counts the addresses of a range. Blocks are shared by all services and
// given back as soon as fewer are enough; both are unverified, as is that a block
// need not be aligned.
type subnet struct {
	Subnet
	gateway   *gateway // nil: no NAT
	usable    int
	instances int // addresses of instances that run
	retained  int // of those that ended
	machines  int
}

// reserved is how many addresses Cloud Run reserves for so many in use.
func reserved(used int) int { return (used + blockSize - 1) / blockSize * blockSize }

func (s *subnet) free() int {
	return s.usable - s.machines - reserved(s.instances+s.retained)
}

func (s *subnet) takeForInstance() error {
	if s.Range.Bits() == connectorBits {
		return fmt.Errorf("subnet %s: Cloud Run needs a /26 or larger, this is a connector's /28", s.Name)
	}
	if reserved(s.instances+s.retained+perInstance)+s.machines > s.usable {
		return fmt.Errorf("subnet %s: %w", s.Name, ErrNoAddress)
	}
	s.instances += perInstance
	return nil
}

func (s *subnet) takeForMachines(count int) error {
	if s.free() < count {
		return fmt.Errorf("subnet %s: %w", s.Name, ErrNoAddress)
	}
	s.machines += count
	return nil
}

// retention is what an instance leaves behind: its addresses and, perhaps, the
// ports that they hold.
type retention struct {
	until    int32
	subnet   *subnet
	mappings []*mapping
}

func (r retention) end() {
	r.subnet.retained -= perInstance
	for _, m := range r.mappings {
		m.release()
	}
}

func (s *subnet) status() SubnetStatus {
	return SubnetStatus{
		SubnetKey: s.SubnetKey, Usable: s.usable, Instances: s.instances, Retained: s.retained, Machines: s.machines,
		Reserved: reserved(s.instances + s.retained), Free: s.free(),
	}
}

package nat

import "fmt"

const (
	// AddressesPerInstance is how many addresses of the subnet an instance takes
	// with Direct VPC egress (docs run/configuring/vpc-direct-vpc).
	AddressesPerInstance = 2
	// AddressBlock is how many addresses are reserved at a time (ibid.).
	AddressBlock = 16
)

// Subnet is the range of addresses that instances with Direct VPC egress take
// theirs from. What is negative counts as 0.
type Subnet struct {
	// Name as a person knows it, such as run-tokyo.
	Name string
	// Size is how many addresses can be used. 0: not known, not limited.
	Size int64
	// Taken are those that nobody else can have now, by whomever they are used;
	// those included that are kept after an instance's end.
	Taken int64
	// AtLeast tells that more may be taken: Taken are those of our own instances.
	AtLeast bool
}

// AddressesOf is how many addresses so many instances take, in whole blocks.
func AddressesOf(instances int64) int64 {
	return ceilDiv(count(instances)*AddressesPerInstance, AddressBlock) * AddressBlock
}

// limits tells whether the subnet can run out, as far as is known.
func (s Subnet) limits() bool { return s.Size > 0 }

// free is how many addresses nobody has.
func (s Subnet) free() int64 { return max(0, count(s.Size)-count(s.Taken)) }

// Instances is how many further instances the free addresses are enough for. An
// address that is free in a block that is reserved already is not counted, because
// nobody tells whose block it is.
func (s Subnet) Instances() int64 {
	if !s.limits() {
		return unlimited
	}
	return s.free() / AddressBlock * AddressBlock / AddressesPerInstance
}

// Without is the subnet when so many instances of ours have ended. Only whole
// blocks come back for certain.
func (s Subnet) Without(instances int64) Subnet {
	s.Taken = max(0, count(s.Taken)-count(instances)*AddressesPerInstance/AddressBlock*AddressBlock)
	return s
}

// String writes how much of the subnet is taken.
func (s Subnet) String() string {
	atLeast := ""
	if s.AtLeast {
		atLeast = "at least "
	}
	return fmt.Sprintf("subnetwork %s: %s%s of %s addresses taken", s.Name, atLeast, thousands(count(s.Taken)), thousands(count(s.Size)))
}

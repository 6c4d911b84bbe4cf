package network_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

func (p *play) subnet(key network.SubnetKey) network.SubnetStatus {
	for _, s := range p.Status().Subnets {
		if s.SubnetKey == key {
			return s
		}
	}
	return network.SubnetStatus{}
}

// A /26 has 60 addresses that are not Google's, three whole blocks of 16.
func TestInstancesTakeTwoAddressesInBlocksOfSixteen(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	for i := range 24 {
		if _, err := p.AttachInstance(bare, network.AllTraffic); err != nil {
			t.Fatalf("instance %d: %v", i+1, err)
		}
		if got, want := p.subnet(bare).Reserved, (2*(i+1)+15)/16*16; got != want {
			t.Errorf("%d instances: %d addresses reserved, want %d", i+1, got, want)
		}
	}
	if _, err := p.AttachInstance(bare, network.AllTraffic); !errors.Is(err, network.ErrNoAddress) {
		t.Errorf("instance 25: the error is %v", err)
	}
	want := network.SubnetStatus{SubnetKey: bare, Usable: 60, Instances: 48, Reserved: 48, Free: 12}
	if diff := cmp.Diff(want, p.subnet(bare)); diff != "" {
		t.Error(diff)
	}
}

func TestAddressesAreRetainedForTwentyMinutes(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	var all []*network.Endpoint
	for range 24 {
		e, err := p.AttachInstance(bare, network.AllTraffic)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	all[0].Detach()
	p.wait(1199)
	if s := p.subnet(bare); s.Instances != 46 || s.Retained != 2 {
		t.Errorf("before 20 minutes: %+v", s)
	}
	if _, err := p.AttachInstance(bare, network.AllTraffic); !errors.Is(err, network.ErrNoAddress) {
		t.Errorf("a retained address was given away: %v", err)
	}
	p.wait(1)
	if s := p.subnet(bare); s.Instances != 46 || s.Retained != 0 {
		t.Errorf("after 20 minutes: %+v", s)
	}
	if _, err := p.AttachInstance(bare, network.AllTraffic); err != nil {
		t.Error(err)
	}
}

func TestAMachineTakesOneAddressAndGivesItBackAtOnce(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e, err := p.AttachMachines(small, 12)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.AttachMachines(small, 1); !errors.Is(err, network.ErrNoAddress) {
		t.Errorf("a /28 has room for a thirteenth machine: %v", err)
	}
	e.Detach()
	if s := p.subnet(small); s.Machines != 0 || s.Retained != 0 || s.Free != 12 {
		t.Errorf("the subnet has %+v", s)
	}
}

func TestMachinesAndInstancesShareASubnet(t *testing.T) {
	t.Parallel()
	c := config(nat())
	c.Subnets[1].Range = netip.MustParsePrefix("10.1.0.0/26")
	p := begin(t, c)
	if _, err := p.AttachMachines(bare, 45); err != nil {
		t.Fatal(err)
	}
	if _, err := p.AttachInstance(bare, network.AllTraffic); !errors.Is(err, network.ErrNoAddress) {
		t.Errorf("15 free addresses are less than a block: %v", err)
	}
}

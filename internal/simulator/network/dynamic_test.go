package network_test

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

func dynamic(least, most int) network.Gateway {
	g := nat()
	g.Dynamic = &network.Dynamic{Min: least, Max: most}
	return g
}

func TestDynamicPortsDoubleNearTheLimitAfterAWhileAndDropMeanwhile(t *testing.T) {
	t.Parallel()
	p := begin(t, config(dynamic(0, 0)))
	e := p.instance()
	p.wantPorts(e, 32)
	p.wantOpen(e, database, 23, 23) // less than three quarters
	p.wait(60)
	p.wantPorts(e, 32)
	p.wantOpen(e, database, 100, 9)
	p.wait(4)
	p.wantPorts(e, 32)
	p.wantOpen(e, database, 1, 0)
	p.wait(1)
	p.wantPorts(e, 64)
	p.wantOpen(e, database, 91, 32)
	p.wait(5)
	p.wantPorts(e, 128)
	p.wantOpen(e, database, 59, 59)
	if m := p.Minute()[0]; m.PortUsage != 123 || m.AllocationFailed {
		t.Errorf("the minute says %+v", m)
	}
}

func TestDynamicPortsGrowNoFurtherThanTheMost(t *testing.T) {
	t.Parallel()
	p := begin(t, config(dynamic(32, 128)))
	e := p.instance()
	for range 100 {
		p.wait(1)
		e.Open(database, 1000)
	}
	p.wantPorts(e, 128)
	p.wantOpen(e, database, 1, 0)
}

func TestTheLargestShareNeedsTwoAddresses(t *testing.T) {
	t.Parallel()
	g := dynamic(32768, 65536)
	p := begin(t, config(g))
	e := p.instance()
	p.wantOpen(e, database, 40000, 32768)
	p.wait(60)
	p.wantPorts(e, 32768) // 65536 ports are more than an address has
	g.IPs = []string{"203.0.113.10", "203.0.113.11"}
	p = begin(t, config(g))
	e = p.instance()
	p.wantOpen(e, database, 40000, 32768)
	p.wait(5)
	p.wantPorts(e, 65536)
}

func TestPortsDoubleOnlyWhereThereIsRoomAndFirstPortsComeFirst(t *testing.T) {
	t.Parallel()
	c := config(dynamic(16384, 65536)) // three blocks to an address
	c.Switches.RetainedAddressPorts = "freed"
	p := begin(t, c)
	e := p.instances(3)
	p.wantOpen(e[0], database, 20000, 16384)
	p.wait(30)
	p.wantPorts(e[0], 16384)
	if p.Minute()[0].AllocationFailed {
		t.Error("the allocation failed though everybody had ports")
	}
	late := p.instance()
	e[1].Detach()
	p.wait(1)
	p.wantPorts(late, 16384)
	p.wantPorts(e[0], 16384)
	e[2].Detach()
	p.wait(1)
	p.wantPorts(e[0], 32768)
}

func TestGrowthIsForgottenWhenTheNeedHasPassed(t *testing.T) {
	t.Parallel()
	g := dynamic(32, 64)
	g.TimeWait = 2 * time.Second
	p := begin(t, config(g))
	e := p.instance()
	p.wantOpen(e, database, 30, 30)
	e.Close(database, 30)
	p.wait(5)
	p.wantPorts(e, 32)
	p.wantOpen(e, database, 30, 30)
	e.Detach()
	p.wait(5)
	p.wantPorts(e, 0)
}

func TestAnAutomaticGatewayAddsAnAddressForGrowth(t *testing.T) {
	t.Parallel()
	g := dynamic(32768, 65536)
	g.IPs, g.Automatic = nil, &network.Automatic{Most: 2}
	p := begin(t, config(g))
	e := p.instance()
	p.wantOpen(e, database, 40000, 32768)
	p.wait(14)
	p.wantPorts(e, 32768)
	p.wait(1)
	p.wantPorts(e, 65536)
	if p.Minute()[0].AllocationFailed {
		t.Error("the allocation failed though everybody had ports")
	}
}

func TestPortsThatWereNotUsedForAWhileAreTakenBack(t *testing.T) {
	t.Parallel()
	p := begin(t, config(dynamic(32, 1024)))
	e := p.instance()
	for range 60 {
		p.wait(1)
		e.Open(database, 200)
		e.Keep(database, 200)
	}
	p.wantPorts(e, 512)
	n := e.Open(database, 500)
	e.Close(database, n-20) // 120 s later 20 connections are left
	for _, step := range []struct{ second, ports int }{{599, 1024}, {600, 512}, {900, 256}, {1200, 128}, {1500, 64}, {2100, 64}} {
		p.wait(step.second - p.now)
		p.wantPorts(e, step.ports)
	}
	e.Detach()
	p.wait(1200)
	if g := p.gateway(); g.Allotted != 0 || g.Mapped != 0 {
		t.Errorf("ports are left: %+v", g)
	}
}

func TestTheMachinesOfAConnectorGrowTogether(t *testing.T) {
	t.Parallel()
	g := dynamic(8192, 32768) // an address has room for seven blocks
	p := begin(t, config(g))
	e, err := p.AttachMachines(small, 3)
	if err != nil {
		t.Fatal(err)
	}
	p.wantOpen(e, database, 30000, 3*8192)
	p.wait(5)
	p.wantPorts(e, 6*8192)
	p.wantOpen(e, database, 30000, 3*8192)
	p.wait(60)
	p.wantPorts(e, 6*8192) // the seventh block is half of what one machine would need
}

func TestAMachineThatFoundNoRoomGrowsLater(t *testing.T) {
	t.Parallel()
	c := config(dynamic(8192, 32768)) // an address has room for seven blocks
	c.Switches.RetainedAddressPorts = "freed"
	p := begin(t, c)
	other := p.instances(2)
	e, err := p.AttachMachines(small, 3)
	if err != nil {
		t.Fatal(err)
	}
	p.wantOpen(e, database, 30000, 3*8192)
	p.wait(10)
	p.wantOpen(e, database, 30000, 2*8192)
	p.wait(60)
	p.wantPorts(e, 5*8192)
	other[0].Detach()
	other[1].Detach()
	p.wait(1)
	p.wantPorts(e, 6*8192)
	if m := p.Minute()[0]; m.PortUsage != 13654 {
		t.Errorf("each machine uses %d ports, want 5 x 8192 / 3", m.PortUsage)
	}
}

func TestPortsTakenBackServeWhoWaits(t *testing.T) {
	t.Parallel()
	p := begin(t, config(dynamic(16384, 65536))) // three blocks to an address
	e := p.instances(2)
	p.wantOpen(e[0], database, 20000, 16384)
	p.wait(5)
	p.wantPorts(e[0], 32768)
	late := p.instance()
	e[0].Close(database, 16384)
	p.wait(299 - 5)
	p.wantPorts(late, 0)
	p.wait(301)
	p.wantPorts(e[0], 16384)
	p.wantPorts(late, 16384)
}

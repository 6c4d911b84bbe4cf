package network_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// narrow is a gateway of which an address serves two endpoints.
func narrow() network.Gateway {
	g := nat()
	g.PortsPerEndpoint = 32768 / 2
	g.IPs = []string{"203.0.113.10"}
	return g // three blocks fit into 64512 ports
}

func waiting(endpoints []*network.Endpoint) []bool {
	all := make([]bool, len(endpoints))
	for i, e := range endpoints {
		all[i] = e.Waiting()
	}
	return all
}

func TestWhoFindsNoPortsWaitsAndIsServedInOrder(t *testing.T) {
	t.Parallel()
	c := config(narrow())
	c.Switches.RetainedAddressPorts = "freed"
	p := begin(t, c)
	e := p.instances(6)
	for _, step := range []struct {
		detach int
		want   []bool
	}{
		{-1, []bool{false, false, false, true, true, true}},
		{1, []bool{false, false, false, false, true, true}},
		{4, []bool{false, false, false, false, false, true}}, // it never had ports
		{0, []bool{false, false, false, false, false, false}},
	} {
		if step.detach >= 0 {
			e[step.detach].Detach()
		}
		if got := waiting(e); !slices.Equal(got, step.want) {
			t.Errorf("after %d was detached those wait: %v, want %v", step.detach, got, step.want)
		}
	}
	p.wantOpen(e[5], database, 1, 1)
}

func TestAnEndpointThatWaitsDropsItsPackets(t *testing.T) {
	t.Parallel()
	for unserved, want := range map[string]int{"counted": 7, "silent": 2} {
		c := config(narrow())
		c.Switches.UnservedPackets = unserved
		p := begin(t, c)
		all := p.instances(4)
		all[0].Dropped(database, 2) // it has ports
		e := all[3]
		p.wantOpen(e, database, 5, 0)
		p.wantOpen(e, cache, 5, 5)
		e.Dropped(database, 5)
		if m := p.Minute()[0]; m.OutOfResources != want {
			t.Errorf("%s: %d packets were dropped, want %d", unserved, m.OutOfResources, want)
		}
		if !e.Reaches(database) {
			t.Error("a gateway without ports is no way any more")
		}
	}
}

func TestAllocationHasFailedInEveryMinuteInWhichSomeoneWaited(t *testing.T) {
	t.Parallel()
	c := config(narrow())
	c.Switches.RetainedAddressPorts = "freed"
	p := begin(t, c)
	e := p.instances(3)
	failed := func(want bool, when string) {
		t.Helper()
		if got := p.Minute()[0].AllocationFailed; got != want {
			t.Errorf("%s: allocation failed is %v", when, got)
		}
	}
	failed(false, "with room for all")
	p.instance()
	failed(true, "when one waits")
	failed(true, "when one still waits")
	e[0].Detach()
	failed(true, "when one waited at the beginning")
	failed(false, "when nobody waits any more")
}

func TestTheStatusSaysHowManyAddressesAreMissing(t *testing.T) {
	t.Parallel()
	p := begin(t, config(narrow()))
	for attached, want := range map[int]int{3: 0, 4: 1, 6: 1, 7: 2} {
		q := begin(t, config(narrow()))
		q.instances(attached)
		if got := q.gateway().MinExtraIPsNeeded; got != want {
			t.Errorf("%d endpoints, three to an address: %d more addresses needed, want %d", attached, got, want)
		}
	}
	p.instances(5)
	want := network.GatewayStatus{
		IPs: []string{"203.0.113.10"}, Mapped: 3, MinExtraIPsNeeded: 1, Waiting: 2, Allotted: 3 * 16384, Capacity: 64512,
	}
	if diff := cmp.Diff(want, p.gateway()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]network.AddressPorts{{IP: "203.0.113.10", Ports: 3 * 16384}}, p.Minute()[0].Allocated); diff != "" {
		t.Error(diff)
	}
}

func TestRetainedAddressesHoldTheirPortsOrNot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ports     string
		retention time.Duration
		served    int // seconds until the one who waits gets ports
	}{{"held", 0, 1200}, {"held", 5 * time.Minute, 300}, {"freed", 0, 0}} {
		c := config(narrow())
		c.Switches.RetainedAddressPorts, c.Timing.AddressRetention = tt.ports, tt.retention
		p := begin(t, c)
		e := p.instances(4)
		p.wait(7)
		e[1].Detach()
		if tt.served > 0 {
			p.wait(tt.served - 1)
			if !e[3].Waiting() {
				t.Errorf("%s: it got ports before the retained addresses were free", tt.ports)
			}
			p.wait(1)
		}
		if e[3].Waiting() {
			t.Errorf("%s: it has no ports %d s after an instance ended", tt.ports, tt.served)
		}
	}
}

// A release at once beside the former one: 40 instances that hold 1024 ports each
// do not fit twice into an address, and the new ones wait until 20 minutes after
// the old ones ended.
func TestTheFormerRevisionKeepsTheNewOneWithoutPorts(t *testing.T) {
	t.Parallel()
	g := nat()
	g.PortsPerEndpoint = 1024
	p := begin(t, config(g))
	before := p.instances(40)
	after := p.instances(40)
	p.wait(900)
	for _, e := range before {
		e.Detach()
	}
	starved := 0
	for _, e := range after {
		if e.Waiting() {
			starved++
		}
	}
	if starved != 40-23 {
		t.Errorf("%d new instances have no ports, want 17", starved)
	}
	p.wait(1199)
	if g := p.gateway(); g.Waiting != 17 || g.Mapped != 63 {
		t.Errorf("before the retention ends the gateway has %+v", g)
	}
	p.wait(1)
	if g := p.gateway(); g.Waiting != 0 || g.Mapped != 40 {
		t.Errorf("after it has ended the gateway has %+v", g)
	}
}

func TestBothAddressesOfAnInstanceMayBeEndpoints(t *testing.T) {
	t.Parallel()
	for endpoints, want := range map[string]int{"one": 63, "two": 31} {
		g := nat()
		g.PortsPerEndpoint = 1024
		c := config(g)
		c.Switches.InstanceEndpoints, c.Switches.RetainedAddressPorts = endpoints, "freed"
		p := begin(t, c)
		all := p.instances(want)
		if g := p.gateway(); g.Waiting != 0 {
			t.Errorf("%s: %d instances do not fit", endpoints, want)
		}
		p.wantPorts(all[0], 1024)
		p.instance()
		if g := p.gateway(); g.Waiting != 1 {
			t.Errorf("%s: one more and %d wait", endpoints, g.Waiting)
		}
		all[0].Detach()
		if g := p.gateway(); g.Waiting != 0 {
			t.Errorf("%s: the ports of one that ended do not serve the next", endpoints)
		}
	}
}

func TestAnAutomaticGatewayAddsAnAddressAfterAWhile(t *testing.T) {
	t.Parallel()
	g := narrow()
	g.IPs, g.Automatic = nil, &network.Automatic{Most: 3}
	p := begin(t, config(g))
	p.wait(100)
	e := p.instances(8)
	for _, step := range []struct{ seconds, ips, waiting int }{{0, 1, 5}, {9, 1, 5}, {1, 2, 2}, {9, 2, 2}, {1, 3, 0}} {
		p.wait(step.seconds)
		if g := p.gateway(); len(g.IPs) != step.ips || g.Waiting != step.waiting || g.MinExtraIPsNeeded != 0 {
			t.Errorf("second %d: %d addresses and %d wait, want %d and %d", p.now, len(g.IPs), g.Waiting, step.ips, step.waiting)
		}
	}
	if p.Minute()[0].AllocationFailed {
		t.Error("the allocation failed though addresses could be added")
	}
	p.wantOpen(e[7], database, 1, 1)
	more := p.instances(2)
	p.wait(60)
	if !more[1].Waiting() || !p.Minute()[0].AllocationFailed {
		t.Error("the limit of addresses is no limit, or nobody says so")
	}
}

func TestAnAutomaticGatewayRemovesAddressesThatNobodyUses(t *testing.T) {
	t.Parallel()
	g := narrow()
	g.IPs, g.Automatic = nil, &network.Automatic{Begin: 1, Most: 5}
	c := config(g)
	c.Switches.RetainedAddressPorts = "freed"
	p := begin(t, c)
	e := p.instances(7)
	p.wait(30)
	had := p.gateway().IPs
	if len(had) != 3 {
		t.Fatalf("there are %d addresses, want 3", len(had))
	}
	for _, i := range []int{3, 4, 5} { // all of the second address
		e[i].Detach()
	}
	p.wait(9)
	if got := p.gateway().IPs; len(got) != 3 {
		t.Errorf("an address went after %d s", 9)
	}
	p.wait(1)
	if diff := cmp.Diff([]string{had[0], had[2]}, p.gateway().IPs); diff != "" {
		t.Error(diff)
	}
	for _, each := range e {
		each.Detach()
	}
	p.wait(60)
	if got := p.gateway(); len(got.IPs) != 1 || got.Mapped != 0 {
		t.Errorf("when all have gone there is %+v", got)
	}
}

func TestAConnectorSharesThePortsOfItsMachines(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e, err := p.AttachMachines(small, 3)
	if err != nil {
		t.Fatal(err)
	}
	p.wantPorts(e, 3*64)
	p.wantOpen(e, database, 1000, 3*64)
	if m := p.Minute()[0]; m.PortUsage != 64 || m.Open != 3*64 {
		t.Errorf("the minute says %+v", m)
	}
	if g := p.gateway(); g.Mapped != 3 || g.Allotted != 3*64 {
		t.Errorf("the gateway has %+v", g)
	}
	e.Detach()
	if g := p.gateway(); g.Mapped != 0 || g.Allotted != 0 {
		t.Errorf("machines leave ports behind: %+v", g)
	}
}

func TestAGatewayMayCoverTheWholeNetwork(t *testing.T) {
	t.Parallel()
	g := nat()
	g.Subnets = nil
	p := begin(t, config(g))
	e, err := p.AttachInstance(bare, network.AllTraffic)
	if err != nil {
		t.Fatal(err)
	}
	p.wantOpen(e, database, 1, 1)
}

func TestWhoEndsWhileWaitingDoesNotWaitOn(t *testing.T) {
	t.Parallel()
	for _, ports := range []string{"held", "freed"} {
		c := config(narrow())
		c.Switches.RetainedAddressPorts = ports
		p := begin(t, c)
		p.instances(4)[3].Detach()
		if g := p.gateway(); g.Waiting != 0 || g.Mapped != 3 {
			t.Errorf("%s: the gateway has %+v", ports, g)
		}
	}
}

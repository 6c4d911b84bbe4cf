package network_test

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

func (p *play) wantConnections(e *network.Endpoint, d network.DestinationID, want network.Connections) {
	p.t.Helper()
	if got := e.Connections(d); got != want {
		p.t.Errorf("second %d: connections are %+v, want %+v", p.now, got, want)
	}
}

func TestAPortInTimeWaitIsNotUsedAgainForItsDestination(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e := p.instance()
	p.wantOpen(e, database, 64, 64)
	e.Close(database, 10)
	p.wantConnections(e, database, network.Connections{Busy: 54, TimeWait: 10})
	p.wait(119)
	p.wantOpen(e, database, 1, 0)
	p.wait(1)
	p.wantOpen(e, database, 20, 10)
}

func TestAPortServesEveryAddressOfADestinationAndEveryDestinationOnce(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e := p.instance()
	p.wantOpen(e, database, 100, 64)
	p.wantOpen(e, partner, 1000, 3*64)
	p.wantOpen(e, storage, 100, 64)
}

func TestKeptConnectionsAreUsedBeforeNewOnes(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e := p.instance()
	for range 600 {
		p.wait(1)
		p.wantOpen(e, database, 60, 60)
		e.Keep(database, 60)
	}
	p.wantOpen(e, database, 70, 64)
	e.Close(database, 4)
	e.Keep(database, 60)
	p.wait(120)
	p.wantConnections(e, database, network.Connections{Idle: 60})
	if m := p.Minute()[0]; m.Opened != 64 || m.Closed != 4 || m.Open != 60 {
		t.Errorf("the minute says %+v, want 64 connections opened, 4 closed", m)
	}
}

func TestTheLatestUsedIsTakenFromThePoolSoThatTheRestGrowsOld(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e := p.instance()
	p.wantOpen(e, partner, 30, 30)
	e.Keep(partner, 30)
	for range 10 {
		p.wait(1)
		p.wantOpen(e, partner, 5, 5)
		e.Keep(partner, 5)
	}
	p.wantConnections(e, partner, network.Connections{Idle: 5, TimeWait: 25})
	p.wait(119)
	p.wantConnections(e, partner, network.Connections{TimeWait: 30})
	p.wait(1)
	p.wantConnections(e, partner, network.Connections{TimeWait: 5})
	p.wait(10)
	p.wantConnections(e, partner, network.Connections{})
}

func TestNoMoreIsKeptOrClosedThanCarriesRequests(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e := p.instance()
	p.wantOpen(e, database, 3, 3)
	e.Keep(database, -1)
	e.Close(database, -1)
	e.Keep(database, 2)
	e.Close(database, 2)
	e.Keep(database, 2)
	p.wantConnections(e, database, network.Connections{Idle: 2, TimeWait: 1})
	p.wantOpen(e, database, -1, 0)
}

func TestWhatDoesNotGoThroughNATNeedsNoPorts(t *testing.T) {
	t.Parallel()
	private := config(nat())
	private.Subnets[0].PrivateGoogleAccess = true
	p := begin(t, private)
	e := p.instance()
	for _, d := range []network.DestinationID{cache, storage} {
		p.wantOpen(e, d, 5000, 5000)
		e.Close(d, 4000)
		e.Keep(d, 1000)
		p.wantConnections(e, d, network.Connections{Idle: 1000})
	}
	if m := p.Minute()[0]; m.Opened != 0 || m.Closed != 0 || m.Open != 0 || m.PortUsage != 0 {
		t.Errorf("the gateway counts what does not pass it: %+v", m)
	}
	p.wait(1200)
	p.wantConnections(e, cache, network.Connections{})
}

func TestPublicDestinationsHaveNoWayOutOfASubnetWithoutNAT(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e, err := p.AttachInstance(bare, network.AllTraffic)
	if err != nil {
		t.Fatal(err)
	}
	for d, reaches := range map[network.DestinationID]bool{database: false, cache: true, storage: false} {
		if e.Reaches(d) != reaches {
			t.Errorf("destination %d: reaches is %v", d, e.Reaches(d))
		}
		if got := e.Open(d, 1); (got == 1) != reaches {
			t.Errorf("destination %d: %d connections", d, got)
		}
	}
	e.Dropped(database, 3)
	if e.Waiting() || e.Ports() != 0 || p.Minute()[0].OutOfResources != 0 {
		t.Error("an endpoint without NAT waits for ports or drops packets at a gateway")
	}
}

func TestPrivateRangesOnlyLeavesPublicDestinationsToCloudRun(t *testing.T) {
	t.Parallel()
	for _, egress := range []network.Egress{network.PrivateRangesOnly, ""} {
		p := begin(t, config(nat()))
		e, err := p.AttachInstance(run, egress)
		if err != nil {
			t.Fatal(err)
		}
		p.wantOpen(e, database, 5000, 5000)
		p.wantOpen(e, storage, 5000, 5000)
		if g := p.gateway(); g.Mapped != 1 || g.Allotted != 64 {
			t.Errorf("the gateway covers the subnet whatever the egress is, but has %+v", g)
		}
	}
}

func TestDroppedPacketsSayWhichLimitRefusedTheConnection(t *testing.T) {
	t.Parallel()
	independent := nat()
	independent.EndpointIndependent = true
	for name, tt := range map[string]struct {
		gateway         network.Gateway
		first           int
		opened          int
		none, collision int
	}{
		"ports are shared by destinations":                   {nat(), 64, 64, 0, 0},
		"ports are not shared, others have taken them":       {independent, 40, 24, 0, 7},
		"ports are not shared, this destination took a part": {independent, 1, 63, 0, 7},
		"ports are not shared, there are no others":          {independent, 0, 64, 7, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := begin(t, config(tt.gateway))
			e := p.instance()
			p.wantOpen(e, storage, tt.first, tt.first)
			p.wantOpen(e, database, 64, tt.opened)
			if tt.opened < 64 || tt.none > 0 {
				p.wantOpen(e, database, 1, 0)
				e.Dropped(database, 7)
			}
			e.Dropped(cache, 7)
			e.Dropped(database, 0)
			if m := p.Minute()[0]; m.OutOfResources != tt.none || m.IndependenceConflict != tt.collision {
				t.Errorf("dropped are %d for want of ports and %d for independence, want %d and %d",
					m.OutOfResources, m.IndependenceConflict, tt.none, tt.collision)
			}
			if m := p.Minute()[0]; m.OutOfResources+m.IndependenceConflict != 0 {
				t.Error("the next minute begins with the drops of the last")
			}
		})
	}
}

func TestEndpointIndependentMappingCountsTimeWaitOfAllDestinations(t *testing.T) {
	t.Parallel()
	g := nat()
	g.EndpointIndependent = true
	p := begin(t, config(g))
	e := p.instance()
	p.wantOpen(e, partner, 100, 64)
	e.Close(partner, 60)
	p.wantOpen(e, database, 1, 0)
	p.wait(120)
	p.wantOpen(e, database, 100, 60)
}

func TestADetachedEndpointOpensNothing(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e := p.instance()
	p.wantOpen(e, database, 10, 10)
	e.Keep(database, 3)
	e.Detach()
	e.Detach()
	p.wantOpen(e, database, 1, 0)
	e.Close(database, 7)
	e.Dropped(database, 7)
	p.wantConnections(e, database, network.Connections{})
	if e.Reaches(cache) || e.Waiting() {
		t.Error("it is still there")
	}
	if m := p.Minute()[0]; m.Opened != 10 || m.Closed != 10 || m.Open != 0 || m.OutOfResources != 0 {
		t.Errorf("the minute says %+v, want 10 opened and closed", m)
	}
}

func TestPortUsageIsThatOfTheBusiestEndpointForOneAddress(t *testing.T) {
	t.Parallel()
	for usage, want := range map[string]int{"withTimeWait": 30, "established": 20} {
		c := config(nat())
		c.Switches.PortUsage = usage
		p := begin(t, c)
		first, second := p.instance(), p.instance()
		p.wantOpen(first, database, 30, 30)
		first.Close(database, 10)
		p.wantOpen(second, partner, 29, 29)
		p.wait(int(time.Minute.Seconds()))
		if got := p.Minute()[0].PortUsage; got != want {
			t.Errorf("%s: port usage is %d, want %d", usage, got, want)
		}
	}
}

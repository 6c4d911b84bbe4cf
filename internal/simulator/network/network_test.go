package network_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

const (
	region   = "asia-northeast1"
	database = network.DestinationID(0) // public, one address
	partner  = network.DestinationID(1) // public, three addresses
	cache    = network.DestinationID(2) // private
	storage  = network.DestinationID(3) // a Google API
)

var (
	start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	run   = network.SubnetKey{Project: "acme-net", Region: region, Name: "run"}
	bare  = network.SubnetKey{Project: "acme-net", Region: region, Name: "bare"}
	small = network.SubnetKey{Project: "acme-net", Region: region, Name: "connector"}
)

// nat is a gateway for the subnets run and connector with one address.
func nat() network.Gateway {
	return network.Gateway{
		Project: "acme-net", Region: region, Network: "shared", Router: "r1", Name: "nat-1",
		Subnets: []string{"run", "connector"}, IPs: []string{"203.0.113.10"},
	}
}

// config is a network with three subnets, two of them behind the gateway.
func config(g network.Gateway) network.Config {
	subnet := func(key network.SubnetKey, cidr string) network.Subnet {
		return network.Subnet{SubnetKey: key, Network: "shared", Range: netip.MustParsePrefix(cidr)}
	}
	return network.Config{
		Start:    start,
		Subnets:  []network.Subnet{subnet(run, "10.0.0.0/20"), subnet(bare, "10.1.0.0/26"), subnet(small, "10.2.0.0/28")},
		Gateways: []network.Gateway{g},
		Destinations: []network.Destination{
			{Name: "database"},
			{Name: "partner", Addresses: 3, IdleTimeout: 10 * time.Second},
			{Name: "cache", Path: network.PathPrivate},
			{Name: "storage", Path: network.PathGoogle},
		},
	}
}

// play is a network whose seconds a test counts.
type play struct {
	*network.Network
	t   testing.TB
	now int
}

func begin(tb testing.TB, c network.Config) *play {
	tb.Helper()
	n, err := network.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return &play{Network: n, t: tb}
}

func (p *play) wait(seconds int) {
	for range seconds {
		p.now++
		p.Tick(start.Add(time.Duration(p.now) * time.Second))
	}
}

func (p *play) instance() *network.Endpoint {
	p.t.Helper()
	e, err := p.AttachInstance(run, network.AllTraffic)
	if err != nil {
		p.t.Fatal(err)
	}
	return e
}

func (p *play) instances(n int) []*network.Endpoint {
	p.t.Helper()
	all := make([]*network.Endpoint, n)
	for i := range all {
		all[i] = p.instance()
	}
	return all
}

func (p *play) gateway() network.GatewayStatus { return p.Status().Gateways[0] }

func (p *play) wantPorts(e *network.Endpoint, want int) {
	p.t.Helper()
	if e.Ports() != want {
		p.t.Errorf("second %d: the endpoint has %d ports, want %d", p.now, e.Ports(), want)
	}
}

func (p *play) wantOpen(e *network.Endpoint, d network.DestinationID, want, got int) {
	p.t.Helper()
	if n := e.Open(d, want); n != got {
		p.t.Errorf("second %d: of %d connections %d were opened, want %d", p.now, want, n, got)
	}
}

// The sustained rate of connections to one destination is ports / TIME_WAIT: 0.53
// a second for 64 ports and 120 s, 2.1 for 30 s, 34 for 1024 ports and 30 s.
func TestConnectionsThatAreNotKeptAreLimitedByPortsOverTimeWait(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ports    int
		timeWait time.Duration
		want     float64
	}{{64, 120 * time.Second, 0.53}, {64, 30 * time.Second, 2.13}, {1024, 30 * time.Second, 34.1}} {
		g := nat()
		g.PortsPerEndpoint, g.TimeWait = tt.ports, tt.timeWait
		p := begin(t, config(g))
		e := p.instance()
		got := 0
		const seconds = 7200
		for range seconds {
			p.wait(1)
			n := e.Open(database, 1000)
			e.Close(database, n)
			got += n
		}
		if rate := float64(got) / seconds; rate < tt.want-0.01 || rate > 1.02*tt.want {
			t.Errorf("%d ports and %v sustain %.2f connections a second, want %.2f", tt.ports, tt.timeWait, rate, tt.want)
		}
	}
}

func TestAnAddressServesAsManyEndpointsAsWholeBlocksFitIntoIt(t *testing.T) {
	t.Parallel()
	for ports, want := range map[int]int{64: 1008, 50: 1008, 1024: 63, 2048: 31, 32768: 1} {
		for _, ips := range [][]string{{"203.0.113.10"}, {"203.0.113.10", "203.0.113.11"}} {
			g := nat()
			g.PortsPerEndpoint, g.IPs = ports, ips
			p := begin(t, config(g))
			want := want * len(ips)
			for _, e := range p.instances(want) {
				if e.Waiting() {
					t.Fatalf("%d ports: an endpoint of the first %d waits", ports, want)
				}
			}
			if !p.instance().Waiting() {
				t.Errorf("%d ports on %d addresses: there is room for more than %d", ports, len(ips), want)
			}
		}
	}
}

func TestADestinationIsFoundByItsName(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	if d, err := p.Destination("cache"); err != nil || d != cache {
		t.Errorf("cache is %d, %v", d, err)
	}
	if _, err := p.Destination("nobody"); err == nil {
		t.Error("a destination that does not exist was found")
	}
}

func TestTimeDoesNotGoBack(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	e := p.instance()
	p.wait(200)
	p.wantOpen(e, database, 64, 64)
	p.Tick(start)
	e.Close(database, 64)
	p.wait(119)
	p.wantOpen(e, database, 1, 0)
	p.wait(1)
	p.wantOpen(e, database, 1, 1)
}

func TestWhatCannotBeAttachedIsRefused(t *testing.T) {
	t.Parallel()
	p := begin(t, config(nat()))
	elsewhere := run
	elsewhere.Region = "europe-west1"
	for complaint, attach := range map[string]func() (*network.Endpoint, error){
		"a subnet of another region": func() (*network.Endpoint, error) { return p.AttachInstance(elsewhere, network.AllTraffic) },
		"machines in no subnet":      func() (*network.Endpoint, error) { return p.AttachMachines(elsewhere, 1) },
		"an unknown egress":          func() (*network.Endpoint, error) { return p.AttachInstance(run, "all-traffic") },
		"no machine":                 func() (*network.Endpoint, error) { return p.AttachMachines(run, 0) },
		"an instance in a /28":       func() (*network.Endpoint, error) { return p.AttachInstance(small, network.AllTraffic) },
	} {
		if _, err := attach(); err == nil || errors.Is(err, network.ErrNoAddress) {
			t.Errorf("%s: the error is %v", complaint, err)
		}
	}
}

package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// town is a seeded world for measurements: one service that is released, others and
// an old system beside it, and one gateway that all of them leave through.
type town struct {
	dice *rand.Rand
	sc   simulator.Scenario
	// instances are how many the released service keeps busy, endpoints how many all
	// of them together have before the release.
	instances, endpoints int
	// all are the instances that all services of Cloud Run keep busy, each how many
	// NAT endpoints one is.
	all, each int
}

// releaseAt is when a town's service is released. Until then everything has settled.
const releaseAt = 25 * time.Minute

const (
	townProject, townRegion = "acme-prod", "asia-northeast1"
	oldImage, newImage      = "example.com/app:1", "example.com/app:2"
)

// newTown draws a town. Whatever a kind of measurement draws on top of it, the same
// seed gives the same town.
func newTown(kind string, seed uint64) *town {
	t := &town{
		dice: rand.New(rand.NewPCG(seed, uint64(len(kind)))), //nolint:gosec // chance must be repeatable
		each: endpointsPerInstance,
	}
	t.sc = simulator.Scenario{
		Seed:     seed,
		Switches: simulator.Switches{RetainedAddressPorts: pick(t.dice, "held", "freed")},
		Gateways: []simulator.Gateway{{
			Project: townProject, Region: townRegion, Router: "r1", Name: "nat-1", Network: "shared",
			PortsPerEndpoint: pick(t.dice, 128, 256, 512),
		}},
		Network: &simulator.Network{
			Subnetworks: []simulator.Subnet{
				{Project: townProject, Region: townRegion, Network: "shared", Name: "run", Range: netip.MustParsePrefix("10.8.0.0/21")},
				{Project: townProject, Region: townRegion, Network: "shared", Name: "old", Range: netip.MustParsePrefix("10.16.0.0/24")},
			},
			Destinations: []simulator.Destination{{Name: "database", Latency: simulator.Duration(20 * time.Millisecond), Addresses: 2}},
			Machines: []simulator.Machines{{
				Name: "old-system", Count: 2 + t.dice.IntN(7), Subnetwork: "old",
				Users: simulator.Users{RequestsPerSecond: 4 + 8*t.dice.Float64()},
				Calls: []simulator.Outgoing{{To: "database", KeepAlive: true}},
			}},
		},
	}
	t.endpoints = t.sc.Network.Machines[0].Count
	t.instances = t.add("app", 4+t.dice.IntN(15))
	for i := range t.dice.IntN(3) {
		t.add(fmt.Sprintf("neighbour-%d", i+1), 2+t.dice.IntN(7))
	}
	t.release("app")
	return t
}

func pick[T any](dice *rand.Rand, values ...T) T { return values[dice.IntN(len(values))] }

// patient is how long clients wait for a connection: longer than a new instance
// waits for its network, so that the start of an instance alone fails nothing.
const patient = simulator.Duration(time.Minute)

// add adds a service that keeps about so many instances busy.
func (t *town) add(name string, instances int) int {
	concurrency := pick(t.dice, 6, 8, 12)
	latency := 900 + t.dice.IntN(1200) // milliseconds
	behaviour := simulator.Behaviour{
		Latency: simulator.Duration(time.Duration(latency) * time.Millisecond), LatencySpread: 0.3,
		Startup: simulator.Startup{ReadyAfter: simulator.Duration(time.Duration(3+t.dice.IntN(8)) * time.Second)},
		Calls:   []simulator.Outgoing{{To: "database", KeepAlive: true, Timeout: patient}},
	}
	t.sc.Services = append(t.sc.Services, simulator.Hosted{
		Project: townProject, Location: townRegion, Name: name,
		Users: simulator.Users{RequestsPerSecond: 0.6 * float64(concurrency*instances) / (float64(latency+20) / 1000)},
		Revisions: []simulator.Deployment{{
			Image: oldImage, Timeout: "60s", Concurrency: concurrency,
			Scaling: &simulator.RevisionScaling{MaxInstanceCount: 100},
			VPCAccess: &simulator.VPCAccess{
				Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Network: "shared", Subnetwork: "run"}},
			},
		}},
		Images: map[string]simulator.Behaviour{oldImage: behaviour, newImage: behaviour},
	})
	t.endpoints += t.each * instances
	t.all += instances
	return instances
}

// vary draws what a forecast cannot choose: whether an instance is one endpoint or
// two, whether the gateway has room for the whole release or for a part of it, and
// whether ports are static or grow with the connections.
func (t *town) vary() error {
	if t.dice.IntN(2) == 0 {
		t.sc.Switches.InstanceEndpoints = "one"
		t.each, t.endpoints = 1, t.endpoints-t.all
	}
	if t.dice.IntN(4) == 0 {
		return t.grows()
	}
	if t.dice.IntN(3) == 0 {
		t.sc.Gateways[0].PortsPerEndpoint = 2048
		part := t.endpoints + t.each*t.instances*(6+t.dice.IntN(7))/10
		t.roomFor(part * 100 / (100 - reserve))
		return nil
	}
	t.roomFor(2*t.endpoints + 4*t.each*t.instances)
	return nil
}

// grows makes the ports of endpoints dynamic: one time in three connections are kept, so
// that the least number is enough; else they are not, and one time in two the gateway is
// tight.
func (t *town) grows() error {
	g := &t.sc.Gateways[0]
	g.PortsPerEndpoint = 1024
	t.roomFor(2*t.endpoints + 4*t.each*t.instances)
	g.PortsPerEndpoint, g.DynamicPorts = 0, &simulator.DynamicPorts{Min: pick(t.dice, 32, 64, 128), Max: 2048}
	kind := t.dice.IntN(3)
	if kind == 0 {
		return nil
	}
	perRequest := 1.0
	if kind == 1 {
		perRequest, g.DynamicPorts.Max = 12, 8192
		t.sc.Network.Destinations[0].Addresses = 1
	}
	for i := range t.sc.Services {
		for name, b := range t.sc.Services[i].Images {
			b.Calls = calls("database", perRequest)
			t.sc.Services[i].Images[name] = b
		}
	}
	if kind == 1 {
		return t.tighten()
	}
	return nil
}

// tighten gives the gateway as many addresses as its ports need before the release, and
// for six to twelve tenths of what the released service has of them.
func (t *town) tighten() error {
	world, err := simulator.New(t.sc)
	if err != nil {
		return fmt.Errorf("seed %d: %w", t.sc.Seed, err)
	}
	world.AdvanceTo(world.Start().Add(releaseAt - time.Minute))
	settled := world.Minutes(world.Start(), world.Now())
	taken := settled[len(settled)-1].Gateways[0].Allocated
	part := taken + taken*t.instances/t.all*(6+t.dice.IntN(7))/10
	g := &t.sc.Gateways[0]
	g.PortsPerEndpoint, g.IPs = 1, nil
	t.roomFor(part * 100 / (100 - reserve))
	g.PortsPerEndpoint = 0
	return nil
}

// endpointsPerInstance is how many NAT endpoints an instance is in the world unless
// a switch says otherwise.
const endpointsPerInstance = 2

// release deploys a new image to a service.
func (t *town) release(name string) {
	t.sc.Timeline = append(t.sc.Timeline, simulator.Moment{
		At: simulator.Duration(releaseAt), Service: name, Deploy: &simulator.Deployment{Image: newImage},
	})
}

// roomFor gives the gateway as many addresses as so many endpoints need.
func (t *town) roomFor(endpoints int) {
	each := 64512 / t.sc.Gateways[0].PortsPerEndpoint
	for i := range (endpoints + each - 1) / each {
		t.sc.Gateways[0].IPs = append(t.sc.Gateways[0].IPs, fmt.Sprintf("203.0.113.%d", i+1))
	}
}

// scene is the town as something that is played.
func (t *town) scene(name string) (scene, error) {
	if err := t.complete(); err != nil {
		return scene{}, err
	}
	return scene{name: name, world: t.sc, length: length}, nil
}

// complete fills what the world would fill, so that others can read it.
func (t *town) complete() error {
	world, err := simulator.New(t.sc)
	if err != nil {
		return fmt.Errorf("seed %d: %w", t.sc.Seed, err)
	}
	t.sc.Start = world.Start()
	return nil
}

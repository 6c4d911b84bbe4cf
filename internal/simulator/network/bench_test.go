package network_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
)

// city is ten services of 40 instances behind one gateway with enough ports, each
// of which uses three destinations every second: one without keep-alive and two
// with it.
type city struct {
	*play
	instances []*network.Endpoint
}

func newCity(b *testing.B, gateway network.Gateway) *city {
	b.Helper()
	p := begin(b, config(gateway))
	return &city{p, p.instances(400)}
}

func (c *city) second() {
	c.wait(1)
	for _, e := range c.instances {
		got := e.Open(database, 2)
		e.Dropped(database, 2-got)
		e.Close(database, got)
		e.Keep(partner, e.Open(partner, 3))
		e.Keep(cache, e.Open(cache, 3))
	}
	if c.now%60 == 0 {
		c.Minute()
	}
}

// One operation is a whole hour: 400 endpoints x 3 destinations x 3600 seconds.
func BenchmarkAnHourOfTenServicesWithFortyInstances(b *testing.B) {
	kinds := map[string]network.Gateway{"static": nat(), "independent": nat(), "dynamic": dynamic(32, 1024)}
	for _, kind := range []string{"static", "independent", "dynamic"} {
		g := kinds[kind]
		g.EndpointIndependent = kind == "independent"
		b.Run(kind, func(b *testing.B) {
			c := newCity(b, g)
			b.ReportAllocs()
			for b.Loop() {
				for range 3600 {
					c.second()
				}
			}
		})
	}
}

// A second in which nothing happens, with so many endpoints attached.
func BenchmarkTickWithIdleEndpoints(b *testing.B) {
	for _, n := range []int{10, 400} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			p := begin(b, config(nat()))
			p.instances(n)
			for b.Loop() {
				p.wait(1)
			}
		})
	}
}

// It is not parallel: AllocsPerRun counts what other tests allocate, too.
func TestASecondAllocatesNothing(t *testing.T) {
	p := begin(t, config(nat()))
	e := p.instances(20)
	second := func() {
		p.wait(1)
		for _, each := range e {
			each.Close(database, each.Open(database, 2))
			each.Keep(partner, each.Open(partner, 3))
		}
	}
	for range int((2 * time.Minute).Seconds()) + 20 {
		second()
	}
	if n := testing.AllocsPerRun(500, second); n != 0 {
		t.Errorf("a second allocates %v times", n)
	}
}

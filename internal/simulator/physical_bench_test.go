package simulator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// tenServices is a landscape of ten services of 20 requests a second each, with
// three calls a request, behind one gateway.
func tenServices(tb testing.TB) simulator.Scenario {
	tb.Helper()
	sc := parse(tb, small)
	sc.Gateways[0].PortsPerEndpoint = 1024
	sc.Timing.EgressDelay = nil
	sc.Services = nil
	for n := range 10 {
		calls := []simulator.Outgoing{{To: "inside", KeepAlive: true, Pool: 20}, {To: "api", KeepAlive: true}, {To: "api"}}
		if n > 0 {
			calls[1].To = fmt.Sprintf("service:web-%d", n-1)
			few := 0.1
			calls[1].PerRequest = &few
		}
		sc.Services = append(sc.Services, simulator.Hosted{
			Project: "p", Location: "r", Name: fmt.Sprintf("web-%d", n), Users: simulator.Users{RequestsPerSecond: 20},
			Revisions: []simulator.Deployment{{
				Image:     "1",
				Behaviour: &simulator.Behaviour{Calls: calls, Latency: simulator.Duration(200 * time.Millisecond)},
				VPCAccess: &simulator.VPCAccess{
					Egress: "ALL_TRAFFIC", NetworkInterfaces: []simulator.NetworkInterface{{Network: "default", Subnetwork: "run"}},
				},
			}},
		})
	}
	return sc
}

func BenchmarkAPhysicalHourOfTenServices(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := build(b, tenServices(b))
		b.StartTimer()
		w.Advance(time.Hour)
	}
}

func BenchmarkAPhysicalHourOfTheIncident(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := incident(b)
		b.StartTimer()
		w.Advance(time.Hour)
	}
}

package simulator

import (
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/network"
	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// instancesOf is how many instances of a revision are active and idle as the minute
// ends.
func (w *World) instancesOf(r *revision, end time.Time) (active, idle int) {
	if r.hosted == nil {
		return w.instancesByLoad(r, end)
	}
	c := r.hosted.Counts()
	return c.Active, c.Idle
}

// waitingFor is how many requests wait for an instance of a revision.
func (r *revision) waitingFor(end time.Time) int {
	if r.hosted == nil {
		return r.behaviour.waiting(end.Sub(r.created.Time), r.life.minute.percent/60)
	}
	return r.hosted.Counts().Waiting
}

func dropLabels(reason string) map[string]string {
	return map[string]string{"ip_protocol": "TCP", "reason": reason}
}

// reportNetwork reports what a gateway's endpoints and connections come to.
func (w *World) reportNetwork(g *Gateway, m network.GatewayMinute, end time.Time) {
	total := 0
	for _, ip := range m.Allocated {
		total += ip.Ports
	}
	zero := w.scenario.Switches.ZeroSeries == "zero" && total > 0
	point := w.gatewayPoint(g, end)
	if m.OutOfResources > 0 || zero {
		point(series.DroppedSentPackets, dropLabels("OUT_OF_RESOURCES"), series.Int(int64(m.OutOfResources)))
	}
	if m.IndependenceConflict > 0 {
		point(series.DroppedSentPackets, dropLabels("ENDPOINT_INDEPENDENCE_CONFLICT"), series.Int(int64(m.IndependenceConflict)))
	}
	if m.AllocationFailed || zero {
		point(series.AllocationFailed, nil, series.Bool(m.AllocationFailed))
	}
	if total == 0 {
		return
	}
	for _, ip := range m.Allocated {
		point(series.AllocatedPorts, map[string]string{"nat_ip": ip.IP}, series.Int(int64(ip.Ports)))
	}
	tcp := map[string]string{"ip_protocol": "TCP"}
	point(series.OpenConnections, tcp, series.Int(int64(m.Open)))
	point(series.PortUsage, tcp, series.Int(int64(m.PortUsage)))
	if m.Opened > 0 || zero {
		point(series.NewConnectionsCount, tcp, series.Int(int64(m.Opened)))
	}
}

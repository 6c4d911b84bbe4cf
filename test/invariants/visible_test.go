package invariants

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator/series"
)

// TestWhatArrivesAfterTheQuestion is not known to whoever asked: drops of a minute in which
// the gateway is known to have reported, which come later than they are promised to.
func TestWhatArrivesAfterTheQuestion(t *testing.T) {
	t.Parallel()
	store, minute := series.NewStore(), start.Add(10*time.Minute)
	late := minute.Add(8 * time.Minute)
	point := func(metric string, visible time.Time, labels map[string]string) {
		store.Record(series.Point{
			Type: metric, ResourceType: series.ResourceGateway, Labels: labels,
			Resource: map[string]string{"project_id": "net", "region": "r1", "router_id": "7", "gateway_name": "nat-1"},
			Start:    minute.Add(-time.Minute), End: minute, VisibleAt: visible, Value: series.Int(7),
		})
	}
	point(series.AllocatedPorts, minute.Add(time.Minute), map[string]string{"nat_ip": "203.0.113.1"})
	point(series.DroppedSentPackets, late, map[string]string{"ip_protocol": "TCP", "reason": "OUT_OF_RESOURCES"})
	subject := Subject{
		Project: "acme", Location: "r1", Service: "web", Candidate: "web-2", Stable: "web-1", From: start,
		Gateways: []Gateway{{Project: "net", Region: "r1", Name: "nat-1"}},
	}
	drops := func(before map[string]time.Time) int64 {
		seen, err := Asked(store, subject, late.Add(time.Second), before)
		if err != nil || len(seen.Gateways["nat-1"]) != 1 {
			t.Fatalf("seen is %v, %v", seen, err)
		}
		return seen.Gateways["nat-1"][0].Drops
	}
	if now, other := drops(nil), drops(map[string]time.Time{series.AllocatedPorts: late.Add(-time.Second)}); now != 7 || other != 7 {
		t.Errorf("drops that have arrived are %d and %d, not 7", now, other)
	}
	if before := drops(map[string]time.Time{series.DroppedSentPackets: late.Add(-time.Second)}); before != 0 {
		t.Errorf("to whoever asked before they arrived they are %d, not 0", before)
	}
}

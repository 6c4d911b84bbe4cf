package series

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// noon is minute 0 of the tests.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

const drops = `metric.type = "router.googleapis.com/nat/dropped_sent_packets_count" AND resource.type = "nat_gateway"`

// drop is a point of dropped packets in the minute that ends at the given one.
func drop(gateway, reason string, at int, packets int64) Point {
	return Point{
		Type: DroppedSentPackets, ResourceType: ResourceGateway,
		Resource: map[string]string{"project_id": "shop", "region": "r1", "router_id": "7", "gateway_name": gateway},
		Labels:   map[string]string{"reason": reason, "ip_protocol": "TCP"},
		Start:    minute(at - 1), End: minute(at), VisibleAt: minute(at).Add(225 * time.Second), Value: Int(packets),
	}
}

func failed(at int, value bool) Point {
	return Point{
		Type: AllocationFailed, ResourceType: ResourceGateway,
		Resource: map[string]string{"project_id": "shop", "region": "r1", "router_id": "7", "gateway_name": "g"},
		End:      minute(at), VisibleAt: minute(at + 2), Value: Bool(value),
	}
}

func ports(at int, value int64) Point {
	return Point{
		Type: AllocatedPorts, ResourceType: ResourceGateway,
		Resource: map[string]string{"project_id": "shop", "region": "r1", "router_id": "7", "gateway_name": "g"},
		Labels:   map[string]string{"nat_ip": "203.0.113.1"},
		End:      minute(at), VisibleAt: minute(at), Value: Int(value),
	}
}

func storeOf(points ...Point) *Store {
	s := NewStore()
	for _, p := range points {
		s.Record(p)
	}
	return s
}

// told is a result in lines that read aloud: one for each series, its points
// newest first as minute:value.
func told(r Result) []string {
	var lines []string
	for _, s := range r.Series {
		line := []string{s.Resource["gateway_name"] + "/" + s.Labels["reason"]}
		for _, p := range s.Points {
			line = append(line, fmt.Sprintf("%d:%v", int(p.End.Sub(noon)/time.Minute), p.Value))
		}
		lines = append(lines, strings.Join(line, " "))
	}
	return lines
}

func mustQuery(t *testing.T, s *Store, q Query, now time.Time) Result {
	t.Helper()
	r, err := s.Query(q, now)
	if err != nil {
		t.Fatalf("Query(%+v): %v", q, err)
	}
	return r
}

func query(filterText string, from, to int, a Aggregation) Query {
	return Query{Project: "shop", Filter: filterText, Start: minute(from), End: minute(to), Aggregation: a}
}

func perMinute(a Aligner) Aggregation { return Aggregation{Period: time.Minute, Aligner: a} }

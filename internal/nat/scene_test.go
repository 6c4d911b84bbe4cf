package nat

import (
	"time"

	"pgregory.net/rapid"
)

// noon is when the rises of these tests were written.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is n minutes after noon.
func at(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// one assumes one endpoint per instance and keeps a fifth.
var one = Policy{ReservePercent: 20, Overshoot: 2, EndpointsPerInstance: 1}

// nat1 is a gateway with one address, whose endpoints have 1,024 ports: 63 fit,
// 13 are kept, 50 can be used.
func nat1(taken int64) Gateway {
	return Gateway{Name: "nat-1", IPs: 1, Ports: 1024, Endpoints: taken, Allocated: taken * 1024}
}

// upTo draws a number that is often small.
func upTo(t *rapid.T, most int64, label string) int64 {
	return rapid.Int64Range(0, most).Draw(t, label)
}

func anyGateway(t *rapid.T) Gateway {
	return Gateway{
		Name: "nat-1",
		IPs:  upTo(t, 8, "ips"), Ports: upTo(t, 4096, "ports"), MostPorts: upTo(t, 65536, "mostPorts"),
		Auto: rapid.Bool().Draw(t, "auto"), Dynamic: rapid.Bool().Draw(t, "dynamic"),
		Endpoints: upTo(t, 300, "endpoints"), Allocated: upTo(t, 300000, "allocated"),
		Reserved: upTo(t, 20000, "reserved"), Rules: upTo(t, 2, "rules"), ExtraIPs: max(0, upTo(t, 6, "extra")-4),
		TimeWait: time.Duration(upTo(t, 200, "timeWait")) * time.Second,
	}
}

func anyFleet(t *rapid.T) Fleet {
	f := Fleet{
		Stable: upTo(t, 150, "stable"), Candidate: upTo(t, 60, "candidate"), Busy: upTo(t, 150, "busy"),
		CandidateLeast: upTo(t, 5, "least"), ServiceLeast: upTo(t, 10, "serviceLeast"),
		CandidateMost: upTo(t, 200, "most"), ServiceMost: upTo(t, 200, "serviceMost"), Subnet: anySubnet(t),
	}
	return f
}

func anySubnet(t *rapid.T) Subnet {
	return Subnet{
		Name: "run", Size: upTo(t, 512, "subnet"), Taken: upTo(t, 512, "subnetTaken"), AtLeast: rapid.Bool().Draw(t, "atLeast"),
	}
}

func anyPolicy(t *rapid.T) Policy {
	return Policy{
		ReservePercent: upTo(t, 100, "reserve"), Overshoot: rapid.Float64Range(1, 2).Draw(t, "overshoot"),
		EndpointsPerInstance: rapid.Int64Range(1, 2).Draw(t, "perInstance"),
	}
}

package simulator_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

func prefix(tb testing.TB, text string) netip.Prefix {
	tb.Helper()
	p, err := netip.ParsePrefix(text)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestPhysicalScenariosAreChecked(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ old, next, want string }{
		"ports written down":   {"portsPerEndpoint: 64", "portsPerEndpoint: 64, allocatedPorts: 640", "follow from it"},
		"drops written down":   {"portsPerEndpoint: 64", "drops: [{packetsPerMinute: 4}]", "follow from it"},
		"a queue written down": {"calls: [{to: api}]", "pending: [{requests: 3}]", "leave it out"},
		"a call to nowhere":    {"to: api", "to: nowhere", `nothing is called "nowhere"`},
		"a call to nobody":     {"to: api", `to: "service:nobody"`, `nothing is called "service:nobody"`},
		"a call too often":     {"to: api", "to: api, perRequest: 21", "between 0 and 20"},
		"an impatient call":    {"to: api", "to: api, timeout: 10ms", "below 1s"},
		"a pool of nothing":    {"to: api", "to: api, pool: 3", "pool needs keepAlive"},
		"no such subnetwork":   {"subnetwork: run}", "subnetwork: walk}", "does not exist"},
		"two kinds of address": {"ips: [203.0.113.1]", "ips: [203.0.113.1], automaticIPs: {most: 3}", "either ips or automatic"},
		"a strange path":       {"path: private", "path: secret", "path"},
		"a balancer to nobody": {"network:\n", "network:\n  loadBalancers: [{name: lb, paths: [{share: 100, service: nobody}]}]\n", `no service is called "nobody"`},
		"half a balancer":      {"network:\n", "network:\n  loadBalancers: [{name: lb, paths: [{share: 50, service: web}]}]\n", "sum to 50"},
		"machines nowhere":     {"network:\n", "network:\n  machines: [{name: vm, count: 1, subnetwork: walk}]\n", "does not exist"},
		"self as a host":       {"name: api,", "name: self,", "means something else"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(small, c.old) {
				t.Fatalf("the scenario has no %q", c.old)
			}
			sc, err := simulator.ParseScenario([]byte(strings.Replace(small, c.old, c.next, 1)))
			if err == nil {
				_, err = simulator.New(sc)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want something about %q", err, c.want)
			}
		})
	}
}

func TestCallsNeedANetwork(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(small, "services:")
	if _, err := simulator.ParseScenario([]byte("services:" + rest)); err == nil || !strings.Contains(err.Error(), "need a network") {
		t.Error(err)
	}
	w := place(t)
	_, err := w.Deploy("web", simulator.Deployment{Image: newImage, Behaviour: &simulator.Behaviour{Calls: []simulator.Outgoing{{To: "x"}}}})
	if err == nil || !strings.Contains(err.Error(), "need a network") {
		t.Error(err)
	}
}

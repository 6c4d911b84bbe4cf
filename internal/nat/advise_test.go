package nat

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// sound is a service that no advice is given on.
func sound() Facts {
	g := Gateway{Name: "nat-1", IPs: 2, Ports: 1024, TimeWait: 30 * time.Second, Logging: true}
	return Facts{Gateways: []Gateway{g}, Minimum: 3}
}

// allTrafficFound is what is found of every service that sends all its traffic
// through NAT.
var allTrafficFound = Finding{
	AllTrafficUnneeded,
	"All traffic leaves through the VPC and Cloud NAT; unless others rely on its fixed addresses, egress PRIVATE_RANGES_ONLY takes public calls off NAT.",
}

func TestEachFindingHasItsNumbers(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*Facts)
		code   Code
		want   string
	}{
		"it calls itself by its public name": {
			func(f *Facts) { f.OwnURL, f.AllTraffic = "API_URL", true }, OwnURLCalled,
			"API_URL holds the service's own public URL: calls to it leave through Cloud NAT, one port each; call 127.0.0.1 instead.",
		},
		"it calls itself, and no longer from inside the VPC": {
			func(f *Facts) { f.OwnURL, f.Moved = "API_URL", true }, OwnURLCalled,
			"API_URL holds the service's own public URL: without all-traffic, an internal ingress refuses calls to it; first call 127.0.0.1.",
		},
		"its database has a public path": {
			func(f *Facts) { f.CloudSQLPublic, f.AllTraffic = true, true }, CloudSQLPublic,
			"Cloud SQL is reached over a public path: all its connections share one destination, and so one set of ports; use its private address.",
		},
		"all its traffic leaves through NAT": {
			func(f *Facts) { f.AllTraffic = true }, AllTrafficUnneeded, allTrafficFound.Text,
		},
		"the default of 64 ports": {
			func(f *Facts) { f.Gateways[0].Ports, f.Gateways[0].TimeWait = 0, 0 }, TooFewPorts,
			"nat-1: 64 ports per endpoint / 120 s TIME_WAIT = 0.53 connections/s to one destination; reuse connections or raise minPortsPerVm.",
		},
		"a single manual address": {
			func(f *Facts) { f.Gateways[0].IPs = 1 }, OneManualIP,
			"nat-1 has one manual address: 63 endpoints with 1,024 ports each, and no more; add an address.",
		},
		"endpoint-independent mapping": {
			func(f *Facts) { f.Gateways[0].EndpointIndependent = true }, EndpointsCollide,
			"nat-1 maps endpoint-independently: ports can collide and packets drop while ports are free; turn it off.",
		},
		"no minimum": {
			func(f *Facts) { f.Minimum, f.AllTraffic = 0, true }, NoMinimum,
			"No minimum of instances: each burst starts them cold, and each opens its connections at once; a minimum of 3 keeps some warm.",
		},
		"a subnetwork that nobody may read": {
			func(f *Facts) {
				f.SubnetUnread = "the manager's identity needs compute.subnetworks.get in project acme-net"
			}, SubnetUnread,
			"Addresses of the subnetwork are not known, and limit no step: the manager's identity needs compute.subnetworks.get in project acme-net.",
		},
		"no logging": {
			func(f *Facts) { f.Gateways[0].Logging = false }, LoggingOff,
			"nat-1 logs no dropped connections: errors-only logging would tell which instance and destination ran out.",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := sound()
			c.change(&facts)
			got := Advise(facts)
			if c.code != AllTrafficUnneeded && facts.AllTraffic {
				got = slices.DeleteFunc(got, func(f Finding) bool { return f.Code == AllTrafficUnneeded })
			}
			if diff := cmp.Diff([]Finding{{c.code, c.want}}, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAMoveThatBreaksCallsIsNotAdvisedWithoutAWarning: who calls itself by its public URL
// must not take the traffic out of the VPC first.
func TestAMoveThatBreaksCallsIsNotAdvisedWithoutAWarning(t *testing.T) {
	t.Parallel()
	facts := sound()
	facts.AllTraffic, facts.OwnURL = true, strings.Repeat("X", 63)
	got := Advise(facts)
	if len(got) != 2 || got[0].Code != OwnURLCalled || got[1].Code != AllTrafficUnneeded ||
		!strings.HasSuffix(got[1].Text, "takes public calls off NAT; first call 127.0.0.1 in place of its own URL.") {
		t.Errorf("got %+v", got)
	}
}

func TestNoAdviceWhereNoneIsNeeded(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*Facts){
		"a sound service":                     func(*Facts) {},
		"one address of a gateway that grows": func(f *Facts) { f.Gateways[0].IPs, f.Gateways[0].Auto = 1, true },
		"ports that grow":                     func(f *Facts) { f.Gateways[0].Ports, f.Gateways[0].Dynamic = 32, true },
		"private ranges only: no call leaves through NAT": func(f *Facts) {
			*f = Facts{OwnURL: "API_URL", CloudSQLPublic: true}
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := sound()
			change(&facts)
			if got := Advise(facts); len(got) != 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestLongTextsAreCutAtTheEndOfACharacter(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text  string
		bytes int
		want  string
	}{
		"short enough":                 {"nat-1", 5, "nat-1"},
		"too long":                     {"abcdefgh", 6, "abc..."},
		"in the middle of a character": {"aaéé", 6, "aaéé"},
		"a character too many":         {"aaééé", 7, "aaé..."},
		"and half of one is left out":  {"aaaééé", 7, "aaa..."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := cut(c.text, c.bytes); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// anyShare draws a share of requests.
func anyShare(t *rapid.T) float64 { return rapid.Float64Range(0, 1).Draw(t, "share") }

// TestAdviceIsBoundedAndOrdered: at most six findings of 200 bytes, each code
// once, in the order of gravity.
func TestAdviceIsBoundedAndOrdered(t *testing.T) {
	t.Parallel()
	order := []Code{
		AssetsMissed, OwnURLCalled, CloudSQLPublic, AllTrafficUnneeded, TooFewPorts, OneManualIP, EndpointsCollide, NoMinimum, SubnetUnread, LoggingOff,
	}
	rapid.Check(t, func(t *rapid.T) {
		yes := func(label string) bool { return rapid.Bool().Draw(t, label) }
		f := Facts{
			AllTraffic: yes("all"), Moved: yes("moved"), CloudSQLPublic: yes("sql"),
			Refused: Refused{anyShare(t), anyShare(t), anyShare(t)},
			OwnURL:  rapid.StringN(0, 90, 200).Draw(t, "url"), SubnetUnread: rapid.StringN(0, 200, 300).Draw(t, "unread"),
			Minimum: upTo(t, 2, "minimum"),
		}
		for range upTo(t, 3, "gateways") {
			g := anyGateway(t)
			g.Name, g.EndpointIndependent = strings.Repeat("n", 63), yes("eim")
			f.Gateways = append(f.Gateways, g)
		}
		findings := Advise(f)
		if len(findings) > MostFindings || !slices.Equal(findings, Advise(f)) {
			t.Fatalf("%d findings, or others the second time", len(findings))
		}
		last := -1
		for _, finding := range findings {
			at := slices.Index(order, finding.Code)
			if at <= last {
				t.Fatalf("%s comes twice or too late: %+v", finding.Code, findings)
			}
			last = at
			if len(finding.Text) > LongestFinding || !utf8.ValidString(finding.Text) || !strings.HasSuffix(finding.Text, ".") {
				t.Fatalf("%d bytes: %q", len(finding.Text), finding.Text)
			}
			if finding.Code != SubnetUnread && strings.HasSuffix(finding.Text, "...") {
				t.Fatalf("a sentence of our own was cut: %s", finding.Text)
			}
		}
	})
}

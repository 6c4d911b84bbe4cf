package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

const byDefaultSubnet = region + "/subnetworks/default"

// utilized is a range with what is used of it.
func utilized(cidr, ranges string) string {
	return `,"ipCidrRange":"` + cidr + `","utilizationDetails":{"ipv4Utilizations":[` + ranges + `]}`
}

func TestWhatASubnetworkHasToGive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fields string
		want   rollout.Subnet
		detail string
	}{
		"a range, and what is used of it": {
			utilized("10.8.0.0/26", `{"totalAllocatedIp":"48","totalFreeIp":"12"}`),
			rollout.Subnet{Presence: rollout.Found, Size: 60, Counted: true, Taken: 48},
			"",
		},
		"a full one does not say that nothing is free": {
			utilized("10.8.0.0/26", `{"totalAllocatedIp":"60"}`),
			rollout.Subnet{Presence: rollout.Found, Size: 60, Counted: true, Taken: 60},
			"",
		},
		"nobody can have Google's own addresses": {
			utilized("10.8.0.0/26", `{"totalFreeIp":"64"}`), rollout.Subnet{Presence: rollout.Found, Size: 60, Counted: true}, "",
		},
		"secondary ranges are for others": {
			utilized("10.8.0.0/24", `null,{"rangeName":"pods","totalAllocatedIp":"9"},{"totalAllocatedIp":"2","totalFreeIp":"250"}`),
			rollout.Subnet{Presence: rollout.Found, Size: 252, Counted: true, Taken: 2},
			"",
		},
		"a range alone":            {`,"ipCidrRange":"10.8.0.0/24"`, rollout.Subnet{Presence: rollout.Found, Size: 252}, ""},
		"numbers that are missing": {utilized("10.8.0.0/24", `{}`), rollout.Subnet{Presence: rollout.Found, Size: 252}, ""},
		"numbers that are none": {
			utilized("10.8.0.0/24", `{"totalAllocatedIp":"300","totalFreeIp":"-5"}`), rollout.Subnet{Presence: rollout.Found, Size: 252}, "",
		},
		"no range":              {"", rollout.Subnet{Presence: rollout.Missing}, "no IPv4 range of subnetwork default of shop in europe-west1"},
		"a range of IPv6":       {`,"ipCidrRange":"fd00::/64"`, rollout.Subnet{Presence: rollout.Missing}, "no IPv4 range"},
		"a range without hosts": {`,"ipCidrRange":"10.8.0.0/30"`, rollout.Subnet{Presence: rollout.Missing}, "no IPv4 range"},
		"a range that is none":  {`,"ipCidrRange":"many"`, rollout.Subnet{Presence: rollout.Missing}, "no IPv4 range"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := usual()
			below.set(byDefaultSubnet, subnetJSON("default", c.fields))
			got := out(t, dial(t, below), noon, byDefault)
			c.want.Name, c.want.Detail = "projects/shop/regions/europe-west1/subnetworks/default", got.Subnets["web-1"].Detail
			if diff := cmp.Diff(c.want, got.Subnets["web-1"]); diff != "" || !strings.Contains(c.want.Detail, c.detail) || (c.want.Detail == "") != (c.detail == "") {
				t.Errorf("detail %q (-want +got):\n%s", c.want.Detail, diff)
			}
			if got.Presence != rollout.Found || got.Gateways[0].Unread != "" {
				t.Errorf("what is told of the gateway depends on it: %+v", got)
			}
		})
	}
}

func TestASubnetworkIsAskedForItsUtilization(t *testing.T) {
	t.Parallel()
	below := usual()
	out(t, dial(t, below), noon, leaving(rollout.VPCAccess{Subnetwork: "private"}))
	for i, path := range below.requests {
		if want := map[bool]string{true: "WITH_UTILIZATION"}[strings.Contains(path, "/subnetworks/")]; below.views[i] != want {
			t.Errorf("%s was asked for %q, want %q", path, below.views[i], want)
		}
	}
}

// TestARefusedViewIsDoneWithout: the way to the gateway leads over the subnetwork,
// and needs no count of what is taken.
func TestARefusedViewIsDoneWithout(t *testing.T) {
	t.Parallel()
	const private = region + "/subnetworks/private"
	below := usual()
	below.set(private, subnetJSON("private", `,"ipCidrRange":"10.9.0.0/24"`))
	below.set(private+"?views=WITH_UTILIZATION", "400 "+problem("Invalid value for field 'views': 'WITH_UTILIZATION'", "invalid"))
	got := out(t, dial(t, below), noon, leaving(rollout.VPCAccess{Subnetwork: "private"}))
	if got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Source != one {
		t.Errorf("%+v", got)
	}
	if s := got.Subnets["web-1"]; s.Presence != rollout.Found || s.Size != 252 || s.Counted {
		t.Errorf("%+v", s)
	}
	if n := below.asked(private); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// TestASubnetworkIsAskedForWithoutAViewOnce, and only where the request was refused.
func TestASubnetworkIsAskedForWithoutAViewOnce(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]int{
		"400 " + problem("Invalid value for field 'subnetwork'", "invalid"): 2,
		denied("compute.subnetworks.get"):                                   1, "503 oops": 1, "404 " + problem("gone", "notFound"): 1,
	} {
		below := usual()
		below.set(region+"/subnetworks/private", answer)
		got := out(t, dial(t, below), noon, leaving(rollout.VPCAccess{Subnetwork: "private"}))
		if n := below.asked(region + "/subnetworks/private"); got.Presence == rollout.Found || n != want {
			t.Errorf("%s: asked %d times, want %d: %+v", answer, n, want, got)
		}
	}
}

func TestOnlyDirectVPCEgressTakesAddressesOfTheSubnetwork(t *testing.T) {
	t.Parallel()
	private := leaving(rollout.VPCAccess{Network: "default"})
	private.Egress = rollout.EgressPrivate
	for name, r := range map[string]rollout.Revision{
		"a connector": leaving(rollout.VPCAccess{Connector: "c1"}), "no VPC": {Presence: rollout.Found, Egress: rollout.EgressNone},
		"private ranges, which no step waits for": private, "a name that is none": leaving(rollout.VPCAccess{Network: "a/b/c"}),
		"a revision that is gone": {Presence: rollout.Missing, Egress: rollout.EgressAll, VPC: rollout.VPCAccess{Network: "default"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := usual()
			if got := out(t, dial(t, below), noon, r); len(got.Subnets) != 0 || below.asked(byDefaultSubnet) != 0 {
				t.Errorf("%+v after %q", got.Subnets, below.requests)
			}
		})
	}
}

// TestWithoutASubnetworkTheRestIsTold, and the permission that is missing is named.
func TestWithoutASubnetworkTheRestIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer   string
		presence rollout.Presence
		detail   string
	}{
		"denied":      {denied("compute.subnetworks.get"), rollout.Denied, "the manager's identity needs compute.subnetworks.get in project shop"},
		"missing":     {"404 " + problem("gone", "notFound"), rollout.Missing, "reading subnetwork default of shop in europe-west1: not found: gone"},
		"unavailable": {"503 oops", rollout.Unknown, "reading subnetwork default of shop in europe-west1: unavailable"},
		"another one": {subnetJSON("other", ""), rollout.Unknown, "answer is not the subnetwork asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := usual()
			below.set(byDefaultSubnet, c.answer)
			for _, named := range [][]analysis.Source{nil, {one}} {
				got, err := dial(t, below).Outlet(t.Context(), web, []rollout.Revision{byDefault}, named, noon)
				if err != nil || got.Presence != rollout.Found || len(got.Gateways) != 1 || got.Gateways[0].Unread != "" {
					t.Errorf("%+v, %v", got, err)
				}
				if s := got.Subnets["web-1"]; s.Presence != c.presence || !strings.Contains(s.Detail, c.detail) || s.Size != 0 {
					t.Errorf("%+v, want %s and %q", s, c.presence, c.detail)
				}
			}
		})
	}
}

// TestTheSizeOfASubnetworkIsRememberedLongerThanWhatIsTaken: it is never made
// smaller.
func TestTheSizeOfASubnetworkIsRememberedLongerThanWhatIsTaken(t *testing.T) {
	t.Parallel()
	below := usual()
	below.set(byDefaultSubnet, subnetJSON("default", utilized("10.8.0.0/26", `{"totalAllocatedIp":"48","totalFreeIp":"12"}`)))
	client := dial(t, below)
	out(t, client, noon, byDefault)
	below.set(byDefaultSubnet, "503 oops")
	for after, counted := range map[time.Duration]bool{time.Minute: true, 119 * time.Second: true, 2 * time.Minute: false, 20 * time.Hour: false} {
		got := out(t, client, noon.Add(after), byDefault).Subnets["web-1"]
		if got.Presence != rollout.Found || got.Size != 60 || got.Counted != counted || (got.Taken == 48) != counted {
			t.Errorf("after %s: %+v", after, got)
		}
	}
}

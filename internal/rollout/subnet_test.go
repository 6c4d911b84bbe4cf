package rollout

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/nat"
)

const (
	runTokyo = "projects/acme-net/regions/asia-northeast1/subnetworks/run-tokyo"
	runOsaka = "projects/acme-net/regions/asia-northeast2/subnetworks/run-osaka"
)

// counted is a /25 of which so many addresses are taken.
func counted(name string, taken int64) Subnet {
	return Subnet{Name: name, Presence: Found, Size: 124, Counted: true, Taken: taken}
}

// within puts both revisions into subnetworks.
func (s scene) within(stable, candidate Subnet) scene {
	s.Outlet.Subnets = map[string]Subnet{"web-1": stable, "web-2": candidate}
	return s
}

// TestARiseGoesAsFarAsTheSubnetworkHasAddresses at a weight of 25 %, where 100 % is
// next and needs 12 instances more, which take two blocks, behind a gateway that
// has room for them.
func TestARiseGoesAsFarAsTheSubnetworkHasAddresses(t *testing.T) {
	t.Parallel()
	start := paced(25, 10, 8, 2).keeps(0)
	both := func(s Subnet) scene { return start.within(s, s) }
	size := counted(runTokyo, 0)
	size.Counted = false
	nobody := Subnet{Name: runTokyo, Presence: Denied, Detail: "denied"}
	full := "subnetwork run-tokyo: 112 of 124 addresses taken; 100% starts up to 12 instances, which take 32 in blocks of 16; no smaller weight fits either"
	check(t, map[string]row{
		"addresses for all of it":                 {both(counted(runTokyo, 92)), wrote(100), ""},
		"addresses for a part of it":              {both(counted(runTokyo, 108)), wrote(75), "web-2 goes from 25% to 75%"},
		"no block is left":                        {both(counted(runTokyo, 112)), waitsForNat, full},
		"only the size is known":                  {both(size), wrote(100), ""},
		"and our own instances fill it":           {paced(25, 10, 50, 2).within(size, size), waitsForNat, "subnetwork run-tokyo: at least 112 of 124 addresses taken"},
		"our own instances are not counted":       {paced(25, 10, 50, 2).within(counted(runTokyo, 4), counted(runTokyo, 4)), waitsForNat, "at least 112 of 124 addresses taken"},
		"stable is in another one":                {paced(25, 10, 50, 2).keeps(0).within(counted(runOsaka, 124), size), wrote(100), ""},
		"the candidate's is the one that matters": {start.within(counted(runOsaka, 0), counted(runTokyo, 112)), waitsForNat, full},
		"nobody may know":                         {both(nobody), wrote(100), ""},
		"nobody knows now":                        {both(Subnet{Name: runTokyo, Presence: Unknown}), wrote(100), ""},
		"a connector has addresses of its own":    {start, wrote(100), ""},
		"a rise that starts nothing":              {paced(25, 10, 8, 8).within(counted(runTokyo, 124), counted(runTokyo, 124)), wrote(100), ""},
		"the first weight":                        {paced(0, 10, 8, 0).within(counted(runTokyo, 112), counted(runTokyo, 112)), waitsForNat, "before the first write; 5% waits for room: subnetwork run-tokyo"},
		"with a pace of its own":                  {both(counted(runTokyo, 124)).fixed(), wrote(100), ""},
		"a peer may take them first":              {both(counted(runTokyo, 92)).peers(nat.Claim{ID: "p", Ports: 10240, Hot: true, Since: ago(time.Minute)}), waitsForNat, "waits for its turn: another rollout behind nat-1"},
	})
}

// TestWhatGivesAddressesBack says when a wait for the subnetwork ends, or what a
// person can do.
func TestWhatGivesAddressesBack(t *testing.T) {
	t.Parallel()
	full := counted(runTokyo, 112)
	check(t, map[string]row{
		"instances of the last shift": {
			paced(25, 10, 20, 2).within(full, full).lasted(10 * time.Minute), waitsForNat,
			"goes on by itself then: without 14 of stable's instances it is nat-1:",
		},
		"which are in another one": {
			paced(25, 10, 14, 2).within(counted(runOsaka, 0), full).lasted(10 * time.Minute), waitsForNat,
			"but without 8 of stable's instances it is subnetwork run-tokyo: 112 of 124 addresses taken; 100% starts up to 12 instances, " +
				"which take 32 in blocks of 16. Else: expand the range of subnetwork run-tokyo, or set spec.strategy.pacing: Fixed",
		},
		"nothing of ours": {
			paced(25, 10, 8, 2).within(full, full).lasted(time.Hour), waitsForNat,
			"Goes on by itself when others in subnetwork run-tokyo need less; else: expand the range of subnetwork run-tokyo, or set spec.strategy.pacing: Fixed",
		},
	})
}

// TestAForecastCountsMinimumInstances, the revision's and the service's, and no more
// busy ones than the service may have.
func TestAForecastCountsMinimumInstances(t *testing.T) {
	t.Parallel()
	own := paced(0, 30, 8, 0).revised(func(r *Revision) { r.MinInstances = 11 })
	service := func(least, most int64) scene {
		return paced(25, 55, 8, 2).keeps(0).with(func(s *scene) { s.Service.MinInstances, s.Service.MaxInstances = least, most })
	}
	check(t, map[string]row{
		"the revision's start with the first weight": {own, waitsForNat, "5% adds up to 22"},
		"room for them":        {own.revised(func(r *Revision) { r.MinInstances = 10 }), wrote(5), ""},
		"the service's":        {service(40, 0), waitsForNat, "100% adds up to 76"},
		"what it may have":     {service(0, 4), wrote(100), ""},
		"what it may not need": {service(0, 40), wrote(50), ""},
	})
}

// TestAMissingPermissionIsAdvice, and names itself.
func TestAMissingPermissionIsAdvice(t *testing.T) {
	t.Parallel()
	for presence, want := range map[Presence]string{
		Denied: "Addresses of the subnetwork are not known, and limit no step: the manager's identity needs compute.subnetworks.get in project acme-net.",
		Found:  "", Unknown: "",
	} {
		s := paced(25, 10, 8, 2)
		told := Subnet{Name: runTokyo, Presence: presence, Size: 60, Detail: "the manager's identity needs compute.subnetworks.get in project acme-net"}
		got := ""
		for _, f := range Decide(Input(s.within(told, told))).Advice {
			if f.Code == nat.SubnetUnread {
				got = f.Text
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", presence, got, want)
		}
	}
}

// TestAWayBackNeedsAddressesOfStable: it takes one write only where they are there.
func TestAWayBackNeedsAddressesOfStable(t *testing.T) {
	t.Parallel()
	for taken, want := range map[int64]int64{0: 100, 124: 0} {
		in := Input(paced(100, 10, 0, 8).within(counted(runOsaka, taken), counted(runTokyo, 124-taken)))
		if got := look(in).holds(); got != want {
			t.Errorf("%d addresses are taken: holds %d%%, want %d%%", taken, got, want)
		}
	}
}

package analysis

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var ports = NatPortUtilization{MaxPercent: 80}

// having gives a gateway a number of ports, or what else is known of it.
func (s scene) having(pools map[Source]Pool) scene {
	s.Pools = pools
	return s
}

func one(ports int64) map[Source]Pool { return map[Source]Pool{nat1: {Ports: ports}} }

func TestNatPortUtilizationJudge(t *testing.T) {
	t.Parallel()
	calm := after(10).watching(nat1).gateway(nat1, -40, 10).having(one(64512))
	at80 := func(more int64, from, to int) scene {
		return calm.says(AllocatedPorts, nat1, each(51609-640+more), from, to) // 80 % are 51,609.6
	}
	grows := map[Source]Pool{nat1: {Automatic: true}}
	both := after(10).watching(nat1, nat2).gateway(nat1, -40, 10).gateway(nat2, -40, 10)
	for name, c := range map[string]struct {
		rule    NatPortUtilization
		scene   scene
		want    Outcome
		note    string
		healthy int
	}{
		"few ports pass": {
			ports, calm, Pass, "nat-1 allocated at most 640 of 64512 ports (1%) in the last 5 minutes, limit 80%", 10,
		},
		"just under the limit passes": {ports, at80(0, 0, 10), Pass, "51609 of 64512 ports (80%)", 10},
		"one minute over it is not enough, and does not count as bake": {
			ports, at80(1, 8, 9), Pass,
			"nat-1 allocated up to 51610 of 64512 ports (80.1%), in 1 of the last 5 minutes over the limit of 80%", 9,
		},
		"two of the last five are":              {ports, at80(1, 5, 6).says(AllocatedPorts, nat1, each(60000), 9, 10), Breach, "in 2 of the last 5 minutes", 8},
		"two further apart are not":             {ports, at80(1, 4, 5).says(AllocatedPorts, nat1, each(60000), 9, 10), Pass, "in 1 of the last 5", 8},
		"what was over before the step is not":  {ports, at80(9, -9, 0), Pass, "at most 640", 10},
		"the ports of all addresses are summed": {ports, calm.says(AllocatedPorts, nat1, each(30000), 5, 10).says(AllocatedPorts, nat1, each(30000), 5, 10), Breach, "up to 60640", 5},
		"an open connection is no port": {
			ports, after(10).watching(nat1).gateway(nat1, -40, 6).says(OpenConnections, nat1, each(9), 6, 10).having(one(64512)),
			NoData, "nat-1: no NAT metrics since Mar 1 12:06Z", 0,
		},
		"a short gap earns nothing":           {ports, after(10).watching(nat1).gateway(nat1, -40, 8).having(one(64512)), Pass, "in the last 5 minutes", 8},
		"the first minute has not arrived":    {ports, after(0).watching(nat1).gateway(nat1, -40, 0).having(one(64512)), Incomplete, "first minute not arrived yet", 0},
		"a partial answer never passes":       {ports, calm.troubled(AllocatedPorts, nat1, CausePartial, ""), NoData, "nat-1: partial result", 0},
		"a breach in a partial answer counts": {ports, at80(1, 8, 10).troubled(AllocatedPorts, nat1, CausePartial, ""), Breach, "in 2 of", 8},
		"a silent gateway is no data":         {ports, after(10).watching(nat1).silent(AllocatedPorts, nat1).having(one(64512)), NoData, "no NAT metrics", 0},
		"automatic addresses are not limited": {
			ports, calm.having(grows), NotApplicable, "nat-1 takes further addresses by itself, so the number of its ports is not fixed", 0,
		},
		"a number that nobody knows is no data": {
			ports, calm.having(map[Source]Pool{nat1: {Why: "grant compute.routers.get"}}), NoData,
			"nat-1: what it has to give is not known (grant compute.routers.get)", 0,
		},
		"nor is one of a gateway nobody looked at": {ports, calm.having(nil), NoData, "nat-1: what it has to give is not known", 0},
		"of several the worst speaks": {
			ports, both.having(map[Source]Pool{nat1: {Ports: 64512}, nat2: {Ports: 700}}), Breach, "nat-2 allocated up to 640 of 700 ports (91.5%)", 0,
		},
		"one with automatic addresses is left out": {
			ports, both.having(map[Source]Pool{nat1: {Ports: 64512}, nat2: {Automatic: true}}), Pass, "nat-1 allocated at most 640", 10,
		},
		"without a gateway nothing applies": {ports, func() scene { s := after(10); s.Unwatched = "no VPC access"; return s }(), NotApplicable, "no VPC access", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := c.rule.Judge(c.scene.Scope, c.scene.answers)
			if v.Outcome != c.want || !strings.Contains(v.Note, c.note) || len(v.Healthy) != c.healthy {
				t.Errorf("got %s %q with %d healthy minutes, want %s %q with %d", v.Outcome, v.Note, len(v.Healthy), c.want, c.note, c.healthy)
			}
		})
	}
}

func TestNatPortUtilizationThatHasStopped(t *testing.T) {
	t.Parallel()
	s := after(10).watching(nat1).gateway(nat1, -40, 10).having(one(1000)).says(AllocatedPorts, nat1, each(300), 6, 9)
	if v := ports.Judge(s.Scope, s.answers); v.Outcome != Breach || !v.Stopped || v.Value != "94%" || v.Limit != "80%" {
		t.Errorf("got %+v, want a breach at 94%% that has stopped", v)
	}
}

func TestNatPortUtilizationPreflight(t *testing.T) {
	t.Parallel()
	calm := before().watching(nat1).gateway(nat1, -40, -3).having(one(64512))
	for name, c := range map[string]struct {
		scene scene
		want  Outcome
		note  string
	}{
		"a gateway with ports left lets it start": {calm, Pass, "at most 640 of 64512"},
		"one without does not":                    {calm.having(one(700)), Breach, "up to 640 of 700 ports (91.5%), in 5 of the last 5"},
		"one that nobody can read does not":       {calm.having(nil), NoData, "what it has to give is not known"},
		"an idle one does not":                    {before().watching(nat1).gateway(nat1, 0, 0).having(one(700)), NoData, "no NAT metrics in the last 30 minutes"},
		"one with automatic addresses does":       {calm.having(map[Source]Pool{nat1: {Automatic: true}}), NotApplicable, "by itself"},
		"without a gateway there is nothing":      {before(), NotApplicable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if v := ports.Preflight(c.scene.Scope, c.scene.answers); v.Outcome != c.want || !strings.Contains(v.Note, c.note) {
				t.Errorf("got %s %q, want %s %q", v.Outcome, v.Note, c.want, c.note)
			}
		})
	}
}

// TestOnlyFixedPortsAreAskedFor: what has no fixed number is not asked, and what
// is not known yet is.
func TestOnlyFixedPortsAreAskedFor(t *testing.T) {
	t.Parallel()
	s := after(10).watching(nat1, nat2).having(map[Source]Pool{nat1: {Automatic: true}})
	want := []Question{{Series{AllocatedPorts, nat2}, at(-36), at(13)}}
	if diff := cmp.Diff(want, ports.Questions(s.Scope)); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
}

func TestALimitDoesNotOverflow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ percent, ports, want int64 }{
		{80, 64512, 51609}, {80, 1 << 62, 3689348814741910323}, {99, 100, 99}, {1, 99, 0}, {-5, 1000, 0}, {500, 1000, 1000},
	} {
		if got := (NatPortUtilization{c.percent}).limit(c.ports); got != c.want {
			t.Errorf("%d%% of %d is %d, want %d", c.percent, c.ports, got, c.want)
		}
	}
}

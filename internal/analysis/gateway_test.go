package analysis

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	drops       = NatDroppedPackets{MaxPerMinute: 0, MinMinutes: 2}
	allocations = NatAllocationFailures{MaxMinutes: 0}
)

const (
	outOfResources = "OUT_OF_RESOURCES"
	conflict       = "ENDPOINT_INDEPENDENCE_CONFLICT"
)

func TestNatDroppedPacketsJudge(t *testing.T) {
	t.Parallel()
	calm := after(10).watching(nat1).gateway(nat1, -40, 10)
	cases := map[string]struct {
		rule    NatDroppedPackets
		scene   scene
		want    Outcome
		note    string
		healthy int
	}{
		"no drops pass": {drops, calm, Pass, "nat-1 dropped nothing in the last 5 minutes", 10},
		"one minute with drops is not enough, and does not count as bake": {
			drops, calm.says(DroppedPackets, nat1, each(7, outOfResources), 8, 9), Pass,
			"nat-1 dropped up to 7 packets/min (OUT_OF_RESOURCES) in 1 of the last 5 minutes, limit: 2 minutes above 0 packets/min", 9,
		},
		"two of the last five are": {
			drops, calm.says(DroppedPackets, nat1, each(7, outOfResources), 5, 6).says(DroppedPackets, nat1, each(9, outOfResources), 9, 10), Breach,
			"dropped up to 9 packets/min (OUT_OF_RESOURCES) in 2 of the last 5 minutes", 8,
		},
		"two further apart are not": {
			drops, calm.says(DroppedPackets, nat1, each(7, outOfResources), 4, 5).says(DroppedPackets, nat1, each(9, outOfResources), 9, 10), Pass,
			"in 1 of the last 5 minutes", 8,
		},
		"the conflict that ports do not cure is named": {
			drops, calm.says(DroppedPackets, nat1, each(3, conflict), 7, 10), Breach, "(ENDPOINT_INDEPENDENCE_CONFLICT)", 7,
		},
		"both reasons count and are named": {
			NatDroppedPackets{MaxPerMinute: 5, MinMinutes: 1},
			calm.says(DroppedPackets, nat1, each(3, conflict), 9, 10).says(DroppedPackets, nat1, each(3, outOfResources), 9, 10), Breach,
			"dropped up to 6 packets/min (ENDPOINT_INDEPENDENCE_CONFLICT, OUT_OF_RESOURCES) in 1", 9,
		},
		"at the limit is not over it": {
			NatDroppedPackets{MaxPerMinute: 7, MinMinutes: 1}, calm.says(DroppedPackets, nat1, each(7, outOfResources), 0, 10), Pass, "dropped at most 7 packets/min in the last 5 minutes, limit 7", 10,
		},
		"what was usual in the 30 minutes before is not the candidate's": {
			drops, calm.says(DroppedPackets, nat1, each(4, outOfResources), -31, 10), Pass, "dropped at most 4 packets/min in the last 5 minutes, limit 4", 10,
		},
		"more than usual is": {
			drops, calm.says(DroppedPackets, nat1, each(4, outOfResources), -31, 8).says(DroppedPackets, nat1, each(5, outOfResources), 8, 10), Breach, "limit: 2 minutes above 4 packets/min", 8,
		},
		"drops in less than half of the minutes before are not usual": {
			drops, calm.says(DroppedPackets, nat1, each(4, outOfResources), -15, -1).says(DroppedPackets, nat1, each(1, outOfResources), 8, 10), Breach, "above 0 packets/min", 8,
		},
		"drops longer ago than 30 minutes are not usual": {
			drops, calm.says(DroppedPackets, nat1, each(4, outOfResources), -36, -31).says(DroppedPackets, nat1, each(1, outOfResources), 8, 10), Breach, "above 0 packets/min", 8,
		},
		"drops between the first write and this step are not usual": {
			drops, func() scene {
				s := calm.says(DroppedPackets, nat1, each(4, outOfResources), -31, 10)
				s.AttemptSince = at(-25)
				return s
			}(), Breach, "above 0 packets/min", 0,
		},
		"drops before the step are not this step's": {
			drops, calm.says(DroppedPackets, nat1, each(4, outOfResources), -5, 0), Pass, "dropped nothing", 10,
		},
		"a silent gateway is no data": {
			drops, after(10).watching(nat1).gateway(nat1, -40, 7), NoData, "nat-1: no NAT metrics since Mar 1 12:07Z up to Mar 1 12:10Z", 0,
		},
		"a short gap earns nothing": {drops, after(10).watching(nat1).gateway(nat1, -40, 8), Pass, "dropped nothing", 8},
		"open connections are a witness as well": {
			drops, after(10).watching(nat1).gateway(nat1, -40, 5).says(OpenConnections, nat1, each(3), 5, 10), Pass, "dropped nothing", 10,
		},
		"drops prove themselves": {
			drops, after(10).watching(nat1).silent(AllocatedPorts, nat1).silent(OpenConnections, nat1).
				says(DroppedPackets, nat1, each(9, outOfResources), 8, 10), Breach, "in 2 of the last 2 minutes", 0,
		},
		"a partial answer never passes":           {drops, calm.troubled(DroppedPackets, nat1, CausePartial, ""), NoData, "nat-1: partial result", 0},
		"nor does one without its witness":        {drops, calm.troubled(AllocatedPorts, nat1, CauseThrottled, "429"), NoData, "nat-1: quota exceeded (429)", 0},
		"a breach in a partial answer counts":     {drops, calm.says(DroppedPackets, nat1, each(9), 8, 10).troubled(DroppedPackets, nat1, CausePartial, ""), Breach, "dropped up to 9", 8},
		"points after Through are ignored":        {drops, calm.says(DroppedPackets, nat1, each(9), 10, 13), Pass, "dropped nothing", 10},
		"the first minute has not arrived":        {drops, after(0).watching(nat1).gateway(nat1, -40, 0), Incomplete, "nat-1: first minute not arrived yet", 0},
		"without a gateway nothing applies":       {drops, func() scene { s := after(10); s.Unwatched = "no VPC access"; return s }(), NotApplicable, "no VPC access", 0},
		"a threshold of no minutes still needs 1": {NatDroppedPackets{}, calm, Pass, "dropped nothing", 10},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := c.rule.Judge(c.scene.Scope, c.scene.answers)
			if v.Outcome != c.want || !strings.Contains(v.Note, c.note) || len(v.Healthy) != c.healthy {
				t.Errorf("got %s %q with %d healthy minutes, want %s %q with %d", v.Outcome, v.Note, len(v.Healthy), c.want, c.note, c.healthy)
			}
		})
	}
}

func TestNatAllocationFailuresJudge(t *testing.T) {
	t.Parallel()
	calm := after(10).watching(nat1).gateway(nat1, -40, 10)
	cases := map[string]struct {
		rule    NatAllocationFailures
		scene   scene
		want    Outcome
		note    string
		healthy int
	}{
		"no failure passes":             {allocations, calm, Pass, "nat-1 allocated NAT IPs without failure in the last 5 minutes", 10},
		"one failed minute is a breach": {allocations, calm.says(AllocationFailed, nat1, each(1), 8, 9), Breach, "in 1 of the last 5 minutes", 9},
		"it is forgotten after five":    {allocations, calm.says(AllocationFailed, nat1, each(1), 4, 5), Pass, "without failure", 9},
		"the limit is a number of them": {NatAllocationFailures{MaxMinutes: 2}, calm.says(AllocationFailed, nat1, each(1), 8, 10), Pass, "in 2 of the last 5 minutes, limit 2", 8},
		"one more is over it":           {NatAllocationFailures{MaxMinutes: 2}, calm.says(AllocationFailed, nat1, each(1), 7, 10), Breach, "in 3", 7},
		"failures before do not count":  {allocations, calm.says(AllocationFailed, nat1, each(1), -9, 0), Pass, "without failure", 10},
		"false is reported as zero":     {allocations, calm.says(AllocationFailed, nat1, each(0), 0, 10), Pass, "without failure", 10},
		"a witness four minutes later than the metric is no silence": {
			allocations, calm.late(AllocatedPorts, nat1, 6), Pass, "without failure", 6,
		},
		"neither is one that has said nothing of the step yet": {
			allocations, calm.late(AllocatedPorts, nat1, 0), Incomplete, "first minute not arrived yet", 0,
		},
		"of two witnesses the later one is waited for": {
			allocations, after(10).watching(nat1).gateway(nat1, -40, 5).late(OpenConnections, nat1, 7), Pass, "without failure", 5,
		},
		"one that does not answer is not": {
			allocations, after(10).watching(nat1).gateway(nat1, -40, 5).late(OpenConnections, nat1, 7).troubled(OpenConnections, nat1, CauseDenied, ""),
			NoData, "no NAT metrics since Mar 1 12:05Z up to Mar 1 12:10Z", 0,
		},
		"it is silence once the witness has come that far": {
			allocations, after(10).watching(nat1).gateway(nat1, -40, 3).late(AllocatedPorts, nat1, 6),
			NoData, "nat-1: no NAT metrics since Mar 1 12:03Z up to Mar 1 12:06Z", 0,
		},
		"silence is no data":             {allocations, after(10).watching(nat1).gateway(nat1, -40, 6), NoData, "no NAT metrics", 0},
		"an unanswered question as well": {allocations, after(10).watching(nat1), NoData, "not asked", 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := c.rule.Judge(c.scene.Scope, c.scene.answers)
			if v.Outcome != c.want || !strings.Contains(v.Note, c.note) || len(v.Healthy) != c.healthy {
				t.Errorf("got %s %q with %d healthy minutes, want %s %q with %d", v.Outcome, v.Note, len(v.Healthy), c.want, c.note, c.healthy)
			}
		})
	}
}

func TestNatPreflight(t *testing.T) {
	t.Parallel()
	calm := before().watching(nat1).gateway(nat1, -40, -3)
	misnamed := before().watching(nat1).gateway(nat1, 0, 0)
	misnamed = misnamed.answer(Series{AllocatedPorts, nat1}, Answer{Through: misnamed.through, Names: []string{"nat-b", "nat-a"}})
	cases := map[string]struct {
		rule  Rule
		scene scene
		want  Outcome
		note  string
	}{
		"a calm gateway lets it start":                   {drops, calm, Pass, "dropped nothing"},
		"one that drops already does not":                {drops, calm.says(DroppedPackets, nat1, each(2, outOfResources), -6, -3), Breach, "in 3 of the last 5 minutes"},
		"what is usual there does not excuse it":         {drops, calm.says(DroppedPackets, nat1, each(2, outOfResources), -40, -3), Breach, "in 5 of the last 5 minutes"},
		"drops that stopped do not prevent":              {drops, calm.says(DroppedPackets, nat1, each(2, outOfResources), -40, -8), Pass, "dropped nothing"},
		"one that fails to allocate already does not":    {allocations, calm.says(AllocationFailed, nat1, each(1), -4, -3), Breach, "in 1 of the last 5"},
		"an idle gateway does not":                       {drops, before().watching(nat1).gateway(nat1, 0, 0), NoData, "nat-1: no NAT metrics in the last 30 minutes up to Mar 1 11:57Z"},
		"one that reported long ago does not":            {drops, before().watching(nat1).gateway(nat1, -90, -40), NoData, "no NAT metrics in the last 30 minutes"},
		"a misnamed one lists the names that do report":  {allocations, misnamed, NoData, "names that do report: nat-a, nat-b"},
		"an answer that is not whole does not":           {drops, calm.troubled(DroppedPackets, nat1, CauseDenied, ""), NoData, "access denied"},
		"without a gateway there is nothing to look at":  {allocations, before(), NotApplicable, ""},
		"of several the worst speaks":                    {drops, calm.watching(nat1, nat2).gateway(nat2, -40, -3).says(DroppedPackets, nat2, each(2), -6, -3), Breach, "nat-2 dropped"},
		"a silent one among several prevents the start":  {drops, calm.watching(nat1, nat2).gateway(nat2, 0, 0), NoData, "nat-2"},
		"a breach speaks louder than a silent neighbour": {drops, calm.watching(nat2, nat1).gateway(nat2, 0, 0).says(DroppedPackets, nat1, each(2), -6, -3), Breach, "nat-1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := c.rule.Preflight(c.scene.Scope, c.scene.answers)
			if v.Outcome != c.want || !strings.Contains(v.Note, c.note) {
				t.Errorf("got %s %q, want %s %q", v.Outcome, v.Note, c.want, c.note)
			}
		})
	}
}

func TestSeveralGateways(t *testing.T) {
	t.Parallel()
	s := after(10).watching(nat1, nat2).gateway(nat1, -40, 10).gateway(nat2, -40, 9)
	s = s.says(DroppedPackets, nat1, each(1), 2, 3)
	v := drops.Judge(s.Scope, s.answers)
	if v.Outcome != Pass || len(v.Healthy) != 8 {
		t.Errorf("got %s with %d healthy minutes, want a pass with the 8 that are healthy on both", v.Outcome, len(v.Healthy))
	}

	late := s.answers[Series{DroppedPackets, nat2}]
	late.Through = at(6)
	if v := drops.Judge(s.Scope, s.answer(Series{DroppedPackets, nat2}, late).answers); !v.Through.Equal(at(6)) {
		t.Errorf("judged through %v, want the earliest, %v", v.Through, at(6))
	}
	if v := drops.Judge(s.Scope, s.troubled(DroppedPackets, nat2, CauseDenied, "").answers); v.Outcome != NoData || len(v.Healthy) != 0 {
		t.Errorf("got %s with %d healthy minutes, want no data and none", v.Outcome, len(v.Healthy))
	}
}

func TestNatQuestions(t *testing.T) {
	t.Parallel()
	s := after(10).watching(nat1, nat2)
	var want []Question
	for _, g := range s.Gateways {
		for _, m := range []Metric{DroppedPackets, AllocatedPorts, OpenConnections} {
			want = append(want, Question{Series{m, g}, at(-36), at(13)})
		}
	}
	if diff := cmp.Diff(want, drops.Questions(s.Scope)); diff != "" {
		t.Errorf("drops and witnesses since before the attempt (-want +got):\n%s", diff)
	}
	if got := allocations.Questions(s.Scope)[0].Metric; got != AllocationFailed {
		t.Errorf("asks for %s first, want %s", got, AllocationFailed)
	}
	if got := drops.Questions(after(10).Scope); got != nil {
		t.Errorf("asks %v without a gateway", got)
	}
}

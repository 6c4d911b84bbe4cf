package analysis

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dropped is a gateway that dropped these many packets in the minutes up to the last
// one of a scene, which began half an hour ago.
func dropped(s scene, perMinute ...int64) scene {
	s = s.watching(nat1).gateway(nat1, -40, int(s.through.Sub(noon)/time.Minute))
	from := int(s.through.Sub(noon)/time.Minute) - len(perMinute)
	for i, n := range perMinute {
		if n > 0 {
			s = s.says(DroppedPackets, nat1, each(n, outOfResources), from+i, from+i+1)
		}
	}
	return s
}

// TestWhenATroubleBegan: the bad minutes that belong together make one trouble,
// also those before the attempt.
func TestWhenATroubleBegan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		perMinute []int64
		began     int
		worst     int64
		stopped   string
	}{
		"it goes on":                       {[]int64{0, 0, 30, 40, 20}, 8, 40, ""},
		"it has stopped":                   {[]int64{0, 0, 30, 40, 0}, 8, 40, "stopped"},
		"it comes and goes":                {[]int64{5, 0, 0, 0, 30, 40, 20}, 4, 40, ""},
		"one before it is another one":     {[]int64{90, 0, 0, 0, 0, 0, 0, 30, 40}, 9, 40, ""},
		"it was there before the attempt":  {[]int64{9, 0, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9}, -3, 9, ""},
		"all that is known of it is bad":   {slices.Repeat([]int64{7}, 10), 1, 7, ""},
		"a usual amount does not begin it": {append(slices.Repeat([]int64{50}, 40), 90, 90), 9, 90, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dropped(after(10), c.perMinute...)
			v := drops.Judge(s.Scope, s.answers)
			if v.Outcome != Breach || len(v.Troubles) != 1 {
				t.Fatalf("%s with %d troubles: %s", v.Outcome, len(v.Troubles), v.Note)
			}
			got := v.Troubles[0]
			if !got.Began.Equal(at(c.began)) || got.Worst != c.worst || got.Stopped != (c.stopped != "") || got.Gateway != nat1 {
				t.Errorf("got %+v, want it to begin at %s", got, at(c.began))
			}
			if diff := cmp.Diff([]string{outOfResources}, got.Reasons); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNobodyKnowsWhenATroubleBeganWhileMinutesAreMissing(t *testing.T) {
	t.Parallel()
	s := dropped(after(10), 30, 40, 20).troubled(DroppedPackets, nat1, CausePartial, "")
	v := drops.Judge(s.Scope, s.answers)
	if len(v.Troubles) != 1 || !v.Troubles[0].Began.IsZero() {
		t.Errorf("%s: %+v", v.Outcome, v.Troubles)
	}
}

// TestEachGatewayHasItsTrouble: the worst speaks, and none is forgotten.
func TestEachGatewayHasItsTrouble(t *testing.T) {
	t.Parallel()
	s := dropped(after(10), 30, 40, 20)
	s.Gateways = []Source{nat1, nat2}
	s = s.gateway(nat2, -40, 10).says(DroppedPackets, nat2, each(3), 6, 10)
	v := drops.Judge(s.Scope, s.answers)
	var names []string
	for _, trouble := range v.Troubles {
		names = append(names, trouble.Gateway.String())
	}
	if diff := cmp.Diff([]string{"nat-1", "nat-2"}, names); diff != "" {
		t.Errorf("troubles (-want +got):\n%s", diff)
	}
	if v := allocations.Judge(s.Scope, s.answers); len(v.Troubles) != 0 {
		t.Errorf("%s has troubles", v.Outcome)
	}
}

func TestFullPortsAreATrouble(t *testing.T) {
	t.Parallel()
	s := after(10).watching(nat1).gateway(nat1, -40, 5).says(AllocatedPorts, nat1, each(900), 5, 10)
	s.Pools = map[Source]Pool{nat1: {Ports: 1000}}
	v := NatPortUtilization{MaxPercent: 80}.Judge(s.Scope, s.answers)
	if len(v.Troubles) != 1 || !v.Troubles[0].Began.Equal(at(6)) || v.Troubles[0].Worst != 900 {
		t.Errorf("%s: %+v", v.Note, v.Troubles)
	}
}

func TestHowUsersFare(t *testing.T) {
	t.Parallel()
	s := after(10).serving(90, 10, 0, 10).timed(candidate, took(90, 10), 0, 10)
	got, known := Fares(s.answers, candidate, at(5), at(8))
	if !known || got.Requests != 200 || got.Failed != 20 || got.Slow < 400*time.Millisecond || got.Slow > 800*time.Millisecond {
		t.Errorf("known %t: %+v", known, got)
	}
	once := s.says(Requests, candidate, each(400, "5xx"), 6, 7)
	if got, _ := Fares(once.answers, candidate, at(5), at(8)); got.Requests != 200 || got.Failed != 20 {
		t.Errorf("with a bad minute: %+v", got)
	}
	if got, known := Fares(s.answers, stable, at(5), at(8)); !known || got != (Faring{Requests: 1500}) {
		t.Errorf("stable, known %t: %+v", known, got)
	}
	if _, known := Fares(s.answers, candidate, at(5), at(11)); known {
		t.Error("it knows minutes that have not arrived")
	}
	s = s.troubled(Requests, candidate, CauseThrottled, "")
	if _, known := Fares(s.answers, candidate, at(5), at(8)); known {
		t.Error("it knows an answer that is not whole")
	}
}

// TestWhatAGatewayDroppedWhileUsersBeganToFail: one minute of it is enough, also in the
// time in which the step settles, and what it dropped later is added up.
func TestWhatAGatewayDroppedWhileUsersBeganToFail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		perMinute      []int64
		until, began   int
		packets, usual int64
	}{
		"in one minute":                    {[]int64{0, 30, 0, 0}, 8, 8, 30, 0},
		"and in those after":               {[]int64{0, 30, 0, 12}, 8, 8, 42, 0},
		"in the last of five minutes":      {[]int64{30, 0, 0, 0, 0}, 10, 6, 30, 0},
		"longer ago than five minutes":     {[]int64{30, 0, 0, 0, 0, 0}, 10, 0, 0, 0},
		"only later":                       {[]int64{0, 0, 0, 30}, 9, 0, 0, 0},
		"nothing":                          {nil, 10, 0, 0, 0},
		"no more than is usual":            {slices.Repeat([]int64{50}, 40), 10, 0, 0, 50},
		"in the minutes before the others": {[]int64{7, 0, 9, 0}, 9, 7, 16, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dropped(after(10), c.perMinute...)
			got, packets := drops.Dropping(s.Scope, s.answers, nat1, at(c.until))
			if got.Began.IsZero() != (c.began == 0) || c.began != 0 && !got.Began.Equal(at(c.began)) || packets != c.packets || got.Usual != c.usual {
				t.Errorf("%d packets, %+v", packets, got)
			}
		})
	}
}

func TestFailuresAreCounted(t *testing.T) {
	t.Parallel()
	s := after(10).says(Requests, candidate, each(100, ""), 0, 10).says(Requests, candidate, each(4, "5xx"), 5, 10)
	for minutes, want := range map[int]int64{0: 20, 7: 12, 10: 0} {
		if got := Failures(s.answers, s.Candidate, at(minutes)); got != want {
			t.Errorf("after minute %d: %d", minutes, got)
		}
	}
}

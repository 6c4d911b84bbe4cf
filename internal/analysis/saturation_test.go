package analysis

import "testing"

func TestInstanceSaturation(t *testing.T) {
	t.Parallel()
	rule := InstanceSaturation{MaxPercent: 80, MaxPending: 5}
	running := func(active, pending int64, from, to int) scene {
		s := after(10).says(Instances, candidate, each(10), 0, 10).says(Instances, stable, each(10), 0, 10).
			says(ActiveInstances, candidate, each(4), 0, from).says(ActiveInstances, candidate, each(active), from, to).
			silent(Pending, candidate).says(Pending, candidate, each(pending), from, to)
		s.MaxInstances = 10
		return s
	}
	unknownMost := running(10, 0, 7, 10)
	unknownMost.MaxInstances = 0
	for name, c := range map[string]verdictCase{
		"enough free instances pass":           {rule, running(8, 5, 0, 10), Pass, "web-2 in 0 of the last 5 minutes over the limit, at most 8 active, 5 pending; limit 80% active, 5 pending"},
		"at the limit twice is a breach":       {rule, running(9, 0, 8, 10), Breach, "web-2 in 2 of the last 5 minutes over the limit, at most 9 active"},
		"once is not":                          {rule, running(9, 0, 9, 10), Pass, "in 1 of the last 5"},
		"requests that wait are a breach":      {rule, running(4, 6, 8, 10), Breach, "6 pending"},
		"a limit that is not there is not met": {InstanceSaturation{MaxPercent: Unlimited, MaxPending: 5}, running(10, 0, 0, 10), Pass, "limit 5 pending"},
		"what stable runs says nothing of the candidate": {
			rule, running(4, 0, 10, 10).silent(Instances, candidate).answer(Series{Instances, candidate}, Answer{Through: at(10)}), NoData, "no instance counted",
		},
		"without a known maximum only waiting counts": {rule, unknownMost, Pass, ""},
		"and where that is not limited, nothing":      {InstanceSaturation{MaxPercent: 80, MaxPending: Unlimited}, unknownMost, NotApplicable, "is not known"},
		"silence is no data":                          {rule, silentInstances(), NoData, "web-2: no instance counted up to Mar 1 12:10Z"},
		"an answer that is not whole is no data":      {rule, running(1, 0, 0, 10).troubled(Pending, candidate, CausePartial, ""), NoData, "partial result"},
		"a breach in one counts":                      {rule, running(9, 0, 8, 10).troubled(Pending, candidate, CausePartial, ""), Breach, "in 2 of"},
		"before the first minute arrived, nothing is": {rule, instancesLate(), Incomplete, "first minute not arrived yet"},
	} {
		t.Run(name, c.check)
	}
}

func silentInstances() scene {
	s := after(10).silent(Instances, candidate).silent(Instances, stable).silent(ActiveInstances, candidate).silent(Pending, candidate)
	s.MaxInstances = 10
	return s
}

func instancesLate() scene {
	s := silentInstances()
	for _, m := range []Metric{Instances, ActiveInstances, Pending} {
		s = s.late(m, candidate, 0)
	}
	return s
}

func TestInstanceSaturationThatHasStopped(t *testing.T) {
	t.Parallel()
	s := after(10).says(Instances, candidate, each(9), 0, 10).says(Instances, stable, each(1), 0, 10).silent(Pending, candidate).
		says(ActiveInstances, candidate, each(9), 6, 8)
	s.MaxInstances = 10
	v := InstanceSaturation{MaxPercent: 80, MaxPending: 0}.Judge(s.Scope, s.answers)
	if v.Outcome != Breach || !v.Stopped || len(v.Healthy) != 8 {
		t.Errorf("got %s, stopped %v, %d healthy minutes; want a breach that has stopped, and 8", v.Outcome, v.Stopped, len(v.Healthy))
	}
}

func TestInstanceSaturationPreflight(t *testing.T) {
	t.Parallel()
	rule := InstanceSaturation{MaxPercent: Unlimited, MaxPending: 5}
	cases := map[string]struct {
		scene scene
		want  Outcome
	}{
		"stable's instances are counted": {before().says(Instances, stable, each(1), -10, -5), Pass},
		"they are not":                   {before().silent(Instances, stable), NoData},
		"nobody may look":                {before().troubled(Instances, stable, CauseDenied, ""), NoData},
		"it was not asked":               {before(), NoData},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if v := rule.Preflight(c.scene.Scope, c.scene.answers); v.Outcome != c.want {
				t.Errorf("got %s %q, want %s", v.Outcome, v.Note, c.want)
			}
		})
	}
}

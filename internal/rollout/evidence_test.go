package rollout

import (
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// TestABreachOutlastsMissingAnswers: only a verdict ends it.
func TestABreachOutlastsMissingAnswers(t *testing.T) {
	t.Parallel()
	failing := at(25).nat(analysis.Breach)
	failing.Progress.Breaches = []BreachStart{{"nat", ago(4 * time.Minute)}}
	lost := failing
	lost.Service = Service{Presence: Denied, Detail: "403"}
	anew := failing.nat(analysis.NoData)
	anew.Progress.Effective = time.Time{}
	cases := map[string]struct {
		in   scene
		want time.Time
	}{
		"a breach goes on":                    {failing, ago(4 * time.Minute)},
		"no data does not end it":             {failing.nat(analysis.NoData), ago(4 * time.Minute)},
		"neither do minutes not yet arrived":  {failing.nat(analysis.Incomplete), ago(4 * time.Minute)},
		"neither does a service out of reach": {lost, ago(4 * time.Minute)},
		"a pass does":                         {failing.nat(analysis.Pass), time.Time{}},
		"too few requests do":                 {failing.nat(analysis.Insufficient), time.Time{}},
		"an open question does":               {failing.nat(analysis.Undecided), time.Time{}},
		"a check that applies no more does":   {failing.nat(analysis.NotApplicable), time.Time{}},
		"a split whose evidence begins does":  {anew, time.Time{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Decide(Input(c.in))
			if got := d.Progress.breachedSince("nat"); !got.Equal(c.want) {
				t.Errorf("in breach since %v, want %v", got, c.want)
			}
			// What is saved is read off the checks that are shown.
			for _, check := range d.Checks {
				if check.Name == "nat" && !check.BreachedSince.Equal(c.want) {
					t.Errorf("shown as in breach since %v, want %v", check.BreachedSince, c.want)
				}
			}
			if len(d.Checks) != 2 {
				t.Errorf("%d checks are shown, want 2", len(d.Checks))
			}
		})
	}
}

// TestDataAreBackWhenEvidenceAdvanced: the judged minutes of these scenes end
// three minutes ago.
func TestDataAreBackWhenEvidenceAdvanced(t *testing.T) {
	t.Parallel()
	missing := func(d time.Duration) scene {
		s := at(25).says("errors", Rollback, stub{outcome: analysis.Pass, healthy: 3})
		s.Progress.NoDataSince = ago(d)
		return s
	}
	lost := missing(time.Hour)
	lost.Service = Service{Presence: Denied, Detail: "403"}
	cases := map[string]struct {
		in   scene
		want time.Time
	}{
		"minutes after it were judged":     {missing(10 * time.Minute), time.Time{}},
		"only minutes before it were":      {missing(2 * time.Minute), ago(2 * time.Minute)},
		"none was yet":                     {missing(time.Hour).nat(analysis.Incomplete), ago(time.Hour)},
		"another check has no data":        {missing(time.Hour).nat(analysis.NoData), ago(time.Hour)},
		"what does not apply says nothing": {missing(time.Hour).nat(analysis.NotApplicable), time.Time{}},
		"the service is out of reach":      {lost, ago(time.Hour)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Decide(Input(c.in)).Progress.NoDataSince; !got.Equal(c.want) {
				t.Errorf("no data since %v, want %v", got, c.want)
			}
		})
	}
}

// TestTheClockIsNoEvidence: without a check that could stop a bad revision
// nothing rises, however long it lasts.
func TestTheClockIsNoEvidence(t *testing.T) {
	t.Parallel()
	inMode := func(s scene, mode Mode) scene {
		return s.with(func(s *scene) { s.Plan.Guards[0].Mode = mode })
	}
	off := func(s scene) scene { return inMode(s, Off).nat(analysis.NotApplicable) }
	since := func(s scene, d time.Duration) scene {
		s.Progress.NoDataSince = ago(d)
		return s
	}
	const why = "nothing is judged: errors is Off; nat does not apply, it says NotApplicable"
	const how = "Goes on when a check applies: write mode: Enforce in errors under spec.analysis.checks, or leave it out there; pauses at Mar 1 12:30Z."
	check(t, map[string]row{
		"before the first write":              {off(at(0)), "Held/MetricsUnavailable", why},
		"it says what to do":                  {off(at(0)), "Held/MetricsUnavailable", how},
		"during a step":                       {off(at(25)), "Held/MetricsUnavailable", why},
		"at the last step":                    {off(at(100)), "Held/MetricsUnavailable", why},
		"all checks in Shadow":                {inMode(at(25), Shadow), "Held/MetricsUnavailable", "nothing is judged: errors is Shadow"},
		"in Shadow with a breach to see":      {inMode(at(25).errors(analysis.Breach), Shadow), "Held/MetricsUnavailable", "errors is Shadow"},
		"without any check":                   {at(25).with(func(s *scene) { s.Plan.Guards = nil }), "Held/MetricsUnavailable", "nothing is judged"},
		"a person is asked in the end":        {since(off(at(25)), 30*time.Minute), "Paused/NoDataDeadlineExceeded", why},
		"an approval does not let it pass":    {off(in(AwaitingApproval, ReasonAwaitingApproval)).asks(Approve), "Held/MetricsUnavailable, refuses", "nothing is judged"},
		"one enforced check that applies can": {inMode(at(25), Off).nat(analysis.Pass), "Shifting/Progressing, writes web-2 100%", ""},
	})
}

// TestWhatWasJudgedStaysJudged: a minute that was forgiven in one step is not held against
// the next one.
func TestWhatWasJudgedStaysJudged(t *testing.T) {
	t.Parallel()
	s := at(5).meant(between("web-2", "web-1", 25)).split("web-2", 25, "web-1", 75)
	s.Progress.Judged = ago(6 * time.Minute)
	d := Decide(Input(s))
	if d.Progress.Step != 2 || !d.Progress.Judged.Equal(ago(6*time.Minute)) {
		t.Errorf("in step %d it counts as judged up to %s", d.Progress.Step, d.Progress.Judged)
	}
}

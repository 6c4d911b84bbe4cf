package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAWarmUpThatCloudRunDoesNotFinish: a candidate that is not called ready, or a
// service that does not settle, while the instances are started neither ends the
// attempt nor keeps the tag for longer than the timeout.
func TestAWarmUpThatCloudRunDoesNotFinish(t *testing.T) {
	t.Parallel()
	const untags = "Held/HeldByAnalysis, writes web-1 100%"
	early, late := at(0).warmed(time.Minute), at(0).warmed(5*time.Minute)
	pending := func(s scene) scene { return s.readiness("web-2", Pending) }
	over := pending(early.split("web-1", 100)).with(func(s *scene) { s.Progress.Warmup = Warmup{Tagged: "web-2", Over: ago(time.Minute)} })
	check(t, map[string]row{
		"not ready while they start":           {pending(early), warms, "MIN_INSTANCES_WARMING"},
		"not ready when the time is over":      {pending(late), untags, "did not start within 5m0s, and the candidate is not ready: MIN_INSTANCES_WARMING; the warm-up is taken back"},
		"not settled while they start":         {early.unsettled(), warms, "Cloud Run is applying a change"},
		"not settled when the time is over":    {late.unsettled(), untags, "Cloud Run is still applying the tag"},
		"not ready since it was taken back":    {over, "Held/HeldByAnalysis", "before the first write: revision web-2 is not ready yet"},
		"ready since it was taken back":        {over.readiness("web-2", Ready), wrote(5), ""},
		"a pause leaves the tag":               {pending(late).paused(), "Paused/Paused", ""},
		"an abort does not wait":               {pending(early).asks(Abort), takesOff + ", accepts", ""},
		"it failed":                            {early.readiness("web-2", NotReady), takesOff, ""},
		"not ready, and nobody started any":    {at(0).minimum(3).readiness("web-2", Pending), "Idle/Preparing", ""},
		"not ready, and there is none to have": {pending(late.minimum(0)).split("web-1", 100).with(func(s *scene) { s.Progress.Warmup = Warmup{Over: ago(time.Minute)} }), "Idle/Preparing", ""},
	})
	d := Decide(Input(late.unsettled()))
	if diff := cmp.Diff(map[string]string{Tag: "web-1"}, warmTagsOf(d.Write)); diff != "" {
		t.Errorf("it tags (-want +got):\n%s", diff)
	}
	if len(d.Events) != 1 || d.Events[0].Reason != WarmupUnavailable || !strings.Contains(d.Events[0].Note, "the first step is the warm-up") {
		t.Errorf("it tells %v", d.Events)
	}
	again := late.unsettled()
	again.Progress = d.Progress
	if d := Decide(Input(again)); len(d.Events) != 0 || inWords(d) != untags {
		t.Errorf("where that write was lost: %s, %v", inWords(d), d.Events)
	}
	if d := Decide(Input(again.split("web-1", 100))); d.Write != nil {
		t.Errorf("where it was not: %s", inWords(d))
	}
}

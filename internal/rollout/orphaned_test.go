package rollout

import (
	"testing"
	"time"
)

// TestWhatIsGoneServesNothing: Cloud Run goes on showing that a revision serves which is
// deleted, and says so to whoever cannot read it.
func TestWhatIsGoneServesNothing(t *testing.T) {
	t.Parallel()
	ended := idle().with(func(s *scene) {
		s.Progress.Phase, s.Progress.Reason = RolledBack, ReasonRolledBack
		s.Progress.Candidate, s.Progress.Latched = "web-2", []string{"web-2"}
	})
	gone := ended.presence("web-1", Missing)
	said := func(s scene, reason Reason) scene {
		return s.with(func(s *scene) { s.Progress.Phase, s.Progress.Reason = Idle, reason })
	}
	named := gone.revision("web-0", 72*time.Hour)
	named.Plan.StableRevision = "web-0"
	unread := ended.presence("web-1", Unknown)
	coming := said(named, BaselineUnknown).readiness("web-0", Pending)
	hidden := said(named, BaselineUnknown).presence("web-0", Unknown)
	changing := said(named, BaselineUnknown).unsettled()
	refound := gone.with(func(s *scene) { // a person sent it everything while the service could not be found
		s.Progress.Phase, s.Progress.Reason, s.Progress.Confirmed = Idle, ServiceNotFound, between("web-2", "web-1", 25)
		s.Progress.Latched = nil
	})
	stuck := said(gone, BaselineUnknown).kept(func(k *Kept) { k.Stuck, k.Waits = "its last update failed", "Config Connector is not through" }).unsettled()
	tries := said(gone.newer(), BaselineUnknown).kept(func(k *Kept) { k.Waits = "Config Connector is not through" }).readiness("web-3", NotReady).unsettled()
	split := idle().split("web-1", 50, "web-2", 50).next(time.Minute).split("web-1", 100).presence("web-1", Denied)
	retry := gone.asks(Retry)
	check(t, map[string]row{
		"it is said":                                   {gone, "Idle/BaselineUnknown", "stable revision web-1 no longer exists; traffic is web-1 100%"},
		"and how a person ends it":                     {gone, "Idle/BaselineUnknown", "Send one revision 100%"},
		"a person names another one":                   {named, "RollingBack/RollingBack, writes web-0 100%", "spec.stableRevision names web-0"},
		"one that is not ready is waited for":          {coming, "Idle/BaselineUnknown", "no longer exists; traffic is web-1 100%; spec.stableRevision names web-0, which is not there or not ready\nName a ready"},
		"and is obeyed when it is":                     {coming.next(time.Minute).readiness("web-0", Ready), "RollingBack/RollingBack, writes web-0 100%", ""},
		"so is one that cannot be read":                {hidden, "Idle/BaselineUnknown", "no longer exists; traffic is web-1 100%; revision web-0 could not be read"},
		"and is obeyed when it can":                    {hidden.next(time.Minute).revision("web-0", 72*time.Hour), "RollingBack/RollingBack, writes web-0 100%", ""},
		"a change under way comes first":               {changing, "Idle/BaselineUnknown", "applying a change"},
		"and then the name":                            {changing.next(time.Minute).settles(), "RollingBack/RollingBack, writes web-0 100%", ""},
		"also before anything was said":                {named.unsettled().next(time.Minute).settles(), "RollingBack/RollingBack, writes web-0 100%", ""},
		"a name that waits hides nothing":              {coming.next(time.Minute).presence("web-1", Unknown), "Idle/BaselineUnknown", "revision web-1 could not be read"},
		"what a person sent it serves nobody":          {refound, "Idle/BaselineUnknown", "stable revision web-1 no longer exists"},
		"what Config Connector cannot do waits for it": {stuck, "Idle/BaselineUnknown", "stable revision web-1 no longer exists"},
		"so does what it tries in vain":                {tries, "Idle/BaselineUnknown", "Config Connector is not through"},
		"a person's split that is over hides no cause": {split, "Idle/AccessDenied", "Grant run.revisions.get"},
		"and none is made up a minute later":           {split.next(time.Minute), "Idle/AccessDenied", "Grant run.revisions.get"},
		"a retry is refused, with what to do":          {retry, "Idle/BaselineUnknown, refuses", "stable revision web-1 no longer exists; traffic is web-1 100%. Send one revision 100%"},
		"nothing begins without a way back":            {gone.newer(), "Idle/BaselineUnknown", ""},
		"when it cannot be read since":                 {said(unread, BaselineUnknown), "Idle/BaselineUnknown", "revision web-1 could not be read"},
		"who has seen it goes on saying so":            {unread, "RolledBack/RolledBack", "web-1 serves 100%"},
		"who could not look reads it first":            {said(unread, AccessDenied), "Idle/Preparing", "revision web-1 could not be read"},
		"and does not say more until it does":          {said(unread, Preparing), "Idle/Preparing", "revision web-1 could not be read"},
		"then it is as it was":                         {said(ended, Preparing), "RolledBack/RolledBack", "web-1 serves 100%"},
	})
	unknown := Decide(Input(gone)).Progress
	again := gone
	again.Progress, again.Now = unknown, now.Add(time.Minute)
	if p := Decide(Input(again)).Progress; !p.Lowered.Equal(unknown.Lowered) {
		t.Errorf("each look begins the cool-down anew: %s, %s", unknown.Lowered, p.Lowered)
	}
}

// settles ends the change that is under way.
func (s scene) settles() scene {
	s.Service.Reconciling = false
	return s
}

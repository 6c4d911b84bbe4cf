package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-rollouts/sluice/internal/analysis"
)

// wants is what Git wants, of an image with the digest's name.
func (s scene) template(digest string) scene {
	s.Plan.Template = Template{Digest: digest, JSON: "{}", Image: "acme/web:" + digest}
	return s
}

// made says of a revision which template it was made from.
func (s scene) made(revision, digest string) scene {
	return s.with(func(s *scene) {
		r := s.Revisions[revision]
		r.Template = digest
		s.Revisions[revision] = r
	})
}

// carries is the template that the service has.
func (s scene) carries(digest string) scene {
	s.Service.Template = digest
	return s
}

// resting is web-1 at rest, the newest revision, made from template a.
func resting() scene {
	s := idle().made("web-1", "a").carries("a")
	s.Service.LatestReady, s.Service.LatestCreated = "web-1", "web-1"
	delete(s.Revisions, "web-2")
	return s
}

// tried is web-2 of template b given up, with web-1 of template a serving.
func tried() scene {
	s := idle().made("web-1", "a").made("web-2", "b").carries("b")
	s.Progress.Phase, s.Progress.Reason = RolledBack, ReasonRolledBack
	s.Progress.Candidate, s.Progress.Latched, s.Progress.Attempt, s.Progress.Cause = "web-2", []string{"web-2"}, 1, "errors: 5%"
	return s
}

// midway is web-2 of template b at 25 %, with web-1 of template a beside it.
func midway() scene {
	return at(25).made("web-1", "a").made("web-2", "b").carries("b").with(func(s *scene) { s.Progress.Deployed = "b" })
}

func TestATemplateIsDeployedOnceBetweenAttempts(t *testing.T) {
	t.Parallel()
	deploys := "Idle/Deploying, deploys b"
	denied := resting().template("b")
	denied.Undeployable = "no CloudRunAccess lets this namespace deploy; write mayDeploy: true"
	shut := resting().template("b")
	shut.Hours = Hours{Shut: true, Why: "the freeze year-end"}
	gitPaused := resting().template("b")
	gitPaused.Plan.Paused = true
	latest := resting().template("b")
	latest.Service.Desired = []Entry{{Latest: true, Percent: 100}}
	latest.Service.Effective = latest.Service.Desired
	foreign := resting().template("a").made("web-1", "").carries("")
	known := foreign
	known.Progress.Deployed = "a"
	completed := resting().template("b")
	completed.Progress.Phase, completed.Progress.Reason, completed.Progress.Candidate = Completed, ReasonCompleted, "web-1"
	invalid := resting()
	invalid.Undeployable = "spec.template.containers: write one"
	foreignCandidate := idle().made("web-1", "a").carries("a")
	foreignCandidate.Undeployable = "spec.template.containers: write one"
	check(t, map[string]row{
		"Git wants a new one":                    {resting().template("b"), deploys, "spec.template (acme/web:b) is being deployed"},
		"after a rollout":                        {completed, deploys, ""},
		"what the service has is there already":  {resting().template("a"), "Idle/Steady", "Waits for a new revision"},
		"so is what stable was made from":        {resting().template("a").carries("b"), "Idle/Steady", ""},
		"none is wanted":                         {resting().carries("b"), "Idle/Steady", ""},
		"a service that never had one of ours":   {resting().template("a").made("web-1", "").carries(""), "Idle/Deploying, deploys a", ""},
		"somebody deployed past Git since":       {known, "Idle/Steady", ""},
		"LATEST is pinned first":                 {latest, "Idle/Steady, writes web-1 100%", "being pinned"},
		"LATEST is a revision that is gone":      {latest.presence("web-1", Missing), "Idle/Preparing", "LATEST, which is pinned when LATEST stands for a revision that exists"},
		"while Cloud Run applies a change":       {resting().template("b").unsettled(), "Idle/Steady", "Cloud Run is applying a change"},
		"paused in Git":                          {gitPaused, "Idle/Preparing", "not deployed yet: spec.paused is true"},
		"outside of hours":                       {shut, "Idle/Preparing", "nothing new is begun now: the freeze year-end"},
		"stable cannot be read":                  {resting().template("b").presence("web-1", Denied), "Idle/Preparing", "could not be read"},
		"stable is gone":                         {resting().template("b").presence("web-1", Missing), deploys, ""},
		"it may not be deployed":                 {denied, "Idle/NotDeployed", "write mayDeploy: true"},
		"it cannot be read":                      {invalid, "Idle/NotDeployed", "spec.template.containers: write one"},
		"others' revisions are rolled out still": {foreignCandidate, "Checking/Preparing", "web-2 is to follow web-1"},
		"a request comes first":                  {resting().template("b").asks(Abort), "Idle/Preparing, refuses", "there is nothing to abort"},
		"a person's split":                       {resting().template("b").split("web-1", 50, "web-0", 50), "Idle/BaselineUnknown", ""},
	})
}

func TestTheServiceIsMarkedAsOursBeforeATemplateIsDeployed(t *testing.T) {
	t.Parallel()
	us := Holder{Cluster: "c", Namespace: "shop", Name: "web", UID: "u"}
	nobodys := resting().template("b")
	nobodys.Self = us
	ours := nobodys
	ours.Service.Claim = &Claim{Holder: us, Stable: "web-1"}
	elsewhere := nobodys
	elsewhere.Service.Claim = &Claim{Holder: Holder{Cluster: "d", UID: "v"}, Stable: "web-1"}
	attempt := midway().template("c")
	attempt.Self = us
	check(t, map[string]row{
		"nobody's":             {nobodys, "Idle/Deploying, writes web-1 100%", "Then spec.template is deployed"},
		"ours":                 {ours, "Idle/Deploying, deploys b", ""},
		"of what is gone":      {nobodys.presence("web-1", Missing), "Idle/Deploying, deploys b", ""},
		"of another cluster":   {elsewhere, "Idle/OwnedElsewhere", ""},
		"nobody's, in attempt": {attempt, "Baking/Progressing, writes web-2 25%, web-1 75%", ""},
	})
}

func TestANewTemplateDoesNotWaitForTheEndOfAnAttempt(t *testing.T) {
	t.Parallel()
	c := func(s scene) scene { return s.template("c") }
	shifting := c(at(5).made("web-1", "a").made("web-2", "b").carries("b").meant(between("web-2", "web-1", 25)).wants("web-2", 25, "web-1", 75))
	latest := c(midway())
	latest.Service.Desired = append(latest.Service.Desired[:1:1], Entry{Latest: true, Percent: 75})
	latest.Service.Effective = latest.Service.Desired
	latest.Service.LatestReady = "web-1"
	paused := midway().template("c")
	paused.Plan.Paused = true
	check(t, map[string]row{
		"while it bakes":        {c(midway()), "Baking/Progressing, deploys c", "when it is ready it takes the place of web-2"},
		"while it is held":      {c(in(Held, HeldByAnalysis)).made("web-1", "a").made("web-2", "b").carries("b"), "Held/HeldByAnalysis, deploys c", ""},
		"past its time":         {c(in(Paused, StepDeadlineExceeded)).made("web-1", "a").carries("b"), "Paused/StepDeadlineExceeded, deploys c", ""},
		"a breach comes first":  {c(midway()).errors(analysis.Breach), "RollingBack/RollingBack, writes web-1 100%", ""},
		"a person paused it":    {c(in(Paused, ReasonPaused)).with(func(s *scene) { s.Progress.Cause = "paused by ann" }), "Paused/Paused", ""},
		"paused in Git":         {paused, "Paused/Paused", "spec.paused is true"},
		"while traffic shifts":  {shifting, "Shifting/Progressing", ""},
		"LATEST is pinned then": {latest, "Baking/Progressing, writes web-2 25%, web-1 75%", ""},
		"while it is unsettled": {c(midway()).unsettled(), "Baking/Progressing", "Cloud Run is applying a change"},
		"what is there already": {midway().template("b"), "Shifting/Progressing, writes web-2 100%", ""},
		"its revision is ready": {midway().template("c").carries("c").newer().made("web-3", "c"), "RollingBack/RollingBack, writes web-1 100%", "web-2 is superseded by web-3"},
	})
}

// after is a scene as a decision leaves it, with what it asks for served.
func (s scene) after(t *testing.T) scene {
	t.Helper()
	d := Decide(Input(s))
	s.Progress = d.Progress
	if d.Write != nil {
		s.Service.Desired = d.Write.Targets()
		s.Service.Effective = s.Service.Desired
		s.Service.Generation, s.Service.ObservedGeneration, s.Service.ETag = s.Service.Generation+1, s.Service.Generation+1, s.Service.ETag+"+"
	}
	return s
}

func TestGoingBackInGitIsAWayBack(t *testing.T) {
	t.Parallel()
	again := midway().template("a")
	again.Progress.Requested = "web-2"
	first := at(0).made("web-1", "a").made("web-2", "b").carries("b").template("a")
	first.Progress.Deployed = "b"
	retried := tried().template("a").asks(Retry)
	retried.Request.Step, retried.Request.Attempt = -1, 0
	paused := midway().template("a")
	paused.Progress.Phase, paused.Progress.Reason, paused.Progress.Cause = Paused, ReasonPaused, "paused by ann"
	back := again.after(t).after(t)
	check(t, map[string]row{
		"during an attempt":                {again, "RollingBack/RollingBack, writes web-1 100%", "spec.template went back to what web-1 serves"},
		"before its first write":           {first, "Idle/Steady", "web-1 serves 100%"},
		"while it is paused":               {paused, "RollingBack/RollingBack, writes web-1 100%", ""},
		"it is not tried again then":       {back, "Idle/Steady", "web-1 serves 100%"},
		"until Git wants it again":         {back.template("b"), "Checking/Preparing", "web-2 is to follow web-1"},
		"after a rollback all is well":     {tried().template("a"), "Idle/Steady", "is what spec.template asks for"},
		"a person may try it all the same": {retried, "Checking/Preparing, accepts", ""},
		"not known without stable":         {midway().template("a").presence("web-1", Denied), "Held/HeldByAnalysis", ""},
	})
}

// TestWhatGitTookBackStaysBack: whatever becomes of the next template, the one before it
// is not rolled out in its place.
func TestWhatGitTookBackStaysBack(t *testing.T) {
	t.Parallel()
	back := midway().template("a").after(t).after(t)
	invalid := back.template("")
	invalid.Plan.Template, invalid.Undeployable = Template{}, "spec.template.containers: write one"
	refused := back.template("c")
	refused.Undeployable = "Cloud Run refused it"
	removed := back
	removed.Plan.Template = Template{}
	stillborn := back.template("c").carries("c").revision("web-3", time.Minute).made("web-3", "c").readiness("web-3", NotReady)
	stillborn.Service.LatestCreated = "web-3"
	check(t, map[string]row{
		"the next one is wrong":          {invalid, "Idle/NotDeployed", ""},
		"the next one is refused":        {refused, "Idle/NotDeployed", ""},
		"there is none any more":         {removed, "Idle/Steady", ""},
		"the next one does not start":    {stillborn, "Idle/RevisionNotReady", "any change, such as a label, deploys it again"},
		"stable cannot be read just now": {back.presence("web-1", Unknown), "Idle/Steady", ""},
	})
}

// TestGitMayGoBackAtAnyMoment: before an attempt of the template, on its way back, or
// while its successor does not start.
func TestGitMayGoBackAtAnyMoment(t *testing.T) {
	t.Parallel()
	before := idle().made("web-1", "a").made("web-2", "b").carries("b").template("a")
	before.Progress.Deployed = "b"
	never := before.readiness("web-2", NotReady)
	never.Service.LatestReady = "web-1"
	superseded := midway().template("c").carries("c").newer().made("web-3", "c").after(t)
	superseded = superseded.template("a").after(t)
	fails := midway().template("c").carries("c").revision("web-3", time.Minute).made("web-3", "c").readiness("web-3", NotReady)
	fails.Service.LatestCreated, fails.Progress.Deployed = "web-3", "c"
	removed := midway()
	removed.Plan.Template = Template{}
	removed = removed.errors(analysis.Incomplete).after(t)
	check(t, map[string]row{
		"before its attempt":                 {before, "Idle/Steady", ""},
		"where it does not start":            {never, "Idle/Steady", ""},
		"on the way back for another one":    {superseded, "Idle/Steady", ""},
		"while another one does not start":   {fails.template("a"), "RollingBack/RollingBack, writes web-1 100%", "spec.template went back"},
		"after it was taken out for a while": {removed.template("a"), "RollingBack/RollingBack, writes web-1 100%", ""},
	})
}

// TestAPersonsHotfixIsRolledOutWhateverItWasMadeFrom: who deploys past Git mostly changes
// the newest template, or copies a revision, with the digest that it carries.
func TestAPersonsHotfixIsRolledOutWhateverItWasMadeFrom(t *testing.T) {
	t.Parallel()
	starts := "Checking/Preparing"
	back := midway().template("a").after(t).after(t)
	hotfix := func(s scene, digest string) scene {
		s = s.revision("web-3", time.Minute).made("web-3", digest).carries(digest)
		s.Service.LatestReady, s.Service.LatestCreated = "web-3", "web-3"
		return s
	}
	upgraded := tried().template("b")
	upgraded.Progress.Deployed = "b"
	midwayOf := func(s scene) scene {
		s = hotfix(s, "a")
		s.Progress.Phase, s.Progress.Reason, s.Progress.Candidate, s.Progress.Attempt = Checking, Preparing, "web-3", 2
		return s
	}
	check(t, map[string]row{
		"of nothing of ours, after a revert":       {hotfix(back, ""), starts, "web-3 is to follow web-1"},
		"of what Git took back, after the revert":  {hotfix(back, "b"), starts, "web-3 is to follow web-1"},
		"of stable, while Git wants what failed":   {hotfix(upgraded, "a"), starts, "web-3 is to follow web-1"},
		"and it is not overtaken by what failed":   {midwayOf(upgraded), "Shifting/Progressing, writes web-3 5%, web-1 95%", ""},
		"of nothing of ours, while Git wants that": {hotfix(upgraded, ""), starts, "web-3 is to follow web-1"},
	})
}

func TestWhatIsOnTheServiceAlreadyIsRolledOut(t *testing.T) {
	t.Parallel()
	anew := tried().template("b")
	anew.Progress = Progress{Phase: Idle, Reason: Preparing}
	dismissed := idle().made("web-1", "a").made("web-2", "b").carries("b").template("b")
	dismissed.Progress.Stable, dismissed.Progress.Confirmed, dismissed.Progress.Deployed = "web-2", all("web-2"), "b"
	check(t, map[string]row{
		"of an object that is new":              {anew.after(t), "Checking/Preparing", "web-2 is to follow web-1"},
		"not what a person went back from":      {dismissed, "Idle/Steady", ""},
		"nor later, until somebody asks for it": {dismissed.after(t), "Idle/Steady", "request retry"},
	})
}

// TestUndoOutlivesATemplateThatWaits: it is the way back of the night.
func TestUndoOutlivesATemplateThatWaits(t *testing.T) {
	t.Parallel()
	done := idle().made("web-1", "a").made("web-2", "b").carries("b").split("web-2", 100)
	done.Progress.Phase, done.Progress.Reason, done.Progress.Attempt = Completed, ReasonCompleted, 1
	done.Progress.Stable, done.Progress.Candidate, done.Progress.Former = "web-2", "web-2", "web-1"
	done.Progress.Confirmed, done.Progress.Deployed = all("web-2"), "b"
	refused := done.template("c")
	refused.Undeployable = "Cloud Run refused it"
	paused := done.template("c")
	paused.Hours = Hours{Shut: true, Why: "the freeze year-end"}
	for name, s := range map[string]scene{"refused": refused.after(t), "in a freeze": paused.after(t), "on its way": done.template("c").after(t)} {
		s = s.asks(Undo)
		s.Request.Step = -1
		if d := Decide(Input(s)); inWords(d) != "RollingBack/RollingBack, writes web-1 100%, accepts" {
			t.Errorf("%s: %s, %s", name, inWords(d), d.Note)
		}
	}
}

// TestATemplateThatDoesNotArriveHoldsNothingUp: it is sent again later and later, and what
// is under way goes on in between.
func TestATemplateThatDoesNotArriveHoldsNothingUp(t *testing.T) {
	t.Parallel()
	sent := func(s scene, times int) scene {
		s = s.template("c")
		s.Progress.Sent = Sent{Digest: "c", At: ago(time.Second), Times: times}
		return s
	}
	blind := sent(midway(), 1).errors(analysis.NoData)
	blind.Plan.NoData.Action, blind.Progress.NoDataSince = Rollback, ago(31*time.Minute)
	late := sent(midway(), 1)
	late.Progress.Sent.At = ago(5 * time.Second)
	kept := midway().template("c")
	kept.Service.Keeper = "Config Connector"
	check(t, map[string]row{
		"what bakes goes on":              {sent(midway(), 1), "Shifting/Progressing, writes web-2 100%", "spec.template is not deployed yet: it was sent and is not seen yet"},
		"data that stay away lead back":   {blind, "RollingBack/RollingBack, writes web-1 100%", ""},
		"a revision of others starts":     {sent(idle().made("web-1", "a").carries(""), 1), "Checking/Preparing", "web-2 is to follow web-1"},
		"it is sent again":                {late, "Baking/Progressing, deploys c", ""},
		"at rest it is on its way":        {sent(resting(), 1), "Idle/Deploying", "it is sent again at"},
		"until it is told what is wrong":  {sent(resting(), 3), "Idle/NotDeployed", "it was sent 3 times and is not there"},
		"another one does not wait":       {sent(resting(), 9).template("d"), "Idle/Deploying, deploys d", ""},
		"nothing is sent past its keeper": {kept, "Paused/TrafficConflict", ""},
	})
}

// TestATemplateThatLandsTooLateIsNoCandidate: Git wanted another one before it was there.
func TestATemplateThatLandsTooLateIsNoCandidate(t *testing.T) {
	t.Parallel()
	s := idle().made("web-1", "a").made("web-2", "b").carries("b").template("a")
	s.Progress.Sent = Sent{Digest: "b", At: ago(time.Minute), Times: 1}
	landed := s.after(t)
	if landed.Progress.Sent.Digest != "" {
		t.Errorf("it is awaited still: %+v", landed.Progress.Sent)
	}
	over := idle().made("web-1", "a").made("web-2", "b").carries("b").template("c")
	over.Progress.Deployed, over.Progress.Sent = "c", Sent{Digest: "b", At: ago(time.Hour), Times: 1}
	older := idle().made("web-1", "a").made("web-2", "b").carries("b").template("c")
	older.Progress.Sent = Sent{Digest: "c", At: ago(time.Second), Times: 1, Before: []string{"d", "b"}}
	paused := over
	paused.Plan.Paused = true
	resumed := paused.after(t)
	resumed.Plan.Paused = false
	check(t, map[string]row{
		"when it lands":               {s, "Idle/Steady", ""},
		"later":                       {landed, "Idle/Steady", ""},
		"over what Git wants by now":  {over, "Idle/Deploying, deploys c", ""},
		"in the place of a newer one": {older, "Idle/Deploying, deploys c", ""},
		"and if that has to wait":     {resumed, "Idle/Deploying, deploys c", ""},
		"nor when that is refused":    {func() scene { s := over.after(t); s.Undeployable = "Cloud Run refused it"; return s }(), "Idle/NotDeployed", ""},
	})
}

// TestWhatWasSentIsRememberedUntilItIsSeen: the newest ones, each once.
func TestWhatWasSentIsRememberedUntilItIsSeen(t *testing.T) {
	t.Parallel()
	var sent Sent
	for _, digest := range []string{"b", "c", "c", "b", "d", "e", "f"} {
		sent = sent.then(digest, now)
	}
	want := Sent{Digest: "f", At: now, Times: 1, Before: []string{"e", "d"}}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("what was sent (-want +got):\n%s", diff)
	}
	for digest, has := range map[string]bool{"f": true, "d": true, "b": false, "": false} {
		if sent.has(digest) != has {
			t.Errorf("%q was sent and not seen: %v", digest, !has)
		}
	}
}

func TestAfterARollbackItIsSaidWhatGitWants(t *testing.T) {
	t.Parallel()
	check(t, map[string]row{
		"what was given up":        {tried().template("b"), "RolledBack/RolledBack", "Git still wants web-2 (acme/web:b): revert or change spec.template, or lift it with the request retry."},
		"also when it is gone":     {tried().template("b").presence("web-2", Missing), "RolledBack/RolledBack", "Git still wants web-2 (acme/web:b)"},
		"something new":            {tried().template("c"), "Idle/Deploying, deploys c", ""},
		"without a template of it": {tried(), "RolledBack/RolledBack", "what Git wants may still be web-2"},
	})
}

func TestWhatWasSeenDeployedIsRemembered(t *testing.T) {
	t.Parallel()
	past := resting().template("a")
	past.Service.Generation = 6
	for name, c := range map[string]struct {
		in   scene
		was  string
		want string
	}{
		"on the service":            {resting().template("a"), "", "a"},
		"on stable":                 {resting().template("a").carries("b"), "", "a"},
		"not before it is there":    {resting().template("b"), "", ""},
		"nor what is no more":       {resting().template("b"), "a", "a"},
		"without a template no one": {resting(), "a", ""},
		"not from the past":         {past, "", ""},
	} {
		c.in.Progress.Deployed = c.was
		if got := Decide(Input(c.in)).Progress.Deployed; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestATemplateWaitsInsteadOfEndingByTheClock: a template that is sent is not also a
// step that ran out of time.
func TestATemplateWaitsInsteadOfEndingByTheClock(t *testing.T) {
	t.Parallel()
	s := midway().template("c")
	s.Progress.Clock = Stopwatch{Running: ago(61 * time.Minute)}
	check(t, map[string]row{"at its deadline": {s, "Baking/Progressing, deploys c", ""}})
}

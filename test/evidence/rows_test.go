// Package evidence holds the list of what can go wrong between a measurement
// and a verdict, each with the tests that show what happens then.
package evidence

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// row is one way in which metrics or time deceive.
type row struct {
	id, failure, expected string
	tests                 []proof
}

// proof is a test by its package's folder, its function and, where the function
// is a table, a case of it.
type proof struct{ dir, function, story string }

const (
	judge    = "internal/analysis"
	core     = "internal/rollout"
	adapter  = "internal/monitoring"
	contract = "test/contract"
	stories  = "test/stories"
)

var rows = []row{
	{"M1", "no data at all", "hold, then pause or roll back; no requests are not no errors", []proof{
		{stories, "TestStories", "data-stops-for-good"},
		{stories, "TestStories", "data-stops-rolls-back"},
		{stories, "TestStories", "no-data-from-the-start"},
		{judge, "TestServerErrorsJudge", "an instance alone is no witness"},
		{core, "TestTheWayOut", "midway, nobody may look any more"},
	}},
	{"M2", "data come late", "nothing younger than the metric's delay is judged", []proof{
		{judge, "TestDelayNeverAddsEvidence", ""},
		{judge, "TestServerErrorsJudge", "points after Through are ignored"},
		{adapter, "TestDelays", ""},
		{stories, "TestStories", "late-data"},
	}},
	{"M3", "gaps", "a minute without data earns nothing", []proof{
		{judge, "TestServerErrorsJudge", "a short gap earns nothing and changes nothing"},
		{judge, "TestNatDroppedPacketsJudge", "a short gap earns nothing"},
		{stories, "TestStories", "data-stops-and-returns"},
		{adapter, "TestNoRequestUsesAnAlignerThatFillsGaps", ""},
	}},
	{"M4", "partial answers", "no pass rests on them, a breach does", []proof{
		{judge, "TestServerErrorsJudge", "a partial answer never passes"},
		{judge, "TestServerErrorsJudge", "a breach in a partial answer counts"},
		{judge, "TestNatPortUtilizationJudge", "a breach in a partial answer counts"},
		{adapter, "TestPartialAnswers", ""},
		{contract, "TestTroubleWithMonitoring", ""},
		{stories, "TestStories", "partial-answers-with-breach"},
	}},
	{"M5", "NaN, infinite, negative, another type or unit", "the point is refused and the answer is not whole", []proof{
		{judge, "TestServerErrorsJudge", "negative counts are no data"},
		{judge, "TestJudgesAreTotal", ""},
		{adapter, "TestPoints", ""},
		{adapter, "TestHistograms", ""},
		{adapter, "TestWhateverComesThePointsAreSound", ""},
	}},
	{"M6", "unordered, repeated or contradicting points", "order does not matter, a contradiction is no data", []proof{
		{judge, "TestOrderOfPointsDoesNotMatter", ""},
		{adapter, "TestPoints", ""},
	}},
	{"M7", "clocks that disagree", "nothing rises or passes; guards stay armed", []proof{
		{core, "TestNothingRisesWhileTheClocksAreApart", ""},
		{"internal/cloudrun", "TestTheSkewIsNeverOverstated", ""},
		{stories, "TestStories", "clock-ahead-at-the-end-of-a-bake"},
		{stories, "TestStories", "clock-ahead-of-a-breach"},
	}},
	{"M8", "somebody else's series", "every query is pinned to project, place and name; a shared gateway holds first", []proof{
		{contract, "TestEveryQueryIsPinned", ""},
		{adapter, "TestServicesOfOneNameInTwoRegionsDoNotBlend", ""},
		{adapter, "TestWhatIsWrongWithOneServiceConcernsNoOther", ""},
		{adapter, "TestGateways", ""},
		{"controllers", "TestATargetAloneIsTheSafePlan", ""},
	}},
	{"M9", "too few samples", "too few requests are a verdict of their own", []proof{
		{judge, "TestServerErrorsJudge", "two errors are never a breach, however small the limit"},
		{judge, "TestServerErrorsJudge", "one request less is not"},
		{stories, "TestStories", "too-few-requests-for-good"},
	}},
	{"M10", "Monitoring is down", "hold, then pause; the way back needs no Monitoring", []proof{
		{stories, "TestStories", "monitoring-down"},
		{stories, "TestStories", "monitoring-denied-during-breach"},
		{adapter, "TestWhileTheAPIIsLeftAloneAFullMinuteStillAnswers", ""},
	}},
	{"M11", "stable fails as well", "hold: going back would not cure it", []proof{
		{judge, "TestServerErrorsSharedWithStable", "stable fails as well"},
		{stories, "TestStories", "both-revisions-bad"},
	}},
	{"M12", "flapping around the limit", "what was given up stays given up; a hold needs minutes that are clean", []proof{
		{core, "TestHistories", ""},
		{core, "TestABreachOutlastsMissingAnswers", ""},
		{judge, "TestNatDroppedPacketsJudge", "two further apart are not"},
	}},
	{"M13", "Monitoring's quota", "calls do not grow with the rollouts; waits that are asked for are kept", []proof{
		{adapter, "TestCallsAMinuteDoNotGrowWithTheRollouts", ""},
		{adapter, "TestAWaitThatTheAPIAsksForIsKept", ""},
		{adapter, "TestOurOwnLimitSaysThatItIsOurs", ""},
	}},
	{"M14", "a name that is misspelt", "nothing begins, and the names that report are told", []proof{
		{stories, "TestStories", "nat-misnamed"},
		{judge, "TestServerErrorsPreflight", "an idle service does not start"},
	}},
	{"M15", "late data contradict a verdict that passed", "they act until the last bake ends", []proof{
		{judge, "TestLateDataOfEarlierStepsIsJudged", "errors of a whole step that were missing when it passed"},
		{judge, "TestWhatNobodyLookedAtIsJudged", "a failure that came and went unseen is a breach"},
		{stories, "TestStories", "late-breach"},
	}},
	{"M16", "a gateway with automatic addresses, whose allocation never fails", "dropped packets are watched beside it", []proof{
		{judge, "TestNatDroppedPacketsJudge", "drops prove themselves"},
		{judge, "TestNatPortUtilizationJudge", "automatic addresses are not limited"},
		{stories, "TestStories", "nat-drops-go-on"},
	}},
}

// TestEveryWayToBeDeceivedHasItsTests fails when a row has no test, or names one
// that is gone.
func TestEveryWayToBeDeceivedHasItsTests(t *testing.T) {
	t.Parallel()
	const known = 16
	if len(rows) != known {
		t.Fatalf("%d rows, want %d", len(rows), known)
	}
	sources := map[string]string{}
	for i, r := range rows {
		if want := fmt.Sprintf("M%d", i+1); r.id != want || r.failure == "" || r.expected == "" || len(r.tests) == 0 {
			t.Errorf("row %s (%s) is not whole, want %s with what is expected and at least one test", r.id, r.failure, want)
		}
		for _, p := range r.tests {
			text, ok := sources[p.dir]
			if !ok {
				text = testsIn(t, p.dir)
				sources[p.dir] = text
			}
			if !strings.Contains(text, "func "+p.function+"(t *testing.T)") {
				t.Errorf("%s: %s has no test %s", r.id, p.dir, p.function)
			}
			if p.story != "" && !strings.Contains(text, `"`+p.story+`"`) {
				t.Errorf("%s: %s in %s has no case %q", r.id, p.function, p.dir, p.story)
			}
		}
	}
}

// testsIn is the text of a folder's tests.
func testsIn(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(dir), "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no tests: %v", dir, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

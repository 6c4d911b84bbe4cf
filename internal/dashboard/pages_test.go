package dashboard_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/dashboard"
)

func TestTheListPutsWhatNeedsAPersonFirst(t *testing.T) {
	t.Parallel()
	text := get(t, dashboard.New(options(everything(t))), "/")
	at := -1
	for _, next := range []string{
		"Needs you", "graphql-api</a>", "search</a>", "Under way", "web</a>", "Rolled back", "checkout</a>", "Settled", "bid</a>",
	} {
		found := strings.Index(text, next)
		if found <= at {
			t.Errorf("%q is at %d, not after %d", next, found, at)
		}
		at = found
	}
	shows(t, text, "nat-drops 60 packets/min (limit 0 packets/min), noticed 10:52Z, 8m52s after the shift.",
		"5% &gt; 25% 10:44Z (13m ago)", "HeldByAnalysis", "metrics to 10:49Z (9m ago)", "v0.0.0-test")
}

func TestAListSaysWhenNothingNeedsAPerson(t *testing.T) {
	t.Parallel()
	shows(t, get(t, dashboard.New(options(&world{})), "/"), "There are no rollouts, or none that you may list.")
	quiet := &world{rollouts: []v1alpha1.CloudRunRollout{object(t, "completed")}}
	shows(t, get(t, dashboard.New(options(quiet)), "/"), "Nothing needs you.")
}

func TestManySettledRolloutsAreFoldedAway(t *testing.T) {
	t.Parallel()
	w := &world{}
	for range 8 {
		w.rollouts = append(w.rollouts, object(t, "completed"))
	}
	shows(t, get(t, dashboard.New(options(w)), "/"), `<details id="fold-settled">`, `<span class="count">8</span>`)
}

// TestALongListHasPages, what needs a person on the first, each below 60 kB with all that
// it loads, and no rollout on none of them.
func TestALongListHasPages(t *testing.T) {
	t.Parallel()
	const most = 60_000
	w := &world{}
	held := object(t, "held")
	held.Status.NextAction = strings.Repeat("m", v1alpha1.MaxMessage)
	for i := range held.Status.Conditions {
		held.Status.Conditions[i].Message = strings.Repeat("m", v1alpha1.MaxMessage)
	}
	for n := range 70 {
		ro := object(t, "completed")
		if n >= 60 {
			ro = *held.DeepCopy()
		}
		ro.Name = fmt.Sprintf("web-%02d", n)
		w.rollouts = append(w.rollouts, ro)
	}
	page := dashboard.New(options(w))
	assets := 0
	for _, asset := range regexp.MustCompile(`"(assets/[^"]+)"`).FindAllStringSubmatch(get(t, page, "/"), -1) {
		assets += len(get(t, page, "/"+asset[1]))
	}
	listed := map[string]int{}
	for path, want := range map[string][]string{
		"/":         {`<span class="count">10</span>`, `<span class="count">20 of 60</span>`, "1 to 30 of 70", `<a href="?page=2" rel="next">next</a>`, `<details id="fold-settled">`},
		"/?page=2":  {`<span class="count">30 of 60</span>`, "31 to 60 of 70", `<a href="?page=1" rel="prev">previous</a>`, `<a href="?page=3" rel="next">next</a>`},
		"/?page=3":  {`<span class="count">10 of 60</span>`, "61 to 70 of 70", `<a href="?page=2" rel="prev">previous</a>`},
		"/?page=99": {"61 to 70 of 70"},
		"/?page=-1": {"1 to 30 of 70"},
		"/?page=x":  {"1 to 30 of 70"},
	} {
		text := get(t, page, path)
		shows(t, text, want...)
		if strings.Contains(text, "Nothing needs you") {
			t.Errorf("%s: nothing needs anybody", path)
		}
		if size := len(text) + assets; size >= most {
			t.Errorf("%s: %d bytes, want less than %d", path, size, most)
		}
		if len(path) <= len("/?page=2") && path != "/?page=x" {
			for _, link := range regexp.MustCompile(`href="rollouts/[^/"]+/(web-[0-9]{2})"`).FindAllStringSubmatch(text, -1) {
				listed[link[1]]++
			}
		}
	}
	for n := range 70 {
		if name := fmt.Sprintf("web-%02d", n); listed[name] != 1 {
			t.Errorf("%s is listed %d times", name, listed[name])
		}
	}
}

func TestARolloutSaysWhatIsWhyWhatNextAndWhatToDo(t *testing.T) {
	t.Parallel()
	text := html.UnescapeString(get(t, dashboard.New(options(everything(t))), "/rollouts/shop/graphql-api"))
	shows(t, text,
		"HeldByAnalysis at 25%, step 2/3, since 10:52Z (5m4s ago)",
		"nat-1 dropped up to 60 packets/min (OUT_OF_RESOURCES) in 2 of the last 5 minutes, limit: 2 minutes above 0 packets/min",
		"Goes back to 5% at 11:12Z (in 14m), to see whether it stops; goes on by itself when it does.",
		"nat-drops holds, and goes back when the breach has lasted 20m.",
		"kubectl sluice abort graphql-api -n shop --reason '...'",
		"gcloud run services update-traffic graphql-api --project acme-prod --region asia-northeast1 --to-revisions graphql-api-00004-gbq=100",
		"Cloud Run serves graphql-api-00005-kpc 25%, graphql-api-00004-gbq 75%. (InSync, since 10:44Z (13m ago))",
		"6,400 allocated of 64,512 ports; 6,656 forecast at the next weight; room for 45,184 more",
		`<a href="../shop/web">shop/web</a> 25% Progressing`,
		"Weight of graphql-api-00005-kpc in percent: 0 at 10:32Z, 5 at 10:33Z, 25 at 10:44Z.",
		"HeldByAnalysis 10:52Z to 10:58Z",
		"https://console.cloud.google.com/net-services/nat/details/asia-northeast1/r1/nat-1?project=acme-net&tab=details",
	)
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	page := dashboard.New(options(everything(t)))
	for _, path := range []string{"/rollouts/shop/nobody", "/rollouts/shop", "/assets/layout.html", "/assets/", "/metrics", "/nothing"} {
		if code, _, _ := ask(t, page, http.MethodGet, path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// TestWhatObjectsSayIsNeverMarkup puts markup wherever an object has a text.
func TestWhatObjectsSayIsNeverMarkup(t *testing.T) {
	t.Parallel()
	const markup = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	ro := object(t, "held")
	ro.Status.NextAction, ro.Status.Step, ro.Status.Weight = markup, markup, markup
	ro.Status.Candidate.Revision, ro.Status.Candidate.Image, ro.Status.Stable.Revision = markup, markup, markup
	ro.Spec.Target.Service.Name = markup
	ro.Status.Checks[2].Name, ro.Status.Checks[2].Message, ro.Status.Checks[2].Value = markup, markup, markup
	ro.Status.Gateways[0].Name = markup
	ro.Status.Advice[0].Message = markup
	ro.Status.LastRequest = &v1alpha1.RequestStatus{Verb: markup, Message: markup}
	for i := range ro.Status.Conditions {
		ro.Status.Conditions[i].Message, ro.Status.Conditions[i].Reason = markup, markup
	}
	for i := range ro.Status.History {
		ro.Status.History[i].Message = markup
	}
	page := dashboard.New(options(&world{rollouts: []v1alpha1.CloudRunRollout{ro}}))
	for _, path := range []string{"/", "/rollouts/shop/graphql-api"} {
		text := get(t, page, path)
		if strings.Contains(text, "<script>") || strings.Contains(text, "<img") {
			t.Errorf("%s: a text of an object became markup", path)
		}
		if !strings.Contains(text, "&lt;script&gt;") {
			t.Errorf("%s does not show the text at all", path)
		}
		for _, link := range regexp.MustCompile(`href="(https?:[^"]*)"`).FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(link[1], "https://console.cloud.google.com/") {
				t.Errorf("%s links to %s", path, link[1])
			}
		}
	}
}

func TestThePageNeedsNothingInline(t *testing.T) {
	t.Parallel()
	page := dashboard.New(options(everything(t)))
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style| style=| on[a-z]+="|javascript:`)
	for _, path := range []string{"/", "/rollouts/shop/graphql-api", "/rollouts/pay/checkout"} {
		text := get(t, page, path)
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s has %q, which the Content-Security-Policy forbids", path, found)
		}
		shows(t, text, `<noscript><meta http-equiv="refresh" content="15"></noscript>`, "Scripts are off", `<html lang="en">`, `href="#main"`)
	}
}

// TestAPageWithAllThatItLoadsIsSmall measures the largest page of the demo's world
// with its assets, not compressed.
func TestAPageWithAllThatItLoadsIsSmall(t *testing.T) {
	t.Parallel()
	const most = 60_000
	page := dashboard.New(options(everything(t)))
	text := get(t, page, "/rollouts/shop/graphql-api")
	size := len(text)
	loads := regexp.MustCompile(`"\.\./\.\./(assets/[^"]+)"`).FindAllStringSubmatch(text, -1)
	if len(loads) != 3 {
		t.Fatalf("it loads %d assets, not its style sheet, script and icon", len(loads))
	}
	for _, asset := range loads {
		size += len(get(t, page, "/"+asset[1]))
	}
	t.Logf("%d bytes", size)
	if size >= most {
		t.Errorf("%d bytes, want less than %d", size, most)
	}
}

func TestAPageSaysWhenNobodyActs(t *testing.T) {
	t.Parallel()
	process := clocktesting.NewFakeClock(now)
	for want, pulse := range map[string]dashboard.Pulse{
		"No manager leads, so nothing is judged":                {},
		"Who leads cannot be told: the cache is not there yet.": {Leader: "sluice-a", Renewed: now, Patience: time.Minute, Err: errAway},
		"has not been heard of for 2m": {
			Leader: "sluice-a", Renewed: now.Add(-2 * time.Minute), Patience: time.Minute,
		},
	} {
		o := options(everything(t))
		o.Process, o.Pulse = process, func(context.Context) dashboard.Pulse { return pulse }
		shows(t, get(t, dashboard.New(o), "/"), want, `role="alert"`)
	}
	o := options(everything(t))
	o.Process, o.Pulse = process, func(context.Context) dashboard.Pulse {
		return dashboard.Pulse{Leader: "sluice-a", Renewed: now.Add(-2 * time.Second), Patience: time.Minute}
	}
	if text := get(t, dashboard.New(o), "/"); !strings.Contains(text, "leader sluice-a") || strings.Contains(text, `role="alert"`) {
		t.Error("a leader that was heard two seconds ago is doubted")
	}
}

// TestARowThatNobodyRenewsIsStale: the sign, the words and the group say so, not the grey
// alone, and nowhere is it said that nothing needs anybody.
func TestARowThatNobodyRenewsIsStale(t *testing.T) {
	t.Parallel()
	o := options(&world{rollouts: []v1alpha1.CloudRunRollout{object(t, "baking"), object(t, "completed")}})
	shows(t, get(t, dashboard.New(o), "/"), "Nothing needs you.", `<h2 id="moving">`)
	o.Clock = clocktesting.NewFakePassiveClock(now.Add(7 * 24 * time.Hour))
	text := get(t, dashboard.New(o), "/")
	shows(t, text,
		`<h2 id="needs">Needs you <span class="count">1</span>`, `<tbody class="wary stale">`, `<span class="sign" aria-hidden="true">!</span>`,
		`<span class="hidden">stale, last known: under way: </span><b class="stale-for">STALE 7d</b> <b class="reason">Progressing</b>`,
		"Nothing was judged since Nov 19 10:44Z (7d ago), and web-00005-kpc serves users meanwhile. Last known: Needs 3 more",
		"STALE: what is shown of 1 of 2 rollouts is what was last known: see whether a manager runs")
	if strings.Contains(text, "Nothing needs you.") || strings.Count(text, "STALE 7d") != 1 {
		t.Error("the page calms, or doubts what has completed")
	}
}

// TestEveryReplicaTellsOfCallsThatFail: one that has only just started and makes no calls
// itself reads it in the statuses. Nothing else would: what has settled needs nobody.
func TestEveryReplicaTellsOfCallsThatFail(t *testing.T) {
	t.Parallel()
	ro := object(t, "completed")
	for i := range ro.Status.Conditions {
		if c := &ro.Status.Conditions[i]; c.Type == v1alpha1.ConditionTrafficInSync {
			c.Status, c.Reason, c.Message = metav1.ConditionUnknown, v1alpha1.ReasonTrafficUnknown, "Cloud Run cannot be read since Nov 19 10:38Z: 503."
			c.LastTransitionTime = metav1.NewTime(now.Add(-20 * time.Minute))
		}
	}
	page := dashboard.New(options(&world{rollouts: []v1alpha1.CloudRunRollout{ro}}))
	for _, path := range []string{"/", "/rollouts/ads/bid"} {
		shows(t, get(t, page, path), "Cloud Run cannot be read since Nov 19 10:38Z: 503. (ads/bid since 10:38Z (20m ago); 1 of 1 rollout)")
	}
	if text := get(t, dashboard.New(options(everything(t))), "/"); strings.Contains(text, `class="banner wary"`) {
		t.Error("calls fail, as a page says whose rollouts all have their answers")
	}
}

func TestAPageThatCannotReadSaysSo(t *testing.T) {
	t.Parallel()
	w := &world{err: errAway}
	for _, path := range []string{"/", "/rollouts/shop/web"} {
		code, _, text := ask(t, dashboard.New(options(w)), http.MethodGet, path)
		if code != http.StatusServiceUnavailable || !strings.Contains(text, errAway.Error()) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

// TestATrendIsWhatThisReplicaSaw tells a page of three minutes of the same check, one
// of them twice.
func TestATrendIsWhatThisReplicaSaw(t *testing.T) {
	t.Parallel()
	ro := object(t, "held")
	page := dashboard.New(options(&world{rollouts: []v1alpha1.CloudRunRollout{ro}}))
	if strings.Contains(get(t, page, "/rollouts/shop/graphql-api"), "<polyline") {
		t.Error("there is a trend before anything was seen")
	}
	for _, look := range []struct {
		value  string
		minute time.Duration
	}{{"0 packets/min", 0}, {"30 packets/min", time.Minute}, {"30 packets/min", time.Minute}, {"60 packets/min", 2 * time.Minute}} {
		seen := object(t, "held")
		through := metav1.NewTime(now.Add(look.minute))
		seen.Status.Checks[2].Value, seen.Status.Checks[2].ObservedThrough = look.value, &through
		page.Seen(&seen)
	}
	shows(t, get(t, page, "/rollouts/shop/graphql-api"), `<polyline points="0,17 45,9 90,1 "/>`, "A trend is what this replica saw since it started.")
	page.Gone(&ro)
	if strings.Contains(get(t, page, "/rollouts/shop/graphql-api"), "<polyline") {
		t.Error("the trend of a rollout that is gone is remembered")
	}
}

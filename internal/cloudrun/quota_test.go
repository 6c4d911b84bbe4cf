package cloudrun

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// limited is a client that may make so many reads a minute, and its clock, which
// shows ten until it is set.
func limited(t *testing.T, perMinute int, answers script) (*Client, *memory, *clocktesting.FakePassiveClock) {
	t.Helper()
	below, clock := &memory{script: answers}, clocktesting.NewFakePassiveClock(tenSharp)
	client, err := New(t.Context(), Options{
		Endpoint: "http://127.0.0.1:8080", Timeout: time.Second, Transport: below,
		Clock: clock, ReadsPerMinute: perMinute, Random: func() float64 { return 1 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return client, below, clock
}

// drain makes the most urgent reads until no more is let in, and returns how many were.
func drain(t *testing.T, c *Client) int {
	t.Helper()
	for n := range 10_000 {
		if _, err := c.Service(Urgent(t.Context()), web); err != nil {
			if !errors.Is(err, ErrNotAsked) {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("there is no limit")
	return 0
}

func TestAThirdOfAMinutesReadsMayComeAtOnceAndTheRestOneByOne(t *testing.T) {
	t.Parallel()
	for perMinute, want := range map[int]struct{ atOnce, inAMinute int }{0: {100, 300}, 60: {20, 60}, 3: {1, 3}, 1: {1, 1}} {
		client, below, clock := limited(t, perMinute, town())
		if n := drain(t, client); n != want.atOnce {
			t.Errorf("%d a minute: %d at once, want %d", perMinute, n, want.atOnce)
		}
		made := 0
		for second := range 60 {
			clock.SetTime(tenSharp.Add(time.Duration(second+1) * time.Second))
			made += drain(t, client)
		}
		if made < want.inAMinute-1 || made > want.inAMinute || len(below.requests) != want.atOnce+made {
			t.Errorf("%d a minute: %d in the minute after, want %d", perMinute, made, want.inAMinute)
		}
	}
}

func TestSluicesOwnLimitSaysThatItIsOursItsNumberAndTheFlag(t *testing.T) {
	t.Parallel()
	client, below, _ := limited(t, 60, town())
	drain(t, client)
	made := len(below.requests)
	_, err := client.Service(Urgent(t.Context()), web)
	call, ok := errors.AsType[*CallError](err)
	if !ok || !errors.Is(err, ErrThrottled) || !errors.Is(err, ErrNotAsked) || call.RetryAfter != time.Second {
		t.Fatalf("got %#v", err)
	}
	want := `reading service "web": over quota: Sluice's own limit for a project and location, 60 reads a minute, ` +
		`is used up; --cloud-run-reads-per-minute raises it`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if len(below.requests) != made {
		t.Error("it was asked nevertheless")
	}
}

func TestEachProjectAndLocationHasALimitOfItsOwn(t *testing.T) {
	t.Parallel()
	client, _, _ := limited(t, 60, answering(http.StatusNotFound, `{"error":{"message":"no","status":"NOT_FOUND"}}`))
	drain(t, client)
	for _, ref := range []rollout.ServiceRef{
		{Project: "shop", Location: "us-central1", Name: "web"}, {Project: "bank", Location: "europe-west1", Name: "web"},
	} {
		if _, err := client.Service(t.Context(), ref); err != nil {
			t.Error(err)
		}
	}
	api := web
	api.Name = "api"
	if _, err := client.Service(t.Context(), api); !errors.Is(err, ErrNotAsked) {
		t.Errorf("another service of the same place: %v", err)
	}
}

func TestWithoutAClockThereIsNoLimit(t *testing.T) {
	t.Parallel()
	client, below := dial(t, town())
	for range 10 * DefaultReadsPerMinute {
		if _, err := client.Service(t.Context(), web); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(below.requests); n != 10*DefaultReadsPerMinute {
		t.Errorf("%d calls", n)
	}
}

// TestAWayBackReadsThoughTheAPIWantsToBeLeftAlone: whoever used the quota up, users
// of a bad release fail until it is gone.
func TestAWayBackReadsThoughTheAPIWantsToBeLeftAlone(t *testing.T) {
	t.Parallel()
	busy := true
	whole := town()
	client, below, _ := limited(t, 60, func(req *http.Request) outcome {
		if busy {
			return outcome{code: http.StatusTooManyRequests, header: []string{"Retry-After", "60"}}
		}
		return whole(req)
	})
	if _, err := client.Service(t.Context(), web); !errors.Is(err, ErrThrottled) {
		t.Fatal(err)
	}
	busy = false
	if _, err := client.Service(t.Context(), web); !errors.Is(err, ErrNotAsked) {
		t.Fatalf("a read that can wait: %v", err)
	}
	urgently := Urgent(t.Context())
	if service, err := client.Service(urgently, web); err != nil || service.Presence != rollout.Found {
		t.Errorf("a service: %v, %v", service.Presence, err)
	}
	revisions, err := client.Revisions(urgently, web, []string{"web-2"})
	if err != nil || revisions["web-2"].Presence != rollout.Found {
		t.Errorf("a revision: %+v, %v", revisions["web-2"], err)
	}
	if n := len(below.requests); n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
}

func TestManyWaysBackStayWithinSluicesOwnLimit(t *testing.T) {
	t.Parallel()
	client, below, _ := limited(t, 60, town())
	drain(t, client)
	made := len(below.requests)
	_, err := client.Service(Urgent(t.Context()), web)
	if !errors.Is(err, ErrNotAsked) || !strings.HasSuffix(err.Error(), "is used up; --cloud-run-reads-per-minute raises it") || len(below.requests) != made {
		t.Errorf("%d calls more, %v", len(below.requests)-made, err)
	}
}

func TestAWriteIsSentWhenEveryReadIsHeldBack(t *testing.T) {
	t.Parallel()
	for why, read := range map[string]script{
		"the limit is used up":           town(),
		"the API asked to be left alone": answering(http.StatusTooManyRequests, "", "Retry-After", "60"),
	} {
		client, below, _ := limited(t, 60, func(req *http.Request) outcome {
			if req.Method == http.MethodPatch {
				return outcome{code: http.StatusOK, body: `{"metadata": {"generation": "8"}}`}
			}
			return read(req)
		})
		var err error
		for !errors.Is(err, ErrNotAsked) {
			_, err = client.Service(t.Context(), web)
		}
		before := len(below.requests)
		for range 100 {
			if err := client.swap(t.Context(), web, step); err != nil {
				t.Errorf("%s: %v", why, err)
			}
		}
		if n := len(below.requests) - before; n != 100 {
			t.Errorf("%s: %d of 100 writes are sent", why, n)
		}
	}
}

// TestAWriteOverItsQuotaHoldsBackNoRead: the API counts them apart.
func TestAWriteOverItsQuotaHoldsBackNoRead(t *testing.T) {
	t.Parallel()
	client, _, _ := limited(t, 60, func(req *http.Request) outcome {
		if req.Method == http.MethodPatch {
			return outcome{code: http.StatusTooManyRequests, header: []string{"Retry-After", "60"}}
		}
		return town()(req)
	})
	if err := client.swap(t.Context(), web, step); !errors.Is(err, ErrThrottled) || errors.Is(err, ErrNotAsked) {
		t.Fatal(err)
	}
	if _, err := client.Service(t.Context(), web); err != nil {
		t.Error(err)
	}
}

func TestWhoeverCanWaitLeavesRoomToTheOthers(t *testing.T) {
	t.Parallel()
	client, below, clock := limited(t, 300, town(serviceJSON))
	w := NewWatch(client, func(error) {})
	rest := AtRest(t.Context())
	at := tenSharp
	until := func(refused func() error) int {
		before := len(below.requests)
		for range 1000 {
			if err := refused(); errors.Is(err, ErrNotAsked) {
				return len(below.requests) - before
			}
			at = at.Add(time.Hour) // the last look is never new enough
		}
		t.Fatal("there is no limit")
		return 0
	}
	looks := []struct {
		what string
		want int
		look func() error
	}{
		{"lists for those at rest", 50, func() error {
			_, _, err := w.Listed(rest, web, at, time.Minute)
			return err
		}},
		{"revisions for those at rest", 0, func() error {
			_, err := w.Remembered(rest, web, []string{"web-2"}, at, time.Minute)
			return err
		}},
		{"live reads for those at rest", 0, func() error {
			_, err := client.Service(rest, web)
			return err
		}},
		{"revisions for those under way", 25, func() error {
			_, err := w.Remembered(t.Context(), web, []string{"web-2"}, at, time.Minute)
			return err
		}},
		{"live reads", 13, func() error {
			_, err := client.Service(t.Context(), web)
			return err
		}},
		{"lists for those under way", 6, func() error {
			_, _, err := w.Listed(t.Context(), web, at, time.Minute)
			return err
		}},
		{"reads for a way back", 6, func() error {
			_, err := client.Service(Urgent(t.Context()), web)
			return err
		}},
	}
	for _, l := range looks {
		if n := until(l.look); n != l.want {
			t.Errorf("%d %s are let in, want %d", n, l.what, l.want)
		}
	}
	clock.SetTime(tenSharp.Add(time.Second))
	if n := until(looks[0].look); n != 0 {
		t.Errorf("%d lists for those at rest while others are short of reads", n)
	}
	if n := until(looks[6].look); n != 5 {
		t.Errorf("%d reads for a way back a second later, want 5", n)
	}
}

// TestWhoWasLetInReadsToTheEnd: half a list, or a service without its revisions,
// is paid for and no use.
func TestWhoWasLetInReadsToTheEnd(t *testing.T) {
	t.Parallel()
	client, below, _ := limited(t, 60, func(req *http.Request) outcome { // 20 at once, 10 for those at rest
		if page := req.URL.Query().Get("pageToken"); strings.HasSuffix(req.URL.Path, "/services") && page != "xxx" {
			return outcome{code: http.StatusOK, body: fmt.Sprintf(`{"services": [], "nextPageToken": "%sx"}`, page)}
		}
		return town(serviceJSON)(req)
	})
	rest := AtRest(t.Context())
	for range 9 {
		if _, err := client.Service(rest, web); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok, err := NewWatch(client, func(error) {}).Listed(rest, web, tenSharp, time.Minute); !ok || err != nil {
		t.Errorf("a list of four pages: %t, %v", ok, err)
	}
	if _, err := client.Service(rest, web); !errors.Is(err, ErrNotAsked) {
		t.Errorf("below half, one at rest begins: %v", err)
	}
	if got, err := client.Revisions(rest, web, []string{"web-2"}); err != nil || got["web-2"].Presence != rollout.Found {
		t.Errorf("the revisions of one that was let in: %+v, %v", got, err)
	}
	if n := len(below.requests); n != 14 {
		t.Errorf("%d calls, want 14", n)
	}
}

func TestARevisionThatIsNotAskedForHidesTheOthersOnlyAtRest(t *testing.T) {
	t.Parallel()
	client, _, clock := limited(t, 60, town())
	drain(t, client)
	if got, err := client.Revisions(AtRest(t.Context()), web, []string{"web-2"}); !errors.Is(err, ErrNotAsked) || got["web-2"].Presence == rollout.Found {
		t.Errorf("at rest: %+v, %v", got, err)
	}
	clock.SetTime(tenSharp.Add(time.Second))
	got, err := client.Revisions(t.Context(), web, []string{"web-2", "web-3"})
	presences := map[rollout.Presence]int{}
	for revision := range maps.Values(got) {
		presences[revision.Presence]++
		if revision.Presence == rollout.Unknown && revision.Name == "web-2" && !strings.HasPrefix(revision.Why, "over quota: Sluice's own limit") {
			t.Errorf("why: %q", revision.Why)
		}
	}
	if err != nil || len(got) != 2 || presences[rollout.Unknown] == 0 {
		t.Errorf("under way: %+v, %v", got, err)
	}
}

// TestALookThatIsNotLetInLosesNothing: neither the list that somebody else may
// still use, nor the revisions that were read.
func TestALookThatIsNotLetInLosesNothing(t *testing.T) {
	t.Parallel()
	reports := 0
	client, below, clock := limited(t, 12, func(req *http.Request) outcome { // 4 at once, 3 of them for looks under way
		if _, name, ok := strings.Cut(req.URL.Path, "/revisions/"); ok {
			return outcome{code: http.StatusOK, body: strings.ReplaceAll(revisionJSON, "revisions/web-2", "revisions/"+name)}
		}
		return town(serviceJSON)(req)
	})
	w := NewWatch(client, func(error) { reports++ })
	if _, ok, err := w.Listed(t.Context(), web, tenSharp, time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	drain(t, client)
	later := tenSharp.Add(30 * time.Second)
	if _, ok, err := w.Listed(AtRest(t.Context()), web, later, 15*time.Second); ok || !errors.Is(err, ErrNotAsked) {
		t.Errorf("too old: %t, %v", ok, err)
	}
	if _, ok, err := w.Listed(t.Context(), web, later, time.Minute); !ok || err != nil {
		t.Errorf("new enough for somebody else: %t, %v", ok, err)
	}
	before, both := len(below.requests), []string{"web-2", "web-3"}
	clock.SetTime(tenSharp.Add(10 * time.Second)) // two reads, one of them for a look
	if _, err := w.Remembered(t.Context(), web, both, later, time.Minute); !errors.Is(err, ErrNotAsked) {
		t.Errorf("two revisions with room for one: %v", err)
	}
	clock.SetTime(tenSharp.Add(15 * time.Second)) // one more
	got, err := w.Remembered(t.Context(), web, both, later, time.Minute)
	if err != nil || got["web-2"].Readiness != rollout.Ready || got["web-3"].Readiness != rollout.Ready || len(below.requests) != before+2 {
		t.Errorf("what was read is read again: %+v, %v, %d calls", got, err, len(below.requests)-before)
	}
	if reports != 0 {
		t.Errorf("%d reports of lists that failed", reports)
	}
}

// TestWhatIsUnderWayIsSeenAsItWasWhereAQuotaKeepsNewsOut, and it is said that this is
// old. What fails for another reason shows nothing old, and to whom nothing is under
// way a wait is the answer.
func TestWhatIsUnderWayIsSeenAsItWasWhereAQuotaKeepsNewsOut(t *testing.T) {
	t.Parallel()
	over := outcome{code: http.StatusTooManyRequests}
	forbidden := outcome{code: http.StatusForbidden, body: `{"error":{"message":"no","status":"PERMISSION_DENIED"}}`}
	pending := outcome{code: http.StatusOK, body: strings.ReplaceAll(revisionJSON, `"Ready", "state": "CONDITION_SUCCEEDED"`, `"Ready", "state": "CONDITION_FAILED"`)}
	type look struct {
		listed   bool
		old      bool // the list, as it is said
		revision rollout.Presence
		older    bool // the revision, as it is said
	}
	for what, c := range map[string]struct {
		answer   outcome
		after    time.Duration
		underWay look
		atRest   look
	}{
		"new enough":                      {answer: over, after: 30 * time.Second, underWay: look{true, false, rollout.Found, false}, atRest: look{true, false, rollout.Found, false}},
		"over quota for a while":          {answer: over, after: 9 * time.Minute, underWay: look{true, true, rollout.Found, true}, atRest: look{false, false, rollout.Unknown, true}},
		"over quota for too long a while": {answer: over, after: 11 * time.Minute, underWay: look{false, true, rollout.Unknown, true}, atRest: look{false, false, rollout.Unknown, true}},
		"forbidden":                       {answer: forbidden, after: 4 * time.Minute, underWay: look{false, false, rollout.Denied, false}, atRest: look{false, false, rollout.Denied, false}},
		"failed meanwhile":                {answer: pending, after: 4 * time.Minute, underWay: look{false, false, rollout.Found, false}, atRest: look{false, false, rollout.Found, false}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var refused *outcome
			client, _, clock := limited(t, 3000, func(req *http.Request) outcome {
				if refused != nil {
					return *refused
				}
				return town(serviceJSON)(req)
			})
			w := NewWatch(client, func(error) {})
			see := func(ctx context.Context) look {
				_, listed, kept := w.Listed(ctx, web, clock.Now(), time.Minute)
				got, older := w.Remembered(ctx, web, []string{"web-2"}, clock.Now(), time.Minute)
				return look{listed, errors.Is(kept, ErrThrottled), got["web-2"].Presence, errors.Is(older, ErrThrottled)}
			}
			if first := see(t.Context()); !first.listed || first.revision != rollout.Found {
				t.Fatal("it cannot be read at all")
			}
			refused = &c.answer
			clock.SetTime(tenSharp.Add(c.after))
			see(t.Context()) // from here on the API is not asked any more, where it said so
			if got := see(AtRest(t.Context())); got != c.atRest {
				t.Errorf("at rest: %+v, want %+v", got, c.atRest)
			}
			if got := see(t.Context()); got != c.underWay {
				t.Errorf("under way: %+v, want %+v", got, c.underWay)
			}
		})
	}
}

// TestARevisionThatWasSeenToFailIsNotRecalledAsReady: a way back rests on it.
func TestARevisionThatWasSeenToFailIsNotRecalledAsReady(t *testing.T) {
	t.Parallel()
	answer := outcome{code: http.StatusOK, body: revisionJSON}
	client, _, clock := limited(t, 3000, func(*http.Request) outcome { return answer })
	w := NewWatch(client, func(error) {})
	see := func() rollout.Revision {
		got, _ := w.Remembered(t.Context(), web, []string{"web-2"}, clock.Now(), 30*time.Second)
		clock.SetTime(clock.Now().Add(time.Minute))
		return got["web-2"]
	}
	if got := see(); got.Readiness != rollout.Ready {
		t.Fatalf("got %+v", got)
	}
	answer.body = strings.ReplaceAll(revisionJSON, `"Ready", "state": "CONDITION_SUCCEEDED"`, `"Ready", "state": "CONDITION_FAILED"`)
	if got := see(); got.Readiness != rollout.NotReady {
		t.Fatalf("got %+v", got)
	}
	answer = outcome{code: http.StatusTooManyRequests}
	if got := see(); got.Readiness == rollout.Ready {
		t.Errorf("it failed, cannot be read, and counts as ready: %+v", got)
	}
}

func TestAWaitThatTheAPIAsksForIsKeptByAllOfThePlace(t *testing.T) {
	t.Parallel()
	over := true
	client, below, clock := limited(t, 300, func(req *http.Request) outcome {
		if over {
			return outcome{
				code: http.StatusTooManyRequests, header: []string{"Retry-After", "50"},
				body: `{"error":{"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`,
			}
		}
		return town(serviceJSON)(req)
	})
	if _, err := client.Service(t.Context(), web); err == nil || errors.Is(err, ErrNotAsked) {
		t.Fatal(err)
	}
	over = false
	w := NewWatch(client, func(error) {})
	for _, after := range []time.Duration{0, time.Second, 49 * time.Second} {
		clock.SetTime(tenSharp.Add(after))
		api := web
		api.Name = "api"
		_, live := client.Service(t.Context(), api)
		call, ok := errors.AsType[*CallError](live)
		if !ok || !errors.Is(call, ErrNotAsked) || call.RetryAfter != 50*time.Second-after {
			t.Errorf("%s later: %#v", after, live)
		}
		if want := "Quota exceeded; not asked again before 2026-03-01T10:00:50Z"; ok && call.Detail != want {
			t.Errorf("%s later: %q, want %q", after, call.Detail, want)
		}
		if _, _, err := w.Listed(t.Context(), web, clock.Now(), time.Minute); !errors.Is(err, ErrNotAsked) {
			t.Errorf("%s later, a list: %v", after, err)
		}
	}
	elsewhere := web
	elsewhere.Location = "us-central1"
	if _, err := client.Service(t.Context(), elsewhere); errors.Is(err, ErrNotAsked) {
		t.Errorf("another location: %v", err)
	}
	clock.SetTime(tenSharp.Add(50 * time.Second))
	if _, err := client.Service(t.Context(), web); err != nil {
		t.Errorf("at the time: %v", err)
	}
	if n := len(below.requests); n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
}

// TestAWaitBeyondReasonIsNotKept: a way back may be waiting behind it.
func TestAWaitBeyondReasonIsNotKept(t *testing.T) {
	t.Parallel()
	client, below, clock := limited(t, 300, answering(http.StatusTooManyRequests, ``, "Retry-After", "3600"))
	for _, since := range []time.Duration{0, longestTold - time.Second, longestTold} {
		clock.SetTime(tenSharp.Add(since))
		_, _ = client.Service(t.Context(), web)
	}
	if n := len(below.requests); n != 2 {
		t.Errorf("%d calls, want one before and one after two minutes", n)
	}
}

func TestOnlyAUsedUpQuotaHoldsOthersBack(t *testing.T) {
	t.Parallel()
	for _, code := range []int{
		http.StatusServiceUnavailable, http.StatusForbidden, http.StatusNotFound, http.StatusBadRequest, http.StatusMultipleChoices,
	} {
		client, below, _ := limited(t, 300, answering(code, ``, "Retry-After", "60"))
		for range 2 {
			_, _ = client.Service(t.Context(), web)
		}
		if n := len(below.requests); n != 2 {
			t.Errorf("after %d: %d calls", code, n)
		}
	}
}

func TestNoMoreIsLetInWhenManyAskAtOnce(t *testing.T) {
	t.Parallel()
	client, below, _ := limited(t, 300, town())
	var all sync.WaitGroup
	for range 500 {
		all.Go(func() { _, _ = client.Service(t.Context(), web) })
	}
	all.Wait()
	if n := len(below.requests); n != 88 {
		t.Errorf("%d calls, want 88", n)
	}
}

func TestReadsThatWereNotMadeAreCountedApart(t *testing.T) {
	t.Parallel()
	over := false
	client, _, _ := limited(t, 12, func(req *http.Request) outcome { // 4 at once
		if over {
			return outcome{code: http.StatusTooManyRequests, header: []string{"Retry-After", "60"}}
		}
		return town()(req)
	})
	for range 3 {
		_, _ = client.Service(AtRest(t.Context()), web) // the third is not let in
	}
	over = true
	_, _ = client.Service(t.Context(), web)
	_, _, _ = NewWatch(client, func(error) {}).Listed(t.Context(), web, tenSharp, time.Minute)
	want := `
# HELP sluice_gcp_requests_total Calls of Google's APIs by this process, by method and by the code they were answered with.
# TYPE sluice_gcp_requests_total counter
sluice_gcp_requests_total{api="run",code="200",method="services.get"} 2
sluice_gcp_requests_total{api="run",code="429",method="services.get"} 1
# HELP sluice_gcp_withheld_total Calls of Google's APIs that this process did not make, to stay within a quota, by how well they could wait and by why.
# TYPE sluice_gcp_withheld_total counter
sluice_gcp_withheld_total{api="run",cause="asked",class="live"} 0
sluice_gcp_withheld_total{api="run",cause="asked",class="resting"} 0
sluice_gcp_withheld_total{api="run",cause="asked",class="shared"} 1
sluice_gcp_withheld_total{api="run",cause="asked",class="watching"} 0
sluice_gcp_withheld_total{api="run",cause="limit",class="live"} 0
sluice_gcp_withheld_total{api="run",cause="limit",class="resting"} 1
sluice_gcp_withheld_total{api="run",cause="limit",class="shared"} 0
sluice_gcp_withheld_total{api="run",cause="limit",class="watching"} 0
`
	if err := testutil.CollectAndCompare(client.Counters(), strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

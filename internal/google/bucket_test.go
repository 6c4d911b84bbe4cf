package google

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// noon is when these tests begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// narrow holds one call a second and twenty at once.
func narrow(random float64) Limits {
	return Limits{
		PerMinute: 60, FirstWait: 5 * time.Second, LongestWait: time.Minute, LongestTold: 2 * time.Minute,
		Random: func() float64 { return random },
	}
}

// drain takes what there is, and counts it.
func drain(b *Bucket[string], now time.Time, reserve int) int {
	n := 0
	for b.Take(at(now), reserve) == nil {
		n++
	}
	return n
}

func TestAThirdOfAMinuteComesAtOnceAndTheRestOneByOne(t *testing.T) {
	t.Parallel()
	b := NewBucket[string](narrow(1))
	if n := drain(b, noon, 0); n != 20 {
		t.Errorf("%d at once, want 20", n)
	}
	no := b.Take(at(noon), 0)
	if no == nil || no.Told || no.Wait != time.Second || !no.Until.Equal(noon.Add(time.Second)) {
		t.Fatalf("refusal %+v", no)
	}
	if n := drain(b, no.Until, 0); n != 1 {
		t.Errorf("%d a second later, want 1", n)
	}
}

func TestAPartOfTheBurstIsLeftToOthers(t *testing.T) {
	t.Parallel()
	b := NewBucket[string](narrow(1))
	for reserve, want := range []int{2: 10, 4: 5, 5: 1} { // what is left: 10, then 5, then 4
		if want == 0 {
			continue
		}
		if n := drain(b, noon, reserve); n != want {
			t.Errorf("a part of 1/%d is left: %d are taken, want %d", reserve, n, want)
		}
	}
	if n := drain(b, noon, 0); n != 4 {
		t.Errorf("%d were left, want 4", n)
	}
}

func TestWaitsThatNobodyToldDoubleAndAreSpread(t *testing.T) {
	t.Parallel()
	for random, want := range map[float64][]float64{
		1:   {5, 10, 20, 40, 60, 60, 5},
		0:   {2.5, 5, 10, 20, 30, 30, 2.5},
		0.5: {3.75, 7.5, 15, 30, 45, 45, 3.75},
	} {
		b, now := NewBucket[string](narrow(random)), noon
		var got []float64
		for i := range want {
			if i == len(want)-1 {
				b.Well(at(now)) // one that went well ends the row
			}
			until := b.Shut(at(now), 0, "down")
			b.Well(at(now)) // one that was under way beside it does not, nor does its failure count
			if again := b.Shut(at(now), 0, "down too"); !again.Equal(until) {
				t.Errorf("random %v, failure %d: until %s, then %s", random, i+1, until, again)
			}
			got = append(got, until.Sub(now).Seconds())
			now = until
		}
		if !slices.Equal(got, want) {
			t.Errorf("random %v: waits %v, want %v", random, got, want)
		}
	}
}

// TestWhoMayNotWaitTriesNowAndThenThoughTheAPIWantsToBeLeftAlone: ten at once and
// then one every three seconds, where sixty a minute are the limit.
func TestWhoMayNotWaitTriesNowAndThenThoughTheAPIWantsToBeLeftAlone(t *testing.T) {
	t.Parallel()
	b := NewBucket[string](narrow(1))
	b.Shut(at(noon), 2*time.Minute, "leave me alone")
	made := func(now time.Time) (n int) {
		for b.TakeUrgently(at(now)) == nil {
			n++
		}
		return n
	}
	if n := made(noon); n != 10 {
		t.Errorf("%d at once, want 10", n)
	}
	no := b.TakeUrgently(at(noon))
	if no == nil || !no.Told || no.Reason != "leave me alone" || no.Wait.Round(time.Second) != 3*time.Second {
		t.Errorf("one more: %+v", no)
	}
	if n := made(noon.Add(time.Minute)); n != 10 {
		t.Errorf("%d a minute later, want 10", n)
	}
	if no := b.Take(at(noon.Add(time.Minute)), 0); no == nil || !no.Told {
		t.Errorf("everybody else: %+v", no)
	}
}

func TestWhoMayNotWaitIsHeldByTheLimitLikeAll(t *testing.T) {
	t.Parallel()
	b := NewBucket[string](narrow(1))
	for n := range 20 {
		if no := b.TakeUrgently(at(noon)); no != nil {
			t.Fatalf("number %d: %+v", n+1, no)
		}
	}
	if no := b.TakeUrgently(at(noon)); no == nil || no.Told || no.Wait != time.Second {
		t.Errorf("beyond the limit: %+v", no)
	}
	b.Shut(at(noon), time.Minute, "leave me alone")
	if no := b.TakeUrgently(at(noon)); no == nil || no.Told {
		t.Errorf("beyond the limit, and left alone: %+v", no)
	}
	if no := (*Bucket[string])(nil).TakeUrgently(at(noon)); no != nil {
		t.Errorf("without a bucket: %+v", no)
	}
}

func TestWithoutSpreadAWaitIsWhole(t *testing.T) {
	t.Parallel()
	limits := narrow(0)
	limits.Random = nil
	if until := NewBucket[string](limits).Shut(at(noon), 0, ""); until.Sub(noon) != limits.FirstWait {
		t.Errorf("waits %s", until.Sub(noon))
	}
}

func TestTheLongestWaitThatWasToldIsKeptWithItsReason(t *testing.T) {
	t.Parallel()
	b := NewBucket[string](narrow(1))
	b.Shut(at(noon), 50*time.Second, "first")
	b.Shut(at(noon), 10*time.Second, "second")
	no := b.Take(at(noon.Add(49*time.Second)), 0)
	if no == nil || !no.Told || no.Reason != "first" || no.Wait != time.Second {
		t.Fatalf("refusal %+v", no)
	}
	if got := NotBefore(no.Reason, no.Until); got != "first; not asked again before 2026-03-01T12:00:50Z" {
		t.Errorf("reads %q", got)
	}
	if b.Take(at(no.Until), 0) != nil {
		t.Error("still shut at the time")
	}
}

func TestNoWaitIsBelievedThatIsBeyondReasonOrNegative(t *testing.T) {
	t.Parallel()
	b := NewBucket[string](narrow(1))
	if until := b.Shut(at(noon), time.Hour, ""); until.Sub(noon) != 2*time.Minute {
		t.Errorf("an hour: %s", until.Sub(noon))
	}
	later := noon.Add(time.Hour)
	if until := b.Shut(at(later), -time.Hour, ""); until.Sub(later) != 5*time.Second {
		t.Errorf("less than nothing: %s", until.Sub(later))
	}
}

func TestAClockThatIsSetBackStopsNothingAndGivesLittle(t *testing.T) {
	t.Parallel()
	b := NewBucket[string](narrow(1))
	b.Shut(at(noon), time.Minute, "")
	back := noon.Add(-time.Hour)
	if n := drain(b, back, 0); n != 20 {
		t.Errorf("%d an hour back, want 20", n)
	}
	if n := drain(b, back.Add(time.Second), 0); n != 1 {
		t.Errorf("%d a second later, want 1", n)
	}
}

func TestWhoWasOvertakenIsNotTakenForAClockThatWasSetBack(t *testing.T) {
	t.Parallel()
	limits := narrow(1)
	limits.Overtaken = 5 * time.Minute
	b, given := NewBucket[string](limits), 0
	for i := range 200 {
		if b.Take(at(noon.Add(time.Duration(i%2)*-30*time.Second)), 0) == nil {
			given++
		}
	}
	if given != 20 {
		t.Errorf("%d within a second, want 20", given)
	}
	b.Shut(at(noon), time.Minute, "")
	if b.Take(at(noon.Add(-3*time.Minute)), 0) == nil {
		t.Error("who was overtaken opens what is shut")
	}
	if b.Take(at(noon.Add(-time.Hour)), 0) != nil {
		t.Error("a clock that was set back leaves the API alone for an hour")
	}
}

func TestNoMoreIsGivenWhenManyAskAtOnce(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	var given atomic.Int64
	buckets := Buckets[string, string]{Limits: narrow(1)}
	for range 100 {
		all.Go(func() {
			if buckets.Of("shop").Take(at(noon), 0) == nil {
				given.Add(1)
			}
		})
	}
	all.Wait()
	if n := given.Load(); n != 20 {
		t.Errorf("%d, want 20", n)
	}
	if buckets.Of("other").Take(at(noon), 0) != nil {
		t.Error("another key has no bucket of its own")
	}
}

func TestNoBucketLetsAllPass(t *testing.T) {
	t.Parallel()
	var b *Bucket[string]
	b.Well(nil)
	if until := b.Shut(nil, time.Hour, ""); !until.IsZero() || b.Take(nil, 2) != nil {
		t.Errorf("shut until %s", until)
	}
}

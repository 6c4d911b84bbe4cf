package controllers

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/cloudrun"
)

// crowd is a manager and the rollouts of one project and location: all of them
// rest but one, which bakes.
type crowd struct {
	t       *testing.T
	clock   *clocktesting.FakePassiveClock
	place   *place
	metrics *fakeCloud
	ros     []*v1alpha1.CloudRunRollout
	due     []time.Time
	busy    *v1alpha1.CloudRunRollout

	r      *Reconciler
	client *cloudrun.Client
	told   *events.FakeRecorder
	saved  int
}

func crowdOf(t *testing.T, resting int) *crowd {
	t.Helper()
	c := &crowd{t: t, clock: clocktesting.NewFakePassiveClock(morning), metrics: newCloud()}
	names := []string{"busy"}
	for i := range resting {
		names = append(names, fmt.Sprintf("web-%d", i))
	}
	c.place = newPlace(names...)
	for i, name := range names {
		ro := bare()
		ro.Name, ro.UID, ro.Generation = name, types.UID(name), 1
		ro.Spec.Target.Service.Name = name
		if i == 0 {
			c.busy = ro
		} else {
			c.ros = append(c.ros, ro)
		}
	}
	c.start(cloudrun.Options{}) // without a clock, without a limit
	for range 2 {
		for _, ro := range c.ros {
			c.pass(ro)
		}
		c.pass(c.busy)
	}
	c.clock.SetTime(morning.Add(time.Minute))
	c.place.deploy("busy", "busy-2", c.clock.Now())
	for range 60 {
		if c.busy.Status.Phase == v1alpha1.PhaseBaking && c.busy.Status.Attempt.BakedMinutes > 0 {
			return c
		}
		c.clock.SetTime(c.clock.Now().Add(time.Minute))
		c.pass(c.busy)
	}
	t.Fatalf("it is %s: %s", c.busy.Status.Phase, c.busy.Status.NextAction)
	return nil
}

// start is a manager that knows nothing but the objects.
func (c *crowd) start(options cloudrun.Options) {
	c.t.Helper()
	random := rand.New(rand.NewPCG(1, 2)) // the same in every run
	options.Endpoint, options.Transport, options.Random = "http://127.0.0.1:1", c.place, random.Float64
	client, err := cloudrun.New(c.t.Context(), options)
	if err != nil {
		c.t.Fatal(err)
	}
	watch := cloudrun.NewWatch(client, func(error) {})
	c.client, c.told = client, events.NewFakeRecorder(10_000)
	c.r = &Reconciler{
		Client: stub{saved: &c.saved}, Clock: c.clock, Process: c.clock, Recorder: c.told, Random: random.Float64,
		Connect: func(context.Context, *v1alpha1.CloudRunRollout) (Cloud, error) {
			return Cloud{Observer: client, Actuator: client, Metrics: c.metrics, Watcher: watch}, nil
		},
	}
	c.due = make([]time.Time, len(c.ros))
	c.place.asked()
	c.saved = 0
}

func (c *crowd) pass(ro *v1alpha1.CloudRunRollout) time.Duration {
	c.t.Helper()
	result, err := c.r.Reconcile(c.t.Context(), ro)
	if err != nil {
		c.t.Fatalf("%s: %v", ro.Name, err)
	}
	return result.RequeueAfter
}

// passes looks at each rollout at rest that is due, and tells at how many.
func (c *crowd) passes(ros []*v1alpha1.CloudRunRollout) int {
	c.t.Helper()
	n := 0
	for i, ro := range ros {
		if !c.clock.Now().Before(c.due[i]) {
			c.due[i] = c.clock.Now().Add(c.pass(ro))
			n++
		}
	}
	return n
}

// withheld counts the reads of a class that were not made.
func (c *crowd) withheld(class string) (count float64) {
	c.t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(c.client.Counters())
	families, err := registry.Gather()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "class" && label.GetValue() == class {
					count += metric.GetCounter().GetValue()
				}
			}
		}
	}
	return count
}

// TestAThousandRestingRolloutsDoNotDelayARollback: after a restart all are due at
// once. The one that is to go back reads and writes in the same second, and the
// others come when there is room, without a word, and all within five minutes.
func TestAThousandRestingRolloutsDoNotDelayARollback(t *testing.T) {
	t.Parallel()
	c := crowdOf(t, 1000)
	c.metrics.errors["busy-2"] = 50
	c.clock.SetTime(c.clock.Now().Add(5 * time.Minute))
	c.start(cloudrun.Options{Clock: c.clock})

	c.passes(c.ros[:900])
	_, before := c.place.asked()
	again := c.pass(c.busy)
	reads, writes := c.place.asked()
	if len(before) != 0 || len(writes) != 1 || !strings.HasSuffix(writes[0], "/busy") {
		t.Fatalf("writes %q; it is %s: %s", writes, c.busy.Status.Phase, c.busy.Status.NextAction)
	}
	if len(reads) == 0 || c.withheld("resting") == 0 {
		t.Fatalf("%d live reads, %v looks held back: nothing was at stake", len(reads), c.withheld("resting"))
	}

	saved, told, began := c.saved, len(c.told.Events), c.clock.Now()
	c.passes(c.ros)
	made, minutes := 0, map[int]int{}
	for next := began.Add(again); len(c.r.memory.unseen) > 0; c.clock.SetTime(c.clock.Now().Add(time.Second)) {
		if since := c.clock.Now().Sub(began); since > 5*time.Minute {
			t.Fatalf("%d are not looked at after %s", len(c.r.memory.unseen), since)
		}
		if !c.clock.Now().Before(next) && c.busy.Status.Phase == v1alpha1.PhaseRollingBack {
			next = c.clock.Now().Add(c.pass(c.busy))
			saved, told = c.saved, len(c.told.Events)
		}
		c.passes(c.ros)
		if c.saved != saved || len(c.told.Events) != told {
			t.Fatalf("%d saves, %d events of rollouts at rest", c.saved-saved, len(c.told.Events)-told)
		}
		reads, _ = c.place.asked()
		made += len(reads)
		minutes[int(c.clock.Now().Sub(began)/time.Minute)] += len(reads)
	}
	if c.busy.Status.Phase != v1alpha1.PhaseRolledBack || c.withheld("live")+c.withheld("urgent") != 0 {
		t.Errorf("it is %s, and %v live reads and %v urgent ones were held back", c.busy.Status.Phase, c.withheld("live"), c.withheld("urgent"))
	}
	for minute, n := range minutes {
		if n > cloudrun.DefaultReadsPerMinute+cloudrun.DefaultReadsPerMinute/3 {
			t.Errorf("%d reads in minute %d", n, minute)
		}
	}
	if made < 900 {
		t.Errorf("%d reads for a thousand revisions", made)
	}
}

// TestAUsedUpQuotaOfTheAPIIsMetByOneCall: one is told to leave it alone for a
// minute, and all do; those at rest without a word.
func TestAUsedUpQuotaOfTheAPIIsMetByOneCall(t *testing.T) {
	t.Parallel()
	c := crowdOf(t, 50)
	c.start(cloudrun.Options{Clock: c.clock})
	c.place.throttled = true
	c.passes(c.ros)
	if reads, _ := c.place.asked(); len(reads) != 1 || c.saved != 0 {
		t.Errorf("%d calls, %d saves", len(reads), c.saved)
	}
	if wait := c.pass(c.busy); wait < time.Minute || wait > 75*time.Second || c.saved != 1 {
		t.Errorf("the one under way comes again after %s, saved %d times", wait, c.saved)
	}
	c.place.throttled = false
	for range 4 {
		c.clock.SetTime(c.clock.Now().Add(time.Minute))
		c.passes(c.ros)
	}
	if reads, _ := c.place.asked(); len(c.r.memory.unseen) != 0 || len(reads) == 0 {
		t.Errorf("%d are not looked at after the minute", len(c.r.memory.unseen))
	}
}

// halfOf refuses half of all calls. Which ones depends on the seed and on what was called
// how often, and not on which of several that go on side by side comes first.
func halfOf(seed uint64) func(call string) bool {
	calls := map[string]int{}
	return func(call string) bool {
		calls[call]++
		sum := fnv.New64a()
		_, _ = fmt.Fprint(sum, call, calls[call])
		return rand.New(rand.NewPCG(seed, sum.Sum64())).IntN(2) == 0
	}
}

// TestABadReleaseGoesBackThoughHalfOfAllCallsAreRefused: each refusal of a call that
// can wait shuts the place for up to a minute. A way back is not among those.
func TestABadReleaseGoesBackThoughHalfOfAllCallsAreRefused(t *testing.T) {
	t.Parallel()
	const seeds = 20
	var took []time.Duration
	for seed := range uint64(seeds) {
		c := crowdOf(t, 50)
		c.start(cloudrun.Options{Clock: c.clock})
		c.clock.SetTime(c.clock.Now().Add(10 * time.Second))
		c.passes(c.ros)
		c.pass(c.busy)
		c.place.storm = halfOf(seed)
		c.metrics.errors["busy-2"] = 50
		c.clock.SetTime(c.clock.Now().Add(4 * time.Minute)) // until that is seen
		began := c.clock.Now()
		for next := began; c.busy.Status.Phase != v1alpha1.PhaseRolledBack; c.clock.SetTime(c.clock.Now().Add(time.Second)) {
			if c.clock.Now().Sub(began) > 10*time.Minute {
				t.Fatalf("seed %d: it is %s: %s", seed, c.busy.Status.Phase, c.busy.Status.NextAction)
			}
			c.passes(c.ros)
			if !c.clock.Now().Before(next) {
				next = c.clock.Now().Add(c.pass(c.busy))
			}
		}
		took = append(took, c.clock.Now().Sub(began))
	}
	slices.Sort(took)
	if p50, most := took[seeds/2], took[seeds-1]; p50 > 40*time.Second || most > 90*time.Second {
		t.Errorf("half of them are back after %s, all after %s", p50, most)
	}
	t.Log(took)
}

// TestAHundredUnderWayInOnePlaceStarveNobody: released together, all of them are read
// live at first. The list and what is remembered must take over from that, or the limit
// is used up for as long as they are under way, and a release beside them is never seen.
func TestAHundredUnderWayInOnePlaceStarveNobody(t *testing.T) {
	t.Parallel()
	c := crowdOf(t, 101)
	c.start(cloudrun.Options{Clock: c.clock})
	for _, ro := range c.ros[:100] {
		c.place.deploy(ro.Name, ro.Name+"-2", c.clock.Now())
	}
	c.live(10 * time.Minute)
	for _, ro := range c.ros[:100] {
		if ro.Status.Phase == v1alpha1.PhaseIdle || strings.Contains(ro.Status.NextAction, "tried again") {
			t.Fatalf("%s is %s: %s", ro.Name, ro.Status.Phase, ro.Status.NextAction)
		}
	}

	withheld, newcomer := c.withheld("live"), c.ros[100]
	c.place.deploy(newcomer.Name, newcomer.Name+"-2", c.clock.Now())
	c.live(3 * time.Minute)
	if a := newcomer.Status.Attempt; a == nil || a.Candidate != newcomer.Name+"-2" {
		t.Errorf("the newcomer is %s: %s", newcomer.Status.Phase, newcomer.Status.NextAction)
	}
	if n := c.withheld("live") - withheld; n > 10 {
		t.Errorf("%v live reads are held back in three minutes in which one release began", n)
	}
}

// live lets rollouts look when they are due.
func (c *crowd) live(during time.Duration) {
	c.t.Helper()
	for end := c.clock.Now().Add(during); c.clock.Now().Before(end); c.clock.SetTime(c.clock.Now().Add(time.Second)) {
		c.passes(c.ros)
	}
}

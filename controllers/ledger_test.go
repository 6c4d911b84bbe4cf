package controllers

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

func claiming(ports int64, gateways ...analysis.Source) []rollout.Peer {
	var peers []rollout.Peer
	for _, g := range gateways {
		peers = append(peers, rollout.Peer{Gateway: g, Claim: nat.Claim{Ports: ports, Hot: true, Since: morning}})
	}
	return peers
}

func TestOfTwoRisesThatDoNotKnowEachOtherOneIsEntered(t *testing.T) {
	t.Parallel()
	natTwo := gatewayNamed("acme-net", "asia-northeast1", "r1", "nat-2")
	var l ledger
	l.look("a")
	l.look("b")
	l.look("c")
	for _, step := range []struct {
		what    string
		uid     types.UID
		looks   bool
		gateway analysis.Source
		want    bool
	}{
		{"the first", "a", false, natOne, true},
		{"one that looked before it", "b", false, natOne, false},
		{"the same that tries again", "b", false, natOne, false},
		{"one behind another gateway", "c", false, natTwo, true},
		{"the first again, which knows itself", "a", false, natOne, true},
		{"one that looked since", "b", true, natOne, true},
		{"the first, which did not", "a", false, natOne, false},
		{"it as well, once it has looked", "a", true, natOne, true},
	} {
		if step.looks {
			l.look(step.uid)
		}
		if got := l.enter(step.uid, claiming(1, step.gateway), morning); got != step.want {
			t.Errorf("%s: entered %v, want %v", step.what, got, step.want)
		}
	}
	l.forget("a")
	if !l.enter("b", claiming(1, natOne), morning) {
		t.Error("one that is gone keeps the others waiting")
	}
}

// TestNoTwoRisesAreEnteredOnOneLook holds for any order of looks and rises.
func TestNoTwoRisesAreEnteredOnOneLook(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var l ledger
		uids := []types.UID{"a", "b", "c"}
		unknown := map[types.UID]bool{} // rollouts that another one overtook since they looked
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			uid := rapid.SampledFrom(uids).Draw(t, "who")
			if rapid.Bool().Draw(t, "looks") {
				l.look(uid)
				unknown[uid] = false
				continue
			}
			entered := l.enter(uid, claiming(1, natOne), morning)
			if entered == unknown[uid] {
				t.Fatalf("%s enters: %v, overtaken: %v", uid, entered, unknown[uid])
			}
			for _, other := range uids {
				unknown[other] = unknown[other] || entered && other != uid
			}
		}
	})
}

func TestALedgerIsForManyWorkers(t *testing.T) {
	t.Parallel()
	var l ledger
	var entered sync.Map
	var all sync.WaitGroup
	uids := []types.UID{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, uid := range uids {
		l.look(uid)
	}
	for _, uid := range uids {
		all.Go(func() { entered.Store(uid, l.enter(uid, claiming(1, natOne), morning)) })
	}
	all.Wait()
	n := 0
	entered.Range(func(_, ok any) bool {
		if ok.(bool) {
			n++
		}
		return true
	})
	if n != 1 {
		t.Errorf("%d of eight rises were entered on one look, want 1", n)
	}
}

// TestTheLedgerSpeaksUntilTheCacheDoes: what was entered holds while the object in
// the cache is from before it.
func TestTheLedgerSpeaksUntilTheCacheDoes(t *testing.T) {
	t.Parallel()
	inStatus := func(version string) *v1alpha1.CloudRunRollout {
		ro := object()
		ro.UID, ro.ResourceVersion = "a", version
		ro.Status = statusOf(ro, rollout.Input{}, rollout.Decision{Progress: rollout.Progress{
			Phase: rollout.Baking, Hot: morning, Watches: []rollout.Watch{{Source: natOne, Claimed: 7}},
		}})
		return ro
	}
	entered := func(more ...func(*ledger)) *ledger {
		l := &ledger{}
		l.enter("a", claiming(640, natOne), morning)
		for _, m := range more {
			m(l)
		}
		return l
	}
	saved := func(l *ledger) { l.saved("a", "100") }
	for name, c := range map[string]struct {
		ledger  *ledger
		version string
		after   time.Duration
		want    int64
	}{
		"nothing was entered":            {&ledger{}, "99", 0, 7},
		"it is not saved yet":            {entered(), "99", 0, 640},
		"the cache is older":             {entered(saved), "99", 0, 640},
		"the cache is as new":            {entered(saved), "100", 0, 7},
		"the cache is newer":             {entered(saved), "101", 0, 7},
		"its save failed":                {entered(func(l *ledger) { l.undo("a") }), "99", 0, 7},
		"nobody knows whether it failed": {entered(), "99", staleFor, 640},
		"nor ever will":                  {entered(), "99", staleFor + time.Second, 7},
		"it is gone":                     {entered(func(l *ledger) { l.forget("a") }), "99", 0, 7},
	} {
		got := c.ledger.claims(inStatus(c.version), morning.Add(c.after), morning)
		if len(got) != 1 || got[0].Claim.Ports != c.want {
			t.Errorf("%s: %+v, want %d ports", name, got, c.want)
		}
	}
	if got := (&ledger{}).claims(object(), morning, morning); got != nil {
		t.Errorf("one that watches nothing claims %v", got)
	}
}

// TestAWaitThatNobodyTellsOfIsNotWaitedFor: its service cannot be read, or its spec
// cannot be carried out, and what was saved says that it waits. It will not go.
func TestAWaitThatNobodyTellsOfIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	waiting := func(seen time.Time) *v1alpha1.CloudRunRollout {
		ro := object()
		ro.Status = statusOf(ro, rollout.Input{}, rollout.Decision{
			Progress: rollout.Progress{
				Phase: rollout.Held, Reason: rollout.WaitingForNat, Waiting: morning, Watches: []rollout.Watch{{Source: natOne, Claimed: 7}},
			},
			Gateways: []rollout.GatewayState{{Watch: rollout.Watch{Source: natOne}, Known: true, Through: seen}},
		})
		return ro
	}
	later := morning.Add(24 * time.Hour)
	for name, c := range map[string]struct {
		seen time.Time
		want int
	}{
		"it looks":        {later.Add(-5 * time.Minute), 1},
		"it does not":     {later.Add(-16 * time.Minute), 0},
		"nobody ever did": {time.Time{}, 0},
	} {
		if got := (&ledger{}).claims(waiting(c.seen), later, later); len(got) != c.want {
			t.Errorf("%s: it claims %+v", name, got)
		}
	}
}

func TestWhatBecameOfASaveIsEntered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want int // claims left
	}{
		"saved":        {nil, 1},
		"a conflict":   {apierrors.NewConflict(schema.GroupResource{}, "web", nil), 0},
		"it is gone":   {apierrors.NewNotFound(schema.GroupResource{}, "web"), 0},
		"nobody knows": {context.DeadlineExceeded, 1},
	} {
		r := &Reconciler{}
		ro := object()
		r.ledger.enter(ro.UID, claiming(1, natOne), morning)
		r.claimed(ro, c.err)
		if got := len(r.ledger.claimed); got != c.want {
			t.Errorf("%s: %d claims are left, want %d", name, got, c.want)
		}
	}
}

// neighbours are two rollouts behind one gateway and the one manager of both.
func neighbours(t *testing.T) (a, b *stage) {
	t.Helper()
	a, o := behindNat(t)
	b, _ = behindNat(t)
	clouds := map[string]*fakeCloud{a.key.Name: a.cloud, b.key.Name: b.cloud}
	a.r.Connect = func(_ context.Context, ro *v1alpha1.CloudRunRollout) (Cloud, error) {
		cloud := clouds[ro.Name]
		return Cloud{Observer: cloud, Actuator: cloud, Metrics: cloud, Outlets: o}, nil
	}
	b.r, b.clock, b.process = a.r, a.clock, a.process
	for _, s := range []*stage{a, b} {
		s.pass()
		s.cloud.deploy("web-2", s.clock.Now().Add(time.Second))
		s.pass() // its candidate is found
	}
	a.wait(soonEnough)
	return a, b
}

const soonEnough = 5 * time.Second

// TestARiseThatWasOvertakenIsDecidedAgain: two workers decide on the same headroom,
// and the second one decides anew on what the first one claims, without reading the
// clouds again.
func TestARiseThatWasOvertakenIsDecidedAgain(t *testing.T) {
	t.Parallel()
	a, b := neighbours(t)
	b.cloud.set(func() { b.cloud.onAnswer = func() { a.pass() } })
	reads := b.cloud.reads
	b.pass()
	if a.cloud.sent() != 1 || b.cloud.sent() != 1 {
		t.Fatalf("a sent %d writes, b %d; want 1 each", a.cloud.sent(), b.cloud.sent())
	}
	if b.cloud.reads != reads+1 {
		t.Errorf("b was read %d times", b.cloud.reads-reads)
	}
	last := b.r.ledger.last[natOne]
	if last.by != b.get().UID || b.r.ledger.looked[last.by] != last.turn-1 {
		t.Errorf("b did not look at what a claims: %+v, looked at turn %d", last, b.r.ledger.looked[last.by])
	}
}

// TestARiseThatIsOvertakenAgainAndAgainLooksAnew: its facts are getting old.
func TestARiseThatIsOvertakenAgainAndAgainLooksAnew(t *testing.T) {
	t.Parallel()
	a, b := neighbours(t)
	lists := 0
	b.r.Client = overtaking{b.r.Client, func() {
		lists++
		b.r.ledger.enter(types.UID("another"), claiming(1, natOne), morning)
	}}
	before := b.get()
	if wait := b.pass().RequeueAfter; wait != staleWait || lists != overtaken {
		t.Errorf("looks again in %v after %d lists, want %v after %d", wait, lists, staleWait, overtaken)
	}
	if diff := cmp.Diff(before.Status, b.get().Status); diff != "" || b.cloud.sent() != 0 {
		t.Errorf("b sent %d and saved (-before +after):\n%s", b.cloud.sent(), diff)
	}
	b.r.Client = a.client
	if b.pass(); b.cloud.sent() != 1 {
		t.Error("b never rises")
	}
}

// overtaking is a cache behind whose back somebody rises each time it is listed.
type overtaking struct {
	client.Client
	rise func()
}

func (o overtaking) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	defer o.rise()
	return o.Client.List(ctx, list, opts...)
}

// TestANeighbourIsReckonedWith: what one rollout claims the other one knows, and
// nobody reads who it is.
func TestANeighbourIsReckonedWith(t *testing.T) {
	t.Parallel()
	a, b := neighbours(t)
	a.pass()
	ro := b.get()
	in, err := started(ro)
	if err != nil {
		t.Fatal(err)
	}
	in.Service, _ = b.cloud.Service(t.Context(), in.Plan.Service)
	in.Revisions, _ = b.cloud.Revisions(t.Context(), in.Plan.Service, []string{"web-1", "web-2"})
	in.Now = b.clock.Now()
	peers, err := b.r.peers(t.Context(), ro, in)
	if err != nil {
		t.Fatal(err)
	}
	uid, found := string(a.get().UID), false
	for _, p := range peers {
		found = found || p.Gateway == natOne && p.Claim.ID == uid && p.Claim.Hot
		if p.Claim.ID == string(ro.UID) {
			t.Error("it is its own neighbour")
		}
	}
	if !found {
		t.Errorf("no claim of the neighbour in %+v", peers)
	}
	b.pass()
	text, err := json.Marshal(b.get().Status)
	if err != nil || strings.Contains(string(text), a.key.Name) || strings.Contains(string(text), uid) {
		t.Errorf("%v: the status names the neighbour: %s", err, text)
	}
}

func TestNobodyLooksForNeighboursAtRest(t *testing.T) {
	t.Parallel()
	r := &Reconciler{} // it would panic on a list
	if peers, err := r.peers(t.Context(), object(), rollout.Input{}); peers != nil || err != nil {
		t.Errorf("%v, %v", peers, err)
	}
}

package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

var byDefault = leaving(rollout.VPCAccess{Network: "default"})

func TestEverythingIsReadAsOftenAsItChanges(t *testing.T) {
	t.Parallel()
	below := usual()
	client := dial(t, below)
	for second := range 600 {
		got := out(t, client, noon.Add(time.Duration(second)*time.Second), byDefault)
		if got.Presence != rollout.Found || len(got.Gateways) != 1 {
			t.Fatalf("%+v", got)
		}
		if at := noon.Add(time.Duration(second/15*15) * time.Second); !got.Gateways[0].ReadAt.Equal(at) {
			t.Fatalf("after %d s read at %v, want %v", second, got.Gateways[0].ReadAt, at)
		}
	}
	if lists, statuses := below.asked(list), below.asked(list+"/r1/getRouterStatus"); lists != 2 || statuses != 40 {
		t.Errorf("%d lists and %d statuses in 10 minutes", lists, statuses)
	}
	if subnets := below.asked(region + "/subnetworks/default"); subnets != 10 {
		t.Errorf("the subnetwork was read %d times in 10 minutes", subnets)
	}
}

func TestConcurrentPassesShareOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		below := usual()
		below.hold = make(chan struct{})
		client := dial(t, below)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { out(t, client, noon, byDefault) })
		}
		synctest.Wait()
		if len(below.requests) != 2 { // the routers and the subnetwork
			t.Errorf("%d calls at once", len(below.requests))
		}
		close(below.hold)
		all.Wait()
		if len(below.requests) != 3 {
			t.Errorf("asked %q", below.requests)
		}
	})
}

func TestAPassThatWaitsForAnotherEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		below := usual()
		below.hold = make(chan struct{})
		client := dial(t, below, func(o *Options) { o.Timeout = time.Hour })
		go func() { _, _ = client.Outlet(t.Context(), web, []rollout.Revision{byDefault}, nil, noon) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := client.Outlet(ctx, web, []rollout.Revision{byDefault}, nil, noon); !errors.Is(err, ctx.Err()) || err == nil {
			t.Errorf("error %v", err)
		}
		close(below.hold)
	})
}

func TestWhileTheAPICannotSayTheLastAnswerIsGivenWithItsTime(t *testing.T) {
	t.Parallel()
	below := usual()
	client := dial(t, below)
	out(t, client, noon, byDefault)
	below.set(list, "503 oops")
	below.set(list+"/r1/getRouterStatus", "503 oops")
	for _, c := range []struct {
		minute   int
		presence rollout.Presence
		unread   bool
	}{{1, rollout.Found, false}, {2, rollout.Found, true}, {6, rollout.Found, true}, {29, rollout.Found, true}, {30, rollout.Unknown, false}} {
		got := out(t, client, noon.Add(time.Duration(c.minute)*time.Minute), byDefault)
		if got.Presence != c.presence {
			t.Errorf("after %d minutes: %+v", c.minute, got)
		}
		for _, g := range got.Gateways {
			if (g.Unread != "") != c.unread || !c.unread && !g.ReadAt.Equal(noon) {
				t.Errorf("after %d minutes: %+v", c.minute, g)
			}
		}
	}
}

func TestWhatWasDeniedIsNotRememberedFromBefore(t *testing.T) {
	t.Parallel()
	below := usual()
	client := dial(t, below)
	out(t, client, noon, byDefault)
	below.set(list, denied("compute.routers.list"))
	if got := out(t, client, noon.Add(6*time.Minute), byDefault); got.Presence != rollout.Denied {
		t.Errorf("%+v", got)
	}
	below.set(list, listJSON(routerJSON("r1", natJSON("nat-1", manual))))
	if got := out(t, client, noon.Add(6*time.Minute+30*time.Second), byDefault); got.Presence != rollout.Denied {
		t.Errorf("asked again at once: %+v", got)
	}
	if got := out(t, client, noon.Add(7*time.Minute), byDefault); got.Presence != rollout.Found {
		t.Errorf("a minute later: %+v", got)
	}
}

func TestAGatewayThatIsMadeNowIsFoundWithinAMinute(t *testing.T) {
	t.Parallel()
	below := usual()
	below.set(list, listJSON())
	client := dial(t, below)
	made := listJSON(routerJSON("r1", natJSON("nat-1", manual)))
	for _, second := range []int{0, 59} {
		if got := out(t, client, noon.Add(time.Duration(second)*time.Second), byDefault); got.Presence != rollout.Missing {
			t.Errorf("after %d s: %+v", second, got)
		}
		below.set(list, made)
	}
	if got := out(t, client, noon.Add(time.Minute), byDefault); got.Presence != rollout.Found {
		t.Errorf("after a minute: %+v", got)
	}
	if n := below.asked(list); n > 2 {
		t.Errorf("listed %d times", n)
	}
}

func TestAFailedReadIsNotRepeatedByEveryPass(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer     string
		retryAfter string
		rests      time.Duration
	}{
		"an error":                  {"500 oops", "", 15 * time.Second},
		"over quota":                {"429 {}", "90", 90 * time.Second},
		"over quota, for long":      {"429 {}", "3600", 10 * time.Minute},
		"a wait shorter than usual": {"429 {}", "1", 15 * time.Second},
		"denied":                    {denied("x"), "", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := usual()
			below.set(list, c.answer)
			below.header = http.Header{"Retry-After": {c.retryAfter}}
			client := dial(t, below)
			for _, at := range []time.Duration{0, time.Second, c.rests - time.Second} {
				out(t, client, noon.Add(at), byDefault)
			}
			if n := below.asked(list); n != 1 {
				t.Errorf("%d calls before %v are over", n, c.rests)
			}
			out(t, client, noon.Add(c.rests), byDefault)
			if n := below.asked(list); n != 2 {
				t.Errorf("%d calls when %v are over", n, c.rests)
			}
		})
	}
}

// TestHowManyAddressesThereWereIsNotForgotten: while the status cannot be read it is
// not known what the gateway has to give, but for judging it that is enough.
func TestHowManyAddressesThereWereIsNotForgotten(t *testing.T) {
	t.Parallel()
	below := usual()
	client := dial(t, below)
	had := out(t, client, noon, byDefault).Gateways[0].NAT
	below.set(list+"/r1/getRouterStatus", "503 oops")
	for minute, want := range map[int]int64{1: had.IPs, 3: had.IPs, 29: had.IPs, 31: 0} {
		got := out(t, client, noon.Add(time.Duration(minute)*time.Minute), byDefault).Gateways[0]
		if got.NAT.IPs != want || minute > 2 && (got.Unread == "" || got.NAT.Endpoints != 0 || !got.ReadAt.IsZero()) {
			t.Errorf("after %d minutes: %+v, want %d addresses", minute, got, want)
		}
	}
	if had.IPs == 0 {
		t.Error("it had none")
	}
}

// TestAnAPIThatStaysAwayIsAskedLessAndLessOften: each try may hold up a worker for
// as long as a call may take.
func TestAnAPIThatStaysAwayIsAskedLessAndLessOften(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		want   int
	}{"an error": {"503 oops", 8}, "over quota": {"429 {}", 40}} {
		below := usual()
		below.set(list, c.answer)
		client := dial(t, below)
		for at := time.Duration(0); at < 10*time.Minute; at += 15 * time.Second {
			out(t, client, noon.Add(at), byDefault)
		}
		if n := below.asked(list); n != c.want {
			t.Errorf("%s: listed %d times in 10 minutes, want %d", name, n, c.want)
		}
		below.set(list, listJSON(routerJSON("r1", natJSON("nat-1", manual))))
		if got := out(t, client, noon.Add(12*time.Minute), byDefault); got.Presence != rollout.Found {
			t.Errorf("%s: two minutes after it is back: %+v", name, got)
		}
		below.set(list, c.answer)
		out(t, client, noon.Add(18*time.Minute), byDefault)
		n := below.asked(list)
		if out(t, client, noon.Add(18*time.Minute+15*time.Second), byDefault); below.asked(list) != n+1 {
			t.Errorf("%s: the next failure is not the first of a new row", name)
		}
	}
}

// TestWhatAStatusCannotKeepIsNotWatched: the manager could save nothing more, not
// even a way back.
func TestWhatAStatusCannotKeepIsNotWatched(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64)
	below := usual()
	below.set(list, listJSON(routerJSON("r1", natJSON(long, manual))))
	if got := out(t, dial(t, below), noon, byDefault); got.Presence != rollout.Unknown || len(got.Gateways) > 0 {
		t.Errorf("a NAT: %+v", got)
	}
	network := leaving(rollout.VPCAccess{Network: "projects/" + long[:31] + "/global/networks/default"})
	if got := out(t, dial(t, usual()), noon, network); got.Presence != rollout.Missing || !got.Ambiguous || len(got.Gateways) > 0 {
		t.Errorf("a project: %+v", got)
	}
}

func TestAClockThatWasSetBackReadsAnew(t *testing.T) {
	t.Parallel()
	below := usual()
	client := dial(t, below)
	out(t, client, noon, byDefault)
	if got := out(t, client, noon.Add(-time.Hour), byDefault); !got.Gateways[0].ReadAt.Equal(noon.Add(-time.Hour)) {
		t.Errorf("%+v", got)
	}
	if n := below.asked(list); n != 2 {
		t.Errorf("listed %d times", n)
	}
}

func TestWhatNobodyAsksForIsForgotten(t *testing.T) {
	t.Parallel()
	client := dial(t, usual())
	out(t, client, noon, byDefault)
	other := leaving(rollout.VPCAccess{Network: "projects/p2/global/networks/default"})
	out(t, client, noon.Add(23*time.Hour), other)
	if len(client.lists.items) != 2 {
		t.Errorf("%d places are known", len(client.lists.items))
	}
	out(t, client, noon.Add(25*time.Hour), leaving(rollout.VPCAccess{Network: "projects/p3/global/networks/default"}))
	if len(client.lists.items) != 2 {
		t.Errorf("%d places are known a day later", len(client.lists.items))
	}
}

func TestAProjectIsAskedWithinAQuarterOfItsQuota(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakePassiveClock(noon)
	below := &api{answers: map[string]string{}}
	client := dial(t, below, func(o *Options) { o.Clock, o.CallsPerMinute = clock, 30 })
	read := func(router string) rollout.Outlet {
		source := analysis.Source{Project: "shop", Location: "europe-west1", Router: router, Gateway: "n"}
		got, err := client.Outlet(t.Context(), web, nil, []analysis.Source{source}, clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for i := range 10 {
		if got := read("r" + string(rune('a'+i))); got.Presence != rollout.Missing {
			t.Fatalf("call %d: %+v", i, got)
		}
	}
	if got := read("z"); got.Presence != rollout.Unknown || !strings.Contains(got.Detail, "Sluice's own limit for a project, 30 calls of Compute a minute, is used up") {
		t.Errorf("the eleventh at once: %+v", got)
	}
	clock.SetTime(noon.Add(2 * time.Second))
	if got := read("y"); got.Presence != rollout.Missing || len(below.requests) != 11 {
		t.Errorf("two seconds later: %+v, %d calls", got, len(below.requests))
	}
}

func TestAProjectThatIsOverQuotaIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		retryAfter string
		alone      time.Duration
	}{"as it asks": {"60", time.Minute}, "without being asked": {"", 30 * time.Second}, "not for ever": {"3600", 10 * time.Minute}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := clocktesting.NewFakePassiveClock(noon)
			below := usual()
			below.set(list, "429 "+problem("Quota exceeded", "rateLimitExceeded"))
			below.header = http.Header{"Retry-After": {c.retryAfter}}
			client := dial(t, below, func(o *Options) { o.Clock = clock })
			out(t, client, noon, byDefault)
			named := func() string {
				got, err := client.Outlet(t.Context(), web, nil, []analysis.Source{{Project: "shop", Location: "europe-west1", Router: "r1", Gateway: "nat-1"}}, clock.Now())
				if err != nil {
					t.Fatal(err)
				}
				return got.Detail
			}
			clock.SetTime(noon.Add(c.alone - time.Second))
			until := noon.Add(c.alone).Format(time.RFC3339)
			if got := named(); !strings.Contains(got, "over quota: Quota exceeded; not asked again before "+until) || below.asked(list+"/r1") != 0 {
				t.Errorf("%q after %q", got, below.requests)
			}
			elsewhere := leaving(rollout.VPCAccess{Network: "projects/other/global/networks/default"})
			if out(t, client, clock.Now(), elsewhere); below.asked("/compute/v1/projects/other/regions/europe-west1/routers") != 1 {
				t.Errorf("another project pays for it: %q", below.requests)
			}
			clock.SetTime(noon.Add(c.alone + 15*time.Second))
			if got := named(); got != "" {
				t.Errorf("later: %q", got)
			}
		})
	}
}

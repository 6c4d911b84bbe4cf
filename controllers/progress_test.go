package controllers

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/analysis"
	"github.com/sluice-rollouts/sluice/internal/nat"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// restart saves progress the way save does, sends it through JSON and reads it
// back.
func restart(t rapid.TB, p rollout.Progress) rollout.Progress {
	t.Helper()
	d := rollout.Decision{Progress: p, Serves: rollout.NewSplit(map[string]int64{p.Stable: 100 - p.Elsewhere, "other": p.Elsewhere})}
	for _, b := range p.Breaches {
		d.Checks = append(d.Checks, rollout.Check{
			Name: b.Guard, Verdict: analysis.Verdict{Outcome: analysis.Breach}, BreachedSince: b.Since,
		})
	}
	ro := bare()
	ro.Status = statusOf(ro, rollout.Input{Service: rollout.Service{Presence: rollout.Found}}, d)
	text, err := json.Marshal(ro)
	if err != nil {
		t.Fatal(err)
	}
	var again v1alpha1.CloudRunRollout
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	return progressOf(&again)
}

func TestAnyProgressSurvivesARestart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := progress().Draw(t, "progress")
		if diff := cmp.Diff(want, restart(t, want), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
	})
}

func progress() *rapid.Generator[rollout.Progress] {
	name := rapid.StringMatching(`web-[a-z0-9]{1,8}`)
	maybe := rapid.StringMatching(`(web-[a-z0-9]{1,8})?`)
	second := rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(1, 1<<33).Draw(t, "unix"), 0).UTC()
	})
	when := rapid.OneOf(rapid.Just(time.Time{}), second)
	small := rapid.IntRange(0, 20)
	split := rapid.Custom(func(t *rapid.T) rollout.Split {
		return rollout.NewSplit(rapid.MapOfN(name, rapid.Int64Range(1, 100), 0, 4).Draw(t, "split"))
	})
	intent := rapid.Custom(func(t *rapid.T) rollout.Intent {
		return rollout.Intent{
			Split: split.Draw(t, "split"), ETag: maybe.Draw(t, "etag"),
			Generation: rapid.Int64Min(0).Draw(t, "generation"), At: second.Draw(t, "at"),
		}
	})
	reply := rapid.Custom(func(t *rapid.T) rollout.Reply {
		return rollout.Reply{
			ID: name.Draw(t, "id"), Verb: rollout.Verb(maybe.Draw(t, "verb")), Accepted: rapid.Bool().Draw(t, "accepted"),
			Message: rapid.StringN(0, 50, v1alpha1.MaxMessage).Draw(t, "message"), At: second.Draw(t, "at"),
		}
	})
	return rapid.Custom(func(t *rapid.T) rollout.Progress {
		p := rollout.Progress{
			Phase: rapid.SampledFrom(rollout.Phases).Draw(t, "phase"), Reason: rollout.Reason(maybe.Draw(t, "reason")),
			Since: when.Draw(t, "since"), ServiceUID: maybe.Draw(t, "uid"), Generation: rapid.Int64Min(0).Draw(t, "generation"),
			Stable: maybe.Draw(t, "stable"), Cutoff: when.Draw(t, "cutoff"),
			Attempt: rapid.Int64Min(0).Draw(t, "attempt"), Candidate: maybe.Draw(t, "candidate"), Requested: maybe.Draw(t, "requested"),
			Step: small.Draw(t, "step"), FirstWrite: when.Draw(t, "first"), Effective: when.Draw(t, "effective"),
			Watched: when.Draw(t, "watched"), Judged: when.Draw(t, "judged"), Lowered: when.Draw(t, "lowered"), Baked: small.Draw(t, "baked"), Confirmed: split.Draw(t, "confirmed"),
			Intents: rapid.SliceOfN(intent, 0, 4).Draw(t, "intents"), Tagged: maybe.Draw(t, "tagged"),
			Cause:   rapid.StringN(0, 200, v1alpha1.MaxCause).Draw(t, "cause"),
			Latched: rapid.SliceOfN(name, 0, 20).Draw(t, "latched"), Approved: rapid.Int64Range(0, 100).Draw(t, "approved"), ThinAccepted: small.Draw(t, "thin"),
			Former:      maybe.Draw(t, "former"),
			Promoted:    rollout.Promotion{Weight: rapid.Int64Range(0, 100).Draw(t, "promoted"), Full: rapid.Bool().Draw(t, "full"), Override: rapid.Bool().Draw(t, "override")},
			NoDataSince: when.Draw(t, "noData"), SettledBy: maybe.Draw(t, "settledBy"),
			Clock: rollout.Stopwatch{
				Spent: time.Duration(rapid.Int64Range(0, 1e6).Draw(t, "spent")) * time.Second, Running: when.Draw(t, "running"),
			},
			LastRequest: rapid.OneOf(rapid.Just(rollout.Reply{}), reply).Draw(t, "reply"),
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "watches") {
			p.Watches = append(p.Watches, rollout.Watch{
				Source: gatewayNamed("acme-net", "asia-northeast1", maybe.Draw(t, "router"), fmt.Sprint("nat-", i)),
				Named:  rapid.Bool().Draw(t, "named"), Claimed: rapid.Int64Range(0, 1<<31-1).Draw(t, "claimed"), Growing: rapid.Bool().Draw(t, "growing"),
			})
		}
		p.WaitTold = rapid.Bool().Draw(t, "told")
		for range rapid.IntRange(0, v1alpha1.MaxRises).Draw(t, "rises") {
			p.Rises = append(p.Rises, nat.Rise{At: second.Draw(t, "rise"), From: rapid.Int64Range(0, 99).Draw(t, "from")})
		}
		p.Company = rollout.Company{Since: when.Draw(t, "company"), Until: when.Draw(t, "until")}
		p.Trial = rapid.OneOf(rapid.Just(rollout.Trial{}), rapid.Just(rollout.Trial{At: second.Draw(t, "trial"), From: 5}),
			rapid.Just(rollout.Trial{At: second.Draw(t, "trial"), From: 100, To: 50, Since: second.Draw(t, "tried"), Role: nat.Bystander})).Draw(t, "trial")
		p.Retreat = rapid.OneOf(rapid.Just(rollout.Retreat{}), rapid.Just(rollout.Retreat{
			Began: second.Draw(t, "began"), Last: second.Draw(t, "last"), Sent: 2, Weight: 20,
		})).Draw(t, "retreat")
		p.Warmup = rollout.Warmup{Tagged: maybe.Draw(t, "warmed"), Since: when.Draw(t, "warming"), Over: when.Draw(t, "warm")}
		p.Deployed = maybe.Draw(t, "deployed")
		if digest := maybe.Draw(t, "sent"); digest != "" {
			p.Sent = rollout.Sent{Digest: digest, At: second.Draw(t, "sentAt"), Times: 1, Before: rapid.SliceOfN(name, 0, 2).Draw(t, "before")}
		}
		p.Called, p.Spared, p.Accused = when.Draw(t, "called"), when.Draw(t, "spared"), when.Draw(t, "accused")
		p.Waiting, p.Hot = when.Draw(t, "waiting"), when.Draw(t, "hot")
		for i := range rapid.IntRange(0, 3).Draw(t, "breaches") {
			p.Breaches = append(p.Breaches, rollout.BreachStart{Guard: fmt.Sprint("check-", i), Since: second.Draw(t, "since")})
		}
		return p
	})
}

// TestALargeSplitSurvivesARestart: a person splits the traffic over a hundred
// revisions and aborts. What is saved of that is small, and is enough to know
// the split again.
func TestALargeSplitSurvivesARestart(t *testing.T) {
	t.Parallel()
	percents := map[string]int64{"web-1": 1, "web-2": 1}
	for i := range 98 {
		percents[fmt.Sprintf("web-%s-%02d", strings.Repeat("x", 56), i)] = 1
	}
	in := rollout.Input{
		Now: morning, Plan: rollout.Plan{Steps: []rollout.Step{{Weight: 100}}},
		Progress: rollout.Progress{
			Phase: rollout.Baking, Reason: rollout.Progressing, Stable: "web-1", Attempt: 1, Candidate: "web-2", FirstWrite: morning,
			Confirmed: rollout.NewSplit(map[string]int64{"web-1": 75, "web-2": 25}),
		},
		Service: rollout.Service{Presence: rollout.Found, UID: "uid", ETag: "etag"},
		Request: rollout.Request{ID: "r1", Verb: rollout.Abort, Attempt: 1, Step: -1},
	}
	for revision, percent := range percents {
		in.Service.Desired = append(in.Service.Desired, rollout.Entry{Revision: revision, Percent: percent})
	}
	in.Service.Effective = in.Service.Desired

	for range 2 { // the abort, and the same again because the write was lost
		d := rollout.Decide(in)
		if d.Progress.Phase != rollout.RollingBack || d.Write == nil {
			t.Fatalf("%s: %s", d.Progress.Phase, d.Note)
		}
		in.Progress, in.Request = restart(t, d.Progress), rollout.Request{}
		if diff := cmp.Diff(d.Progress, in.Progress, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
		if n := len(attemptOf(in.Progress).Confirmed); n > v1alpha1.MaxShares {
			t.Errorf("%d shares are saved", n)
		}
	}
}

// TestEveryFieldOfProgressIsSaved sets each field alone, so that a new one that
// nobody saves is found.
func TestEveryFieldOfProgressIsSaved(t *testing.T) {
	t.Parallel()
	for i := range reflect.TypeFor[rollout.Progress]().NumField() {
		want := rollout.Progress{Phase: rollout.Idle, Stable: "web-0"}
		fill(reflect.ValueOf(&want).Elem().Field(i))
		if diff := cmp.Diff(want, restart(t, want), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reflect.TypeFor[rollout.Progress]().Field(i).Name, diff)
		}
	}
}

// fill sets a value, and everything in it, to something other than zero.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case analysis.Source: // what is remembered by one is a gateway
		v.Set(reflect.ValueOf(gatewayNamed("acme-net", "asia-northeast1", "r1", "nat-1")))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)))
		return
	case time.Duration:
		v.Set(reflect.ValueOf(7 * time.Second))
		return
	case rollout.Phase:
		v.Set(reflect.ValueOf(rollout.Held))
		return
	}
	switch v.Kind() { //nolint:exhaustive // the kinds that progress is made of
	case reflect.String:
		v.SetString("web-1")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field)
		}
	default:
		panic("fill does not know " + v.Type().String())
	}
}

func TestProgressBeforeTheFirstLook(t *testing.T) {
	t.Parallel()
	want := rollout.Progress{Phase: rollout.Idle, Reason: rollout.Preparing}
	if diff := cmp.Diff(want, progressOf(bare())); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}

package invariants

import (
	"slices"
	"testing"
	"time"

	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// TestWhoCanKnowThatARevisionIsGone: nobody is told of a deletion. Who looks and is told
// so sends it nothing; who looked just before, or gets no answer, goes back to it, because
// not to go back where it is there is worse.
func TestWhoCanKnowThatARevisionIsGone(t *testing.T) {
	t.Parallel()
	lost := Life{after("12m"), "web-1", Lost}
	looked := func(at string, missing bool) Looked { return Looked{after(at), "", "web-1", missing} }
	told := nth[Saved](aborted(), 3)
	told.At, told.Phase, told.Reason = after("12m30s"), phasePaused, reasonBaselineLost
	put := Put{Saved: nth[Saved](aborted(), 3), Past: true}
	put.At = after("12m40s")
	cases := map[string]struct {
		seen  Trace
		finds bool
	}{
		"nobody looked":                        {Trace{lost}, true},
		"it was there a minute before":         {Trace{looked("11m59s", false), lost}, true},
		"it looked, without an answer":         {Trace{lost, looked("12m59s", false)}, false},
		"it looked, and was told":              {Trace{lost, looked("12m59s", true)}, true},
		"it was told, and then got no answer":  {Trace{lost, looked("12m30s", true), looked("12m59s", false)}, true},
		"it looked long before":                {Trace{lost, looked("12m10s", false)}, true},
		"it looked before it stood still":      {Trace{lost, looked("12m10s", false), Stood{after("12m59s"), "", 49 * time.Second}}, false},
		"it stood still before it looked":      {Trace{lost, Stood{after("12m9s"), "", 49 * time.Second}, looked("12m10s", false)}, true},
		"a status has said so since":           {Trace{lost, looked("12m20s", false), told, Stood{after("12m59s"), "", 39 * time.Second}}, false},
		"a status says so":                     {Trace{lost, told, looked("12m59s", false)}, true},
		"a status said so that etcd forgot":    {Trace{lost, told, put, looked("12m59s", false)}, false},
		"another process was told, and no one": {Trace{lost, Looked{after("12m30s"), "b", "web-1", true}, looked("12m59s", false)}, false},
	}
	for name, c := range cases {
		trace := slices.Insert(aborted(), find[Request](aborted(), 1), c.seen...)
		if finds(trace, "does not exist") != c.finds {
			t.Errorf("%s: it is to be found: %t, and found is %v", name, c.finds, Judge(trace))
		}
	}
}

// TestAWriteToARevisionThatIsGoneIsJudgedAsItWasSent: what its sender learns before it lands
// comes too late for it.
func TestAWriteToARevisionThatIsGoneIsJudgedAsItWasSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		missing bool
		finds   bool
	}{"without an answer": {false, false}, "told before": {true, true}} {
		p := newPast(Delta)
		sent := nth[Write](aborted(), 2)
		sent.Accepted = false
		landed := sent
		landed.At, landed.Accepted, landed.Landed = after("20m"), true, true
		for _, e := range (Trace{
			Life{after("1m"), "web-1", Ready},
			Life{after("12m"), "web-1", Lost},
			Looked{after("12m59s"), "", "web-1", c.missing},
			sent,
			Looked{after("13m10s"), "", "web-1", true},
		}) {
			p.learn(e)
		}
		if got := wellFormed(p, landed); (got != "") != c.finds {
			t.Errorf("%s: found is %q", name, got)
		}
	}
}

// TestWhichReadsOfARevisionAreLooks: ours, whatever is answered; an answer that was lost
// told nothing.
func TestWhichReadsOfARevisionAreLooks(t *testing.T) {
	t.Parallel()
	const service = "projects/acme/locations/tokyo/services/web"
	get := func(caller string, code int, lost bool) simulator.Event {
		return simulator.Event{At: start, Kind: simulator.EventCall, Service: service, Call: &simulator.Call{
			Operation: "revisions.get", Resource: service + "/revisions/web-1", Caller: caller, UserAgent: "a", Code: code, Lost: lost,
		}}
	}
	got := FromLog([]simulator.Event{
		get("us", 200, false), get("us", 404, false), get("us", 404, true), get("us", 503, false), get("them", 404, false),
	}, service, "us")
	said := func(missing bool) Looked { return Looked{At(start), "a", "web-1", missing} }
	if want := (Trace{said(false), said(true), said(false), said(false)}); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

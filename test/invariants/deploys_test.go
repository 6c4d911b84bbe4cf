package invariants

import (
	"strings"
	"testing"
	"time"
)

// deploying is a template a that is wanted, and sent as it should be.
func deploying() Trace {
	pinned := snap("a", 1, Target{Revision: "web-1", Percent: 100})
	return Trace{
		Plan{At: after("0s"), Number: 1, Template: "a"},
		Life{after("0s"), "web-1", Created},
		Deploy{At: after("1m"), Mask: []string{"template"}, Etag: "a", Digest: "a", Before: pinned, Accepted: true},
		Life{after("1m"), "web-2", Created},
	}
}

func TestATemplateThatIsSentAsItShouldBe(t *testing.T) {
	t.Parallel()
	edited := deploying()
	edited = append(edited[:2:2], append(Trace{Plan{At: after("57s"), Number: 2, Template: "b"}}, edited[2:]...)...)
	foreign := append(deploying(),
		Life{after("2m"), "web-3", Created}, Life{after("3m"), "web-4", Created}, // another's, and one more
		Deploy{At: after("5m"), Mask: []string{"template"}, Etag: "b", Digest: "a", Before: snap("b", 2), Accepted: true},
	)
	for name, trace := range map[string]Trace{"as wanted": deploying(), "edited a moment before": edited, "after another's": foreign} {
		if found := Judge(trace); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}

func TestATemplateThatIsSentAsItMustNotBe(t *testing.T) {
	t.Parallel()
	change := func(edit func(*Deploy)) Trace {
		trace := deploying()
		d := trace[2].(Deploy)
		edit(&d)
		trace[2] = d
		return trace
	}
	before := func(events ...Event) Trace {
		trace := deploying()
		return append(append(trace[:2:2], events...), trace[2:]...)
	}
	for what, trace := range map[string]Trace{
		"I1: a template is sent with the mask":  change(func(d *Deploy) { d.Mask = []string{"template", "traffic"} }),
		"I1: a template is sent without an":     change(func(d *Deploy) { d.Etag, d.Before.Etag = "", "" }),
		"I1: a template is sent where traffic":  change(func(d *Deploy) { d.Before.Traffic = []Target{{Latest: true, Percent: 100}} }),
		"I2: a template with the etag":          change(func(d *Deploy) { d.Before.Etag = "b" }),
		"I2: template c is sent, and \"a\" is":  change(func(d *Deploy) { d.Digest = "c" }),
		"I2: template a is sent, and \"b\" is":  before(Plan{At: after("54s"), Number: 2, Template: "b"}),
		"I16: template a is deployed again":     append(deploying(), change(func(d *Deploy) { d.At = after("5m") })[2]),
		"I9: a template is sent while spec":     before(Plan{At: after("30s"), Number: 2, Template: "a", Paused: true}),
		"I9: a template is sent in a freeze":    before(Frozen{after("30s"), start.Add(time.Hour)}),
		"I9: a template is sent for an object":  before(Deleting{after("30s")}),
		"I9: a template is sent for an object ": before(Gone{after("30s")}),
	} {
		found := Judge(trace)
		if len(found) == 0 || !strings.Contains(found[0].String(), strings.TrimSpace(what)) {
			t.Errorf("found %v, want %s", found, what)
		}
	}
}

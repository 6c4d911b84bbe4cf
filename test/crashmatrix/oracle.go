package crashmatrix

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-rollouts/sluice/internal/simulator"
	"github.com/sluice-rollouts/sluice/test/invariants"
	"github.com/sluice-rollouts/sluice/test/soak"
	"github.com/sluice-rollouts/sluice/test/witness"
)

// result is what a play came to, as far as it must be that of the undisturbed one.
type result struct {
	end    []fact
	served []string // splits, one after another
	broken []string // invariants
}

// fact is one thing that is true at the end.
type fact struct{ name, value string }

// resultOf reads it from the object, the world and the trace.
func resultOf(o soak.Outcome) (result, error) {
	r := result{}
	for _, v := range o.Violations {
		r.broken = append(r.broken, v.String())
	}
	for _, split := range o.Served() {
		if text := inWords(split); len(r.served) == 0 || r.served[len(r.served)-1] != text {
			r.served = append(r.served, text)
		}
	}
	say := func(name string, value any) { r.end = append(r.end, fact{name, fmt.Sprint(value)}) }
	state, err := o.Service()
	say("what is asked for", entries(state.Traffic))
	say("what serves", inWords(state.Effective))
	traffic, owners := o.RunService()
	say("what its RunService asks for", entries(traffic))
	say("whose that is", owners)
	ro := o.Object()
	say("the rollout is there", ro != nil)
	if ro == nil {
		return r, err
	}
	say("its phase", ro.Status.Phase)
	say("its stable", witness.BaselineOf(&ro.Status))
	if a := ro.Status.Attempt; a != nil {
		say("its reason", a.Reason)
		say("its candidate", a.Candidate)
		say("its attempt", a.ID)
		say("what it has given up", a.Latched)
	}
	return r, err
}

// violations are the invariants that are broken, without the times.
func (r result) violations() []string {
	var all []string
	for _, broken := range r.broken {
		_, what, _ := strings.Cut(broken, " ")
		all = append(all, what)
	}
	return all
}

// differences compares a play with the undisturbed one. Each begins with the
// invariant that is broken; a difference is one of I11, crash equivalence.
func (r result) differences(c Cell, undisturbed result) []string {
	all := r.violations()
	for _, f := range r.end {
		if was := undisturbed.value(f.name); was != f.value {
			all = append(all, fmt.Sprintf("I11: at the end %s: %s; undisturbed %s", f.name, f.value, was))
		}
	}
	if !slices.Equal(r.served, undisturbed.served) && !c.allows(r, undisturbed) {
		all = append(all, fmt.Sprintf("I11: what served: %s; undisturbed %s", list(r.served), list(undisturbed.served)))
	}
	return all
}

func (r result) value(name string) string {
	i := slices.IndexFunc(r.end, func(f fact) bool { return f.name == name })
	if i < 0 {
		return "nothing"
	}
	return r.end[i].value
}

func list(splits []string) string { return strings.Join(splits, " > ") }

// inWords writes percents, the revisions in order.
func inWords(split invariants.Split) string {
	var words []string
	for _, revision := range slices.Sorted(maps.Keys(split)) {
		words = append(words, fmt.Sprintf("%s %d%%", revision, split[revision]))
	}
	return strings.Join(words, ", ")
}

func entries(targets []simulator.TrafficTarget) string {
	var words []string
	for _, t := range targets {
		word := fmt.Sprintf("%s %d%%", t.Revision, t.Percent)
		if t.Type == simulator.AllocateLatest {
			word = "LATEST" + word
		}
		if t.Tag != "" {
			word += " [" + t.Tag + "]"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

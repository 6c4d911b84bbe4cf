package stories_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
	"github.com/sluice-rollouts/sluice/internal/rollout"
	"github.com/sluice-rollouts/sluice/internal/simulator"
)

// at makes a moment at a time after the beginning: "10m".
func at(after, what string, do func(*teller)) moment {
	return moment{at: span(after), what: what, do: do}
}

// when makes a moment some time after a condition was first seen to hold.
func when(holds func(*teller) bool, after, what string, do func(*teller)) moment {
	return moment{when: holds, at: span(after), what: what, do: do}
}

// during makes a moment in the middle of the nth decision to write.
func during(g gate, nth int, what string, do func(*teller)) moment {
	return moment{gate: g, nth: nth, what: what, do: do}
}

func span(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}

func minutes(n int) simulator.Duration { return simulator.Duration(time.Duration(n) * time.Minute) }

// The conditions.

// in holds in a phase, with a percent for the candidate.
func in(phase rollout.Phase, percent int64) func(*teller) bool {
	return func(b *teller) bool {
		return b.saved.Phase == phase && b.saved.Confirmed.Of(b.saved.Candidate) == percent
	}
}

func because(reason rollout.Reason) func(*teller) bool {
	return func(b *teller) bool { return b.saved.Reason == reason }
}

// What the world and people do.

func deploy(revision string, errors ...simulator.ErrorRate) func(*teller) {
	return deployAs(revision, simulator.Behaviour{Errors: errors})
}

func deployAs(revision string, behaviour simulator.Behaviour) func(*teller) {
	return func(b *teller) {
		b.must(second(b.world.Deploy("web", simulator.Deployment{Image: newImage, Revision: revision, Behaviour: &behaviour})))
	}
}

func second(_ string, err error) error { return err }

// set is a person's split: revision, percent, revision, percent.
func set(split ...any) func(*teller) {
	return func(b *teller) {
		var traffic []simulator.TrafficTarget
		for i := 0; i < len(split); i += 2 {
			traffic = append(traffic, simulator.TrafficTarget{Revision: split[i].(string), Percent: split[i+1].(int)})
		}
		b.must(b.world.EditTraffic("web", traffic, alice))
	}
}

// setEvenly is a person's split in which every revision has as much as the others.
func setEvenly(revisions []string) func(*teller) {
	var split []any
	for _, name := range revisions {
		split = append(split, name, 100/len(revisions))
	}
	return set(split...)
}

// retag keeps the split and changes the tags.
func retag(revision, tag string) func(*teller) {
	return func(b *teller) {
		svc, err := b.world.GetService(webName)
		b.must(err)
		traffic := append([]simulator.TrafficTarget(nil), svc.Traffic...)
		for i := range traffic {
			if traffic[i].Tag == tag {
				traffic[i].Tag = ""
			}
		}
		for i := range traffic {
			if traffic[i].Revision == revision && traffic[i].Tag == "" {
				traffic[i].Tag = tag
				b.must(b.world.EditTraffic("web", traffic, alice))
				return
			}
		}
		traffic = append(traffic, simulator.TrafficTarget{Revision: revision, Tag: tag})
		b.must(b.world.EditTraffic("web", traffic, alice))
	}
}

func inject(f simulator.Fault) func(*teller) {
	return func(b *teller) { b.must(b.world.Inject(f)) }
}

func heal(b *teller) { b.world.ClearFaults() }

func users(perSecond float64) func(*teller) {
	return func(b *teller) { b.must(b.world.SetUsers("web", perSecond)) }
}

func lose(revision string) func(*teller) {
	return func(b *teller) { b.must(b.world.LoseRevision(revision)) }
}

func fail(revision string) func(*teller) {
	return func(b *teller) { b.must(b.world.FailRevision(revision, simulator.StartupFailure{})) }
}

func loseService(b *teller) { b.must(b.world.LoseService("web")) }

// all carries out several actions at the same moment.
func all(actions ...func(*teller)) func(*teller) {
	return func(b *teller) {
		for _, do := range actions {
			do(b)
		}
	}
}

// What people do with the object. The controller watches it and looks at once.

// ask stores a request that is bound to what is under way now.
func ask(verb rollout.Verb) func(*teller) {
	return func(b *teller) {
		b.ids++
		b.demand(rollout.Request{
			ID: fmt.Sprintf("r%d", b.ids), Verb: verb, Attempt: b.saved.Attempt, Step: b.saved.Step, By: alice,
		})
	}
}

// askFor is ask with a mode of a promote, and a reason.
func askFor(verb rollout.Verb, mode, reason string) func(*teller) {
	return func(b *teller) {
		b.ids++
		b.demand(rollout.Request{
			ID: fmt.Sprintf("r%d", b.ids), Verb: verb, Attempt: b.saved.Attempt, Step: b.saved.Step, By: alice, Reason: reason,
			Full: strings.Contains(mode, v1alpha1.ModeFull), Override: strings.Contains(mode, v1alpha1.ModeOverride),
		})
	}
}

// order stores a request that is bound to nothing.
func order(verb rollout.Verb, revision string) func(*teller) {
	return func(b *teller) {
		b.ids++
		b.demand(rollout.Request{ID: fmt.Sprintf("r%d", b.ids), Verb: verb, Step: -1, Revision: revision, By: alice})
	}
}

// planTo edits the spec.
func planTo(edit func(*rollout.Plan)) func(*teller) {
	return func(b *teller) {
		edit(&b.plan)
		b.planned()
		b.lookAt = b.world.Now()
	}
}

func pausedTo(paused bool) func(*teller) {
	return planTo(func(p *rollout.Plan) { p.Paused = paused })
}

func stableTo(revision string) func(*teller) {
	return planTo(func(p *rollout.Plan) { p.StableRevision = revision })
}

// What happens to the controller.

// crash kills the controller in the middle of a pass; it starts again later.
func crash(after string) func(*teller) {
	return func(b *teller) {
		b.crashed = true
		down(after)(b)
	}
}

// down keeps the controller from looking for a while.
func down(after string) func(*teller) {
	return func(b *teller) {
		b.awake = b.world.Now().Add(span(after))
		b.lookAt = later(b.lookAt, b.awake)
	}
}

// forget loses the status of the object, and looks.
func forget(b *teller) {
	b.saved = rollout.Progress{}
	b.lookAt = b.world.Now()
}

func (b *teller) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s at %s: %v", b.story.name, b.world.Now().Sub(b.start), err)
	}
}

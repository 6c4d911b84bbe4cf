package invariants

import (
	"fmt"
	"slices"
	"time"
)

// templateAnnotation is where a template of ours says which one it is.
const templateAnnotation = "rollouts.sluice.dev/template"

// deployAlone: I1. A template is sent alone, and only where nothing follows LATEST: its
// revision would have everything at once.
func deployAlone(_ *past, e Event) string {
	d, ok := e.(Deploy)
	switch {
	case !ok || !d.Accepted:
		return ""
	case !slices.Equal(d.Mask, []string{"template"}):
		return fmt.Sprintf("a template is sent with the mask %v", d.Mask)
	case d.Etag == "":
		return "a template is sent without an etag"
	case slices.ContainsFunc(d.Before.Traffic, func(t Target) bool { return t.Latest && t.Percent > 0 }):
		return "a template is sent where traffic follows LATEST"
	}
	return ""
}

// deployLandsOnItsBase: I2. What was written over is what was read.
func deployLandsOnItsBase(_ *past, e Event) string {
	d, ok := e.(Deploy)
	if !ok || !d.Accepted || d.Etag == d.Before.Etag {
		return ""
	}
	return fmt.Sprintf("a template with the etag %s took effect on a service that had %s", d.Etag, d.Before.Etag)
}

// deploysWhatIsWanted: I2. What is sent is the plan's template, but for the moment in
// which nobody could know of another one.
func deploysWhatIsWanted(p *past, e Event) string {
	d, ok := e.(Deploy)
	if !ok || d.Landed {
		return ""
	}
	until := d.when()
	for _, plan := range slices.Backward(p.plans) {
		if plan.Template == d.Digest && d.when().Sub(until) <= p.delta {
			return ""
		}
		until = plan.when()
	}
	return fmt.Sprintf("template %s is sent, and %q is wanted", d.Digest, p.plan().Template)
}

// deploysOnce: I16. Where nobody deployed since, a template that is there is not deployed
// again: each would be one more revision. One that is sent on a read of the past is
// refused.
func deploysOnce(p *past, e Event) string {
	d, ok := e.(Deploy)
	if !ok || !d.Accepted || p.deploys.digest != d.Digest || p.deploys.foreign {
		return ""
	}
	return fmt.Sprintf("template %s is deployed again, and nobody had deployed another", d.Digest)
}

// deployHasLeave: I9, I14. Nothing is deployed while it is paused in Git, in a freeze, or
// for an object that is to go.
func deployHasLeave(p *past, e Event) string {
	d, ok := e.(Deploy)
	if !ok || d.Landed {
		return ""
	}
	long := func(since time.Time) bool { return !since.IsZero() && d.when().Sub(since) > p.delta }
	switch plan := p.plan(); {
	case plan.Paused && long(plan.when()):
		return "a template is sent while spec.paused is true"
	case long(p.deleting) || long(p.gone):
		return "a template is sent for an object that is to go"
	}
	if f, frozen := p.freeze(d.By, d.when()); frozen {
		return fmt.Sprintf("a template is sent in a freeze of %s", f.when().UTC().Format("15:04:05"))
	}
	return ""
}

// deployed is what was deployed last, and whether somebody else has since.
type deployed struct {
	digest  string
	ours    int // revisions that ours may still make
	foreign bool
}

func (p *past) learnDeploy(d Deploy) {
	if d.Accepted {
		p.deploys = deployed{digest: d.Digest, ours: 1}
	}
}

// learnCreated tells the revision of a template of ours from anybody else's.
func (d *deployed) learnCreated() {
	if d.ours == 0 {
		d.foreign = true
	}
	d.ours = 0
}

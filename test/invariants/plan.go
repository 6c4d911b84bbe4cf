package invariants

import "slices"

// step is the step of a plan that a weight belongs to.
func (p Plan) step(weight int) Step {
	var at Step
	for i, s := range p.Steps {
		if i == 0 || s.Weight <= weight {
			at = s
		}
	}
	return at
}

// inserted tells whether a weight is one that pacing put between those of the plan.
func (p Plan) inserted(weight int) bool {
	planned := func(s Step) bool { return s.Weight == weight }
	return p.Paced && weight > 0 && weight < 100 && !slices.ContainsFunc(p.Steps, planned)
}

// held is how a weight must be held: as the plan says, and an inserted one for a
// complete minute. One that a former plan had is held like the step that it is on the
// way to.
func (p Plan) held(weight int) Step {
	if p.inserted(weight) {
		return Step{Weight: weight, Bake: 1}
	}
	for _, s := range p.Steps {
		if s.Weight >= weight {
			return s
		}
	}
	return p.step(weight)
}

// after is the first weight of the plan above a weight; 100 after the last.
func (p Plan) after(weight int) int {
	for _, s := range p.Steps {
		if s.Weight > weight {
			return s.Weight
		}
	}
	return 100
}
